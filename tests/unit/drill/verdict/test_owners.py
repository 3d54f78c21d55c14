"""Who owned the VIP, when that was found out, and whether ever two did."""

from __future__ import annotations

import pytest

from lab.drill.judge.model import Vip
from lab.drill.judge.spans import Overlap, Span, Word, at_most, certain, overlap, repeated
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, History, failover, history

CLEAN = history()
CRASH = CLEAN.outage(0, 0.2).moved(0.17, silent=True)


def vip(drilled: History) -> Vip:
    return judge(drilled.events()).vip


def codes(drilled: History) -> set[str]:
    return {s.code for s in judge(drilled.events()).sentences}


def test_detection_ends_with_the_first_look_at_a_new_owner_takeover_with_the_first_answer() -> None:
    seen = vip(CRASH)
    assert (seen.owner_before, seen.new_owner, seen.seen_by) == (("lb1",), "lb2", "arp")
    assert (seen.detection_s, seen.takeover_s) == (0.17, 0.03)
    assert seen.seen_within_s == 0.01
    assert seen.owner_after == ("lb2",)


def test_a_machine_may_see_it_before_the_wire_does() -> None:
    seen = vip(CRASH.owner("lb2", 0.16, END, "lb2"))
    assert (seen.seen_by, seen.detection_s, seen.seen_within_s) == ("lb2", 0.16, 0.01)


def test_who_was_silent_since_owns_nothing() -> None:
    assert vip(CRASH).sources["lb1"].before == ("lb1",)
    assert vip(CRASH).sources["lb1"].after == ()


@pytest.mark.parametrize(
    ("name", "drilled"),
    [
        ("nothing moved", CLEAN),
        ("nobody looked", CLEAN.without(lambda e: e.kind == "owner")),
        ("it moved only in the undoing", CLEAN.moved(3.2)),
        ("nobody had it before", CLEAN.owner("arp", BEGIN, 0).owner("lb1", BEGIN, 0)),
        ("there was no fault", CLEAN.without_steps("inject")),
    ],
)
def test_without_a_new_owner_under_the_fault_there_is_no_detection(
    name: str, drilled: History
) -> None:
    seen = vip(drilled)
    assert (seen.new_owner, seen.detection_s, seen.takeover_s) == (None, None, None), name


def test_a_move_that_no_client_noticed_takes_no_time() -> None:
    assert vip(CLEAN.moved(0.05)).takeover_s == 0.0


def test_takeover_is_unknown_where_it_cannot_be_told_from_detection() -> None:
    assert vip(CLEAN.outage(0, 0.2).moved(0.3)).takeover_s is None
    assert vip(CLEAN.outage(0, END).moved(0.3)).takeover_s is None
    without_clients = CLEAN.silent(BEGIN, END).moved(0.3)
    assert (vip(without_clients).detection_s, vip(without_clients).takeover_s) == (0.3, None)


def test_takeover_lasts_until_the_last_client_is_served() -> None:
    slower = CRASH.requests(BEGIN, END, probe="session").outage(0, 0.5, probe="session")
    assert vip(slower).takeover_s == 0.33


@pytest.mark.parametrize(
    ("drilled", "moves"),
    [
        (CLEAN, 0),
        (CRASH, 1),
        (CLEAN.moved(0.2), 1),
        (CLEAN.moved(0.2).moved(3.2, old="lb2", new="lb1"), 2),
        (CLEAN.moved(-0.5), 0),
        (CLEAN.owner("arp", 0.2, 0.5).owner("lb1", 0.2, 0.5), 1),
        (CLEAN.without(lambda e: e.kind == "owner" and e.source == "arp").moved(0.2), 1),
        (CLEAN.without(lambda e: e.kind == "owner"), 0),
    ],
)
def test_moves(drilled: History, moves: int) -> None:
    assert vip(drilled).moves == moves


def test_two_machines_that_say_so_again_and_again_are_two_owners() -> None:
    drilled = CLEAN.owner("lb2", 1, 2, "lb2")
    assert (vip(drilled).overlaps, vip(drilled).overlap_s) == (1, 0.95)
    verdict = judge(drilled.events())
    assert (verdict.outcome, verdict.sentences[0].code) == ("fail", "two-owners")
    assert "0.950\u00a0s (lb1, lb2)" in verdict.reasons[0]


def test_two_machines_that_answer_on_the_wire_are_two_owners() -> None:
    drilled = CLEAN.owner("arp", 1, 1.5, "lb1", "lb2", every=0.01)
    assert (vip(drilled).arp_overlaps, vip(drilled).arp_overlap_s) == (1, 0.5)
    assert judge(drilled.events()).sentences[0].code == "two-answer-arp"


def test_the_last_word_of_a_machine_without_power_is_not_the_present() -> None:
    """The new owner comes 30 ms later; the old one never says that it has stopped."""
    seen = vip(CLEAN.outage(0, 0.05).moved(0.03, silent=True))
    assert (seen.overlaps, seen.overlap_s) == (0, 0.0)
    assert seen.overlap_at_most_s == 0.17


