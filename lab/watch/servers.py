"""The app servers, as each load balancer sees them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.watch.model import Cell, Section, Style
from lab.watch.sights import Sights


@dataclass
class Servers:
    """A row for each server, a column for each load balancer."""

    sights: Sights
    name: str = "servers"
    balancers: tuple[str, ...] = ()
    engine: str = "HAProxy"

    def is_present(self, target: Target) -> bool:
        self.balancers = target.with_role("load_balancer")
        self.engine = "nginx" if target.engine == "nginx" else "HAProxy"
        return bool(self.balancers)

    async def look(self, _scene: Scene) -> None:
        """Nothing of its own: the machines' programs bring all of it."""
        await asyncio.Event().wait()

    def is_seen(self) -> bool:
        return self.sights.is_seen()

    def known(self, now: float) -> dict[str, dict[str, list[Mapping[str, Any]]] | str]:
        """By load balancer: by server, its entries in all back ends; or why nothing is known."""
        found: dict[str, dict[str, list[Mapping[str, Any]]] | str] = {}
        for balancer in self.balancers:
            sight = self.sights.at(balancer, now)
            if sight is None:
                found[balancer] = "?"
            elif sight.servers is None or isinstance(sight.servers, str):
                found[balancer] = sight.servers or f"{self.engine} is not there"
            else:
                found[balancer] = by_name(sight.servers)
        return found

    def section(self, now: float) -> Section:
        known = self.known(now)
        names = sorted(
            {n for servers in known.values() if isinstance(servers, dict) for n in servers}
        )
        rows = []
        for name in names:
            cells = [Cell(name)]
            for servers in known.values():
                entries = servers.get(name, []) if isinstance(servers, dict) else []
                cells.append(cell_of(entries))
            rows.append(tuple(cells))
        for balancer, servers in known.items():
            if isinstance(servers, str) and servers != "?":
                rows.append((Cell(balancer), Cell(servers, "bad")))
        return Section("app servers", ("server", *(f"by {name}" for name in known)), tuple(rows))

    def data(self, now: float) -> Mapping[str, Any]:
        return {
            balancer: servers
            if isinstance(servers, str)
            else {name: entry_of(entries) for name, entries in sorted(servers.items())}
            for balancer, servers in self.known(now).items()
        }

    def summary(self) -> str:
        return ""


def by_name(servers: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for server in servers:
        found.setdefault(server["name"], []).append(server)
    return found


def entry_of(entries: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """One server over all back ends: every state that it has there, and its sessions, where the
    load balancer says how many."""
    sessions = [entry["sessions"] for entry in entries if entry["sessions"] is not None]
    return {
        "status": sorted({entry["status"] for entry in entries}),
        "backup": any(entry["backup"] for entry in entries),
        "sessions": sum(sessions) if sessions else None,
    }


def cell_of(entries: Sequence[Mapping[str, Any]]) -> Cell:
    """`UP, 3 sessions`, or `UP` from nginx; where back ends disagree, which of them see it how."""
    if not entries:
        return Cell("?", "warn")
    entry = entry_of(entries)
    states = entry["status"]
    if len(states) == 1:
        text = states[0]
    else:
        text = ", ".join(f"{one['backend']} {one['status']}" for one in entries)
    if entry["backup"]:
        text += " backup"
    if entry["sessions"] is not None:
        text += f", {entry['sessions']} sessions"
    return Cell(text, style_of(states))


def style_of(states: Sequence[str]) -> Style:
    if all(state in ("UP", "no check") for state in states):
        return "good"
    return "bad" if all(state.startswith("DOWN") for state in states) else "warn"
