"""The databases' args from settings and topology. Pure."""

from __future__ import annotations

from components.database.args import CHECK_WITHIN_S, DatabaseArgs, MariadbArgs, Node, PostgresqlArgs
from components.database.mariadb import mariadb_firewall
from components.database.postgresql import APPLICATION_USER, postgresql_firewall
from components.database.roles import role_firewall
from components.firewall import FirewallRule
from components.secrets import Secrets
from components.settings.database_rules import failover_of
from components.settings.models import Settings
from components.timers import timers_named
from components.topology import Role, Topology

CLIENTS = (Role.LOAD_BALANCER, Role.APP)
APPLICATION = ("passwords", "application")
"""Group and name of the secret."""


def database_args(settings: Settings, topology: Topology) -> DatabaseArgs | None:
    """What the databases of this lab are to be; None where there are none."""
    machines = topology.with_role(Role.DATABASE)
    postgresql = postgresql_args(settings)
    mariadb = mariadb_args(settings)
    if not machines or (postgresql is None and mariadb is None):
        return None
    timers = timers_named(settings.timers)
    clients = {m.address for role in CLIENTS for m in topology.with_role(role)}
    return DatabaseArgs(
        nodes=tuple(Node(name=m.name, address=m.address) for m in machines),
        clients=tuple(sorted(clients)),
        replication=timers.replication,
        check_within_s=CHECK_WITHIN_S * timers.patience,
        postgresql=postgresql,
        mariadb=mariadb,
    )


def postgresql_args(settings: Settings) -> PostgresqlArgs | None:
    """None where it is off."""
    own = settings.database.postgresql
    if not own.enabled:
        return None
    return PostgresqlArgs(
        version=own.version,
        failover=failover_of(settings, "postgresql"),
        synchronous=own.synchronous,
        max_slot_wal_mib=own.max_slot_wal_mib,
    )


def mariadb_args(settings: Settings) -> MariadbArgs | None:
    """None where it is off."""
    own = settings.database.mariadb
    if not own.enabled:
        return None
    return MariadbArgs(
        failover=failover_of(settings, "mariadb"),
        synchronous=own.synchronous,
        binlog_days=own.binlog_days,
    )


def database_firewall(args: DatabaseArgs) -> tuple[FirewallRule, ...]:
    """What must be able to reach a database machine."""
    rules = role_firewall(args)
    if args.postgresql is not None:
        rules += postgresql_firewall(args.postgresql)
    if args.mariadb is not None:
        rules += mariadb_firewall(args.mariadb)
    return rules


def database_credentials(secrets: Secrets) -> dict[str, object]:
    """With what applications log in: part of the stack's secret output."""
    return {"database": {"user": APPLICATION_USER, "password": secrets.get(*APPLICATION)}}
