"""Run a probe for a test: until it has seen enough, or until the test says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.drill.events import AnyEvent, Request
from lab.drill.model import Probe
from lab.drill.probes.http import INTERVAL_S, HttpProbe, SessionProbe
from lab.drill.scene import Scene
from lab.drill.target import Target
from tests.support.waiting import TAKEOVER_S, deadline_s
from tests.unit.drill.world import World, target


@dataclass
class Seen:
    """The events of a probe that runs, and the means to end it."""

    events: list[AnyEvent] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    @property
    def requests(self) -> list[Request]:
        """In the order in which they were begun."""
        found = [event for event in self.events if isinstance(event, Request)]
        return sorted(found, key=lambda request: request.t)

    def outcomes(self) -> set[tuple[str, str]]:
        return {(request.outcome, request.detail) for request in self.requests}

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for it; fails when the probe ends before, or after a time."""
        within_s = deadline_s(TAKEOVER_S)
        deadline = time.monotonic() + within_s
        while not condition():
            last = self.events[-5:]
            assert time.monotonic() < deadline, f"{what}: not within {within_s} s; last: {last}"
            assert self.task is None or not self.task.done(), f"{what}: the probe ended before"
            await asyncio.sleep(0.005)

    async def some(self, count: int) -> None:
        await self.until(lambda: len(self.events) >= count, f"{count} events")

    async def end(self) -> None:
        """Tell it to stop, and wait until it has; raises what it raises."""
        self.stop.set()
        assert self.task is not None
        async with asyncio.timeout(deadline_s(TAKEOVER_S)):
            await self.task


def slots(requests: list[Request]) -> int:
    """How many slots of the schedule there were up to the last request, whichever of them was
    begun late: a request may be late, and is never early."""
    begin = min(request.t - number * INTERVAL_S for number, request in enumerate(requests))
    return round((requests[-1].t - begin) / INTERVAL_S) + 1


@asynccontextmanager
async def running(probe: Probe, scene: Scene) -> AsyncIterator[Seen]:
    """A probe that looks for the length of the block, and is stopped at its end."""
    seen = Seen()
    seen.task = asyncio.create_task(probe.run(scene, seen.events.append, seen.stop))
    try:
        yield seen
        if not seen.task.done():
            await seen.end()
    finally:
        seen.task.cancel()
        await asyncio.gather(seen.task, return_exceptions=True)


def scene_of(wanted: Target | None = None) -> Scene:
    """A scene on this host's own network."""
    scene = World().scene
    return Scene(
        target=wanted or target(), machines=scene.machines, control=scene.control, namespace=None
    )


def fresh(url: str, *, name: str = "http") -> HttpProbe:
    return HttpProbe(name=name, url=lambda _: url)


def session(url: str) -> SessionProbe:
    return SessionProbe(url=lambda _: url)


def probers(name: str = "lab.drill.probes.client") -> list[int]:
    """Process ids of this process's own probers."""
    found = []
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            argv = Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
            if name.encode() in argv:
                found.append(int(pid))
    return found
