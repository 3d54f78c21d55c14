"""What must not be left half-way: it is carried to its end before a cancellation is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def to_end(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking function in a thread; when cancelled, cancelled only after it has ended.

    A thread cannot be stopped: what undoes its work must not run beside it.
    """
    return await uninterrupted(asyncio.to_thread(function, *args, **kwargs))


async def uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Await it; when cancelled, cancelled only after it has ended.

    A command on a machine goes on there when nobody waits for it any more.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
