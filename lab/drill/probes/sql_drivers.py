"""How a prober talks to each engine: an entry of DRIVERS is all that an engine needs here.

Connections are those of Python's DB-API with `%s` for values, and commit each statement by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import psycopg
import pymysql
from pymysql.connections import Connection as PymysqlConnection

CONNECT_TIMEOUT_S = 2
"""Whole seconds, and two at least, as libpq wants it."""
TABLE = "ha_lab_writes"
CREATE = f"CREATE TABLE IF NOT EXISTS {TABLE} (run varchar(64), number bigint)"
"""No key: a row that is there twice must be seen, not refused."""
CLEAR = f"DELETE FROM {TABLE} WHERE run <> %s"  # noqa: S608 - a constant
INSERT = f"INSERT INTO {TABLE} (run, number) VALUES (%s, %s)"  # noqa: S608 - a constant
PRESENT = (
    f"SELECT number, count(*) FROM {TABLE} "  # noqa: S608 - a constant
    "WHERE run = %s GROUP BY number ORDER BY number"
)
READ = "SELECT 1"


class Connection(Protocol):
    """What is used of a DB-API connection."""

    def cursor(self) -> Any: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an application reaches one endpoint."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """One engine's."""

    connect: Callable[[Access], Connection]
    """Raises `error` within CONNECT_TIMEOUT_S or so."""
    error: type[Exception]
    """The base of all that the driver raises."""
    descriptor: Callable[[Connection], int]
    """Of its socket. Raises `error` or OSError where there is none any more."""
    is_refused: Callable[[Connection, Exception], bool]
    """Whether the server itself said that it did not carry the statement out."""


def access_to(endpoint: str, *, database: str, user: str, password: str) -> Access:
    """Of `host:port`."""
    host, _, port = endpoint.rpartition(":")
    return Access(host=host, port=int(port), database=database, user=user, password=password)


def _postgresql(access: Access) -> Connection:
    connection: Connection = psycopg.connect(
        host=access.host,
        port=access.port,
        dbname=access.database,
        user=access.user,
        password=access.password,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="ha-lab drill",
        autocommit=True,
        # Nothing is prepared: a statement's plan would outlive the server that made it.
        prepare_threshold=None,
    )
    return connection


ENDING = ("57", "08", "XX")
"""SQLSTATE classes in which a transaction may have been committed all the same: the server shuts
down, the connection broke, something inside failed."""


def _postgresql_refused(connection: Connection, error: Exception) -> bool:
    state = error.sqlstate if isinstance(error, psycopg.Error) else None
    broken = isinstance(connection, psycopg.Connection) and connection.broken
    return state is not None and not broken and not state.startswith(ENDING)


def _postgresql_descriptor(connection: Connection) -> int:
    return cast("psycopg.Connection[Any]", connection).fileno()


class _Mariadb(PymysqlConnection):
    """PyMySQL's connection: what it waits for is limited only while it connects."""

    _sock: Any

    def connect(self, sock: Any = None) -> None:
        super().connect(sock)
        # A limit would end a write that waits for a replica, and the prober has its own.
        self._read_timeout = None

    def fileno(self) -> int:
        """Of its socket. Raises InterfaceError where there is none any more."""
        if self._sock is None:
            raise pymysql.InterfaceError(0, "the connection is closed")
        return int(self._sock.fileno())


def _mariadb(access: Access) -> Connection:
    # A load balancer accepts a connection before it has a server for it: the greeting may not come.
    return _Mariadb(
        host=access.host,
        port=access.port,
        database=access.database,
        user=access.user,
        password=access.password,
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=CONNECT_TIMEOUT_S,
        program_name="ha-lab drill",
        autocommit=True,
        # The servers offer no TLS, and PyMySQL 1.2 reads all of the system's CA certificates for
        # each connection, needed or not: 25 to 50 ms of processor. A writer that tries fifty times
        # a second while nothing answers then takes the processors from the lab that it measures.
        ssl_disabled=True,
    )


CLIENTS_OWN = range(2000, 3000)
"""Errors that the server did not say."""
MAY_BE_COMMITTED = frozenset(
    (1053, 1105, 1152, 1158, 1159, 1160, 1161, 1180, 1184, 1317, 1927, 1969)
)
"""Errors of MariaDB's after which a transaction may be there all the same: the server shuts down,
the network failed, the commit itself did, or the statement was killed while it waited."""


def _mariadb_refused(connection: Connection, error: Exception) -> bool:
    code = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else None
    is_open = not isinstance(connection, _Mariadb) or connection.open
    is_servers = isinstance(code, int) and code >= 1000 and code not in CLIENTS_OWN
    return is_open and is_servers and code not in MAY_BE_COMMITTED


def _mariadb_descriptor(connection: Connection) -> int:
    return cast("_Mariadb", connection).fileno()


DRIVERS: Mapping[str, Driver] = {
    "postgresql": Driver(
        connect=_postgresql,
        error=psycopg.Error,
        descriptor=_postgresql_descriptor,
        is_refused=_postgresql_refused,
    ),
    "mariadb": Driver(
        connect=_mariadb,
        error=pymysql.MySQLError,
        descriptor=_mariadb_descriptor,
        is_refused=_mariadb_refused,
    ),
}
"""By engine."""
