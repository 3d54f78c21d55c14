"""A prober whose looking is done in an asyncio loop: for drivers that bring their own sockets.

Settings, end and output are those of `prober`; see there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from lab.drill.events import AnyEvent
from lab.drill.probes.prober import FLUSH_S, Output, prepare_process, read_settings

Emit = Callable[[AnyEvent], None]
Look = Callable[[Mapping[str, Any], Emit, asyncio.Event], Awaitable[None]]
"""Looks with these settings until the event is set, and returns when nothing is in flight."""


def run_async(look: Look) -> None:
    """The whole life of such a process."""
    settings = read_settings()
    prepare_process()
    asyncio.run(_run(look, settings))


async def _run(look: Look, settings: Mapping[str, Any]) -> None:
    stop = asyncio.Event()
    output = Output(1)
    _stop_at_end_of_input(stop)
    loop = asyncio.get_running_loop()
    loop.call_later(settings["longest_s"], stop.set)
    looking = asyncio.ensure_future(
        look(settings, lambda event: output.line(event.model_dump_json()), stop)
    )
    flushing = asyncio.create_task(_flush(output))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({looking, flushing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not looking.done() and not flushing.done():
            await asyncio.wait(
                {looking, flushing},
                timeout=settings["drain_s"],
                return_when=asyncio.FIRST_COMPLETED,
            )
    finally:
        for task in (looking, flushing, stopping):
            task.cancel()
        found = await asyncio.gather(looking, flushing, return_exceptions=True)
        output.close()
    for error in found:
        if isinstance(error, BaseException) and not isinstance(error, asyncio.CancelledError):
            raise error


def _stop_at_end_of_input(stop: asyncio.Event, descriptor: int = 0) -> None:
    loop = asyncio.get_running_loop()
    os.set_blocking(descriptor, False)

    def heard() -> None:
        with contextlib.suppress(BlockingIOError):
            if not os.read(descriptor, 4096):
                loop.remove_reader(descriptor)
                stop.set()

    loop.add_reader(descriptor, heard)


async def _flush(output: Output) -> None:
    while True:
        output.flush(time.monotonic())
        await asyncio.sleep(FLUSH_S)
