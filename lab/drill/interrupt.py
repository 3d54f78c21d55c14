"""Ctrl-C while machines are broken: first the lab is put right, then the command ends."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

from lab.terminal import warn

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PATIENCE = 3
"""Interrupts until the lab is left as it is."""


class InterruptedDrillError(Exception):
    """The user ended it; the lab was put right."""


async def interruptible(work: Coroutine[Any, Any, T]) -> T:
    """Run `work`; the first interrupt cancels it, further ones are told what is still going on.

    `asyncio.run` alone would end everything at the second interrupt, the fault still in place.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    count = 0

    def interrupted() -> None:
        nonlocal count
        count += 1
        if count == 1:
            warn("interrupted: putting the lab right first")
            task.cancel()
        elif count < PATIENCE:
            left = PATIENCE - count
            warn(f"still putting the lab right; interrupt {left} more time(s) to leave it broken")
        else:
            task.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, interrupted)
    try:
        return await task
    except asyncio.CancelledError:
        if count:
            raise InterruptedDrillError from None
        raise
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
