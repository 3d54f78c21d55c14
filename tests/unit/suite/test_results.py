"""What a part did, as its table says it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.suite.results import Result, problems, result_of
from tests.suite.table import duration, end_of_run


def report(test: str, outcome: str, *, when: str = "call", **more: Any) -> str:
    """A line as pytest-reportlog writes it."""
    kind = {"$report_type": "TestReport", "nodeid": test, "outcome": outcome, "when": when}
    return json.dumps({**kind, "duration": 1.0, **more})


def read(*lines: str, status: int = 0) -> Result:
    return result_of("rig", status=status, seconds=61, reports=lines)


def test_a_test_counts_once_whatever_its_phases_said() -> None:
    found = read(
        report("a", "passed", when="setup"),
        report("a", "passed"),
        report("a", "passed", when="teardown"),
    )
    assert (found.tests, found.passed) == (1, 1)
    assert found.slowest == ((3.0, "a"),)


def test_a_failed_set_up_and_a_failed_end_are_failures_of_the_test() -> None:
    found = read(
        report("a", "failed", when="setup"),
        report("b", "passed", when="setup"),
        report("b", "passed"),
        report("b", "failed", when="teardown"),
        status=1,
    )
    assert found.failed == ("a", "b")
    assert found.passed == 0


def test_a_rerun_is_named_and_its_second_outcome_counts() -> None:
    found = read(
        report("a", "passed", when="setup"),
        report("a", "rerun"),
        report("a", "passed", when="setup"),
        report("a", "passed"),
    )
    assert found.rerun == ("a",)
    assert (found.passed, found.failed) == (1, ())


def test_a_skipped_test_says_why() -> None:
    found = read(report("a", "skipped", when="setup", longrepr=["f", 3, "Skipped: needs root"]))
    assert found.skipped == {"needs root": 1}
    assert (found.tests, found.passed) == (1, 0)


def test_a_line_that_a_killed_run_left_unfinished_is_passed_over() -> None:
    assert read(report("a", "passed"), '{"$report_type": "TestRep').passed == 1


def test_more_than_two_reruns_make_a_run_red() -> None:
    green = Result(name="rig", status=0, passed=9, rerun=("a", "b"))
    assert problems([green]) == []
    assert problems([green, replace(green, name="vms", rerun=("c",))]) == [
        "3 tests were run a second time, at most 2 may be"
    ]


def test_a_part_that_was_not_run_makes_a_run_red() -> None:
    left_out = Result(name="vms", status=None)
    assert problems([Result(name="rig", status=1), left_out]) == ["rig is red", "vms is not run"]


def test_the_end_of_a_run_says_all_that_one_must_know() -> None:
    rig = Result(
        name="rig",
        status=1,
        seconds=61,
        passed=2,
        failed=("test_c",),
        rerun=("test_b",),
        skipped={"needs root": 2},
        slowest=((40.0, "test_c"),),
    )
    text = end_of_run([Result(name="lint", status=0, seconds=3), rig], seconds=64)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for line in (
        "part tests passed failed rerun skipped time",
        "lint green 3 s",
        "rig red 5 2 1 1 2 1 min 01 s",
        "all 5 2 1 1 2 1 min 04 s",
    ):
        assert line in lines
    for line in ("run a second time:", "  test_b", "  2 of rig: needs root", "     40.0 s  test_c"):
        assert line in text


def test_minutes_have_two_digits_of_seconds() -> None:
    assert [duration(s) for s in (0.4, 59.7, 63)] == ["0 s", "1 min 00 s", "1 min 03 s"]
