"""Several runs of a fault in one line."""

from __future__ import annotations

import pytest

from lab.drill.judge.numbers import rank
from lab.drill.judge.summary import Spread, spread
from lab.drill.verdict import Summary, judge, summarise
from tests.unit.drill.histories import BEGIN, END, History, failover, history


def summary(*drilled: History) -> Summary:
    (one,) = summarise(judge(each.events()) for each in drilled)
    return one


def test_ten_runs() -> None:
    outages = (0.3, 0.1, 0.2, 0.8, 0.15, 0.22, 0.21, 0.19, 0.18, 0.17)
    found = summary(*(failover(outage, run=run) for run, outage in enumerate(outages, 1)))
    assert (found.runs, found.passed, found.failed, found.unknown) == (10, 9, 1, 0)
    assert found.outages[:2] == (0.31, 0.11)
    assert found.outage == Spread(min=0.11, median=0.2, p95=0.81, max=0.81)
    assert found.failed_requests == (10, 80)
    assert found.total_requests == (700, 700)
    assert found.ratio == pytest.approx(0.81 / 0.306, abs=1e-6)
    assert found.detection is not None
    assert found.detection.max == 0.77
    assert found.takeover is not None


def test_faults_timers_and_labs_are_told_apart_in_the_order_of_their_runs() -> None:
    runs = [
        history("b").headed(run=1),
        history("a"),
        history("b").headed(run=2),
        history("b", timers="course"),
        history("b", stack="other"),
        history("b", provider="libvirt"),
    ]
    found = summarise([judge(run.events()) for run in runs])
    assert [(s.fault, s.timers, s.stack, s.provider, s.runs) for s in found] == [
        ("b", "standard", "demo", "rig", 2),
        ("a", "standard", "demo", "rig", 1),
        ("b", "course", "demo", "rig", 1),
        ("b", "standard", "other", "rig", 1),
        ("b", "standard", "demo", "libvirt", 1),
    ]


def test_runs_without_data_are_counted_and_measure_nothing() -> None:
    dead = failover().silent(BEGIN, END)
    found = summary(failover(0.2), dead)
    assert (found.runs, found.unknown, found.outages) == (2, 1, (0.21,))
    alone = summary(dead)
    assert (alone.outage, alone.ratio, alone.resolution_s) == (None, None, None)


def test_victims_of_all_runs_are_named_and_the_longest_prediction_counts() -> None:
    found = summary(
        history(victims=("lb2",), predicted_s=0.2),
        history(victims=("lb1",), predicted_s=0.4),
        history(victims=("lb1",), predicted_s=None),
    )
    assert found.victims == ("lb1", "lb2")
    assert found.predicted is not None
    assert found.predicted.seconds == 0.4


def test_no_verdicts_give_no_summary() -> None:
    assert summarise([]) == []


@pytest.mark.parametrize(
    ("count", "share", "expected"),
    [(1, 0.5, 1), (2, 0.5, 1), (3, 0.5, 2), (10, 0.95, 10), (20, 0.95, 19), (100, 0.99, 99),
     (100, 0.07, 7), (4, 0.0, 1), (4, 1.0, 4)],
)  # fmt: skip
def test_nearest_rank(count: int, share: float, expected: int) -> None:
    assert rank(range(count, 0, -1), share) == expected


def test_of_nothing_there_is_no_spread() -> None:
    assert spread([]) is None
