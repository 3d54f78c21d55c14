"""Numbered writes, open loop: what a writer of a database or of a file is made of.

A tier gives the function that does one write; here are the schedule, the numbers, the bound on what
is in flight, the outcomes, and the end. It runs in any event loop; a writer that must be inside the
lab's network runs in a prober of its own (`async_prober`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from lab.drill.events import AnyEvent, Outcome, Write
from lab.drill.probes.schedule import Schedule

INTERVAL_S = 0.02
MOST_IN_FLIGHT = 100
CUT_OFF = "cut off by the end of the probing"


class NotWrittenError(Exception):
    """This write certainly did not happen: it was refused, rolled back or never sent."""


async def pace(interval_s: float, stop: asyncio.Event) -> AsyncIterator[int]:
    """The numbers 0, 1, 2 ... each when it is due, until `stop` is set; late ones all at once."""
    schedule = Schedule(time.monotonic(), interval_s)
    while not stop.is_set():
        for number in schedule.due(time.monotonic()):
            yield number
        await asyncio.sleep(max(0.0, schedule.next_at - time.monotonic()))


@dataclass(kw_only=True)
class NumberedWrites:
    """Writes with the numbers `first`, `first + 1`, ... one in each interval.

    A write that returns is acknowledged: `ok`. One that raises NotWrittenError is `failed`. Any
    other error, and no answer in time, leave it `unknown`: it may be there or not.
    """

    probe: str
    write: Callable[[int], Awaitable[None]]
    """Does the write of this number; cancelled after `timeout_s`."""
    emit: Callable[[AnyEvent], None]
    timeout_s: float
    interval_s: float = INTERVAL_S
    first: int = 1
    most_in_flight: int = MOST_IN_FLIGHT
    """While so many are on their way, what is due is not sent and counts as failed."""
    _in_flight: dict[asyncio.Task[None], float] = field(default_factory=dict, init=False)
    """When each was begun, the oldest first."""

    async def run(self, stop: asyncio.Event) -> None:
        """Write until `stop` is set, then wait for what is in flight."""
        try:
            async for slot in pace(self.interval_s, stop):
                self._begin(self.first + slot)
            if self._in_flight:
                await asyncio.wait(self._in_flight)
        finally:
            for task in self._in_flight:
                task.cancel()
            await asyncio.gather(*self._in_flight, return_exceptions=True)

    def _begin(self, number: int) -> None:
        if len(self._in_flight) >= self.most_in_flight:
            detail = f"not sent: {self.most_in_flight} writes are in flight"
            self._say(number, time.monotonic(), "failed", detail)
            return
        begun = time.monotonic()
        task = asyncio.create_task(self._write(number, begun))
        self._in_flight[task] = begun
        task.add_done_callback(self._in_flight.pop)

    async def _write(self, number: int, begun: float) -> None:
        try:
            async with asyncio.timeout(self.timeout_s) as limit:
                await self.write(number)
        except asyncio.CancelledError:
            self._say(number, begun, "unknown", CUT_OFF)
            raise
        except NotWrittenError as error:
            self._say(number, begun, "failed", str(error))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises, nothing is known
            reason = f"{type(error).__name__}: {error}"[:200]
            if limit.expired():
                reason = f"no answer within {self.timeout_s:g} s"
            self._say(number, begun, "unknown", reason)
        else:
            self._say(number, begun, "ok", "")

    def _say(self, number: int, begun: float, outcome: Outcome, detail: str) -> None:
        own = asyncio.current_task()
        others = (since for task, since in self._in_flight.items() if task is not own)
        event = Write(
            t=begun,
            probe=self.probe,
            number=number,
            took_s=time.monotonic() - begun,
            outcome=outcome,
            detail=detail,
            waits_since=next(others, None),
        )
        self.emit(event)
