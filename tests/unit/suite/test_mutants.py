"""Mutants are mistakes in the product as it is now, and somebody has to notice them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lab.stack_file import ROOT
from tests.suite import mutants
from tests.suite.mutants import MUTANTS, Mutant, try_mutants, verdict
from tests.suite.results import Result

MISTAKE = Mutant(name="mistake", what="a test", path="file", old="right\n", new="wrong\n")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_each_changes_the_present_product(mutant: Mutant) -> None:
    text = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert mutant.applied(text) != text


@pytest.mark.parametrize("text", ["", "right\nright\n"])
def test_one_that_does_not_fit_the_product_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"mistake: file has 'right\\n' \d times; expected once"):
        MISTAKE.applied(text)


Judge = Callable[..., None]


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Let parts say this of every mutant, and none be made."""

    def judge(**results: Result) -> None:
        monkeypatch.setattr(mutants, "made", lambda _mutant, clone: clone)
        monkeypatch.setattr(mutants, "asked", lambda _clone, part, _log: results[part])

    return judge


GREEN = Result(name="unit", status=0, passed=1)
RED = Result(name="rig", status=1, failed=("tests/rig/test_lb.py::test_one",))
BROKEN = Result(name="rig", status=2)


def test_one_part_that_notices_is_enough(judged: Judge, tmp_path: Path) -> None:
    said: list[str] = []
    judged(unit=GREEN, rig=RED)
    assert try_mutants([MISTAKE], tmp_path, said.append)
    assert "rig: noticed after 0 s by tests/rig/test_lb.py::test_one" in said


@pytest.mark.parametrize("rig", [GREEN, BROKEN], ids=["green", "broken"])
def test_nobody_notices_by_being_green_or_broken(
    judged: Judge, tmp_path: Path, rig: Result
) -> None:
    said: list[str] = []
    judged(unit=GREEN, rig=rig)
    assert not try_mutants([MISTAKE], tmp_path, said.append)
    assert said[-1] == "not noticed: mistake"


def test_a_run_that_broke_is_no_verdict() -> None:
    assert verdict(BROKEN) == "rig: ended with status 2 without a red test, 0 s"
