"""ARP: what is asked, what an answer says, and who owns the address by all that was heard."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from lab.drill.probes.arp import device_of, macs_of, may_open_raw_sockets
from lab.drill.probes.arp_frames import REPLY, REQUEST, parse, question
from lab.drill.probes.arp_rounds import REPEAT_S, SILENT_ROUNDS, Rounds

MAC = bytes.fromhex("02aabbccddee")
NAMES = {"02:00:00:00:00:01": "lb1", "02:00:00:00:00:02": "lb2"}
LB1, LB2 = NAMES
STRANGER = "02:00:00:00:00:99"


def test_a_question_is_asked_of_all_and_tells_them_no_address() -> None:
    frame = question(MAC, "10.16.1.100")
    assert frame[:12] == b"\xff" * 6 + MAC
    asked = parse(frame)
    assert asked is not None
    assert (asked.operation, asked.sender_mac) == (REQUEST, "02:aa:bb:cc:dd:ee")
    assert asked.sender_ip == "0.0.0.0"  # noqa: S104
    assert frame[-4:] == bytes([10, 16, 1, 100])


def test_an_answer_says_who_has_the_address_and_who_asked() -> None:
    body = "0001080006040002" + "020000000001" + "0a100164" + "02aabbccddee" + "00000000"
    frame = MAC + bytes.fromhex("020000000001" + "0806" + body) + bytes(18)
    answer = parse(frame)
    assert answer is not None
    assert answer.operation == REPLY
    assert (answer.sender_mac, answer.sender_ip) == (LB1, "10.16.1.100")
    assert answer.target_mac == "02:aa:bb:cc:dd:ee"


QUESTION = question(MAC, "10.16.1.100")


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        QUESTION[:41],
        QUESTION.replace(b"\x08\x06", b"\x86\xdd", 1),
        QUESTION.replace(b"\x08\x00", b"\x86\xdd", 1),
    ],
)
def test_what_is_no_arp_for_ipv4_is_nothing(frame: bytes) -> None:
    assert parse(frame) is None


class Wire:
    """Rounds, and what they said."""

    def __init__(self) -> None:
        self.said: list[tuple[float, tuple[str, ...]]] = []
        self.rounds = Rounds(NAMES, lambda t, owners: self.said.append((round(t, 6), owners)))

    def ask(self, t: float, *answers: str) -> None:
        self.rounds.asked(t)
        for mac in answers:
            self.rounds.answered(t + 0.001, mac)


def test_an_owner_is_said_once_the_round_is_over() -> None:
    wire = Wire()
    wire.ask(1.0, LB1)
    assert wire.said == []
    wire.ask(1.01)
    assert wire.said == [(1.001, ("lb1",))]


def test_two_answers_to_one_question_are_two_owners() -> None:
    wire = Wire()
    wire.ask(1.0, LB2, LB1, LB2)
    wire.ask(1.01)
    assert wire.said == [(1.001, ("lb1", "lb2"))]


def test_answers_to_two_questions_are_one_owner_after_the_other() -> None:
    wire = Wire()
    wire.ask(1.0, LB1)
    wire.ask(1.01, LB2)
    wire.ask(1.02)
    assert wire.said == [(1.001, ("lb1",)), (1.011, ("lb2",))]


def test_an_unknown_address_stands_for_itself() -> None:
    wire = Wire()
    wire.ask(1.0, STRANGER)
    wire.ask(1.01)
    assert wire.said == [(1.001, (STRANGER,))]


def test_the_same_owner_is_repeated_each_tenth_of_a_second_only() -> None:
    wire = Wire()
    for number in range(101):
        wire.ask(number / 100, LB1)
    assert 9 <= len(wire.said) <= 11
    times = [t for t, _ in wire.said]
    assert max(b - a for a, b in pairwise(times)) <= REPEAT_S + 0.011


def test_a_change_is_said_with_the_last_look_before_it() -> None:
    wire = Wire()
    for number in range(5):
        wire.ask(number / 100, LB1)
    wire.ask(0.05, LB2)
    wire.ask(0.06, LB2)
    assert wire.said == [(0.001, ("lb1",)), (0.041, ("lb1",)), (0.051, ("lb2",))]


def test_nobody_owns_it_after_some_questions_without_an_answer() -> None:
    wire = Wire()
    wire.ask(0.0, LB1)
    for number in range(1, SILENT_ROUNDS + 1):
        wire.ask(number / 100)
    assert [owners for _, owners in wire.said] == [("lb1",)]
    wire.ask((SILENT_ROUNDS + 1) / 100)
    assert wire.said[-1] == (0.01, ()), "since the first question that nobody answered"


def test_one_late_answer_is_no_change_of_owner() -> None:
    wire = Wire()
    for number in range(9):
        wire.ask(number / 100, *([] if number % 3 else [LB1]))
    assert {owners for _, owners in wire.said} == {("lb1",)}


def test_silence_that_lasts_is_said_again_and_again() -> None:
    wire = Wire()
    for number in range(61):
        wire.ask(number / 100)
    assert 5 <= len(wire.said) <= 7
    assert {owners for _, owners in wire.said} == {()}


def test_an_announcement_of_a_new_owner_is_said_at_once() -> None:
    wire = Wire()
    wire.ask(0.0, LB1)
    wire.ask(0.01)
    wire.rounds.announced(0.013, LB2)
    assert wire.said[-1] == (0.013, ("lb2",))


def test_an_announcement_of_a_known_owner_hides_no_second_one() -> None:
    wire = Wire()
    wire.ask(0.0, LB1, LB2)
    wire.ask(0.01)
    wire.rounds.announced(0.013, LB2)
    assert wire.said == [(0.001, ("lb1", "lb2"))]


def test_mac_addresses_are_those_of_ethernet_links() -> None:
    links = [
        {"ifname": "lo", "link_type": "loopback", "address": "00:00:00:00:00:00"},
        {"ifname": "eth0", "link_type": "ether", "address": LB1},
        {"ifname": "wg0", "link_type": "none"},
    ]
    assert macs_of(json.dumps(links)) == [LB1]


def test_only_what_is_on_the_same_wire_can_be_asked() -> None:
    near = {"dst": "10.16.1.100", "dev": "br0", "prefsrc": "10.16.1.1"}
    assert device_of(near) == ("br0", None)
    far = {"dst": "10.16.1.100", "gateway": "192.0.2.1", "dev": "eth0"}
    assert "behind the router 192.0.2.1" in str(device_of(far)[1])
    own = {"type": "local", "dst": "10.16.1.100", "dev": "lo"}
    assert "of this host itself" in str(device_of(own)[1])


def test_raw_sockets_need_their_capability() -> None:
    assert may_open_raw_sockets("Name:\tx\nCapEff:\t000001ffffffffff\n")
    assert may_open_raw_sockets("CapEff:\t0000000000002000\n")
    assert not may_open_raw_sockets("CapEff:\t0000000000001000\n")
