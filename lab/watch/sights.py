"""What every machine says of itself, as it comes in: the machine's rows, and the source of others.

One program on each machine tells all at once; the sections about the VIP and the app servers take
their part from here.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.health.drift import is_off
from lab.watch.model import STALE_S, Cell, Section
from lab.watch.stream import Streamed, stream

OBSERVER = Path(__file__).parent / "guest" / "observe.py"
POWER_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Sight:
    """What one machine said last."""

    t: float
    vip: bool
    """Whether it has the VIP."""
    units: Mapping[str, str]
    """State of every unit that must run on it."""
    servers: tuple[Mapping[str, Any], ...] | str | None
    """Its load balancer's servers; None: it has none, a text: why that does not answer."""


@dataclass
class Sights:
    """All machines of a lab."""

    name: str = "machines"
    seen: dict[str, Sight] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    """Machines that say nothing, and why."""
    off: set[str] = field(default_factory=set)
    machines: tuple[str, ...] = ()

    def is_present(self, target: Target) -> bool:
        self.machines = tuple(sorted(target.machines))
        return bool(self.machines)

    def at(self, machine: str, now: float, fresh_s: float = STALE_S) -> Sight | None:
        """What a machine said in the last `fresh_s` seconds; None: nothing."""
        sight = self.seen.get(machine)
        return None if sight is None or now - sight.t > fresh_s else sight

    async def look(self, scene: Scene) -> None:
        streamed = Streamed(
            program=OBSERVER.read_text(encoding="utf-8"),
            arguments=(scene.target.vip, scene.target.engine),
            on_line=self.take,
            on_lost=self.lose,
        )
        async with asyncio.TaskGroup() as group:
            for machine in self.machines:
                group.create_task(stream(scene, machine, streamed))
            group.create_task(self._power(scene))

    async def _power(self, scene: Scene) -> None:
        """Of machines that say nothing: whether they have power at all."""
        while True:
            silent = sorted(self.lost)
            answers = await asyncio.gather(*(is_off(scene, machine) for machine in silent))
            self.off = {name for name, off in zip(silent, answers, strict=True) if off}
            await asyncio.sleep(POWER_EVERY_S)

    def take(self, machine: str, line: str) -> None:
        """A line of a machine's observer."""
        said = json.loads(line)
        servers = said["servers"]
        self.seen[machine] = Sight(
            t=time.monotonic(),
            vip=said["vip"],
            units=said["units"],
            servers=tuple(servers) if isinstance(servers, list) else servers,
        )
        self.lost.pop(machine, None)

    def lose(self, machine: str, why: str) -> None:
        self.lost[machine] = why

    def is_seen(self) -> bool:
        return set(self.machines) <= {*self.seen, *self.lost}

    def section(self, now: float) -> Section:
        rows = tuple(self._row(machine, now) for machine in self.machines)
        return Section("machines", ("machine", "power", "units"), rows)

    def _row(self, machine: str, now: float) -> tuple[Cell, ...]:
        sight = self.at(machine, now)
        if sight is not None:
            wrong = {unit: s for unit, s in sorted(sight.units.items()) if s != "active"}
            if wrong:
                units = Cell(", ".join(f"{unit} {s}" for unit, s in wrong.items()), "bad")
            else:
                units = Cell(", ".join(sorted(sight.units)) or "-", "dim")
            return Cell(machine), Cell("on", "good"), units
        if machine in self.off:
            return Cell(machine), Cell("off", "bad"), Cell("")
        why = self.lost.get(machine, "not asked yet")
        return Cell(machine), Cell("silent", "warn"), Cell(why, "dim")

    def data(self, now: float) -> Mapping[str, Any]:
        return {machine: self._data(machine, now) for machine in self.machines}

    def _data(self, machine: str, now: float) -> Mapping[str, Any]:
        sight = self.at(machine, now)
        if sight is not None:
            return {"power": "on", "units": dict(sight.units)}
        return {"power": "off" if machine in self.off else "unknown", "units": {}}

    def summary(self) -> str:
        return ""
