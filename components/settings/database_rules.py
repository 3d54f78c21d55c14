"""What the databases' settings must not contradict: where they run, and their ports."""

from __future__ import annotations

from collections.abc import Iterator

from components import topology
from components.database.guest.cluster import clone_name
from components.fencing.choice import fencing_kind
from components.settings.database_models import (
    Failover,
    MariadbSettings,
    PostgresqlSettings,
)
from components.settings.fencing_rules import READS as FENCING_READS
from components.settings.models import Settings
from components.settings.rules import SEATS, Broken, Rule, names_with
from components.settings.service_rules import chosen_ports, fixed_ports
from components.topology import Role

ROLE_PORT = 8008
SERVER_PORTS = {"mariadb": (3306, 8009), "postgresql": (5432,)}
"""Of the servers and theirs, on the machines' own addresses. The VIP's ports may be the same."""


def machines(settings: Settings, stack: str) -> Iterator[Broken]:
    """A database runs somewhere."""
    del stack
    for engine in enabled(settings):
        if not names_with(settings, Role.DATABASE):
            why = "is on, but there is no database machine: set machines.counts.database to 2"
            yield f"database.{engine}.enabled", why


def endpoints(settings: Settings, stack: str) -> Iterator[Broken]:
    """Each endpoint has a port of the VIP for itself."""
    del stack
    problems = {}
    for seat in topology.machine_seats(settings):
        if Role.LOAD_BALANCER not in seat.roles:
            continue
        taken = fixed_ports(settings, seat)
        taken |= {port: path for path, port in chosen_ports(settings, seat)}
        if Role.DATABASE in seat.roles and enabled(settings):
            taken[ROLE_PORT] = "the role service"
        for path, port in endpoint_ports(settings):
            if port in taken:
                problems[path] = f"{port} is also {taken[port]}; every listener needs its own port"
            taken.setdefault(port, path)
    yield from problems.items()


def servers(settings: Settings, stack: str) -> Iterator[Broken]:
    """What else runs on a database machine leaves the servers their ports."""
    del stack
    problems = {}
    own = {port: f"{engine}'s own" for engine in enabled(settings) for port in SERVER_PORTS[engine]}
    if own:
        own[ROLE_PORT] = "the role service's"
    for seat in topology.machine_seats(settings):
        if Role.DATABASE not in seat.roles:
            continue
        for path, port in chosen_ports(settings, seat):
            if port in own:
                problems[path] = f"{port} is {own[port]} on {seat.name}; choose another"
    yield from problems.items()


def failover(settings: Settings, stack: str) -> Iterator[Broken]:
    """The cluster fails over only what it can fail over without two primaries."""
    del stack
    for engine in enabled(settings):
        if chosen(settings)[engine].failover == "pacemaker":
            for why in _why_not_by_cluster(settings):
                yield f"database.{engine}.failover", f"is `pacemaker`, {why}"


def failover_of(settings: Settings, engine: str) -> Failover:
    """Who makes this engine's replica the primary: as it is set, else the cluster where it can."""
    own = chosen(settings)[engine].failover
    if own is not None:
        return own
    return "manual" if any(_why_not_by_cluster(settings)) else "pacemaker"


def _why_not_by_cluster(settings: Settings) -> Iterator[str]:
    databases = names_with(settings, Role.DATABASE)
    members = names_with(settings, Role.CLUSTER)
    if not members:
        yield "and there is no cluster: set cluster.enabled: true, or `failover: manual`"
        return
    if outside := sorted(set(databases) - set(members)):
        names = ", ".join(outside)
        yield f"and {names} is no member of the cluster; add it to cluster.members"
    if len(databases) == 1:
        yield "and there is one database machine: set machines.counts.database to 2"
    if fencing_kind(settings) in ("none", None):
        yield (
            "and the cluster has no fencing: a primary that is cut off would go on beside the new"
            " one, and writes would be lost. Set cluster.fencing.kind, or `failover: manual`"
        )
    if settings.cluster.two_node:
        yield (
            "and the cluster has two votes: a primary could never know that it is not the one that"
            " is cut off. Give a third member, or `failover: manual`"
        )


def cluster_names(settings: Settings, stack: str) -> Iterator[Broken]:
    """Resources of the user's own are not named as the databases' are."""
    del stack
    for engine in enabled(settings):
        if failover_of(settings, engine) != "pacemaker":
            continue
        for section in ("resources", "groups", "clones"):
            for name in (engine, clone_name(engine)):
                if name in getattr(settings.cluster, section):
                    why = f"{name!r} is the database's own resource; rename it"
                    yield f"cluster.{section}.{name}", why


def chosen(settings: Settings) -> dict[str, MariadbSettings | PostgresqlSettings]:
    """The engines that are on, by name."""
    both: dict[str, MariadbSettings | PostgresqlSettings] = {
        "mariadb": settings.database.mariadb,
        "postgresql": settings.database.postgresql,
    }
    return {engine: own for engine, own in both.items() if own.enabled}


def enabled(settings: Settings) -> list[str]:
    """The engines that are on."""
    return list(chosen(settings))


def endpoint_ports(settings: Settings) -> list[tuple[str, int]]:
    """Path and port of every endpoint."""
    return [
        (f"database.{engine}.{key}", port)
        for engine, own in chosen(settings).items()
        for key, port in (("writePort", own.write_port), ("readPort", own.read_port))
    ]


PORTS = (
    *SEATS,
    "machines.hosts.*",
    "loadBalancer.httpPort",
    "loadBalancer.httpsPort",
    "loadBalancer.stats.port",
    "appServer.*",
    "database.*",
)
DATABASE_RULES = (
    Rule(machines, (*SEATS, "database.*")),
    Rule(endpoints, PORTS),
    Rule(servers, PORTS),
    Rule(failover, (*FENCING_READS, "database.*")),
    Rule(cluster_names, ("cluster.*", "database.*")),
)
