"""What differs between the engines for the tests that all of them must pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
import pymysql

TIMEOUT_S = 30
"""For a connection to be made: who is slow has not failed."""
ERRORS = (psycopg.Error, pymysql.Error, OSError)
"""What a statement may fail with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlEngine:
    """One engine, as tests see it."""

    name: str
    unit: str
    owner: str
    """User of the system that the server runs as."""
    connect: Callable[..., Any]
    """A DB-API connection, each statement its own transaction."""
    is_replica: str
    """A statement whose one value is true (or 1) on a replica."""
    read_only: type[Exception]
    """What a write on a replica fails with, and the words of that."""
    read_only_says: str
    refuses: type[Exception]
    """What a wrong password fails with, and the words of that."""
    refuses_says: str
    gives_up: str
    """What `lab db rejoin --discard` says that it did."""


def _postgresql(host: str, port: int, database: str, user: str, password: str) -> Any:
    return psycopg.connect(
        host=host,
        port=port,
        dbname=database,
        user=user,
        password=password,
        connect_timeout=TIMEOUT_S,
        autocommit=True,
    )


def _mariadb(host: str, port: int, database: str, user: str, password: str) -> Any:
    return pymysql.connect(
        host=host,
        port=port,
        database=database,
        user=user,
        password=password,
        connect_timeout=TIMEOUT_S,
        autocommit=True,
        # PyMySQL 1.2 reads all CA certificates for each connection otherwise.
        ssl_disabled=True,
    )


POSTGRESQL = SqlEngine(
    name="postgresql",
    unit="postgresql@15-main",
    owner="postgres",
    connect=_postgresql,
    is_replica="SELECT pg_is_in_recovery()",
    read_only=psycopg.errors.ReadOnlySqlTransaction,
    read_only_says="read-only",
    refuses=psycopg.OperationalError,
    refuses_says="password authentication failed",
    gives_up="rewound",
)
MARIADB = SqlEngine(
    name="mariadb",
    unit="mariadb",
    owner="mysql",
    connect=_mariadb,
    is_replica="SELECT @@GLOBAL.read_only",
    read_only=pymysql.err.OperationalError,
    read_only_says="read-only",
    refuses=pymysql.err.OperationalError,
    refuses_says="Access denied",
    gives_up="seeded anew",
)
ENGINES = {engine.name: engine for engine in (POSTGRESQL, MARIADB)}
