"""The order of a drill: steady first, undone in any case, everything in the history."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lab.drill import run as run_module
from lab.drill.events import AuditDone, Header, Outcome, PhaseEvent, ProbeState, Request
from lab.drill.history import HistoryWriter, read_history
from lab.drill.journal import Journal, OpenFault
from lab.drill.run import Drill, run_drill
from lab.drill.verdict import judge
from lab.errors import LabError
from tests.support.waiting import MOMENT_S, deadline_s
from tests.unit.drill.world import OwnerProbe, World, WorldProbe

STEPS = ["steady", "inject", "injected", "undo", "undone", "settled", "end"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same order in less time."""
    monkeypatch.setattr(run_module, "QUIET_S", 0.1)
    monkeypatch.setattr(run_module, "PHASE_S", (0.0, 0.05))
    monkeypatch.setattr(run_module, "RECOVERY_FACTOR", 0.0)
    monkeypatch.setattr(run_module, "RECOVERY_MARGIN_S", 0.2)
    monkeypatch.setattr(run_module, "STEADY_WITHIN_S", deadline_s(MOMENT_S))


@pytest.fixture
def impatient(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steady state is not waited for long."""
    del quick
    monkeypatch.setattr(run_module, "STEADY_WITHIN_S", 1.0)


class Setting:
    """One drill of a world, its history and its journal."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.writer = HistoryWriter(folder / "history.jsonl")
        self.journal = Journal("demo", folder=folder)
        self.drill = Drill(
            fault=self.world.fault(),
            tier="load_balancer",
            probes=(WorldProbe(self.world), OwnerProbe(self.world)),
            audits=(self.world.audit(),),
        )
        self.said: list[str] = []

    def change(self, **fields: Any) -> None:
        self.drill = replace(self.drill, **fields)

    async def run(self) -> None:
        args = (self.world.scene, self.drill, self.writer, self.journal, self.said.append)
        await run_drill(*args)

    @property
    def steps(self) -> list[str]:
        return [e.step for e in self.writer.events if isinstance(e, PhaseEvent)]


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    made = Setting(tmp_path)
    yield made
    made.writer.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_every_step_is_in_the_history(setting: Setting, tmp_path: Path) -> None:
    run(setting.run())
    assert setting.steps == STEPS
    assert setting.world.done == ["inject lb1", "undo lb1"]
    assert setting.journal.in_place() is None
    header = setting.writer.events[0]
    assert isinstance(header, Header)
    assert (header.fault, header.victims, header.provider) == ("world-gone", ("lb1",), "rig")
    assert header.probes == {"http": 0.005, "address": 0.005}
    audits = [e for e in setting.writer.events if isinstance(e, AuditDone)]
    assert [(a.audit, a.outcome) for a in audits] == [("served", "pass")]
    setting.writer.close()
    assert read_history(tmp_path / "history.jsonl") == setting.writer.events


def test_a_fault_that_clients_do_not_feel_for_long_is_written_as_recovered(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "RECOVERY_MARGIN_S", deadline_s(MOMENT_S))

    async def heal_soon() -> None:
        asyncio.get_running_loop().call_later(0.05, setattr, setting.world, "serves", True)

    setting.change(fault=setting.world.fault(inject=heal_soon))
    run(setting.run())
    assert "recovered" in setting.steps


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda world: setattr(world, "serves", False), "0 good requests in a row"),
        (lambda world: setattr(world, "owner", None), "VIP owner: none that is known"),
    ],
)
def test_without_a_steady_state_nothing_is_broken(
    setting: Setting, spoil: Callable[[World], None], said: str
) -> None:
    spoil(setting.world)
    with pytest.raises(LabError, match="nothing was broken") as caught:
        run(setting.run())
    assert said in str(caught.value)
    assert setting.world.done == []
    assert setting.steps == []


@pytest.mark.usefixtures("impatient")
def test_a_probe_without_a_word_is_no_steady_state(setting: Setting) -> None:
    class Mute(WorldProbe):
        async def run(self, _scene: Any, _emit: Any, stop: asyncio.Event) -> None:
            await stop.wait()

    setting.change(probes=(*setting.drill.probes, Mute(setting.world, name="session")))
    with pytest.raises(LabError, match="no word from session"):
        run(setting.run())


def test_a_fault_that_fails_half_way_is_undone(setting: Setting) -> None:
    async def refuse() -> None:
        msg = "virsh says no"
        raise LabError(msg)

    setting.change(fault=setting.world.fault(inject=refuse))
    with pytest.raises(LabError, match="virsh says no"):
        run(setting.run())
    assert setting.world.done == ["inject lb1", "undo lb1"]
    assert setting.world.serves
    assert setting.steps[-2:] == ["undone", "settled"]


