"""What the databases are to be: values only, each checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal

from components.checks import must_be_name, must_be_port, must_be_unique
from components.timers import ReplicationTimers

EngineName = Literal["mariadb", "postgresql"]
Failover = Literal["manual", "pacemaker"]
CHECK_WITHIN_S = 120
"""Times the timers' patience."""
MOST_MACHINES = 2
"""A primary and its replica; a replica follows the one other machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One database machine."""

    name: str
    address: IPv4Address

    def __post_init__(self) -> None:
        must_be_name("database machine", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresqlArgs:
    """PostgreSQL on every database machine."""

    version: int = 15
    failover: Failover = "manual"
    synchronous: bool = True
    max_slot_wal_mib: int = 1024
    port: int = 5432
    """On the machines' own addresses; clients use the VIP's ports."""

    def __post_init__(self) -> None:
        must_be_port("PostgreSQL", self.port)
        if self.version < 15:
            raise ValueError(
                f"PostgreSQL {self.version} is too old: 15 or later can let the role service end "
                "the time in which writes did not wait for a replica"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class MariadbArgs:
    """MariaDB on every database machine."""

    failover: Failover = "manual"
    synchronous: bool = True
    binlog_days: int = 7
    port: int = 3306
    """On the machines' own addresses; clients use the VIP's ports."""
    seed_port: int = 8009
    """Where a machine gets a copy of the primary's data."""

    def __post_init__(self) -> None:
        must_be_port("MariaDB", self.port)
        must_be_port("copies of MariaDB's data", self.seed_port)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseArgs:
    """The databases of one lab."""

    nodes: tuple[Node, ...]
    """The machines; the first one makes the first primary."""
    clients: tuple[IPv4Address, ...]
    """From where clients come: load balancers and app servers."""
    replication: ReplicationTimers
    check_within_s: int = CHECK_WITHIN_S
    """How long a server may take until it is what its role wants."""
    postgresql: PostgresqlArgs | None = None
    mariadb: MariadbArgs | None = None
    role_port: int = 8008
    """Port of the role service."""

    def __post_init__(self) -> None:
        if not 1 <= len(self.nodes) <= MOST_MACHINES:
            raise ValueError(
                f"{len(self.nodes)} database machines: expected 1 or {MOST_MACHINES}, a primary "
                "and its replica"
            )
        must_be_unique("database machine name", [node.name for node in self.nodes])
        must_be_port("the role service", self.role_port)

    @property
    def engines(self) -> tuple[EngineName, ...]:
        """The engines that are on."""
        on: dict[EngineName, object] = {"mariadb": self.mariadb, "postgresql": self.postgresql}
        return tuple(engine for engine, args in on.items() if args is not None)

    @property
    def in_cluster(self) -> tuple[EngineName, ...]:
        """The engines that the cluster fails over."""
        own: dict[EngineName, MariadbArgs | PostgresqlArgs | None] = {
            "mariadb": self.mariadb,
            "postgresql": self.postgresql,
        }
        return tuple(e for e, args in own.items() if args and args.failover == "pacemaker")

    def node(self, name: str) -> Node:
        """The machine of this name; ValueError when it is none of them."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise ValueError(f"{name!r} is not one of the database machines")

    def peers(self, node: Node) -> tuple[Node, ...]:
        """The other machines."""
        return tuple(other for other in self.nodes if other != node)
