"""Stand-ins for what `lab watch` looks at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from lab.drill.control import Control
from lab.drill.model import Emit
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.errors import LabError
from lab.machines import Machines
from lab.watch.model import Cell, Section
from tests.support.waiting import MOMENT_S, deadline_s
from tests.unit.drill.world import target


@dataclass
class FakeProbe:
    """A probe that emits what it is given, then dies or stays."""

    events: list[Any] = field(default_factory=list)
    dies: int = 0
    """So many times."""
    reason: str | None = None
    name: str = "arp"
    interval_s: float = 0.1
    is_session: bool = False
    runs: int = 0

    def why_not(self, _target: Target) -> str | None:
        return self.reason

    async def run(self, _scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        self.runs += 1
        for event in self.events:
            emit(event)
        if self.runs <= self.dies:
            msg = f"the prober {self.name} was killed"
            raise LabError(msg)
        await stop.wait()


@dataclass
class FakeControl:
    name: str = "rig"
    off: set[str] = field(default_factory=set)

    async def is_on(self, machine: str) -> bool:
        return machine not in self.off


def scene(machines: object = None, control: FakeControl | None = None) -> Scene:
    return Scene(
        target=target(),
        machines=cast(Machines, machines),
        control=cast(Control, control or FakeControl()),
        namespace=None,
    )


def said(*, vip: bool = False, servers: Any = None, **units: str) -> str:
    return json.dumps({"vip": vip, "units": units, "servers": servers}) + "\n"


def server(
    name: str, status: str = "UP", *, backend: str = "http_back", sessions: int | None = 0,
    backup: bool = False,
) -> dict[str, Any]:  # fmt: skip
    return {
        "backend": backend, "name": name, "status": status, "sessions": sessions, "backup": backup
    }  # fmt: skip


def present(rows: Any) -> Any:
    assert rows.is_present(target())
    return rows


def texts(section: Section) -> list[list[str]]:
    return [[cell.text for cell in row] for row in section.rows]


async def eventually(what: Callable[[], object]) -> None:
    async with asyncio.timeout(deadline_s(MOMENT_S)):
        while not what():
            await asyncio.sleep(0.005)


def during(rows: Any, where: Scene, what: Callable[[], object]) -> None:
    """Let rows look until something is true."""

    async def run() -> None:
        task = asyncio.create_task(rows.look(where))
        try:
            await eventually(what)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


@dataclass
class FakeProcess:
    """Says its lines, then nothing more (or ends)."""

    lines: list[str]
    ends: bool
    given: str = ""
    closed: bool = False

    def __post_init__(self) -> None:
        self.stdin = self.stdout = self

    def write(self, text: str) -> None:
        self.given += text

    def write_eof(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    async def readline(self) -> str:
        if self.lines:
            return self.lines.pop(0)
        if not self.ends:
            await asyncio.sleep(60)
        return ""


@dataclass
class FakeMachines:
    """Machines on which a program says these lines; one without lines cannot be reached."""

    lines: dict[str, list[str]]
    ends: bool = False
    connections: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    arguments: set[str] = field(default_factory=set)
    processes: list[FakeProcess] = field(default_factory=list)

    async def connection(self, machine: str) -> Any:
        self.connections.append(machine)
        if machine not in self.lines:
            raise ConnectionRefusedError(111, "Connect call failed")
        lines = list(self.lines[machine])

        class Connection:
            async def create_process(_self, words: str) -> FakeProcess:  # noqa: N805
                self.arguments.add(words)
                process = FakeProcess(lines, self.ends)
                self.processes.append(process)
                return process

        return Connection()

    def forget(self, *names: str) -> None:
        self.forgotten += names


@dataclass
class FakeRows:
    name: str = "fake"
    seen: bool = True
    breaks: bool = False
    cancelled: bool = False

    def is_present(self, _target: Target) -> bool:
        return True

    async def look(self, _scene: Scene) -> None:
        if self.breaks:
            msg = "a mistake"
            raise RuntimeError(msg)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    def is_seen(self) -> bool:
        return self.seen

    def section(self, _now: float) -> Section:
        return Section("[fake]", ("what", "state"), ((Cell("[x]"), Cell("good", "good")),))

    def data(self, _now: float) -> dict[str, Any]:
        return {"state": "good"}

    def summary(self) -> str:
        return "seen a lot"
