"""A client of a volume that writes numbered records into one file; read by another client at the
end. Its times are this host's: the machine only says what became of each record."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from lab.drill.events import Present
from lab.drill.model import Emit
from lab.drill.probes.numbered import NumberedWrites
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.errors import LabError
from lab.machines import as_root

SCRIPT = Path(__file__).parent / "guest" / "file_writer.py"
INTERVAL_S = 0.05
READ_TIMEOUT_S = 15.0
MOST_IN_FLIGHT = 4000
"""More than are due while the slowest timers notice that a server is gone: none is left out."""


@dataclass(frozen=True, kw_only=True)
class FileProbe:
    """Writes on the first client of the main volume, reads on the last one."""

    name: str = "file"
    interval_s: float = INTERVAL_S
    is_session: bool = False

    def why_not(self, target: Target) -> str | None:
        return None if target.storage else "this lab has no shared storage"

    async def run(self, scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        directory, clients = mount_of(scene.target)
        name = f".drill-{uuid.uuid4().hex[:12]}"
        writer = clients[0]
        connection = await scene.machines.connect(writer)
        try:
            await self._write(connection, (directory, name), scene, emit, stop)
        finally:
            connection.abort()
        found = await scene.machines.run(
            clients[-1],
            command("read", directory, name),
            timeout_s=READ_TIMEOUT_S,
        )
        ranges = tuple((first, last) for first, last in json.loads(found.ok()))
        emit(Present(t=time.monotonic(), probe=self.name, numbers=ranges))
        with contextlib.suppress(LabError):
            await scene.machines.run(writer, f"rm -f {shlex.quote(f'{directory}/{name}')}")

    async def _write(
        self,
        connection: asyncssh.SSHClientConnection,
        where: tuple[str, str],
        scene: Scene,
        emit: Emit,
        stop: asyncio.Event,
    ) -> None:
        process = await connection.create_process(
            as_root(command("write", *where)), encoding="utf-8"
        )
        talk = Conversation(process)
        listening = asyncio.create_task(talk.listen())
        # A stall is no failure: it must be over before a write counts as one whose end is unknown.
        patience = max(
            scene.target.drill.request_timeout_s, 3.0 * scene.timers.gluster.ping_timeout_s
        )
        writes = NumberedWrites(
            probe=self.name,
            write=talk.write,
            emit=emit,
            timeout_s=patience,
            interval_s=self.interval_s,
            most_in_flight=MOST_IN_FLIGHT,
        )
        writing = asyncio.create_task(writes.run(stop))
        try:
            await asyncio.wait({writing, listening}, return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                msg = f"the writer ended: {await process.stderr.read()}"
                raise LabError(msg)
            writing.result()
        finally:
            for task in (writing, listening):
                task.cancel()
            await asyncio.gather(writing, listening, return_exceptions=True)


class Conversation:
    """One writer on a machine: numbers go in, what became of them comes out."""

    def __init__(self, process: asyncssh.SSHClientProcess[Any]) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[str]] = {}

    async def write(self, number: int) -> None:
        """Returns when the record is on disk. Raises OSError where it may or may not be."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._process.stdin.write(f"{number}\n")
        try:
            said = await answer
        finally:
            self._waiting.pop(number, None)
        if said != "ok":
            # An error of fsync leaves open whether the record is there on some copy.
            raise OSError(said)

    async def listen(self) -> None:
        """Until the writer ends."""
        async for line in self._process.stdout:
            number, _, said = str(line).strip().partition(" ")
            answer = self._waiting.get(int(number))
            if answer is not None and not answer.done():
                answer.set_result(said)


def mount_of(target: Target) -> tuple[str, tuple[str, ...]]:
    """Where the main volume is mounted, and on which machines."""
    volume = target.storage["volumes"][target.storage["volume"]]
    return str(volume["mountPoint"]), tuple(volume["clients"])


def command(what: str, directory: str, name: str) -> str:
    """The command line that runs the script on a machine."""
    source = SCRIPT.read_text(encoding="utf-8")
    return shlex.join(["python3", "-c", source, what, directory, name])
