"""Numbered rows, written through an endpoint one after the other while something is done to it."""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from types import TracebackType
from typing import Any

from lab.netns import inside
from tests.support.sql_engines import ERRORS, TIMEOUT_S, SqlEngine
from tests.support.waiting import MOMENT_S, TAKEOVER_S, WHOLE_S, deadline_s, wait_until

FIRST = 10
"""Writes that are acknowledged before a writer's block begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an application reaches an endpoint."""

    engine: SqlEngine
    endpoint: str
    """`host:port`."""
    database: str
    user: str
    password: str = field(repr=False)
    namespace: str | None

    def connect(self) -> Any:
        """A connection of its own, each statement its own transaction."""
        host, _, port = self.endpoint.rpartition(":")
        with inside(self.namespace):
            return self.engine.connect(host, int(port), self.database, self.user, self.password)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        connection = self.connect()
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()


@dataclass
class Writer:
    """Writes while its `with` block runs; it ends by itself after `limit_s`."""

    access: Access
    table: str
    pause_s: float = 0.02
    limit_s: float = 600.0
    acknowledged: list[int] = field(default_factory=list)
    begun: dict[int, float] = field(default_factory=dict)
    """When each was begun, on the monotonic clock."""
    ended: dict[int, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._connection: Any = None

    def __enter__(self) -> Writer:
        self.access.ask(f"CREATE TABLE {self.table} (n bigint PRIMARY KEY)")
        self._thread.start()
        try:
            # Before anything is broken: what was acknowledged by then is what may be lost.
            wait_until(
                "the writer writes", lambda: len(self.acknowledged) >= FIRST, usual_s=TAKEOVER_S
            )
        except AssertionError:
            self._stop.set()  # there is no block whose end would do it
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(TIMEOUT_S + deadline_s(MOMENT_S))
        assert not self._thread.is_alive(), "the writer did not end"

    def _run(self) -> None:
        end, number = time.monotonic() + self.limit_s, 0
        while not self._stop.is_set() and time.monotonic() < end:
            number += 1
            self.begun[number] = time.monotonic()
            self._write(number)
            self.ended[number] = time.monotonic()
            self._stop.wait(self.pause_s)

    def _write(self, number: int) -> None:
        try:
            if self._connection is None:
                self._connection = self.access.connect()
            insert = f"INSERT INTO {self.table} VALUES ({number})"  # noqa: S608 - of the test's own
            self._connection.cursor().execute(insert)
        except ERRORS as error:
            self.failures.append((str(error).strip() or repr(error)).splitlines()[0])
            if self._connection is not None:
                with contextlib.suppress(*ERRORS):
                    self._connection.close()
            self._connection = None
        else:
            self.acknowledged.append(number)

    def has_written_since(self, moment: float) -> bool:
        """Whether a write that was begun after this was acknowledged."""
        return any(self.begun[number] > moment for number in self.acknowledged[-3:])

    @property
    def lost(self) -> set[int]:
        """Acknowledged, and not there any more; asked until somebody answers."""
        query = f"SELECT n FROM {self.table}"  # noqa: S608 - of the test's own
        (rows,) = wait_until("the rows", lambda: (self.access.ask(query),), usual_s=WHOLE_S)
        return set(self.acknowledged) - {row[0] for row in rows}

    @property
    def outage_s(self) -> float:
        """The longest time between two acknowledged writes."""
        times = [self.ended[number] for number in self.acknowledged]
        return max((after - before for before, after in pairwise(times)), default=0.0)
