"""Who has the VIP: by ARP on the wire, and as every machine says of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.drill.events import AnyEvent, Owner, ProbeState
from lab.drill.model import Probe
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.watch.model import STALE_S, Cell, Section
from lab.watch.probing import keep_probing
from lab.watch.sights import Sights

FOLLOW_S = 0.1
FRESH_S = 1.2
"""A machine that lost power still "has" the VIP in what it said last, while another takes it over:
believed for two lines, no longer."""


@dataclass
class Owners:
    """The VIP's owners."""

    sights: Sights
    probes: Sequence[Probe] = ()
    """Those that see owners from outside."""
    name: str = "vip"
    vip: str = ""
    balancers: tuple[str, ...] = ()
    able: set[str] = field(default_factory=set)
    """Those of them that can look here."""
    outside: dict[str, Owner] = field(default_factory=dict)
    """By source, what it saw last."""
    troubles: dict[str, str] = field(default_factory=dict)
    """By probe, why it sees nothing."""
    moves: list[str] = field(default_factory=list)
    """Every owner there was, in a row."""

    def is_present(self, target: Target) -> bool:
        self.vip, self.balancers = target.vip, target.with_role("load_balancer")
        self.able = {probe.name for probe in self.probes if probe.why_not(target) is None}
        return bool(self.balancers)

    async def look(self, scene: Scene) -> None:
        able = [probe for probe in self.probes if probe.name in self.able]
        async with asyncio.TaskGroup() as group:
            for probe in able:
                group.create_task(keep_probing(probe, scene, self.take, self.trouble))
            group.create_task(self._follow())

    def take(self, event: AnyEvent) -> None:
        if isinstance(event, Owner):
            self.outside[event.source] = event
            self.troubles.pop(event.probe or event.source, None)
        elif isinstance(event, ProbeState) and event.state == "absent":
            self.trouble(event.probe, event.detail)

    def trouble(self, probe: str, why: str) -> None:
        self.troubles[probe] = why

    async def _follow(self) -> None:
        """Remember every change, for the summary."""
        while True:
            owners = self.owners(time.monotonic())
            if len(owners) == 1 and self.moves[-1:] != owners:
                self.moves += owners
            await asyncio.sleep(FOLLOW_S)

    def owners(self, now: float) -> list[str]:
        """The machines that say that they have it."""
        sights = {name: self.sights.at(name, now, FRESH_S) for name in self.balancers}
        return [name for name, sight in sights.items() if sight is not None and sight.vip]

    def by_source(self, now: float) -> dict[str, tuple[str, ...] | None]:
        """The owners as each source sees them; None: it does not know now."""
        found: dict[str, tuple[str, ...] | None] = {}
        for source, seen in sorted(self.outside.items()):
            found[source] = seen.owners if now - seen.t <= STALE_S else None
        for balancer in self.balancers:
            sight = self.sights.at(balancer, now, FRESH_S)
            found[balancer] = None if sight is None else (balancer,) if sight.vip else ()
        return found

    def is_seen(self) -> bool:
        return self.sights.is_seen() and self.able <= {*self.outside, *self.troubles}

    def section(self, now: float) -> Section:
        sources = self.by_source(now)
        cells = [Cell(self.vip)]
        too_many = len(self.owners(now)) > 1
        for source, owners in sources.items():
            cells.append(self._cell(source, owners, too_many=too_many))
        return Section("VIP", ("address", *sources), (tuple(cells),))

    def _cell(self, source: str, owners: tuple[str, ...] | None, *, too_many: bool) -> Cell:
        if owners is None:
            return Cell("?", "warn")
        if source in self.balancers:
            owner = Cell("owner", "bad" if too_many else "good")
            return owner if owners else Cell("-", "dim")
        return Cell(", ".join(owners) or "nobody", "good" if len(owners) == 1 else "bad")

    def data(self, now: float) -> Mapping[str, Any]:
        return {
            "address": self.vip,
            "owners": self.by_source(now),
            "troubles": dict(self.troubles),
        }

    def summary(self) -> str:
        if not self.moves:
            return "nobody was seen with the VIP"
        return f"VIP: {' -> '.join(self.moves)}"
