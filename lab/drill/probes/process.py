"""A probe whose looking is done by a process of its own: start it, forward what it sees, end it.

A process, because requests on time cannot share a thread with the drill's other work, and because
it enters the lab's network namespace as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from pydantic import ValidationError

from lab.drill.events import EVENTS
from lab.drill.model import Emit
from lab.errors import LabError
from lab.netns import inside
from lab.stack_file import ROOT

LONGEST_S = 3600.0
"""No drill lasts longer; a prober that is forgotten ends then."""
EXIT_S = 3.0
"""Beyond the time for what is in flight, so long a prober may take to end."""
CHUNK = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class ProberCommand:
    """How to start a prober."""

    name: str
    """Of the probe."""
    module: str = "lab.drill.probes.client"
    arguments: Sequence[str] = ()
    settings: Mapping[str, Any]
    """Given by standard input: they may hold a secret."""
    interval_s: float
    drain_s: float
    """How long what is in flight may take at the end."""
    silence_s: float
    """A prober that says nothing for so long is dead."""

    def first_line(self) -> bytes:
        own = {"interval_s": self.interval_s, "drain_s": self.drain_s, "longest_s": LONGEST_S}
        return (json.dumps({"probe": self.name, **own, **self.settings}) + "\n").encode()


async def run_prober(
    command: ProberCommand, *, namespace: str | None, emit: Emit, stop: asyncio.Event
) -> None:
    """Forward the events of a prober until `stop` is set and it has ended.

    Raises LabError where it ends before that, fails, writes what is no event, or falls silent.
    """
    with tempfile.TemporaryFile() as errors:
        process = _start(command, namespace, errors)
        try:
            await _follow(process, command, emit, stop, errors)
        finally:
            # This very process, by the handle that has not been waited for yet.
            if process.poll() is None:
                process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


def _start(
    command: ProberCommand, namespace: str | None, errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", command.module, *command.arguments]
    with inside(namespace):
        return subprocess.Popen(
            argv,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            bufsize=0,
            # An interrupt at the terminal is for the drill, which then ends its probers.
            start_new_session=True,
        )


async def _follow(
    process: subprocess.Popen[bytes],
    command: ProberCommand,
    emit: Emit,
    stop: asyncio.Event,
    errors: IO[bytes],
) -> None:
    settings = cast(IO[bytes], process.stdin)
    forwarding = asyncio.create_task(_forward(process, command, emit))
    stopping = asyncio.create_task(stop.wait())
    try:
        with contextlib.suppress(BrokenPipeError):  # dead already: how is said below
            settings.write(command.first_line())
        await asyncio.wait({forwarding, stopping}, return_when=asyncio.FIRST_COMPLETED)
        was_asked = stopping.done()
        settings.close()
        _, late = await asyncio.wait({forwarding}, timeout=command.drain_s + EXIT_S)
        if late:
            msg = f"the prober {command.name} did not end when it was told to; it was killed"
            raise LabError(msg)
        forwarding.result()
        status = await asyncio.to_thread(process.wait, EXIT_S)
        if status != 0 or not was_asked:
            raise LabError(_how_it_died(command, status, errors))
    finally:
        forwarding.cancel()
        stopping.cancel()
        await asyncio.gather(forwarding, stopping, return_exceptions=True)


async def _forward(process: subprocess.Popen[bytes], command: ProberCommand, emit: Emit) -> None:
    """Emit every line as the event that it is, until the end of the output."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), process.stdout
    )
    rest = b""
    try:
        while True:
            try:
                async with asyncio.timeout(command.silence_s):
                    data = await reader.read(CHUNK)
            except TimeoutError:
                msg = f"the prober {command.name} has said nothing for {command.silence_s:g} s"
                raise LabError(msg) from None
            if not data:
                break
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                _emit_line(command.name, line, emit)
        if rest:
            _emit_line(command.name, rest, emit)
    finally:
        transport.close()


def _emit_line(name: str, line: bytes, emit: Emit) -> None:
    try:
        event = EVENTS.validate_json(line)
    except ValidationError:
        msg = f"the prober {name} wrote what is no event: {line[:200]!r}"
        raise LabError(msg) from None
    emit(event)


def _how_it_died(command: ProberCommand, status: int, errors: IO[bytes]) -> str:
    errors.seek(0)
    said = errors.read()[-2000:].decode(errors="replace").strip()
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    return f"the prober {command.name} {how}{': ' + said if said else ' before it was told to'}"
