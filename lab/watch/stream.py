"""Keep a small program running on a machine and take the lines that it writes.

It is started again when the machine was gone, so that a view survives what it looks at.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from dataclasses import dataclass

import asyncssh

from lab.drill.scene import Scene
from lab.machines import Machines, as_root

SILENCE_S = 2.5
"""A machine that says nothing for so long is lost: five lines are missing."""
FIRST_LINE_S = 10.0
"""Starting takes longer, on an emulated machine or a busy host."""
AGAIN_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A program for machines, and who takes its lines."""

    program: str
    """Text of a Python program."""
    arguments: tuple[str, ...]
    on_line: Callable[[str, str], None]
    """Called with the machine and a line."""
    on_lost: Callable[[str, str], None]
    """Called with the machine and why nothing comes from it."""


async def stream(scene: Scene, machine: str, streamed: Streamed) -> None:
    """Until cancelled, whatever happens to the machine."""
    while True:
        try:
            await _lines(scene.machines, machine, streamed)
            streamed.on_lost(machine, "its program ended")
        except (OSError, asyncssh.Error, TimeoutError) as error:
            scene.machines.forget(machine)
            streamed.on_lost(machine, f"{type(error).__name__}: {error}".rstrip(": "))
        await asyncio.sleep(AGAIN_S)


async def _lines(machines: Machines, machine: str, streamed: Streamed) -> None:
    """Take lines until the program ends. Raises TimeoutError when nothing comes any more."""
    connection = await machines.connection(machine)
    command = shlex.join(["python3", "-", *streamed.arguments])
    async with asyncio.timeout(FIRST_LINE_S):
        process = await connection.create_process(as_root(command))
    try:
        process.stdin.write(streamed.program)
        process.stdin.write_eof()
        patience_s = FIRST_LINE_S
        while True:
            async with asyncio.timeout(patience_s):
                line = await process.stdout.readline()
            if not line.endswith("\n"):
                return  # the end, perhaps in the middle of a line
            patience_s = SILENCE_S
            streamed.on_line(machine, line)
    finally:
        process.close()
