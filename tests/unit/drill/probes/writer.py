"""A prober that writes its numbers into a file: what a tier's own writer looks like."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.drill.probes.async_prober import Emit, run_async
from lab.drill.probes.numbered import NumberedWrites


async def look(settings: Mapping[str, Any], emit: Emit, stop: asyncio.Event) -> None:
    path = Path(settings["path"])

    async def write(number: int) -> None:
        await asyncio.sleep(settings["delay_s"])
        if settings["fails"]:
            raise SystemError("the writer itself is broken")
        with path.open("a") as file:
            file.write(f"{number}\n")

    writes = NumberedWrites(
        probe=settings["probe"],
        write=write,
        emit=emit,
        timeout_s=settings["timeout_s"],
        interval_s=settings["interval_s"],
    )
    if settings["dies"]:
        raise RuntimeError("cannot find the database")
    await writes.run(stop)


if __name__ == "__main__":
    run_async(look)
