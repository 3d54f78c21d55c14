"""The rig's fence agent, as clusters and people call it."""

from __future__ import annotations

import io
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rig.fencing.guest import agent
from rig.fencing.requests import Answer
from tests.unit.fencing.callers import KEY, Power, Service, running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, Power()) as made:
        yield made


class Called:
    """The agent, called in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = monkeypatch, capsys

    def __call__(self, stdin: str = "", *words: str) -> tuple[int, str, str]:
        self._patch.setattr(sys, "stdin", io.StringIO(stdin))
        self._patch.setattr(sys, "argv", ["fence_halab_rig", *words])
        status = agent.main()
        captured = self._capture.readouterr()
        return status, captured.out, captured.err


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Called:
    return Called(monkeypatch, capsys)


def lines(service: Service, **options: str) -> str:
    known = {
        "ip": service.address[0],
        "ipport": str(service.address[1]),
        "key_file": str(service.key_file),
        **options,
    }
    return "".join(f"{name}={value}\n" for name, value in known.items())


@pytest.mark.parametrize(
    ("options", "status", "out"),
    [
        ({"action": "off", "plug": "m1"}, 0, ""),
        ({"action": "on", "plug": "m1"}, 0, ""),
        ({"plug": "m1"}, 0, ""),
        ({"action": "status", "plug": "m1"}, 0, "Status: ON\n"),
        ({"action": "monitor"}, 0, ""),
        ({"action": "list"}, 0, "m1,\nm2,\n"),
        ({"action": "list-status"}, 0, "m1,,on\nm2,,off\n"),
        ({"action": "validate-all"}, 0, ""),
        ({"option": "off", "port": "m1", "nodename": "m1", "pcmk_x": "y"}, 0, ""),
    ],
)
def test_actions(
    service: Service, call: Called, options: dict[str, str], status: int, out: str
) -> None:
    assert call(lines(service, **options)) == (status, out, "")


def test_a_machine_without_power_is_status_2(tmp_path: Path, call: Called) -> None:
    with running(tmp_path, lambda _: Answer(power="off")) as service:
        assert call(lines(service, action="status", plug="m1")) == (2, "Status: OFF\n", "")


@pytest.mark.parametrize("power", ["on", "frozen", "booting"])
def test_whatever_else_it_does_it_has_power(tmp_path: Path, call: Called, power: str) -> None:
    with running(tmp_path, lambda _: Answer(power=power)) as service:
        assert call(lines(service, action="status", plug="m1"))[0] == 0


def test_options_may_be_words_of_a_command_line(service: Service, call: Called) -> None:
    host, port = service.address
    words = ["-o", "list", "-a", host, "--ipport", str(port), "--key-file", str(service.key_file)]
    assert call("", *words) == (0, "m1,\nm2,\n", "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"action": "explode"}, "unknown action 'explode'; known: on, off"),
        ({"action": "off"}, "the parameter 'plug' is missing"),
        ({"action": "list", "ip": ""}, "the parameter 'ip' is missing"),
        ({"action": "list", "ipport": "0"}, "ipport='0': expected a number from 1 to 65535"),
        ({"action": "list", "ipport": "x"}, "ipport='x'"),
        ({"action": "list", "timeout": "0"}, "timeout='0'"),
        ({"action": "list", "key_file": "/nowhere"}, "cannot read the fence key /nowhere"),
        ({"action": "list", "key_file": "/dev/null"}, "/dev/null holds no fence key"),
        ({"action": "off", "plug": "m9"}, "there is no such machine"),
        ({"action": "list", "ipport": "1"}, "no answer from the fence service at 127.0.0.1:1"),
    ],
)
def test_what_is_wrong_is_said_and_status_1(
    service: Service, call: Called, options: dict[str, str], said: str
) -> None:
    status, out, error = call(lines(service, **options))
    assert (status, out) == (1, "")
    assert said in error
    assert KEY not in error


def test_a_service_that_talks_nonsense_is_a_failure(call: Called, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)
    for said in (b"hello\n", b"{}\n", b'{"version": 7, "nonce": ""}\n', b"[1]\n", b"\xff\n", b""):
        listener = socket.create_server(("127.0.0.1", 0))

        def answer(listener: socket.socket = listener, said: bytes = said) -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(said)

        thread = threading.Thread(target=answer)
        thread.start()
        host, port = listener.getsockname()[:2]
        options = f"action=off\nplug=m1\nip={host}\nipport={port}\nkey_file={key}\n"
        status, out, error = call(options)
        thread.join()
        listener.close()
        assert (status, out) == (1, ""), said
        assert error.startswith("fence_halab_rig: ")


class TestMetadata:
    """What pcs and Pacemaker read of it."""

    def parsed(self, call: Called) -> ET.Element:
        status, out, _ = call("action=metadata\n")
        assert status == 0
        return ET.fromstring(out)

    def test_it_needs_neither_service_nor_key_and_is_xml(self, call: Called) -> None:
        assert self.parsed(call).get("name") == "fence_halab_rig"

    def test_every_parameter_says_what_it_is_and_what_it_is_without_being_given(
        self, call: Called
    ) -> None:
        found = {
            str(element.get("name")): element for element in self.parsed(call).iter("parameter")
        }
        assert set(found) == {parameter.name for parameter in agent.PARAMETERS}
        for parameter in agent.PARAMETERS:
            element = found[parameter.name]
            content = element.find("content")
            assert content is not None
            assert content.get("default") == parameter.default
            assert element.findtext("shortdesc") == parameter.about

    def test_every_action_is_named(self, call: Called) -> None:
        actions = {str(element.get("name")) for element in self.parsed(call).iter("action")}
        assert actions == set(agent.ACTIONS)

    def test_what_it_says_of_itself_is_escaped(self, call: Called) -> None:
        metadata = self.parsed(call)
        assert "reboot does not power on" in str(metadata.findtext("longdesc"))
