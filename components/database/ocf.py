"""The databases as resources of the cluster: agent, promotable clones, where they may run. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.database.args import DatabaseArgs
from components.database.guest.cluster import clone_name
from components.database.roles import CONFIG_PATH, PROGRAM
from components.files import RenderedFile
from components.pacemaker.args import Clone, Location, Operation, Resource
from components.rendering import Templates
from components.timers import MonitorTimers

AGENT = "ocf:ha-lab:database"
AGENT_PATH = "/usr/lib/ocf/resource.d/ha-lab/database"
NEVER = "-INFINITY"
TIMEOUTS_S = {"start": 300, "stop": 150, "promote": 120, "demote": 300}
"""A start may have to rewind, a stop may take as long as the unit may (two minutes); a stop that is
late gets its member fenced."""

_TEMPLATES = Templates(Path(__file__).parent / "templates")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterPart:
    """What the databases add to a cluster."""

    resources: tuple[Resource, ...] = ()
    clones: tuple[Clone, ...] = ()
    locations: tuple[Location, ...] = ()


def cluster_part(
    args: DatabaseArgs | None, members: Sequence[str], timers: MonitorTimers
) -> ClusterPart:
    """The engines that the cluster fails over; members without a database have a vote only."""
    engines = args.in_cluster if args else ()
    if args is None or not engines:
        return ClusterPart()
    nodes = {node.name for node in args.nodes}
    return ClusterPart(
        resources=tuple(_resource(engine, timers) for engine in engines),
        clones=tuple(_clone(engine, len(nodes)) for engine in engines),
        locations=tuple(
            Location(resource=clone_name(engine), member=member, score=NEVER)
            for engine in engines
            for member in members
            if member not in nodes
        ),
    )


def _resource(engine: str, timers: MonitorTimers) -> Resource:
    roles = {"Promoted": timers.promoted_s, "Unpromoted": timers.unpromoted_s}
    monitors = tuple(
        Operation(name="monitor", interval_s=interval_s, timeout_s=timers.timeout_s, role=role)
        for role, interval_s in roles.items()
    )
    changes = tuple(
        Operation(name=name, interval_s=0, timeout_s=timeout_s)
        for name, timeout_s in TIMEOUTS_S.items()
    )
    return Resource(
        id=engine, agent=AGENT, parameters={"engine": engine}, operations=(*monitors, *changes)
    )


def _clone(engine: str, count: int) -> Clone:
    meta = {
        "promotable": "true",
        "promoted-max": "1",
        "clone-max": str(count),
        "clone-node-max": "1",
        # A member that starts its replica does not hold up what happens on the others.
        "interleave": "true",
    }
    return Clone(id=clone_name(engine), resource=engine, meta=meta)


def agent_files(resources: Sequence[Resource]) -> tuple[RenderedFile, ...]:
    """The agent, where it is one of those that the cluster needs; every member must have it."""
    if all(resource.agent != AGENT for resource in resources):
        return ()
    values = {"program": PROGRAM, "config": CONFIG_PATH, "engines": ("mariadb", "postgresql")}
    return (
        RenderedFile(
            path=AGENT_PATH,
            content=_TEMPLATES.render("ocf-agent.j2", values),
            mode=0o755,
            validate="sh -n {staged}",
        ),
    )
