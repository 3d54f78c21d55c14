"""Statements side by side, each on a connection of a pool, in threads: as applications do it.

A driver may hang for as long as its server is silent. Whoever gives up on a statement has its
connection shut down, which ends the driver's wait. Nothing is ever cancelled in the server:
PostgreSQL would then acknowledge a write that its replica does not have.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from lab.drill.probes.numbered import NotWrittenError
from lab.drill.probes.sql_drivers import Access, Connection, Driver
from lab.netns import inside

Rows = Sequence[Sequence[Any]]


@dataclass(slots=True)
class _Use:
    """One use of a connection."""

    connection: Connection | None
    given_up: bool = False


class Pool:
    """Connections to one endpoint; used from one event loop."""

    def __init__(
        self, driver: Driver, access: Access, *, size: int, namespace: str | None = None
    ) -> None:
        """`size`: statements at the same time. `namespace`: where connections are made."""
        self._driver = driver
        self._access = access
        self._namespace = namespace
        self._idle: list[Connection] = []
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="sql")

    async def ask(self, statement: str, *values: Any) -> Rows:
        """What the server answers. Raises NotWrittenError where it certainly did nothing, and
        the driver's error where that is not known. May be cancelled: then nothing is known."""
        use = _Use(self._usable())
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._carry_out, use, statement, values)
        try:
            rows = await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(_forget)
            self._give_up(use)
            raise
        if use.connection is not None:
            self._idle.append(use.connection)
        return rows

    def close(self) -> None:
        """Close what is idle; threads that still wait end with their connections."""
        while self._idle:
            self._idle.pop().close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _usable(self) -> Connection | None:
        """An idle connection that nobody has closed; the one that was used last is the best."""
        while self._idle:
            connection = self._idle.pop()
            if self._is_quiet(connection):
                return connection
            connection.close()
        return None

    def _is_quiet(self, connection: Connection) -> bool:
        """Whether nothing came since: the end of a connection would."""
        try:
            poll = select.poll()
            poll.register(self._driver.descriptor(connection), select.POLLIN | select.POLLRDHUP)
            return not poll.poll(0)
        except (OSError, self._driver.error):
            return False

    def _carry_out(self, use: _Use, statement: str, values: Sequence[Any]) -> Rows:
        """In a thread."""
        try:
            if use.connection is None:
                use.connection = self._connect()
            if use.given_up:
                raise NotWrittenError("given up before it was sent")
            return self._execute(use.connection, statement, values)
        except BaseException:
            self._end(use)
            raise
        finally:
            if use.given_up:
                self._end(use)

    def _connect(self) -> Connection:
        try:
            with inside(self._namespace):
                return self._driver.connect(self._access)
        except self._driver.error as error:
            raise NotWrittenError(f"no connection: {first_line(error)}") from None

    def _execute(self, connection: Connection, statement: str, values: Sequence[Any]) -> Rows:
        try:
            cursor = connection.cursor()
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []
        except self._driver.error as error:
            if self._driver.is_refused(connection, error):
                raise NotWrittenError(first_line(error)) from None
            raise

    def _give_up(self, use: _Use) -> None:
        use.given_up = True
        connection = use.connection
        if connection is None:
            return
        try:
            # A descriptor of its own: the driver closes its own one in its own thread.
            own = os.dup(self._driver.descriptor(connection))
            with socket.socket(fileno=own) as end:
                end.shutdown(socket.SHUT_RDWR)
        except (OSError, self._driver.error):
            return  # it has ended already

    def _end(self, use: _Use) -> None:
        connection, use.connection = use.connection, None
        if connection is not None:
            with contextlib.suppress(OSError, self._driver.error):
                connection.close()


def _forget(work: asyncio.Future[Rows]) -> None:
    """What became of it is not asked for any more."""
    if not work.cancelled():
        work.exception()


def first_line(error: BaseException) -> str:
    """What an error says, in one line."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
