"""Notice that the wall clock was set; no number is computed from it, but the machines' logs are."""

from __future__ import annotations

import asyncio
import contextlib
import time

from lab.drill.events import Note
from lab.drill.model import Emit

JUMP_S = 0.05
EVERY_S = 0.25
APART_S = 0.001
"""Both clocks must be read within so short a time of each other."""
TRIES = 10


def jump(before: float, now: float) -> str | None:
    """What happened to the wall clock, if something did; of two differences wall - monotonic."""
    by = now - before
    if abs(by) <= JUMP_S:
        return None
    way = "forward" if by > 0 else "back"
    return f"the wall clock of this host jumped {way} by {abs(by):.3f} s"


def difference() -> float:
    """Wall clock minus monotonic clock, both of the same moment, in seconds."""
    best, found = float("inf"), 0.0
    for _ in range(TRIES):
        begin = time.monotonic()
        wall = time.time()
        end = time.monotonic()
        if end - begin < best:
            best, found = end - begin, wall - (begin + end) / 2
        if best <= APART_S:
            break
    return found


async def watch_wall_clock(emit: Emit, stop: asyncio.Event) -> None:
    """Note every jump until `stop` is set."""
    before = difference()
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), EVERY_S)
        now = difference()
        text = jump(before, now)
        if text is not None:
            emit(Note(t=time.monotonic(), source="clock", text=text))
        before = now
