"""The role service over HTTP, and what it remembers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from components.database.guest import watch as watch_module
from components.database.guest.model import Config, State, state_from
from components.database.guest.peers import Answers, ask
from components.database.guest.service import RoleServer
from components.database.guest.session import SilentError
from components.database.guest.watch import Watch, later_primaries, read_seen
from tests.support.waiting import MOMENT_S, deadline_s, wait_until
from tests.unit.database.states import a_primary, a_replica, an_orphan

LOOPBACK = "127.0.0.1"


class FakeDatabase:
    """Has the state that it is given."""

    name = "postgresql"

    def __init__(self, state: State) -> None:
        self.state = state
        self.kept: list[State] = []
        self.is_silent = False

    def look(self, peers: Answers) -> State:
        del peers
        return self.state

    def keep(self, state: State) -> None:
        self.kept.append(state)
        if self.is_silent:
            raise SilentError("no answer in time")


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDatabase:
    monkeypatch.setattr(watch_module, "FOLDER", tmp_path)
    return FakeDatabase(a_primary())


@pytest.fixture
def watch(database: FakeDatabase) -> Watch:
    return Watch(Config("db1", LOOPBACK, 0, {}), database)


@pytest.fixture
def port(watch: Watch) -> Iterator[int]:
    server = RoleServer(Config("db1", LOOPBACK, 0, {}), {"postgresql": watch})
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("state", "primary", "replica"),
    [
        (a_primary(), 200, 503),
        (a_replica(), 503, 200),
        (an_orphan(), 503, 503),
        (a_replica(lag_s=31.0), 503, 503),
        (State("db1", "waiting"), 503, 503),
        (State("db1", "unknown"), 503, 503),
        (State("db1", "down"), 503, 503),
        (State("db1", "absent"), 503, 503),
    ],
    ids=["primary", "replica", "orphan", "late", "waiting", "unknown", "down", "absent"],
)
def test_only_the_right_role_is_good(
    state: State, primary: int, replica: int, database: FakeDatabase, port: int
) -> None:
    database.state = state
    found = {
        role: httpx.get(f"http://{LOOPBACK}:{port}/postgresql/{role}").status_code
        for role in ("primary", "replica")
    }
    assert found == {"primary": primary, "replica": replica}


def test_whoever_waits_for_the_same_question_shares_an_answer_that_was_asked_later(
    database: FakeDatabase, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    looks: list[State] = []
    came: list[int] = []
    lock = threading.Lock()

    class Counted:
        def __enter__(self) -> None:
            came.append(1)
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    def look(peers: Answers) -> State:
        del peers
        looks.append(database.state)
        assert go.wait(deadline_s(MOMENT_S))
        return looks[-1]

    monkeypatch.setattr(database, "look", look)
    monkeypatch.setattr(watch, "_asking", Counted())
    with ThreadPoolExecutor(6) as pool:
        first = pool.submit(watch.state)
        wait_until("the first question", lambda: looks, usual_s=MOMENT_S)
        waiting = [pool.submit(watch.state) for _ in range(5)]
        wait_until("all wait", lambda: len(came) == 6, usual_s=MOMENT_S)
        database.state = an_orphan()
        go.set()
        answers = [answer.result(deadline_s(MOMENT_S)) for answer in waiting]

    assert first.result() == a_primary()
    assert answers == [an_orphan()] * 5, "no answer is older than its question"
    assert len(looks) == 2


def test_a_replica_stays_good_for_a_while_after_its_primary_is_gone(
    database: FakeDatabase, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.state = a_replica()
    watch.state()
    assert watch.is_replica(an_orphan())

    monkeypatch.setattr(watch_module, "FRESH_READS_S", -1.0)
    assert not watch.is_replica(an_orphan())


@pytest.mark.parametrize("path", ["/", "/mariadb", "/postgresql/master", "/postgresql/primary/x"])
def test_other_questions_have_no_answer(path: str, port: int) -> None:
    assert httpx.get(f"http://{LOOPBACK}:{port}{path}").status_code == 404


def test_other_machines_read_the_whole_state(database: FakeDatabase, port: int) -> None:
    assert ask(LOOPBACK, port, "postgresql") == database.state


def test_nobody_answers_where_nobody_listens(port: int) -> None:
    assert ask(LOOPBACK, port, "mariadb") is None
    assert ask(LOOPBACK, 1, "postgresql", timeout_s=0.2) is None


def test_a_state_of_a_later_release_is_read_too() -> None:
    data = {**json.loads(json.dumps(a_primary().as_json())), "colour": "blue"}
    assert state_from(data) == a_primary()


def test_the_last_primary_is_written_down(database: FakeDatabase, watch: Watch) -> None:
    assert read_seen("postgresql") is None
    watch.turn()
    assert read_seen("postgresql") == {"machine": "db1", "term": 1, "synchronous": "on"}

    database.state = State("db1", "down")
    watch.turn()
    assert read_seen("postgresql") == {"machine": "db1", "term": 1, "synchronous": "on"}

    database.state = a_primary(term=2, synchronous="alone")
    watch.turn()
    assert read_seen("postgresql") == {"machine": "db1", "term": 2, "synchronous": "alone"}


def test_a_database_that_cannot_be_kept_in_order_does_not_end_the_watch(
    database: FakeDatabase, watch: Watch, capsys: pytest.CaptureFixture[str]
) -> None:
    database.is_silent = True
    watch.turn()
    assert "no answer in time" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("peer", "deposed"),
    [
        (a_primary("db2", term=2), ["db2"]),
        (a_primary("db2", term=1), []),
        (a_replica(), []),
        (None, []),
    ],
)
def test_a_later_primary_deposes_this_one(peer: State | None, deposed: list[str]) -> None:
    assert later_primaries(a_primary(), {"db2": peer}) == deposed


def test_a_deposed_primary_is_not_written_to(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    assert watch.is_primary(a_primary())
    monkeypatch.setattr(
        watch_module, "ask_peers", lambda *_, **__: {"db2": a_primary("db2", term=2)}
    )
    watch.turn()
    assert not watch.is_primary(a_primary())
