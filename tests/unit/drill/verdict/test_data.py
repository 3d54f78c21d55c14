"""A probe that did not look has no data; one that was late does not decide."""

from __future__ import annotations

import pytest

from lab.drill.events import AnyEvent
from lab.drill.verdict import judge
from tests.unit.drill.histories import BEGIN, END, History, history

CLEAN = history()


def is_of_arp(event: AnyEvent) -> bool:
    return getattr(event, "probe", "") == "arp"


UNSEEN = CLEAN.without(lambda event: event.kind == "owner" and is_of_arp(event))


def no_data(drilled: History) -> dict[str, str]:
    return judge(drilled.events()).no_data


@pytest.mark.parametrize(
    ("name", "drilled", "missing"),
    [
        ("nothing", CLEAN, None),
        ("never started", CLEAN.without(is_of_arp), "never started"),
        ("saw nothing", UNSEEN, "saw nothing"),
        ("nothing after it", UNSEEN.owner("arp", BEGIN, 0, "lb1"), "saw nothing after the fault"),
        ("died", CLEAN.probe("arp", "died", 9, "OSError: no link"), "died: OSError: no link"),
        ("died without a word", CLEAN.probe("arp", "died"), "died"),
    ],
)
def test_probes_without_data(name: str, drilled: History, missing: str | None) -> None:
    verdict = judge(drilled.events())
    assert verdict.no_data == ({"arp": missing} if missing else {}), name
    assert verdict.outcome == ("unknown" if missing else "pass")


def test_an_observer_that_does_not_say_its_probe_is_known_by_its_source() -> None:
    unnamed = [
        e.model_copy(update={"probe": ""}) if e.kind == "owner" else e for e in CLEAN.events()
    ]
    assert judge(unnamed).no_data == {"address": "saw nothing"}


def test_a_role_that_does_not_say_its_probe_is_known_by_its_service() -> None:
    asked = history(probes={"http": 0.01, "mariadb": 0.1}).role(
        "mariadb", "db1", BEGIN, END, "primary"
    )
    unnamed = [
        e.model_copy(update={"probe": ""}) if e.kind == "role" else e for e in asked.events()
    ]
    assert judge(unnamed).no_data == {}


def test_a_probe_that_cannot_run_here_is_told_and_not_held_against_the_lab() -> None:
    absent = CLEAN.without(is_of_arp).probe("arp", "absent", detail="no such network")
    verdict = judge(absent.events())
    assert verdict.no_data == {"arp": "absent: no such network"}
    assert verdict.outcome == "pass"


def test_a_client_that_died_saw_no_absence_of_an_outage() -> None:
    verdict = judge(CLEAN.ended(0.5).probe("http", "died", 0.5).step("end", 5).events())
    assert (verdict.clients["http"].outage_s, verdict.outage_s) == (None, None)
    assert verdict.outcome == "unknown"


def test_an_outage_that_a_client_saw_before_it_died_remains() -> None:
    saw = CLEAN.outage(0, 0.9).silent(1, END).probe("http", "died", 1)
    assert (judge(saw.events()).outage_s, judge(saw.events()).outcome) == (0.91, "fail")
    died_in_it = CLEAN.outage(0, 0.5).silent(0.5, END).probe("http", "died", 0.5)
    assert judge(died_in_it.events()).outcome == "unknown"


@pytest.mark.parametrize(
    ("begin", "end", "is_late"),
    [
        (1.0, 1.69, False),
        (1.0, 1.7, True),
        (-0.3, 0.39, False),
        (-0.3, 0.4, True),
        (-1.0, -0.31, False),
        (4.31, END, False),
        (4.29, END, True),
    ],
)
def test_late_is_longer_than_the_outage_that_is_allowed(
    begin: float, end: float, *, is_late: bool
) -> None:
    """0.7 s; a shorter pause could not hide an outage that is too long."""
    verdict = judge(CLEAN.silent(begin, end).events())
    assert ("late" in {s.code for s in verdict.sentences}) == is_late


@pytest.mark.parametrize(
    ("limits", "pause_s", "is_late"),
    [
        ({"outage_s": 30.0}, 0.98, False),
        ({"outage_s": 30.0}, 1.0, True),
        ({"outage_s": 0.05}, 0.09, False),
        ({"outage_s": 0.05}, 0.1, True),
    ],
)
def test_late_is_more_than_a_second_and_never_less_than_ten_intervals(
    limits: dict[str, float], pause_s: float, *, is_late: bool
) -> None:
    verdict = judge(CLEAN.silent(1, 1 + pause_s).limited(**limits).events())
    assert ("late" in {s.code for s in verdict.sentences}) == is_late


def test_without_a_fault_late_is_more_than_a_second() -> None:
    """Nothing is tolerated there, and a busy host stands still for some tenths."""
    none = history("none", limit_s=0.0).without_steps("inject", "injected", "undo")
    assert judge(none.silent(2, 2.9).events()).outcome == "pass"
    assert judge(none.silent(2, 3.1).events()).outcome == "unknown"


def test_a_client_that_waits_for_its_answers_is_not_late_meanwhile() -> None:
    """One answer takes 200 ms, which is not slow; the next request is begun only then."""
    waited = (
        CLEAN.silent(1, 1.2)
        .limited(outage_s=0.1)
        .changed(0.99, 1, lambda request: request.model_copy(update={"took_s": 0.2}))
    )
    assert judge(waited.events()).outcome == "unknown"
    session = judge(waited.headed(sessions=("http",)).events())
    assert (session.outcome, session.clients["http"].resolution_s) == ("pass", 0.21)


def test_writes_wait_for_each_other() -> None:
    slow = history(probes={"sql": 0.02}).silent(BEGIN, END).writes(BEGIN, 1, first=1)
    waited = slow.writes(1, 1.02, first=151, took_s=0.24).writes(1.24, END, first=152)
    verdict = judge(waited.present((1, 339)).limited(outage_s=0.1).events())
    assert (verdict.outcome, verdict.resolution_s) == ("pass", 0.24)


def test_an_unannounced_client_is_never_late() -> None:
    assert judge(history(probes={}).silent(1, 3).events()).outcome == "pass"


def test_of_a_traceback_the_sentence_has_the_last_line_and_the_verdict_all_of_it() -> None:
    traceback = "LabError: status 1: Traceback:\n  File x\nModuleNotFoundError: No module 'y'"
    verdict = judge(CLEAN.probe("arp", "died", 1, traceback).events())
    assert verdict.no_data["arp"] == f"died: {traceback}"
    assert "arp: no data (died: ModuleNotFoundError: No module 'y'); expected" in verdict.reasons[0]
