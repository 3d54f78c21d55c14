"""Clients of a database: what is refused, unknown, given up; which writes are there at the end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg
import pymysql
import pytest

from lab.drill.events import AnyEvent, Present, Request, Write
from lab.drill.probes import sql_client
from lab.drill.probes.numbered import CUT_OFF, NotWrittenError
from lab.drill.probes.sql_drivers import DRIVERS, Access, Driver, access_to
from lab.drill.probes.sql_pool import Pool
from tests.support.waiting import MOMENT_S, TAKEOVER_S, deadline_s, wait_until

T = TypeVar("T")
HANG = "hang"
"""The statement that the fake server never answers."""
ACCESS = access_to("10.16.1.100:5432", database="myapp", user="application", password="hidden")


class ServerError(Exception):
    """The fake driver's."""


@dataclass
class Server:
    """A server whose answers a test decides; each connection is a socket pair."""

    answer: Callable[[str], Sequence[Sequence[Any]]] = lambda _statement: []
    connections: list[FakeConnection] = field(default_factory=list)
    refuses: bool = False

    def connect(self, _access: Access) -> FakeConnection:
        if self.refuses:
            raise ServerError("nobody listens\nand a second line")
        connection = FakeConnection(self, *socket.socketpair())
        self.connections.append(connection)
        return connection

    @property
    def driver(self) -> Driver:
        return Driver(
            connect=self.connect,
            error=ServerError,
            descriptor=lambda connection: connection.ours.fileno(),  # type: ignore[attr-defined]
            is_refused=lambda _connection, error: "read-only" in str(error),
        )


@dataclass
class FakeConnection:
    server: Server
    ours: socket.socket
    theirs: socket.socket
    description: object = "columns"
    rows: Sequence[Sequence[Any]] = ()
    closed: bool = False

    def cursor(self) -> FakeConnection:
        return self

    def execute(self, statement: str, _values: object) -> None:
        if statement == HANG:
            self.hang()
        self.rows = self.server.answer(statement)

    def fetchall(self) -> Sequence[Sequence[Any]]:
        return self.rows

    def hang(self) -> None:
        """Until this end is shut down, as a driver waits for its server."""
        with contextlib.suppress(OSError):
            self.ours.recv(1)
        raise ServerError("server closed the connection unexpectedly")

    def close(self) -> None:
        self.closed = True
        self.ours.close()
        self.theirs.close()


def with_pool(server: Server, work: Callable[[Pool], Awaitable[T]]) -> T:
    async def main() -> T:
        pool = Pool(server.driver, ACCESS, size=4)
        try:
            return await work(pool)
        finally:
            pool.close()

    return asyncio.run(main())


def test_a_connection_is_used_again() -> None:
    server = Server(answer=lambda _statement: [(1,)])

    async def work(pool: Pool) -> None:
        for _ in range(3):
            assert await pool.ask("SELECT 1") == [(1,)]

    with_pool(server, work)
    assert len(server.connections) == 1
    assert server.connections[0].closed


def test_a_connection_that_the_other_side_closed_costs_no_statement() -> None:
    server = Server(answer=lambda _statement: [(1,)])

    async def work(pool: Pool) -> None:
        await pool.ask("SELECT 1")
        server.connections[0].theirs.close()
        assert await pool.ask("SELECT 1") == [(1,)]

    with_pool(server, work)
    assert [connection.closed for connection in server.connections] == [True, True]


def test_without_a_connection_nothing_was_written() -> None:
    async def work(pool: Pool) -> None:
        with pytest.raises(NotWrittenError, match=r"^no connection: nobody listens$"):
            await pool.ask("INSERT")

    with_pool(Server(refuses=True), work)


def test_what_the_server_refuses_was_not_written_and_what_broke_may_have_been() -> None:
    def answer(statement: str) -> Sequence[Sequence[Any]]:
        raise ServerError(statement)

    async def work(pool: Pool) -> None:
        with pytest.raises(NotWrittenError, match="read-only"):
            await pool.ask("read-only transaction")
        with pytest.raises(ServerError, match="reset"):
            await pool.ask("connection reset")

    with_pool(Server(answer=answer), work)


def test_a_statement_that_is_given_up_frees_its_thread_at_once() -> None:
    server = Server(answer=lambda _statement: [(2,)])

    async def work(pool: Pool) -> None:
        # More than the pool has threads: each must have ended for the next.
        for _ in range(6):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await pool.ask(HANG)
        async with asyncio.timeout(deadline_s(MOMENT_S)):
            assert await pool.ask("SELECT 2") == [(2,)]

    with_pool(server, work)
    # A thread closes what was given up by itself; nobody waits for it.
    wait_until("all closed", lambda: all(c.closed for c in server.connections), usual_s=MOMENT_S)


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        (psycopg.errors.ReadOnlySqlTransaction(), True),
        (psycopg.errors.TooManyConnections(), True),
        (psycopg.errors.AdminShutdown(), False),
        (psycopg.errors.InternalError_(), False),
        (psycopg.OperationalError("server closed the connection unexpectedly"), False),
    ],
)
def test_only_an_answer_of_the_server_says_that_a_write_did_not_happen(
    error: Exception, refused: bool
) -> None:
    class Whole:
        broken = False

    assert DRIVERS["postgresql"].is_refused(Whole(), error) is refused  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        (1290, True),  # read-only
        (1040, True),  # too many connections
        (1213, True),  # deadlock: rolled back
        (1053, False),  # it shuts down
        (1180, False),  # error during the commit
        (1927, False),  # killed, maybe while it waited for a replica
        (2013, False),  # the connection broke
        (0, False),
    ],
)
def test_mariadb_says_by_number_whether_a_write_did_not_happen(code: int, refused: bool) -> None:
    error = pymysql.err.OperationalError(code, "words")
    connection = Server().connect(ACCESS)
    assert DRIVERS["mariadb"].is_refused(connection, error) is refused
    connection.close()


