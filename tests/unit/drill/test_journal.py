"""Faults in place survive the drill that made them; two drills do not share a lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.drill.journal import Journal, OpenFault
from lab.errors import LabError

CUT = OpenFault(fault="vip-owner-cut", victims=("lb1",))


def test_a_fault_is_known_until_it_is_undone(tmp_path: Path) -> None:
    Journal("demo", folder=tmp_path / "demo").begin(CUT)
    again = Journal("demo", folder=tmp_path / "demo")
    assert again.in_place() == CUT
    again.done()
    again.done()
    assert again.in_place() is None


def test_a_damaged_journal_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "in-place.json").write_text('{"fault": 3')
    with pytest.raises(LabError, match="lab check demo"):
        Journal("demo", folder=tmp_path).in_place()


def test_only_one_drill_at_a_time(tmp_path: Path) -> None:
    first, second = Journal("demo", folder=tmp_path), Journal("demo", folder=tmp_path)
    with (
        first.alone(),
        pytest.raises(LabError, match=r"running already \(process \d+\)"),
        second.alone(),
    ):
        pytest.fail("two drills at once")
    with second.alone():
        pass
