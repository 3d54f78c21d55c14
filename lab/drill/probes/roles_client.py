"""`python -m lab.drill.probes.roles_client`: a prober that asks every database machine its role.

The role service of each machine asks its server at that moment; see components/database/guest.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from lab.drill.probes.async_prober import Emit, run_async
from lab.drill.probes.sampled import RoleSamples


async def state_of(
    address: str, port: int, engine: str, *, connected: socket.socket | None = None
) -> dict[str, Any]:
    """What one machine's role service says, over this connection where there is one already.

    Raises ConnectionRefusedError, OSError or ValueError.
    """
    if connected is None:
        reader, writer = await asyncio.open_connection(address, port)
    else:
        reader, writer = await asyncio.open_connection(sock=connected)
    try:
        writer.write(f"GET /{engine} HTTP/1.0\r\nHost: {address}\r\n\r\n".encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        status = head.split(b" ", 2)[1:2]
        if status != [b"200"]:
            msg = f"the role service answers {status!r}"
            raise ValueError(msg)
        state: dict[str, Any] = json.loads(body)
        return state
    finally:
        writer.close()


async def role_of(address: str, port: int, engine: str) -> str:
    """The role of one machine. Raises like `state_of`, and KeyError."""
    return str((await state_of(address, port, engine))["role"])


async def look(settings: Mapping[str, Any], emit: Emit, stop: asyncio.Event) -> None:
    """Ask all of them until `stop` is set."""
    engine, port = settings["engine"], settings["port"]
    looks: dict[str, Callable[[], Awaitable[str]]] = {
        machine: partial(role_of, address, port, engine)
        for machine, address in settings["machines"].items()
    }
    samples = RoleSamples(
        probe=settings["probe"],
        service=engine,
        looks=looks,
        emit=emit,
        interval_s=settings["interval_s"],
        timeout_s=settings["timeout_s"],
    )
    await samples.run(stop)


if __name__ == "__main__":
    run_async(look)
