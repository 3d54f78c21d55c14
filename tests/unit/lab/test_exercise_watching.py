"""The measuring of one step against a small world in which a person moves the VIP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from lab.drill.events import BY_HAND, AnyEvent, Header, Request
from lab.drill.history import read_history
from lab.drill.verdict import judge
from lab.errors import LabError
from lab.exercise import watching
from lab.exercise.failover import STOP_HAPROXY
from lab.exercise.keyboard import Keyboard
from lab.exercise.progress import Ending
from lab.exercise.watching import Watch, wait_for
from tests.support.waiting import TAKEOVER_S, deadline_s
from tests.unit.drill.world import OwnerProbe, World, WorldProbe


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "QUIET_S", 0.05)


def watch(world: World, folder: Path) -> Watch:
    return Watch(
        scene=world.scene,
        step=STOP_HAPROXY,
        victim="lb1",
        probes=(WorldProbe(world), OwnerProbe(world)),
        path=folder / "step.jsonl",
    )


async def effect_of(measuring: Watch) -> Ending:
    within_s = deadline_s(TAKEOVER_S)
    return await wait_for(
        lambda: measuring.progress.seen_at is not None, Keyboard(), within_s=within_s
    )


async def break_it(world: World, *, for_s: float) -> None:
    """As a person does: nobody is served until the other machine takes the VIP."""
    world.serves = False
    await asyncio.sleep(for_s)
    world.owner, world.serves = "lb2", True


def test_a_step_by_hand_leaves_a_history_that_a_judge_understands(tmp_path: Path) -> None:
    world = World()
    measuring = watch(world, tmp_path)

    async def step() -> None:
        async with measuring.probing():
            person = asyncio.create_task(break_it(world, for_s=0.3))
            assert await effect_of(measuring) is Ending.DONE
            measuring.found()
            assert await measuring.served_again()
            await person

    begun = time.monotonic()
    asyncio.run(step())
    took_s = time.monotonic() - begun
    measuring.recorder.close()
    header, *events = read_history(tmp_path / "step.jsonl")
    assert isinstance(header, Header)
    assert (header.provider, header.fault, header.victims) == (
        BY_HAND,
        "haproxy-stopped",
        ("lb1",),
    )
    verdict = judge([header, *events])
    assert verdict.outage_s is not None
    assert unserved_s(events) < verdict.outage_s < took_s
    assert {"steady", "inject", "injected", "recovered", "end"} <= set(verdict.steps)
    assert verdict.vip.owner_before == ("lb1",)
    assert verdict.vip.new_owner == "lb2"


def unserved_s(events: Sequence[AnyEvent]) -> float:
    """From the first request that failed to the last one; the outage is longer."""
    failed = [e.t for e in events if isinstance(e, Request) and e.outcome == "failed"]
    assert len(failed) > 1
    return max(failed) - min(failed)


def test_a_lab_that_is_not_steady_is_refused_and_leaves_no_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.drill.run.STEADY_WITHIN_S", 0.2)
    measuring = watch(World(serves=False), tmp_path)

    async def step() -> None:
        async with measuring.probing():
            pytest.fail("there is nothing to measure")

    with pytest.raises(LabError, match="not in its steady state"):
        asyncio.run(step())
    assert list(tmp_path.iterdir()) == []


def test_what_was_seen_before_an_interrupt_is_in_the_history(tmp_path: Path) -> None:
    world = World()
    measuring = watch(world, tmp_path)

    async def step() -> None:
        async with measuring.probing():
            person = asyncio.create_task(break_it(world, for_s=0.2))
            await effect_of(measuring)
            measuring.found()
            await person
            raise asyncio.CancelledError

    begun = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(step())
    took_s = time.monotonic() - begun
    verdict = judge(measuring.recorder.events)
    assert verdict.outage_s is not None
    assert unserved_s(measuring.recorder.events) < verdict.outage_s < took_s
    assert verdict.outcome == "unknown"
    assert "cut-off" in {sentence.code for sentence in verdict.sentences}


def test_clients_that_are_never_served_again_are_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.drill.run.RECOVERY_FACTOR", 0.0)
    monkeypatch.setattr("lab.drill.run.RECOVERY_MARGIN_S", 0.2)
    world = World()
    measuring = watch(world, tmp_path)

    async def step() -> None:
        async with measuring.probing():
            world.serves, world.owner = False, "lb2"
            await effect_of(measuring)
            measuring.found()
            assert not await measuring.served_again()

    asyncio.run(step())
    verdict = judge(measuring.recorder.events)
    assert verdict.outcome == "fail"
    assert "never-recovered" in {sentence.code for sentence in verdict.sentences}
