"""The long suite's memory."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.suite.proof import (
    BEGIN,
    END,
    PAGE,
    SLOWEST_SHOWN,
    is_green_at,
    present_commit,
    recorded,
    with_results,
)
from tests.suite.results import Result

RIG: dict[str, Any] = {
    "date": "2026-01-02 03:04",
    "commit": "0123456789",
    "machine": "2 cores",
    "status": 0,
    "passed": 9,
    "failed": [],
    "rerun": ["test_b"],
    "skipped": {"needs KVM": 1},
    "seconds": 61.0,
    "slowest": [[40.0, "test_c"]],
}


def test_a_tier_is_done_only_where_it_was_green_at_this_very_commit() -> None:
    assert is_green_at(RIG, "0123456789")
    assert not is_green_at(None, "0123456789")
    assert not is_green_at({**RIG, "status": 1}, "0123456789")
    assert not is_green_at(RIG, "9876543210")
    assert not is_green_at({**RIG, "commit": "0123456789+"}, "0123456789+")


def test_the_page_has_the_results_in_their_place_and_the_rest_stays() -> None:
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    text = with_results(page, {"lb": RIG})
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    row = "| `lb` | 2026-01-02 03:04 | 0123456789 | 2 cores | 9 | 0 | 1 | 1 | 1 min 01 s |"
    assert row in text.splitlines()
    for line in ("- run a second time: `test_b`", "- skipped: 1: needs KVM", "- slowest: 40 s"):
        assert line in text
    assert with_results(text, {"lb": RIG}) == text


def test_a_result_is_recorded_whole_and_can_be_shown() -> None:
    slowest = tuple((float(20 - number), f"test_{number}") for number in range(15))
    result = Result(name="lb", status=0, passed=9, skipped={"needs KVM": 2}, slowest=slowest)
    found = json.loads(json.dumps(recorded(result)))
    assert (found["status"], found["passed"], found["skipped"]) == (0, 9, {"needs KVM": 2})
    assert found["commit"] == present_commit()
    assert len(found["slowest"]) == SLOWEST_SHOWN
    assert "| 9 | 0 | 0 | 2 |" in with_results(f"{BEGIN}{END}", {"lb": found})


def test_a_page_without_a_place_for_the_results_is_refused() -> None:
    with pytest.raises(AssertionError, match="no place"):
        with_results("nothing", {"lb": RIG})


def test_the_projects_page_has_a_place_for_them() -> None:
    with_results(PAGE.read_text(encoding="utf-8"), {"lb": RIG})
