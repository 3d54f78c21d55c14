"""The `lab watch` command: look until interrupted, and show it four times a second."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import json
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rich.live import Live

from lab.drill.opening import open_scene
from lab.drill.scene import Scene
from lab.terminal import note, out
from lab.watch.model import Rows
from lab.watch.registry import rows_for
from lab.watch.view import data, frame, summary

FRAME_S = 0.25
LINE_S = 1.0
FIRST_LOOK_S = 8.0
"""For a single frame, so long what does not answer is waited for."""


def watch(stack: str, *, once: bool = False, as_json: bool = False) -> int:
    """Show a lab until Ctrl-C, or one frame; as a JSON object on each line, one a second.

    The exit status is 0: it looks and does not judge (`lab check` does). Raises LabError where the
    stack is not up.
    """
    asyncio.run(_watch(stack, once=once, as_json=as_json))
    return 0


async def _watch(stack: str, *, once: bool, as_json: bool) -> None:
    begun = time.monotonic()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_scene(stack) as scene:
        every = rows_for(scene.target)
        async with looking(scene, every, stop):
            if once:
                await first_look(every, stop)
                show(scene, every, as_json=as_json)
            elif as_json:
                while not await stopped(stop, LINE_S):
                    show(scene, every, as_json=True)
            else:
                await live(scene, every, stop)
    if not once:
        note(summary(every, time.monotonic() - begun))


@asynccontextmanager
async def looking(scene: Scene, every: Sequence[Rows], stop: asyncio.Event) -> AsyncIterator[None]:
    """All rows look for as long as the block lasts. One that fails ends it with its error."""
    tasks = [asyncio.create_task(rows.look(scene), name=rows.name) for rows in every]
    for task in tasks:
        task.add_done_callback(lambda _: stop.set())
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def live(scene: Scene, every: Sequence[Rows], stop: asyncio.Event) -> None:
    """The view on a terminal, until `stop`."""
    with Live(console=out, auto_refresh=False, transient=False) as shown:
        while True:
            shown.update(frame(title(scene), every, time.monotonic()), refresh=True)
            if await stopped(stop, FRAME_S):
                return


async def first_look(every: Sequence[Rows], stop: asyncio.Event) -> None:
    """Wait until everything was seen once, or it is clear that something will not be."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_LOOK_S):
            while not all(rows.is_seen() for rows in every):
                if await stopped(stop, FRAME_S / 5):
                    return


async def stopped(stop: asyncio.Event, within_s: float) -> bool:
    """Whether the end comes within this time."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), within_s)
    return stop.is_set()


def show(scene: Scene, every: Sequence[Rows], *, as_json: bool) -> None:
    """One frame on standard output."""
    now = time.monotonic()
    if as_json:
        line = data(every, now, stack=scene.target.stack, wall=wall_clock().isoformat())
        print(json.dumps(line), flush=True)  # noqa: T201 - one object a line, as programs read it
    else:
        out.print(frame(title(scene), every, now))


def title(scene: Scene) -> str:
    return f"{scene.target.stack}   {wall_clock():%H:%M:%S}   (Ctrl-C ends)"


def wall_clock() -> datetime.datetime:
    return datetime.datetime.now().astimezone()
