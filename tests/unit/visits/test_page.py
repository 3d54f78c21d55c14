"""What a visitor is told, and what happens to a visit when the database is away."""

from __future__ import annotations

import datetime
import json
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from components.visits.guest import store as module
from components.visits.guest.main import VisitsServer
from components.visits.guest.page import client_of
from components.visits.guest.store import Config, Store
from tests.support.waiting import MOMENT_S, deadline_s

WHEN = datetime.datetime(2026, 5, 4, 3, 2, 1)  # noqa: DTZ001 - as a database gives it


class AwayError(Exception):
    """The fake driver's error."""


class MissingError(AwayError):
    """There is no such table."""


class Engine:
    """A database in memory; `away` says at which word of a statement it goes away."""

    error, missing = AwayError, MissingError

    def __init__(self) -> None:
        self.rows: list[tuple[Any, str, str]] | None = None
        self.away = ""
        self.found: list[Any] = []
        self.closed = 0

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        assert seconds == 3.0
        yield

    def connect(self, _config: Config, password: str) -> Engine:
        assert password == "hidden"
        if self.away == "CONNECT":
            raise AwayError("connection refused\nIs the server running?")
        return self

    def close(self) -> None:
        self.closed += 1

    def cursor(self) -> Engine:
        return self

    def execute(self, statement: str, values: tuple[str, ...] = ()) -> None:
        word = statement.split()[0] if "ORDER" not in statement else "ORDER"
        if word == self.away:
            raise AwayError("server closed the connection")
        if word == "CREATE":
            self.rows = []
        elif self.rows is None:
            raise MissingError("no such table")
        elif word == "INSERT":
            machine, client = values
            self.rows.append((WHEN, machine, client))
        else:
            self.found = self.rows[-5:] if word == "ORDER" else [(len(self.rows),)]

    def fetchall(self) -> list[Any]:
        return self.found


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setitem(module.DRIVERS, "postgresql", lambda: engine)
    return engine


@pytest.fixture
def url(engine: Engine) -> Iterator[str]:
    """The service on a free port."""
    assert engine.closed == 0
    config = Config("app1", "postgresql", "10.16.1.100", 5432, "myapp", "application", 3.0)
    server = VisitsServer(config, Store(config, "hidden"), 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join(deadline_s(MOMENT_S))


def ask(url: str, method: str = "GET") -> tuple[int, dict[str, Any], Any]:
    headers = {"X-Forwarded-For": "10.16.1.1, 10.16.1.11"}
    request = urllib.request.Request(f"{url}/visits", method=method, headers=headers)  # noqa: S310
    try:
        answer = urllib.request.urlopen(request, timeout=30)  # noqa: S310
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.loads(answer.read()), answer.headers


def test_a_visit_is_stored_by_post_and_read_by_get(url: str) -> None:
    assert ask(url)[:2] == (
        200,
        {"machine": "app1", "engine": "postgresql", "visits": 0, "latest": []},
    )
    status, data, headers = ask(url, "POST")
    assert (status, data["visits"]) == (201, 1)
    assert headers["Cache-Control"] == "no-store"
    for _ in range(2):
        status, data, _headers = ask(url)
        assert (status, data["visits"]) == (200, 1), "reading stores nothing"
    assert data["latest"] == [{"at": WHEN.isoformat(), "machine": "app1", "client": "10.16.1.1"}]


@pytest.mark.parametrize(
    ("method", "away", "stored", "said"),
    [
        ("GET", "CONNECT", "no", "the database does not answer: connection refused"),
        ("GET", "SELECT", "no", "the database does not answer: server closed"),
        ("POST", "CONNECT", "no", "the database does not answer: connection refused"),
        ("POST", "INSERT", "unknown", "the database does not answer: server closed"),
        ("POST", "SELECT", "unknown", "stored, but not read again"),
    ],
)
def test_while_the_database_is_away_the_page_says_what_is_known(
    url: str, engine: Engine, method: str, away: str, stored: str, said: str
) -> None:
    engine.rows, engine.away = [], away
    status, data, headers = ask(url, method)
    assert (status, data["stored"], headers["Retry-After"]) == (503, stored, "1")
    assert data["error"].startswith(said)
    assert "\n" not in data["error"]
    assert engine.closed == (0 if away == "CONNECT" else 1)


def test_there_is_only_one_page(url: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{url}/other", timeout=30)  # noqa: S310


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        ("10.16.1.1", "10.16.1.1"),
        ("10.16.1.1, 10.16.1.11", "10.16.1.1"),
        ("fd00::1", "fd00::1"),
        ("", "127.0.0.1"),
        ("<script>", "unknown"),
    ],
)
def test_a_client_is_an_address_or_unknown(forwarded: str, client: str) -> None:
    assert client_of(forwarded, "127.0.0.1") == client


def test_the_service_runs_on_the_machines_own_python() -> None:
    """No driver is imported before one is chosen: machines have only the one of their engine."""
    assert "psycopg2" not in sys.modules