def test_a_moment_between_two_looks_is_not_held_against_anybody() -> None:
    assert vip(CLEAN.moved(0.03)).overlaps == 0


def test_a_short_overlap_may_be_tolerated() -> None:
    drilled = CLEAN.owner("lb2", 1, 2, "lb2").limited(owner_overlap_s=0.95)
    assert judge(drilled.events()).outcome == "pass"
    assert "owners-tolerated" in codes(drilled)
    assert judge(drilled.limited(owner_overlap_s=0.94).events()).outcome == "fail"


def test_a_single_moment_with_two_owners_is_too_much_where_none_is_tolerated() -> None:
    drilled = CLEAN.owner("lb2", 1.02, 1.07, "lb2")
    assert (vip(drilled).overlaps, vip(drilled).overlap_s) == (1, 0.0)
    assert judge(drilled.events()).outcome == "fail"
    assert judge(drilled.limited(owner_overlap_s=0.1).events()).outcome == "pass"


def test_as_many_owners_as_are_allowed_are_no_overlap() -> None:
    drilled = CLEAN.owner("lb2", 1, 2, "lb2").owner("arp", 1, 2, "lb1", "lb2")
    assert judge(drilled.limited(max_owners=2).events()).outcome == "pass"


def test_one_owner_at_a_time_is_said_with_the_number_of_looks() -> None:
    assert "one-owner" in codes(CLEAN)
    assert "one-owner" not in codes(CLEAN.without(lambda e: e.kind == "owner"))


def test_a_realistic_failover_passes() -> None:
    verdict = judge(failover(0.2).events())
    assert (verdict.outcome, verdict.outage_s) == ("pass", 0.21)


# The intervals behind it.

YES, NO = True, False


@pytest.mark.parametrize(
    ("words", "sure", "possible"),
    [
        ([], [], []),
        ([(0, NO)], [], []),
        ([(0, YES)], [(0, 0)], [(0, 0.25)]),
        ([(0, YES), (0.1, YES)], [(0, 0.1)], [(0, 0.35)]),
        ([(0, YES), (0.1, NO)], [(0, 0)], [(0, 0.1)]),
        ([(0, YES), (0.25, YES)], [(0, 0.25)], [(0, 0.5)]),
        ([(0, YES), (0.5, YES)], [(0, 0), (0.5, 0.5)], [(0, 0.25), (0.5, 0.75)]),
        ([(0.2, YES), (0, YES), (0.1, NO)], [(0, 0), (0.2, 0.2)], [(0, 0.1), (0.2, 0.45)]),
    ],
)
def test_from_words_to_spans(
    words: list[tuple[float, bool]],
    sure: list[tuple[float, float]],
    possible: list[tuple[float, float]],
) -> None:
    said = [Word(t, is_me) for t, is_me in words]
    assert certain(said) == [Span(*span) for span in sure]
    assert at_most(said) == [Span(*span) for span in possible]


@pytest.mark.parametrize(
    ("each", "allowed", "count", "seconds"),
    [
        ([], 1, 0, 0),
        ([[(0, 5)]], 1, 0, 0),
        ([[(0, 5)], [(5, 9)]], 1, 0, 0),
        ([[(0, 5)], [(4, 9)]], 1, 1, 1),
        ([[(0, 5)], [(1, 2), (3, 4)]], 1, 2, 2),
        ([[(0, 5)], [(2, 2)]], 1, 1, 0),
        ([[(0, 5)], [(5, 5)]], 1, 0, 0),
        ([[(0, 5)], [(0, 0)]], 1, 0, 0),
        ([[(2, 2)], [(2, 2)]], 1, 1, 0),
        ([[(0, 5)], [(1, 4)], [(2, 3)]], 1, 1, 3),
        ([[(0, 5)], [(1, 4)], [(2, 3)]], 2, 1, 1),
        ([[(0, 5)], [(1, 3), (3, 4)]], 1, 1, 3),
    ],
)
def test_overlaps(
    each: list[list[tuple[float, float]]], allowed: int, count: int, seconds: float
) -> None:
    spans = [[Span(*span) for span in spans] for spans in each]
    assert overlap(spans, allowed) == Overlap(count, seconds)


@pytest.mark.parametrize(
    ("looks", "count", "seconds"),
    [
        ([], 0, 0),
        ([(0, NO), (1, NO)], 0, 0),
        ([(0, YES), (0.1, YES), (0.2, NO)], 1, 0.2),
        ([(0, YES), (0.1, NO), (0.2, YES)], 2, 0.1),
        ([(0, YES), (9, NO)], 1, 0.25),
    ],
)
def test_looks_in_a_row(looks: list[tuple[float, bool]], count: int, seconds: float) -> None:
    assert repeated(looks) == Overlap(count, seconds)
