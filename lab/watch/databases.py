"""The databases: who is primary, who follows, how far behind, and what is wrong."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.database.guest.model import PRIMARY, REPLICA, State, state_from
from lab.database.decide import alarms
from lab.database.model import Look, Picture
from lab.database.show import as_json, replication
from lab.drill.probes.roles_client import state_of
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.netns import inside
from lab.watch.model import STALE_S, Cell, Section, Style

INTERVAL_S = 0.5
TIMEOUT_S = 1.0


@dataclass
class Databases:
    """A row for each engine and machine, asked of the machines' role services."""

    name: str = "databases"
    engines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    machines: tuple[str, ...] = ()
    seen: dict[tuple[str, str], tuple[float, State | None, str]] = field(default_factory=dict)
    """By engine and machine: when it was asked, what it said, or why it said nothing."""

    def is_present(self, target: Target) -> bool:
        self.engines, self.machines = target.database, target.with_role("database")
        return bool(self.engines)

    async def look(self, scene: Scene) -> None:
        while True:
            begun = time.monotonic()
            await asyncio.gather(
                *(self._ask(scene, engine, m) for engine in self.engines for m in self.machines)
            )
            await asyncio.sleep(max(0.0, INTERVAL_S - (time.monotonic() - begun)))

    async def _ask(self, scene: Scene, engine: str, machine: str) -> None:
        address, port = scene.target.machines[machine].address, self.engines[engine]["rolePort"]
        state, why = None, ""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                with inside(scene.namespace):
                    connected = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
                connected.setblocking(False)
                try:
                    await asyncio.get_running_loop().sock_connect(connected, (address, port))
                except BaseException:
                    connected.close()
                    raise
                state = state_from(await state_of(address, port, engine, connected=connected))
        except (OSError, ValueError, KeyError, TypeError) as error:
            why = str(error) or f"no answer within {TIMEOUT_S:g} s"
        self.seen[engine, machine] = (time.monotonic(), state, why)

    def is_seen(self) -> bool:
        return len(self.seen) == len(self.engines) * len(self.machines)

    def picture(self, engine: str, now: float) -> Picture:
        """What is known of an engine at this moment."""
        looks = {}
        for machine in self.machines:
            t, state, why = self.seen.get((engine, machine), (now, None, "not asked yet"))
            known = state if now - t <= STALE_S else None
            looks[machine] = Look(machine=machine, state=known, why=why or "nothing heard lately")
        synchronous = bool(self.engines[engine]["synchronous"])
        return Picture(engine=engine, synchronous=synchronous, looks=looks)

    def section(self, now: float) -> Section:
        rows: list[tuple[Cell, ...]] = []
        for engine in sorted(self.engines):
            picture = self.picture(engine, now)
            rows += [row_of(engine, look) for _, look in sorted(picture.looks.items())]
            rows += [
                (Cell(engine), Cell("alarm", "bad"), Cell(""), Cell(alarm.text, "bad"))
                for alarm in alarms(picture)
                if alarm.fatal
            ]
        return Section("databases", ("engine", "machine", "role", "replication"), tuple(rows))

    def data(self, now: float) -> Mapping[str, Any]:
        return {engine: as_json(self.picture(engine, now)) for engine in sorted(self.engines)}

    def summary(self) -> str:
        return ""


def row_of(engine: str, look: Look) -> tuple[Cell, ...]:
    """One machine of one engine."""
    state = look.state
    if state is None:
        return Cell(engine), Cell(look.machine), Cell("silent", "warn"), Cell(look.why, "dim")
    return (
        Cell(engine),
        Cell(look.machine),
        Cell(state.role, style_of(state)),
        Cell(replication(state)),
    )


def style_of(state: State) -> Style:
    """Good: it writes, or receives what is written."""
    if state.role == PRIMARY or (state.role == REPLICA and state.is_streaming):
        return "good"
    return "warn" if state.role == REPLICA else "bad"
