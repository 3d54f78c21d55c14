"""Machines that are reached by SSH alone, and waiting until one answers."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from lab.drill.control import ready
from lab.drill.control.ready import await_answer
from lab.drill.control.ssh import CUT_AT_MOST_S, SshControl
from lab.errors import LabError
from lab.machines import Machines
from tests.unit.drill.fakes import BOOT, Answer, FakeMachines

CRASH = "sysrq-trigger"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready, "PAUSE_S", 0.0)


@pytest.fixture
def machines() -> FakeMachines:
    fake = FakeMachines([])
    fake.says("", BOOT, "boot-1\n")
    return fake


def crashes(machines: FakeMachines) -> int:
    return sum(entry.endswith("bash -s") for entry in machines.journal)


def test_a_machine_is_crashed_once_until_it_is_back(machines: FakeMachines) -> None:
    control = SshControl(cast(Machines, machines))
    asyncio.run(control.power_off("lb1"))
    asyncio.run(control.power_off("lb1"))
    assert crashes(machines) == 1
    assert CRASH in machines.inputs["bash -s"]
    machines.says("", BOOT, "boot-2\n")
    asyncio.run(control.power_on("lb1"))
    asyncio.run(control.power_off("lb1"))
    assert crashes(machines) == 2


def test_it_is_back_when_it_runs_another_boot(machines: FakeMachines) -> None:
    control = SshControl(cast(Machines, machines))
    asyncio.run(control.power_off("lb1"))
    seen: list[Answer] = ["boot-1", LabError("no route to host"), "boot-2"]
    boots = iter(seen)
    machines.says("", BOOT, lambda: next(boots))
    asyncio.run(control.power_on("lb1"))
    assert next(boots, None) is None


def test_a_machine_that_refuses_to_crash_may_be_asked_again(machines: FakeMachines) -> None:
    machines.says("", CRASH, 1)
    control = SshControl(cast(Machines, machines))
    for _ in range(2):
        with pytest.raises(LabError, match="status 1"):
            asyncio.run(control.power_off("lb1"))
    assert crashes(machines) == 2


def test_a_cut_ends_by_itself_and_a_join_needs_no_cut(machines: FakeMachines) -> None:
    control = SshControl(cast(Machines, machines))
    asyncio.run(control.cut("lb1"))
    script = machines.inputs[f"bash -s {CUT_AT_MOST_S}"]
    assert "ExecStopPost" in script
    assert 'sleep "$seconds"' in script
    asyncio.run(control.join("lb1"))
    assert machines.journal[-1].endswith("|| true")


def test_it_cannot_freeze_and_says_so(machines: FakeMachines) -> None:
    control = SshControl(cast(Machines, machines))
    with pytest.raises(LabError, match="nothing there can freeze"):
        asyncio.run(control.freeze("lb1"))
    asyncio.run(control.thaw("lb1"))
    assert machines.journal == []


def test_a_machine_that_does_not_answer_is_off(machines: FakeMachines) -> None:
    machines.says("lb2", "true", LabError("lb2 did not answer"))
    control = SshControl(cast(Machines, machines))
    assert [asyncio.run(control.is_on(name)) for name in ("lb1", "lb2")] == [True, False]


def test_waiting_in_vain_says_what_was_seen_last(machines: FakeMachines) -> None:
    machines.says("", BOOT, LabError("lb1 did not answer: no route to host"))
    with pytest.raises(LabError, match=r"did not come back within 0 s.*no route to host"):
        asyncio.run(await_answer(cast(Machines, machines), "lb1", within_s=0))
    assert machines.journal[0] == "forget lb1", "an old connection would only cost its timeout"