def test_a_server_that_never_greets_is_no_connection() -> None:
    """A load balancer accepts before it has a server."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        access = access_to(f"127.0.0.1:{port}", database="d", user="u", password="p")
        with pytest.raises(DRIVERS["mariadb"].error):
            DRIVERS["mariadb"].connect(access)


def test_a_try_to_connect_reads_no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """They cost more processor than everything else that a writer does."""

    def read(**_: object) -> None:
        raise AssertionError("certificates were read")

    monkeypatch.setattr("ssl.create_default_context", read)
    access = access_to("127.0.0.1:9", database="d", user="u", password="p")
    with pytest.raises(DRIVERS["mariadb"].error):
        DRIVERS["mariadb"].connect(access)


def test_a_password_is_shown_nowhere() -> None:
    assert "hidden" not in repr(ACCESS)
    assert (ACCESS.host, ACCESS.port) == ("10.16.1.100", 5432)


def test_what_is_there_becomes_ranges_and_duplicates() -> None:
    found = sql_client.present("w", [(5, 1), (1, 1), (2, 2), (3, 1), (9, 3)])
    assert found.numbers == ((1, 3), (5, 5), (9, 9))
    assert found.duplicates == (2, 9)
    assert sql_client.present("w", []).numbers == ()


@pytest.mark.parametrize(
    ("outcome", "detail", "expected"),
    [
        ("ok", "", "ok"),
        ("failed", "no connection", "failed"),
        ("unknown", "no answer within 5 s", "failed"),
        ("unknown", CUT_OFF, "unknown"),
    ],
)
def test_a_read_without_an_answer_failed(outcome: Any, detail: str, expected: str) -> None:
    write = Write(t=1.0, probe="r", number=3, took_s=0.5, outcome=outcome, detail=detail)
    request = sql_client.request_of(write)
    assert (request.outcome, request.detail, request.probe) == (expected, detail, "r")


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What the fake engine keeps; its driver is registered as `fake`."""
    kept: list[tuple[str, int]] = []

    def execute(self: FakeConnection, statement: str, values: Any) -> None:
        if statement.startswith("INSERT"):
            kept.append(values)
        run = values[0] if values else ""
        counted = {number: kept.count((run, number)) for owner, number in kept if owner == run}
        self.rows = sorted(counted.items())

    monkeypatch.setattr(FakeConnection, "execute", execute)
    monkeypatch.setattr(sql_client, "DRIVERS", {"fake": Server().driver})
    return kept


def events_of(
    look: Callable[[dict[str, Any], Callable[[AnyEvent], None], asyncio.Event], Awaitable[None]],
) -> list[AnyEvent]:
    """What a client saw that was told to end after some statements."""
    events: list[AnyEvent] = []
    settings = {
        "engine": "fake",
        "endpoint": "10.16.1.100:1",
        "database": "myapp",
        "user": "application",
        "password": "hidden",
        "probe": "fake",
        "run": "this",
        "timeout_s": 30.0,
        "interval_s": 0.01,
    }

    async def main() -> None:
        stop = asyncio.Event()

        def emit(event: AnyEvent) -> None:
            events.append(event)
            if len(events) >= 10:
                stop.set()

        async with asyncio.timeout(deadline_s(TAKEOVER_S)):
            await look(settings, emit, stop)

    asyncio.run(main())
    return events


def test_the_writer_says_at_its_end_what_is_there(rows: list[tuple[str, int]]) -> None:
    rows.append(("earlier", 1))
    events = events_of(sql_client.write)
    *writes, found = events
    assert isinstance(found, Present)
    numbers = [write.number for write in writes if isinstance(write, Write)]
    assert len(numbers) == len(writes)
    assert {w.outcome for w in writes if isinstance(w, Write)} == {"ok"}
    assert found.numbers == ((1, max(numbers)),)
    assert found.duplicates == ()


def test_a_reader_is_a_client_like_any_other(rows: list[tuple[str, int]]) -> None:
    events = events_of(sql_client.read)
    assert {type(event) for event in events} == {Request}
    assert rows == []


def test_a_writer_that_cannot_look_dies_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_client, "READ_BACK_S", 0.3)

    async def work(pool: Pool) -> None:
        with pytest.raises(RuntimeError, match="nobody says which writes are there: no connection"):
            await sql_client.read_back(pool, "this")

    with_pool(Server(refuses=True), work)
