"""The probes against machines of their own: who answers for the VIP, and who says it has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

import pytest

from lab.drill.events import Owner, ProbeState
from lab.drill.probes.address import AddressProbe
from lab.drill.probes.arp import ArpProbe
from lab.drill.probes.http import HttpProbe
from lab.errors import LabError
from tests.proof.drill.probe_lab import AHEAD_S, VIP, ProbeLab, owners_of, probe_lab
from tests.support.services.machines import why_no_machines
from tests.support.waiting import BOOT_S, deadline_s
from tests.unit.drill.probes.probing import Seen

ROUNDED_S = 1e-5
"""More than what a number that is told may be rounded by."""
ANNOUNCE = """
import socket, struct, sys
mac = bytes.fromhex(sys.argv[2].replace(":", ""))
vip = socket.inet_aton(sys.argv[1])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0x0806))
s.send(b"\\xff" * 6 + mac + b"\\x08\\x06" + struct.pack("!HHBBH", 1, 0x800, 6, 4, 1)
       + mac + vip + bytes(6) + vip)
"""


@pytest.fixture(scope="module")
def whole_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProbeLab]:
    if reason := why_no_machines():
        pytest.skip(reason)
    with probe_lab(tmp_path_factory.mktemp("probes")) as lab:
        yield lab


@pytest.fixture
def lab(whole_lab: ProbeLab) -> Iterator[ProbeLab]:
    """Nobody has the VIP, and the client believes nothing of it."""
    whole_lab["client"].run("ip", "neighbour", "flush", "dev", "eth0")
    yield whole_lab
    whole_lab.nobody_has_it()


def watch(lab: ProbeLab, probe: object, test: Callable[[Seen], Awaitable[None]]) -> Seen:
    """Run the test while the probe looks."""

    async def run() -> Seen:
        async with asyncio.timeout(deadline_s(BOOT_S)), lab.seen_by(probe) as seen:
            await test(seen)
        return seen

    return asyncio.run(run())


def last(seen: Seen, source: str) -> tuple[str, ...] | None:
    found = owners_of(seen, source)
    return found[-1] if found else None


def test_the_wire_shows_one_owner_two_and_none(lab: ProbeLab) -> None:
    lab.take_vip("lb1")

    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "arp") == ("lb1",), "lb1")
        lab.take_vip("lb2")
        await seen.until(lambda: last(seen, "arp") == ("lb1", "lb2"), "both")
        lab.leave_vip("lb1")
        await seen.until(lambda: last(seen, "arp") == ("lb2",), "lb2")
        lab.leave_vip("lb2")
        await seen.until(lambda: last(seen, "arp") == (), "nobody")

    seen = watch(lab, ArpProbe(), test)
    assert owners_of(seen, "arp") == [("lb1",), ("lb1", "lb2"), ("lb2",), ()]
    assert all(isinstance(event, Owner) and event.probe == "arp" for event in seen.events)


def test_asking_the_wire_does_not_tell_this_hosts_kernel_who_answers(lab: ProbeLab) -> None:
    lab.take_vip("lb1")
    client = lab["client"]
    # As after a request to lb1; a permanent entry would not change in any case.
    entry = (VIP, "lladdr", lab.mac("lb1"), "dev", "eth0", "nud", "stale")
    client.run("ip", "neighbour", "add", *entry)

    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "arp") == ("lb1",), "lb1")
        lab.take_vip("lb2")
        lab.leave_vip("lb1")
        await seen.until(lambda: last(seen, "arp") == ("lb2",), "lb2")
        count = len(seen.events)
        # For more than a second after a change the kernel believes no other one.
        await seen.some(count + 15)

    watch(lab, ArpProbe(), test)
    assert lab.mac("lb1") in client.run("ip", "neighbour", "show", VIP)


def test_an_announcement_is_heard_without_being_asked_for(lab: ProbeLab) -> None:
    lab.take_vip("lb1")

    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "arp") == ("lb1",), "lb1")
        lab["lb2"].run("python3", "-c", ANNOUNCE, "10.16.1.77", lab.mac("lb2"))
        lab["lb2"].run("python3", "-c", ANNOUNCE, VIP, lab.mac("lb2"))
        await seen.until(lambda: ("lb2",) in owners_of(seen, "arp"), "lb2 announced itself")
        await seen.until(lambda: last(seen, "arp") == ("lb1",), "lb1 still answers")

    seen = watch(lab, ArpProbe(), test)
    assert owners_of(seen, "arp") == [("lb1",), ("lb2",), ("lb1",)]


def test_a_machine_that_cannot_be_asked_for_its_mac_goes_by_it(lab: ProbeLab) -> None:
    lab.take_vip("lb1")
    lab["lb2"].run("killall", "-KILL", "sshd")

    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "arp") == ("lb1",), "lb1")
        lab.take_vip("lb2")
        await seen.until(lambda: len(last(seen, "arp") or ()) == 2, "both")

    try:
        seen = watch(lab, ArpProbe(), test)
    finally:
        lab.start_sshd("lb2")
    assert last(seen, "arp") == (lab.mac("lb2"), "lb1")
    notes = [text_of(event) for event in seen.events]
    assert any("answers of lb2 go by their MAC address" in note for note in notes)


def test_an_address_that_is_not_on_this_wire_is_absent(lab: ProbeLab) -> None:
    lab["client"].run("ip", "route", "add", "192.0.2.0/24", "via", "10.16.1.11")

    async def test(seen: Seen) -> None:
        await seen.some(1)

    seen = watch(lab, ArpProbe(address=lambda _: "192.0.2.7"), test)
    (state,) = seen.events
    assert isinstance(state, ProbeState)
    assert state.state == "absent"
    assert "behind the router 10.16.1.11" in state.detail
    assert seen.task is not None
    assert isinstance(seen.task.exception(), LabError), "the drill does not wait for its word"


def test_a_machine_tells_each_change_in_our_time(lab: ProbeLab) -> None:
    moments: list[tuple[float, float]] = []
    """Before each change, and after it was told."""

    async def change(seen: Seen, name: str, *, has: bool) -> None:
        begin = time.monotonic()
        (lab.take_vip if has else lab.leave_vip)(name)
        await seen.until(lambda: last(seen, name) == ((name,) if has else ()), name)
        moments.append((begin, time.monotonic()))

    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "lb1") == () == last(seen, "lb2"), "both talk")
        await change(seen, "lb1", has=True)
        await change(seen, "lb2", has=True)
        await change(seen, "lb1", has=False)

    seen = watch(lab, AddressProbe(), test)
    assert owners_of(seen, "lb1") == [(), ("lb1",), ()]
    assert owners_of(seen, "lb2") == [(), ("lb2",)]
    words = [event for event in seen.events if isinstance(event, Owner)]
    changes = [first_of(words, "lb1", ("lb1",)), first_of(words, "lb2", ("lb2",))]
    for (begin, end), event in zip(moments, changes, strict=False):
        unsure_s = max(clocks_of(seen, event.source).values())
        assert begin - unsure_s <= event.t <= end + unsure_s, "in our time, when it happened"
        assert event.probe == "address"
    for ahead_s, unsure_s in clocks_of(seen, "lb2").items():
        assert ahead_s == pytest.approx(AHEAD_S["lb2"], abs=unsure_s)


def clocks_of(seen: Seen, name: str) -> dict[float, float]:
    """By how much a machine's clock is ahead, and how uncertain that is, each time it was told."""
    told = [text.split() for text in map(text_of, seen.events)]
    return {
        float(words[4]): float(words[-2]) + ROUNDED_S
        for words in told
        if words[:4] == [f"{name}:", "its", "clock", "is"]
    }


