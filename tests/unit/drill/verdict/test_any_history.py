"""Whatever stands in a history: a verdict, and the same one however its events are ordered."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.drill.events import (
    AnyEvent,
    AuditDone,
    Header,
    Judgement,
    Limits,
    Note,
    Outcome,
    Owner,
    PhaseEvent,
    Prediction,
    Present,
    ProbeState,
    Request,
    RoleSeen,
    Step,
    Write,
)
from lab.drill.verdict import Verdict, judge, summarise
from tests.unit.drill.histories import ZERO, a_request, history

QUICK = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# Whole 1/1024 s: exact in binary, also after a shift.
GRID = 1024
TIMES = st.integers(0, 20 * GRID).map(lambda ticks: ticks / GRID)
SPANS = st.integers(0, 2 * GRID).map(lambda ticks: ticks / GRID)
PROBES = st.sampled_from(["http", "sql", "arp", "address"])
MACHINES = st.sampled_from(["lb1", "lb2", "lb3"])
OUTCOMES = st.sampled_from(get_args(Outcome))
SHORT = st.text(max_size=5)
EVENTS: st.SearchStrategy[AnyEvent] = st.one_of(
    st.builds(Request, t=TIMES, probe=PROBES, took_s=SPANS, outcome=OUTCOMES, server=MACHINES),
    st.builds(
        Write, t=TIMES, probe=PROBES, number=st.integers(-5, 50), took_s=SPANS, outcome=OUTCOMES
    ),
    st.builds(
        Owner,
        t=TIMES,
        source=st.one_of(MACHINES, st.just("arp")),
        owners=st.lists(MACHINES, max_size=3).map(tuple),
        probe=st.one_of(PROBES, st.just("")),
    ),
    st.builds(
        RoleSeen, t=TIMES, service=PROBES, machine=MACHINES, role=st.sampled_from(["primary", "x"])
    ),
    st.builds(
        Present,
        t=TIMES,
        probe=PROBES,
        numbers=st.lists(st.tuples(st.integers(-5, 10**20), st.integers(-5, 10**20))).map(tuple),
        duplicates=st.lists(st.integers(), max_size=3).map(tuple),
    ),
    st.builds(PhaseEvent, t=TIMES, step=st.sampled_from(get_args(Step)), detail=SHORT),
    st.builds(
        ProbeState,
        t=TIMES,
        probe=PROBES,
        state=st.sampled_from(["started", "stopped", "died", "absent"]),
        detail=SHORT,
    ),
    st.builds(
        AuditDone, t=TIMES, audit=PROBES, outcome=st.sampled_from(get_args(Judgement)), detail=SHORT
    ),
    st.builds(Note, t=TIMES, source=SHORT, text=SHORT),
)
HEADERS = st.builds(
    Header,
    t=TIMES,
    stack=SHORT,
    provider=SHORT,
    timers=SHORT,
    fault=st.sampled_from(["none", "vip-owner-power-off", "{odd}"]),
    tier=SHORT,
    run=st.integers(),
    seed=st.integers(),
    wall=SHORT,
    victims=st.lists(MACHINES, max_size=2).map(tuple),
    predicted=st.one_of(st.none(), st.builds(Prediction, seconds=SPANS, formula=SHORT)),
    limits=st.builds(
        Limits,
        outage_s=SPANS,
        failed_requests=st.one_of(st.none(), st.integers(0, 5)),
        slow_s=SPANS,
        good_in_row=st.integers(0, 12),
        max_owners=st.integers(0, 2),
        owner_overlap_s=SPANS,
        until_undone=st.booleans(),
    ),
    probes=st.dictionaries(PROBES, SPANS),
    vip_machines=st.lists(MACHINES, max_size=2).map(tuple),
)
HISTORIES = st.tuples(HEADERS, st.lists(EVENTS, max_size=60)).map(lambda pair: [pair[0], *pair[1]])


@QUICK
@given(HISTORIES)
def test_every_history_has_a_verdict_that_survives_as_json(events: list[AnyEvent]) -> None:
    verdict = judge(events)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict
    assert len(summarise([verdict, verdict])) == 1
    assert verdict.outcome != "pass" or all(s.outcome == "pass" for s in verdict.sentences)


@QUICK
@given(HISTORIES, st.randoms(use_true_random=False))
def test_the_order_of_the_events_does_not_matter(events: list[AnyEvent], chance: Any) -> None:
    shuffled = events[1:]
    chance.shuffle(shuffled)
    assert judge([events[0], *shuffled]) == judge(events)


@QUICK
@given(HISTORIES, st.integers(-1000 * GRID, 1000 * GRID))
def test_another_clock_changes_nothing(events: list[AnyEvent], ticks: int) -> None:
    """The monotonic clock begins anywhere; a verdict counts from the fault."""
    shifted = [event.model_copy(update={"t": event.t + ticks / GRID}) for event in events]
    assert judge(shifted) == judge(events)


REQUESTS = st.lists(st.sampled_from(["ok", "slow", "failed", "unknown"]), min_size=1, max_size=60)
NOBODY = history().without(lambda event: event.kind in {"request", "owner"})


def outage_s(outcomes: list[str], worse: set[int], good_in_row: int) -> float:
    """With a request every 10 ms after the fault; those of `worse` fail."""
    requests = [
        a_request(
            place / 100,
            took_s=0.4 if outcome == "slow" else 0.002,
            outcome="failed" if place in worse else outcome.replace("slow", "ok"),
        )
        for place, outcome in enumerate(outcomes)
    ]
    drilled = NOBODY.plus(*requests).limited(good_in_row=good_in_row)
    found = judge(drilled.events()).outage_s
    assert found is not None
    return found


@QUICK
@given(REQUESTS, st.sets(st.integers(0, 59)), st.integers(1, 12))
def test_more_failed_requests_never_shorten_an_outage(
    outcomes: list[str], worse: set[int], good_in_row: int
) -> None:
    assert outage_s(outcomes, worse, good_in_row) >= outage_s(outcomes, set(), good_in_row)


def test_a_note_has_no_influence() -> None:
    drilled = history().outage(0, 0.2)
    noted = drilled.plus(Note(t=ZERO + 0.1, source="clock", text="the wall clock jumped by -1 d"))
    assert judge(noted.events()) == judge(drilled.events())