@pytest.mark.parametrize("at", ["steady", "inject", "injected", "undo", "undone"])
def test_an_interrupt_at_any_step_leaves_the_lab_whole(setting: Setting, at: str) -> None:
    async def interrupted() -> None:
        task = asyncio.create_task(setting.run())
        while at not in setting.steps:
            assert not task.done(), setting.steps
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(interrupted())
    assert setting.world.serves
    broken = [done for done in setting.world.done if done.startswith("inject")]
    assert not broken or setting.world.done[-1] == "undo lb1"
    assert setting.journal.in_place() is None


def test_an_interrupt_while_it_is_undone_does_not_stop_that(setting: Setting) -> None:
    slow = setting.world.fault()

    async def put_right_slowly(_scene: Any, _victims: Any) -> None:
        await asyncio.sleep(0.2)
        setting.world.serves = True

    setting.change(fault=replace(slow, undo=put_right_slowly))

    async def interrupted() -> None:
        task = asyncio.create_task(setting.run())
        while "undo" not in setting.steps:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(interrupted())
    assert setting.world.serves
    assert setting.journal.in_place() is None


def test_what_is_in_flight_at_the_end_and_goes_wrong_is_no_outage_without_an_end(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_module, "RECOVERY_MARGIN_S", 5.0)
    setting.change(probes=(Straggler(setting), OwnerProbe(setting.world)))
    run(setting.run())
    assert setting.steps == STEPS
    verdict = judge(setting.writer.events)
    assert {outage.is_over for outage in verdict.clients["http"].outages} == {True}
    assert "never-recovered" not in {sentence.code for sentence in verdict.sentences}


class Straggler(WorldProbe):
    """When the fault is undone, one of its requests is begun late, takes long and fails."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting.world)
        self.setting = setting
        self.waits_since: float | None = None

    async def run(self, _scene: Any, emit: Any, stop: asyncio.Event) -> None:
        late = asyncio.create_task(self._late(emit))
        while not stop.is_set():
            outcome: Outcome = "ok" if self.world.serves else "failed"
            emit(self._request(outcome, waits_since=self.waits_since))
            await asyncio.sleep(self.interval_s)
        await late

    async def _late(self, emit: Any) -> None:
        while "undone" not in self.setting.steps:
            await asyncio.sleep(0.001)
        # So late that the drill ends before ten good ones were begun behind it.
        await asyncio.sleep(0.9 * run_module.QUIET_S)
        request = self._request("failed", took_s=0.3)
        self.waits_since = request.t
        await asyncio.sleep(request.took_s)
        self.waits_since = None
        emit(request)

    def _request(self, outcome: Outcome, *, took_s: float = 0.0, **more: Any) -> Request:
        """Over when it is told, as of a real prober: 0 s after its begin, unless it is late."""
        now = time.monotonic()
        return Request(t=now, probe=self.name, took_s=took_s, outcome=outcome, **more)


def test_a_fault_that_is_kept_stays_in_the_journal(setting: Setting) -> None:
    setting.change(keep=True)
    run(setting.run())
    assert setting.world.done == ["inject lb1"]
    assert setting.journal.in_place() == OpenFault(fault="world-gone", victims=("lb1",))


def test_a_probe_that_dies_is_written_down_as_dead(setting: Setting) -> None:
    setting.world.dies = True
    run(setting.run())
    states = [(e.probe, e.state) for e in setting.writer.events if isinstance(e, ProbeState)]
    assert ("http", "died") in states
    assert ("address", "stopped") in states


def test_without_a_fault_nothing_is_touched(setting: Setting) -> None:
    setting.change(fault=None)
    run(setting.run())
    assert setting.steps == ["steady", "end"]
    assert setting.world.done == []
    header = setting.writer.events[0]
    assert isinstance(header, Header)
    assert (header.limits.outage_s, header.limits.failed_requests) == (0.0, 0)


def test_an_audit_that_cannot_look_knows_nothing(setting: Setting) -> None:
    async def blind(_scene: Any) -> Any:
        msg = "lb1 did not answer"
        raise LabError(msg)

    setting.change(audits=(replace(setting.world.audit(), check=blind, within_s=0),))
    run(setting.run())
    (audited,) = [e for e in setting.writer.events if isinstance(e, AuditDone)]
    assert (audited.outcome, audited.detail) == ("unknown", "lb1 did not answer")
