"""Parts are run, lanes beside each other, and a red vital part ends the rest."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.suite.parts import Part
from tests.suite.run import Run

MOST_NICE = 19
FOREVER = "import time; time.sleep(600)"


def part(name: str, code: str, *, is_vital: bool = False) -> Part:
    return Part(name=name, what="a test", argv=(sys.executable, "-c", code), is_vital=is_vital)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def run(tmp_path: Path, said: list[str]) -> Run:
    return Run(folder=tmp_path, patience=1.5, say=said.append)


def test_every_part_has_its_result_in_the_order_of_the_lanes(run: Run, said: list[str]) -> None:
    green = part("green", "import os; print(os.environ['HALAB_PATIENCE'])")
    red = part("red", "raise SystemExit(3)")
    results = run.lanes([(red, green), (part("beside", ""),)])
    assert [(r.name, r.status) for r in results] == [("red", 3), ("green", 0), ("beside", 0)]
    shown = next(text for text in said if text.startswith("--- green"))
    assert "1.50" in shown, "its output, and the patience that it was given"


def test_a_red_vital_part_ends_what_runs_and_begins_nothing_more(run: Run) -> None:
    first = part("vital", "raise SystemExit(1)", is_vital=True)
    vital, following, *beside = run.lanes(
        [(first, part("next", "")), *((part(f"beside{n}", FOREVER),) for n in range(8))]
    )
    assert (vital.word, following.word) == ("red", "not run")
    # Some may not have been begun yet.
    assert {result.word for result in beside} <= {"red", "not run"}


def test_an_interrupt_ends_what_runs(run: Run, said: list[str]) -> None:
    interrupt = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        run.lanes([(part("first", FOREVER), part("next", "")), (part("beside", FOREVER),)])
    interrupt.join()
    ended = [text.split()[1] for text in said if text.startswith("---")]
    assert sorted(ended) == ["beside", "first"], "both were ended, and nothing more was begun"


def test_a_part_that_pytest_runs_says_what_its_tests_did(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text("def test_a(): pass\ndef test_b(): assert False\n")
    words = (sys.executable, "-m", "pytest", "--rootdir", str(tmp_path), str(file))
    result = run.part(Part(name="its", what="a test", argv=("python", *words[1:])))
    assert (result.status, result.passed) == (1, 1)
    assert [test.rpartition("::")[2] for test in result.failed] == ["test_b"]


def test_a_part_that_steps_back_runs_with_less_priority(run: Run, said: list[str]) -> None:
    code = "import os; print('nice', os.nice(0))"
    meek = Part(name="meek", what="a test", argv=(sys.executable, "-c", code), steps_back=True)
    assert run.part(meek).status == 0
    assert f"nice {min(os.nice(0) + 5, MOST_NICE)}" in said[-1], "also where this one does"
