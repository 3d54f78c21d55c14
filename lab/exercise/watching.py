"""Measure one step: from the lab's steady state until clients are served again.

Everything that is seen goes into a history as that of a drill. What is missing there is the moment
of injection: it is found afterwards (`signs`).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.drill.choose import BASE_TIER
from lab.drill.events import BY_HAND, AnyEvent, AuditDone, Header, Limits, Note, PhaseEvent, Step
from lab.drill.model import Probe
from lab.drill.observe import Observer
from lab.drill.run import (
    Drill,
    header_of,
    must_be_steady,
    probing,
    served_until,
)
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers.registry import tiers_of
from lab.exercise.keyboard import Keyboard
from lab.exercise.model import ExerciseStep
from lab.exercise.progress import Ending, Progress, ending
from lab.exercise.record import KEEP_S, Recorder
from lab.exercise.signs import moments
from lab.health.report import AuditResult

LOOK_S = 0.25
"""Between two looks at the machines themselves."""
POLL_S = 0.02
QUIET_S = 2.0
"""Watched on after the effect: it may cost more than what was seen of it so far."""
SOURCE = "exercise"


@dataclass(slots=True, kw_only=True)
class Watch:
    """The measuring of one step; its history is complete also where it is cut off."""

    scene: Scene
    step: ExerciseStep
    victim: str
    probes: tuple[Probe, ...]
    path: Path
    """Where its history goes, once the effect was seen."""
    header: Header = field(init=False)
    recorder: Recorder = field(init=False)
    progress: Progress = field(init=False)
    steps: dict[Step, float] = field(default_factory=dict)
    """Those of the history that are known at their time."""

    def __post_init__(self) -> None:
        drill = Drill(fault=self.step.fault, tier=self.step.tier, probes=self.probes, audits=())
        self.header = header_of(self.scene, drill, (self.victim,))
        predicted = self.header.predicted
        self.recorder = Recorder(keep_s=KEEP_S + 3 * (predicted.seconds if predicted else 0.0))
        self.progress = Progress(
            effect=self.step.effect,
            victim=self.victim,
            vip_machines=self.header.vip_machines,
            observer=Observer(slow_s=self.limits.slow_s, probes=tuple(self.header.probes)),
        )

    @property
    def limits(self) -> Limits:
        return self.header.limits

    def emit(self, event: AnyEvent) -> None:
        self.recorder.take(event)
        self.progress.see(event)

    @asynccontextmanager
    async def probing(self) -> AsyncIterator[None]:
        """The probes look for the length of the block, and the lab is in its steady state when it
        begins. Raises LabError where it is not. At the end the history is complete."""
        observer = self.progress.observer
        try:
            async with probing(self.scene, self.probes, observer, self.emit):
                await must_be_steady(self.scene, observer)
                self.progress.begun_at = time.monotonic()
                yield
        finally:
            self._complete()

    def found(self) -> None:
        """The effect was seen: from now on everything is written."""
        begin = min(self.recorder.begin, time.monotonic())
        wall = datetime.datetime.now().astimezone() - datetime.timedelta(
            seconds=time.monotonic() - begin
        )
        own = {"provider": BY_HAND, "t": begin, "wall": wall.isoformat(timespec="milliseconds")}
        self.header = self.header.model_copy(update=own)
        self.recorder.write(self.path, self.header)
        text = f"{self.step.effect} of {self.victim} was seen"
        self.emit(Note(t=self.progress.seen_at or begin, source=SOURCE, text=text))

    async def served_again(self) -> bool:
        """Watch on until clients are served again; False where they never are."""
        await asyncio.sleep(QUIET_S)
        progress, limits = self.progress, self.limits
        served = await served_until(
            progress.observer, lambda: progress.is_served(limits.good_in_row), limits
        )
        if served is not None:
            self.steps["recovered"] = served
        self.steps["end"] = time.monotonic() if served is None else served
        return served is not None

    def audited(self, results: Iterable[AuditResult]) -> None:
        """What the audits said at the end belongs to the history, as it does to that of a drill."""
        now = time.monotonic()
        for each in results:
            self.recorder.take(
                AuditDone(t=now, audit=each.audit, outcome=each.outcome, detail=each.detail)
            )

    def _complete(self) -> None:
        """The steps of the history; late answers of clients are in it by now."""
        if not self.recorder.is_writing:
            return
        found = moments(self.header, self.recorder.events[1:], self.progress)
        self.steps |= {"steady": found.steady, "inject": found.inject, "injected": found.injected}
        for step, t in sorted(self.steps.items(), key=lambda item: item[1]):
            self.recorder.take(PhaseEvent(t=t, step=step, detail=self.victim))


def probes_of(target: Target, step: ExerciseStep) -> tuple[Probe, ...]:
    """A client's probes, and those of the step's tier."""
    tiers = (tier for tier in tiers_of(target) if tier.name in {BASE_TIER, step.tier})
    return tuple(probe for tier in tiers for probe in tier.probes)


async def wait_for(is_seen: Callable[[], bool], keyboard: Keyboard, *, within_s: float) -> Ending:
    """Until it is seen, the person skips it, or the time is over."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        end = ending(is_seen=is_seen(), key=keyboard.key(), now=loop.time(), deadline=deadline)
        if end is not None:
            return end
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def beside(look: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Look again and again for the length of the block."""

    async def again() -> None:
        while True:
            await look()
            await asyncio.sleep(LOOK_S)

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
