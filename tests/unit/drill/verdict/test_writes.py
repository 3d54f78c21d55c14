"""Numbered writes, and who was primary meanwhile."""

from __future__ import annotations

import pytest

from lab.drill.events import Judgement
from lab.drill.judge.model import Service, Writes
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, History, history

WRITING = history(probes={"sql": 0.02}).silent(BEGIN, END).writes(BEGIN, END, first=1)
"""350 acknowledged writes."""
FAILED_OVER = (
    history(probes={"sql": 0.02})
    .silent(BEGIN, END)
    .writes(BEGIN, 0, first=1)
    .writes(0, 0.04, first=101, outcome="unknown")
    .writes(0.04, 0.4, first=103, outcome="failed")
    .writes(0.4, END, first=121)
)


def of(drilled: History) -> Writes:
    return judge(drilled.events()).writes["sql"]


@pytest.mark.parametrize(
    ("name", "drilled", "outcome", "code"),
    [
        ("all there", WRITING.present((1, 350)), "pass", "writes-kept"),
        ("in pieces", WRITING.present((200, 350), (1, 220)), "pass", "writes-kept"),
        ("one lost", WRITING.present((1, 99), (101, 350)), "fail", "lost-writes"),
        ("all lost", WRITING.present(), "fail", "lost-writes"),
        ("twice", WRITING.present((1, 350), duplicates=[7]), "fail", "duplicate-writes"),
        ("never written", WRITING.present((1, 351)), "fail", "unattempted-writes"),
        ("nobody looked", WRITING, "unknown", "writes-not-looked-for"),
        (
            "unknown ones are there",
            FAILED_OVER.present((1, 102), (121, 350)),
            "pass",
            "writes-kept",
        ),
        ("unknown ones are not", FAILED_OVER.present((1, 100), (121, 350)), "pass", "writes-kept"),
        ("failed ones are there", FAILED_OVER.present((1, 350)), "pass", "writes-kept"),
    ],
)
def test_verdict(name: str, drilled: History, outcome: Judgement, code: str) -> None:
    verdict = judge(drilled.events())
    assert verdict.outcome == outcome, (name, verdict.reasons)
    assert code in {s.code for s in verdict.sentences if s.outcome == outcome}


def test_what_is_counted() -> None:
    found = of(FAILED_OVER.present((1, 90), (121, 360), duplicates=[3, 3, 5]))
    assert (found.acknowledged, found.unknown, found.failed) == (330, 2, 18)
    assert (found.lost, found.lost_numbers) == (10, tuple(range(91, 101)))
    assert (found.duplicates, found.unattempted) == (2, 10)


def test_of_many_lost_writes_the_first_ten_are_named() -> None:
    verdict = judge(WRITING.present((1, 300)).events())
    assert of(WRITING.present((1, 300))).lost_numbers == tuple(range(301, 311))
    assert "50 of 350 acknowledged writes are not there (the first: 301, 302" in verdict.reasons[0]


def test_a_number_that_was_acknowledged_once_is_acknowledged() -> None:
    again = FAILED_OVER.writes(0.5, 0.54, first=101).present((121, 350), (1, 100))
    assert (of(again).unknown, of(again).lost_numbers) == (0, (101, 102))


def test_where_somebody_looked_twice_the_last_look_counts() -> None:
    first = WRITING.present((1, 10)).events()
    later = first[-1].model_copy(update={"t": first[-1].t + 1, "numbers": ((1, 350),)})
    assert judge([*first, later]).writes["sql"].lost == 0


def test_ranges_are_counted_not_listed_and_empty_ones_are_nothing() -> None:
    found = of(WRITING.present((1, 10**15), (9, 3)))
    assert (found.lost, found.unattempted) == (0, 10**15 - 350)


def test_writes_have_outages_like_requests_and_no_budget_of_failed_ones() -> None:
    verdict = judge(FAILED_OVER.present((1, 350)).limited(failed_requests=0).events())
    client = verdict.clients["sql"]
    assert (client.kind, client.outage_s, verdict.outage_s) == ("write", 0.42, 0.42)
    assert (verdict.outcome, verdict.total, verdict.failed) == ("pass", 0, 0)
    assert judge(FAILED_OVER.present((1, 350)).limited(outage_s=0.4).events()).outcome == "fail"


# Primaries.

SERVED = history()


def service(drilled: History) -> Service:
    return judge(drilled.events()).services["postgresql"]


def roles(*told: tuple[str, float, float, str]) -> History:
    drilled = SERVED
    for machine, begin, end, role in told:
        drilled = drilled.role("postgresql", machine, begin, end, role)
    return drilled


def test_who_was_primary_before_and_after() -> None:
    moved = roles(
        ("db1", BEGIN, 0, "primary"),
        ("db1", 1, END, "replica"),
        ("db2", BEGIN, 0.5, "replica"),
        ("db2", 0.5, END, "primary"),
    )
    found = service(moved)
    assert (found.primary_before, found.primary_after) == (("db1",), ("db2",))
    assert (found.overlaps, judge(moved.events()).outcome) == (0, "pass")


def test_two_primaries_are_a_failure() -> None:
    both = roles(("db1", BEGIN, 1, "primary"), ("db2", 0.5, END, "primary"))
    verdict = judge(both.events())
    assert (verdict.outcome, verdict.sentences[0].code) == ("fail", "two-primaries")
    assert (service(both).overlaps, service(both).overlap_s) == (1, 0.4)


def test_two_primaries_of_different_services_are_none() -> None:
    each = roles(("db1", BEGIN, END, "primary")).role("mariadb", "db2", BEGIN, END, "primary")
    assert judge(each.events()).outcome == "pass"


def test_a_service_that_is_asked_rarely_is_believed_for_longer() -> None:
    def rare(drilled: History) -> History:
        drilled = drilled.role("postgresql", "db1", BEGIN, 2, "primary", every=1.0)
        return drilled.role("postgresql", "db2", -0.5, END, "primary", every=1.0)

    assert service(rare(history(probes={"postgresql": 1.0}))).overlap_s == 1.5
    assert service(rare(history())).overlap_s == 0.0
