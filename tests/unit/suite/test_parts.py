"""Every test is in exactly one part of one suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suite.parts import GATE, TIERS, gate_parts, only, proof_of

TESTS = Path(__file__).parents[2]


def folders() -> list[Path]:
    """What the parts of both suites run."""
    parts = [*gate_parts(), *map(proof_of, TIERS)]
    return [TESTS.parent / word for p in parts for word in p.argv if word.startswith("tests/")]


@pytest.mark.parametrize("file", sorted(TESTS.rglob("test_*.py")), ids=lambda path: path.stem)
def test_every_test_is_run_by_exactly_one_part(file: Path) -> None:
    assert len([folder for folder in folders() if folder in file.parents]) == 1


def test_every_part_has_tests() -> None:
    assert [str(folder) for folder in folders() if not list(folder.rglob("test_*.py"))] == []


def test_parts_that_are_chosen_keep_their_lanes() -> None:
    chosen = [[part.name for part in lane] for lane in only(("rig", "unit", "vms"))]
    assert chosen == [["unit"], ["rig"], ["vms"]]
    assert only(tuple(part.name for part in gate_parts())) == GATE
