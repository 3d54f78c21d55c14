"""The ledger of promotions: written to most machines, read from most."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, cast

import pytest

from lab.database import ledger
from lab.database.model import Promotion
from lab.drill.scene import Scene
from lab.errors import LabError
from lab.machines import Result

ENTRY = Promotion(machine="db2", term=2, alone=True, position="0/5000000")
NAMES = ("app1", "db1", "db2", "lb1", "lb2")


@dataclass
class FakeLab:
    """Machines with files; those in `silent` do not answer."""

    files: dict[str, str] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    async def run(self, machine: str, script: str, *, timeout_s: float, stdin: str = "") -> Result:
        del timeout_s
        if machine in self.silent:
            msg = f"{machine} did not answer"
            raise LabError(msg)
        if stdin:
            assert re.search(r"sync .*\nmv ", script), "it is on disk before it has its name"
            self.files[machine] = stdin
            return Result(machine, 0, "", "")
        return Result(machine, 0, self.files.get(machine, ""), "")

    @property
    def scene(self) -> Scene:
        machines = {name: object() for name in NAMES}
        target = type("Target", (), {"machines": machines})()
        control = type("Control", (), {"name": "existing"})()
        given: Any = type("Scene", (), {"machines": self, "target": target, "control": control})()
        return cast(Scene, given)


def read(lab: FakeLab) -> ledger.Pages:
    return asyncio.run(ledger.read(lab.scene, "postgresql"))


def write(lab: FakeLab) -> None:
    asyncio.run(ledger.write(lab.scene, "postgresql", ENTRY, read(lab)))


def test_what_is_written_is_read_again() -> None:
    lab = FakeLab()
    assert read(lab).known == ()
    write(lab)
    assert set(read(lab).known or ()) == {ENTRY}
    assert set(lab.files) == set(NAMES)


def test_machines_that_do_not_answer_are_left_out_while_most_do() -> None:
    lab = FakeLab(silent={"db1", "lb2"})
    write(lab)
    assert set(lab.files) == {"app1", "db2", "lb1"}


def test_without_most_of_the_lab_nothing_is_sure() -> None:
    lab = FakeLab(silent={"db1", "lb1", "lb2"})
    assert read(lab).known is None
    with pytest.raises(LabError, match="only 2 of 5 machines"):
        write(lab)


@pytest.mark.parametrize("gone", [{"app1", "db2"}, {"lb1", "lb2"}, {"db1", "app1"}])
def test_whoever_reads_later_meets_one_that_was_there(gone: set[str]) -> None:
    lab = FakeLab(silent={"db1", "lb2"})
    write(lab)
    lab.silent = gone
    assert read(lab).known is not None
    assert ENTRY in (read(lab).known or ())


def test_a_page_that_cannot_be_read_is_no_answer() -> None:
    text = json.dumps(asdict(ENTRY))
    lab = FakeLab(files={"app1": text, "db1": "{", "db2": '{"term": 2}', "lb1": "[]"})
    assert read(lab).answered == ("app1", "lb2")
    assert read(lab).known is None


@pytest.mark.parametrize(("count", "of", "most"), [(2, 3, True), (2, 4, False), (3, 6, False)])
def test_most_is_more_than_half(count: int, of: int, most: bool) -> None:
    assert ledger.is_most(count, of) == most
