"""Visits in the database, through the write endpoint: one connection for each request.

A connection costs milliseconds, and one that is made anew always goes to whoever is primary now.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from .page import Visit

CREATE = (
    "CREATE TABLE IF NOT EXISTS visits (at timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3), "
    "machine varchar(64) NOT NULL, client varchar(100) NOT NULL)"
)
INSERT = "INSERT INTO visits (machine, client) VALUES (%s, %s)"
COUNT = "SELECT count(*) FROM visits"
LATEST = "SELECT at, machine, client FROM visits ORDER BY at DESC LIMIT 5"
HIDDEN = "password"


class StoreError(Exception):
    """The database did not do it; why, in a few words."""

    def __init__(self, reason: str, *, sent: bool) -> None:
        """`sent`: it may have done it all the same."""
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True)
class Config:
    """What the page is told about its database; the password is apart."""

    machine: str
    engine: str
    host: str
    port: int
    database: str
    user: str
    timeout_s: float


class Driver(Protocol):
    """One engine's, from the machine's own packages: imported once it is chosen."""

    error: type[Exception]
    missing: type[Exception]
    """Raised where there is no such table."""

    def within(self, seconds: float) -> AbstractContextManager[None]: ...
    def connect(self, config: Config, password: str) -> Any: ...


class Store:
    """The visits of one lab."""

    def __init__(self, config: Config, password: str) -> None:
        self._config = config
        self._password = password
        self._driver = DRIVERS[config.engine]()

    def read(self) -> tuple[int, list[Visit]]:
        """How many there are, and the latest. Raises StoreError."""
        with self._connected() as connection:
            return self._seen(connection)

    def add(self, client: str) -> tuple[int, list[Visit]]:
        """Store one, then read. Raises StoreError."""
        with self._connected() as connection:
            cursor = connection.cursor()
            values = (self._config.machine, client)
            try:
                cursor.execute(INSERT, values)
            except self._driver.missing:
                # The first visit of all.
                cursor.execute(CREATE)
                cursor.execute(INSERT, values)
            try:
                return self._seen(connection)
            except self._driver.error as error:
                reason = f"stored, but not read again: {first_line(error)}"
                raise StoreError(reason, sent=True) from None

    def _seen(self, connection: Any) -> tuple[int, list[Visit]]:
        cursor = connection.cursor()
        try:
            cursor.execute(COUNT)
        except self._driver.missing:
            return 0, []
        ((count,),) = cursor.fetchall()
        cursor.execute(LATEST)
        rows = cursor.fetchall()
        return count, [Visit(at.isoformat(), machine, client) for at, machine, client in rows]

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A connection for one request, all of it within the time that a visitor waits."""
        connection = None
        try:
            with self._driver.within(self._config.timeout_s):
                connection = self._driver.connect(self._config, self._password)
                yield connection
        except (self._driver.error, OSError) as error:
            what = first_line(error) or type(error).__name__
            raise StoreError(
                f"the database does not answer: {what}", sent=connection is not None
            ) from None
        finally:
            if connection is not None:
                with contextlib.suppress(self._driver.error, OSError):
                    connection.close()


class Postgresql:
    """psycopg2. Its waits have no limit of their own, so they are made here, with a deadline.

    No `statement_timeout`: while a write waits for a replica that would end the wait, and tell the
    client that a write is safe which is on one disk alone.
    """

    def __init__(self) -> None:
        self._library: Any = import_module("psycopg2")
        self._extensions: Any = import_module("psycopg2.extensions")
        self._own = threading.local()
        self.error: type[Exception] = self._library.Error
        self.missing: type[Exception] = import_module("psycopg2.errors").UndefinedTable
        self._extensions.set_wait_callback(self._wait)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Everything in this thread ends within so many seconds. Raises TimeoutError."""
        self._own.deadline = time.monotonic() + seconds
        yield

    def connect(self, config: Config, password: str) -> Any:
        connection = self._library.connect(
            host=config.host,
            port=config.port,
            dbname=config.database,
            user=config.user,
            password=password,
            application_name="ha-lab visits",
        )
        connection.autocommit = True
        return connection

    def _wait(self, connection: Any) -> None:
        """Until the server has answered; called by the driver."""
        extensions = self._extensions
        while (state := connection.poll()) != extensions.POLL_OK:
            reading = state == extensions.POLL_READ
            poll = select.poll()
            poll.register(connection.fileno(), select.POLLIN if reading else select.POLLOUT)
            left = self._own.deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                # The driver closes the connection; nothing is cancelled in the server.
                raise TimeoutError("no answer in time")


class Mariadb:
    """PyMySQL."""

    def __init__(self) -> None:
        self._library: Any = import_module("pymysql")
        self._own = threading.local()
        self.error: type[Exception] = self._library.MySQLError
        self.missing: type[Exception] = self._library.err.ProgrammingError

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Each answer comes within so many seconds."""
        self._own.seconds = seconds
        yield

    def connect(self, config: Config, password: str) -> Any:
        seconds = self._own.seconds
        return self._library.connect(
            host=config.host,
            port=config.port,
            database=config.database,
            user=config.user,
            password=password,
            autocommit=True,
            connect_timeout=seconds,
            read_timeout=seconds,
            write_timeout=seconds,
        )


DRIVERS: dict[str, Callable[[], Driver]] = {"postgresql": Postgresql, "mariadb": Mariadb}


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else ""
