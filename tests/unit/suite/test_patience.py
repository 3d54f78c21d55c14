"""The factor that stretches the tests' deadlines."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import patience
from tests.support.patience import LARGEST, VARIABLE, bounded, given
from tests.support.waiting import HOPE, deadline_s, wait_until


def test_a_fast_machine_shortens_no_deadline_and_a_broken_one_waits_not_for_ever() -> None:
    assert [bounded(f) for f in (0.2, 1.0, 2.5, 99.0)] == [1.0, 1.0, 2.5, LARGEST]


def test_the_factor_of_the_run_is_taken_over() -> None:
    assert given({VARIABLE: "2.50"}) == 2.5
    assert given({}) is None


def test_a_deadline_is_stretched_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "3")
    assert patience.patience() == 3
    assert deadline_s(2) == 2 * HOPE * 3


def test_the_piece_of_work_is_waited_for_on_every_processor(tmp_path: Path) -> None:
    work = f"import os, time; time.sleep(0.2); open(f'{tmp_path}/{{os.getpid()}}', 'x').close()"
    assert patience.timed(work) > 0.2
    assert len(list(tmp_path.iterdir())) == len(os.sched_getaffinity(0))


def test_work_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="the patience failed"):
        patience.timed("raise SystemExit(3)")


def test_a_wait_that_is_in_vain_says_what_was_seen_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "1")
    looks = iter([0, OSError("gone")])

    def look() -> object:
        found = next(looks, [])
        if isinstance(found, Exception):
            raise found
        return found

    with pytest.raises(AssertionError, match=r"the lab answers: not within 0 s; last seen: \[\]"):
        wait_until("the lab answers", look, usual_s=0.02, every_s=0.01)
