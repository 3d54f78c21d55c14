"""What PostgreSQL's answers mean, and what may be said of a server that does not run."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components.database.guest.model import Config, Engine
from components.database.guest.place import Claim
from components.database.guest.postgresql_role import QUERY, look, slot_name, state_of
from components.database.guest.postgresql_site import Site
from components.database.guest.session import Session, SilentError

ENGINE = Engine("postgresql", 15, bootstrap=True, synchronous=True, failover="manual", port=5432)
PEERS = {"db2": "10.16.1.52"}


class FakeSession(Session):
    """Answers what it is given, or fails with it."""

    def __init__(self, answer: str | SilentError) -> None:
        super().__init__([], "")
        self.answer = answer
        self.asked: list[str] = []

    @property
    def is_open(self) -> bool:
        return True

    def ask(self, sql: str, *, within_s: float) -> str:
        del within_s
        self.asked.append(sql)
        if isinstance(self.answer, SilentError):
            raise self.answer
        return self.answer


def an_answer(**changes: Any) -> dict[str, Any]:
    """Of a primary with one replica."""
    follower = {"name": "db2", "streaming": True, "synchronous": True, "lag_bytes": 0}
    answer = {
        "recovery": False,
        "term": 3,
        "position": "0/3000060",
        "follows": None,
        "lag_s": None,
        "names": 'ANY 1 ("db2")',
        "followers": [follower],
    }
    return {**answer, **changes}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A machine that has data of the lab and a server that listens."""
    site = Site(Config("db1", "10.16.1.51", 8008, PEERS), ENGINE, root=tmp_path)
    for folder in (site.prepared_file.parent, site.socket.parent, site.claim_file.parent):
        folder.mkdir(parents=True, exist_ok=True)
    site.prepared_file.touch()
    return site


@pytest.fixture
def listening(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Its path in a test's directory is longer than a socket's may be.
    monkeypatch.chdir(site.root)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        server.listen()
        monkeypatch.setattr(Site, "socket", Path("s"))
        yield


def test_a_primary_names_its_followers(site: Site) -> None:
    state = state_of(site, an_answer())

    assert (state.role, state.term, state.position) == ("primary", 3, "0/3000060")
    assert [follower.name for follower in state.followers] == ["db2"]


def test_who_is_no_database_machine_follows_nobody_here(site: Site) -> None:
    """A backup tool, or a copy that is being made, is no replica that writes may wait for."""
    stranger = {"name": "pg_receivewal", "streaming": True, "synchronous": False, "lag_bytes": 0}
    assert state_of(site, an_answer(followers=[stranger])).followers == ()
    assert state_of(site, an_answer(followers=None)).followers == ()


@pytest.mark.parametrize(
    ("names", "synchronous", "peers", "expected"),
    [
        ('ANY 1 ("db2")', True, PEERS, "on"),
        ("", True, PEERS, "alone"),
        ("", False, PEERS, "off"),
        ("", True, {}, "off"),
    ],
)
def test_whether_writes_wait(
    names: str, synchronous: bool, peers: dict[str, str], expected: str, tmp_path: Path
) -> None:
    engine = Engine("postgresql", 15, True, synchronous, "manual", 5432)
    site = Site(Config("db1", "10.16.1.51", 8008, peers), engine, root=tmp_path)
    assert state_of(site, an_answer(names=names)).synchronous == expected


def test_a_replica_says_from_whom_it_receives(site: Site) -> None:
    answer = an_answer(recovery=True, follows="10.16.1.52", lag_s=1.23456)
    state = state_of(site, answer)

    assert (state.role, state.is_streaming, state.lag_s) == ("replica", True, 1.235)
    assert not state_of(site, an_answer(recovery=True)).is_streaming


def test_a_machine_that_was_never_set_up_has_no_role(site: Site) -> None:
    site.prepared_file.unlink()
    assert look(site, FakeSession("")).role == "absent"


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(
    "answer", [SilentError("no answer in time"), "", "[]", '{"recovery": false}']
)
def test_a_server_that_gives_no_good_answer_has_an_unknown_role(
    answer: str | SilentError, site: Site
) -> None:
    assert look(site, FakeSession(answer)).role == "unknown"


@pytest.mark.usefixtures("listening")
def test_it_is_asked_in_one_line_for_the_client_reads_lines(site: Site) -> None:
    session = FakeSession(json.dumps(an_answer()))

    assert look(site, session).role == "primary"
    assert session.asked == [QUERY]
    assert "\n" not in QUERY


@pytest.mark.parametrize(
    ("claim", "role", "was"),
    [
        (None, "down", ""),
        (Claim("replica", 2, ""), "down", "replica"),
        (Claim("primary", 2, "db2 does not answer"), "waiting", "primary"),
    ],
)
def test_a_server_that_does_not_run_is_what_its_claim_says(
    claim: Claim | None, role: str, was: str, site: Site
) -> None:
    if claim is not None:
        site.write_claim(claim)
    state = look(site, FakeSession(SilentError("gone")))

    assert (state.role, state.was) == (role, was)


def test_a_slot_has_a_name_that_postgresql_accepts() -> None:
    assert slot_name("db-1") == "db_1"
