"""The rig's fence service: who holds the key is served, nobody else, and nothing ends it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rig import state
from rig.fencing import server
from rig.fencing.guest.agent import FenceError, ask, sign
from rig.fencing.requests import MAX_REQUEST, Answer, Request
from rig.model import RigError
from tests.support.waiting import MOMENT_S, deadline_s, wait_until
from tests.unit.fencing.callers import KEY, Power, Relay, Service, running


@pytest.fixture
def power() -> Power:
    return Power()


@pytest.fixture
def service(tmp_path: Path, power: Power) -> Iterator[Service]:
    with running(tmp_path, power) as made:
        yield made


@pytest.fixture
def relay(service: Service) -> Iterator[Relay]:
    made = Relay(service)
    yield made
    made.close()


def test_who_holds_the_key_is_served(service: Service, power: Power) -> None:
    assert service.ask("off", "m1")["power"] == "off"
    assert service.ask("status", "m1")["power"] == "on"
    assert service.ask("list")["machines"] == {"m1": "on", "m2": "off"}
    assert power.asked == [("off", "m1"), ("status", "m1"), ("list", "")]


def test_another_rigs_key_is_refused_and_nothing_is_done(service: Service, power: Power) -> None:
    with pytest.raises(FenceError, match="refused: wrong key"):
        service.ask("off", "m1", key="another rig's key, as long as the right one")
    assert power.asked == []


def test_a_key_that_was_changed_holds_from_the_next_request_on(service: Service) -> None:
    service.key_file.write_text("n" * 64)
    with pytest.raises(FenceError, match="wrong key"):
        service.ask("list")
    assert service.ask("list", key="n" * 64)


@pytest.mark.parametrize("content", [None, "", "short\n"])
def test_without_a_key_of_its_own_the_service_serves_nobody(
    service: Service, power: Power, content: str | None
) -> None:
    service.key_file.unlink()
    if content is not None:
        service.key_file.write_text(content)
    for key in (KEY, content or "", ""):
        with pytest.raises(FenceError):
            service.ask("off", "m1", key=key)
    assert power.asked == []


def test_a_request_that_was_overheard_is_worth_nothing(
    service: Service, power: Power, relay: Relay
) -> None:
    with ThreadPoolExecutor() as pool:
        passing = pool.submit(relay.pass_one_on)
        ask(relay.address, KEY.encode(), "off", "m1", timeout_s=30)
        passing.result()
    assert b'"off"' in relay.sent
    assert b"wrong key" in service.said_to(relay.sent)
    assert power.asked == [("off", "m1")]


def test_an_overheard_request_cannot_be_turned_into_another(service: Service, power: Power) -> None:
    with service.connect() as connection, connection.makefile("rb") as lines:
        nonce = json.loads(lines.readline())["nonce"]
        theirs = "a" * 64
        mac = sign(KEY.encode(), "request", nonce, theirs, "status", "m1")
        forged = {"action": "off", "machine": "m1", "nonce": theirs, "mac": mac}
        connection.sendall(json.dumps(forged).encode() + b"\n")
        assert b"wrong key" in lines.readline()
    assert power.asked == []


def test_parts_of_a_signature_cannot_flow_into_one_another() -> None:
    whole = sign(b"k", "off", "m1")
    assert whole not in (sign(b"k", "offm", "1"), sign(b"k", "off2:m1"), sign(b"k", "of", "fm1"))


def test_an_answer_that_was_changed_is_not_believed(relay: Relay) -> None:
    def lie(answer: dict[str, object]) -> None:
        answer["body"] = json.dumps({"error": "", "power": "off", "machines": {}})

    relay.changing(lie)
    with ThreadPoolExecutor() as pool:
        passing = pool.submit(relay.pass_one_on)
        with pytest.raises(FenceError, match="not from the rig's fence service"):
            ask(relay.address, KEY.encode(), "status", "m1", timeout_s=30)
        passing.result()


def test_a_failure_is_told_to_the_caller(service: Service) -> None:
    with pytest.raises(FenceError, match="off m9: there is no such machine"):
        service.ask("off", "m9")


def signed(**changes: object) -> bytes:
    return json.dumps(
        {"action": "off", "machine": "m1", "nonce": "a" * 64, "mac": "b" * 64, **changes}
    ).encode()


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"off m1\n",
        b"[]\n",
        b"null\n",
        b'"off"\n',
        b"\xff\xfe\x00\n",
        b"[" * 1000 + b"\n",
        signed(action=["off"]) + b"\n",
        signed(action="poweroff") + b"\n",
        signed(machine="../../m1") + b"\n",
        signed(machine="m1\nm2") + b"\n",
        signed(machine=None) + b"\n",
        signed(nonce="short") + b"\n",
        signed(mac="x" * 64) + b"\n",
        signed(),
        b"x" * (MAX_REQUEST + 1) + b"\n",
        b"x" * 1_000_000,
        b"",
    ],
)
def test_a_malformed_request_is_refused_and_the_service_goes_on(
    service: Service, power: Power, line: bytes
) -> None:
    said = service.said_to(line)
    assert said == b"" or b"refused" in said
    assert power.asked == []
    assert service.ask("status", "m1")["power"] == "on"


def test_a_caller_that_says_nothing_is_disconnected(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "REQUEST_DEADLINE_S", 0.05)
    with service.connect() as connection, connection.makefile("rb") as lines:
        assert b"nonce" in lines.readline()
        assert b"refused" in lines.readline()
        assert lines.readline() == b""


def test_silent_callers_are_bounded_and_give_their_places_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "CALLERS", 3)
    silent = [service.connect() for _ in range(3)]
    for connection in silent:
        assert connection.recv(4096)
    with pytest.raises(FenceError):
        service.ask("list")
    for connection in silent:
        connection.close()
    wait_until("a place is free", lambda: _is_served(service), usual_s=MOMENT_S)


def _is_served(service: Service) -> bool:
    try:
        return bool(service.ask("list"))
    except FenceError:
        return False


def test_callers_are_served_side_by_side(tmp_path: Path) -> None:
    everybody_is_there = threading.Barrier(8)

    def slow(request: Request) -> Answer:
        everybody_is_there.wait(deadline_s(MOMENT_S))
        return Answer(power=request.machine)

    with running(tmp_path, slow) as service, ThreadPoolExecutor(8) as pool:
        names = [f"m{i}" for i in range(8)]
        answers = list(pool.map(lambda name: service.ask("off", name), names))
    assert [answer["power"] for answer in answers] == names


def test_what_goes_wrong_inside_does_not_end_the_service(tmp_path: Path) -> None:
    def broken(request: Request) -> Answer:
        if request.action == "off":
            raise ZeroDivisionError
        return Answer(power="on")

    with running(tmp_path, broken) as service:
        with pytest.raises(FenceError, match="closed the connection"):
            service.ask("off", "m1")
        assert service.ask("status", "m1")["power"] == "on"


def test_a_rig_that_is_busy_for_too_long_makes_the_request_fail_and_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with (
        state.locked("busy"),
        pytest.raises(RigError, match="another command that changes rig 'busy'"),
        state.locked("busy", patience=0.05),
    ):
        pytest.fail("two commands hold the rig")
    with state.locked("busy", patience=0.05):
        pass