def text_of(event: object) -> str:
    return str(getattr(event, "text", ""))


def first_of(words: list[Owner], source: str, owners: tuple[str, ...]) -> Owner:
    found = [word for word in words if word.source == source and word.owners == owners]
    return min(found, key=lambda word: word.t)


def test_a_machine_that_is_off_says_nothing_until_it_is_back(lab: ProbeLab) -> None:
    lab["lb2"].run("killall", "-KILL", "sshd")

    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "lb1") == (), "lb1 talks")
        assert last(seen, "lb2") is None
        lab.take_vip("lb2")
        lab.start_sshd("lb2")
        await seen.until(lambda: last(seen, "lb2") == ("lb2",), "lb2 is back")
        lab["lb2"].run("killall", "-KILL", "sshd")
        lab.start_sshd("lb2")
        count = len(said_by(seen, "lb2"))
        await seen.until(lambda: len(said_by(seen, "lb2")) > count + 3, "lb2 is back again")

    watch(lab, AddressProbe(), test)


def said_by(seen: Seen, source: str) -> list[Owner]:
    return [event for event in seen.events if isinstance(event, Owner) and event.source == source]


def test_a_machine_that_was_cut_off_is_heard_again(lab: ProbeLab) -> None:
    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "lb1") == (), "lb1 talks")
        lab.cut("lb1")
        try:
            quiet = time.monotonic() + 2
            await seen.until(lambda: time.monotonic() > quiet, "it is cut off")
            assert said_by(seen, "lb1")[-1].t < quiet - 1.5
            lab.take_vip("lb1")
        finally:
            lab.join("lb1")
        await seen.until(lambda: last(seen, "lb1") == ("lb1",), "lb1 is heard again")

    watch(lab, AddressProbe(), test)


def test_the_script_ends_on_the_machine_with_its_probe(lab: ProbeLab) -> None:
    def scripts() -> str:
        return lab["lb1"].run("sh", "-c", "pgrep -f '[R]TMGRP_IPV4_IFADDR' || true")

    async def test(seen: Seen) -> None:
        await seen.until(lambda: last(seen, "lb1") == (), "lb1 talks")
        assert scripts()

    seen = watch(lab, AddressProbe(), test)

    async def gone() -> None:
        seen.task = None
        await seen.until(lambda: not scripts(), "the script has ended")

    asyncio.run(gone())


def test_clients_ask_from_inside_the_labs_network(lab: ProbeLab) -> None:
    lab.take_vip("lb1")
    folder = ("--directory", "/usr/local")
    lab["lb1"].start("python3", "-m", "http.server", "80", "--bind", VIP, *folder)

    async def test(seen: Seen) -> None:
        await seen.until(lambda: ("ok", "") in seen.outcomes(), "an answer")

    watch(lab, HttpProbe(url=lambda target: f"http://{target.vip}/"), test)
