"""Models of `ha-lab:database`: PostgreSQL and MariaDB, each a primary and its replica.

What needs two fields is in `database_rules`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.settings.kinds import Integer, Port
from components.settings.section import Section

Failover = Literal["manual", "pacemaker"]
"""Who makes a replica the primary: a person with `lab db promote`, or the cluster, by itself."""


class PostgresqlSettings(Section):
    """PostgreSQL with streaming replication."""

    enabled: bool = False
    """The database machines run it."""
    version: Annotated[Integer, Field(ge=15, le=18)] = 15
    """Major version, the one that the machines' distribution has."""
    failover: Failover | None = None
    """Unset: `pacemaker` where the machines are members of a cluster with fencing and three votes,
    `manual` elsewhere."""
    synchronous: bool = True
    """A write is acknowledged once a replica has it on disk, and waits where there is none."""
    max_slot_wal_mib: Annotated[Integer, Field(ge=64, le=1048576)] = 1024
    """MiB of log that a primary keeps for a replica that is away; after that it is seeded anew."""
    write_port: Port = 5432
    """Port of the VIP that leads to the primary."""
    read_port: Port = 5433
    """Port of the VIP that leads to a replica, or to the primary where there is none."""


class MariadbSettings(Section):
    """MariaDB with GTIDs and semi-synchronous replication."""

    enabled: bool = False
    """The database machines run it."""
    failover: Failover | None = None
    """Unset: `pacemaker` where the machines are members of a cluster with fencing and three votes,
    `manual` elsewhere."""
    synchronous: bool = True
    """A write is acknowledged once a replica has it on disk, and waits where there is none."""
    binlog_days: Annotated[Integer, Field(ge=1, le=99)] = 7
    """Days of log that are kept; a replica that was away for longer is seeded anew."""
    write_port: Port = 3306
    """Port of the VIP that leads to the primary."""
    read_port: Port = 3307
    """Port of the VIP that leads to a replica, or to the primary where there is none."""


class DatabaseSettings(Section):
    """The databases on the machines with the database role."""

    mariadb: MariadbSettings = MariadbSettings()
    postgresql: PostgresqlSettings = PostgresqlSettings()
