"""What MariaDB is, of what its server says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from components.database.guest.mariadb_keeper import keep
from components.database.guest.mariadb_prepare import accounts, hashed, must_be_nobodys
from components.database.guest.mariadb_role import answer_of, state_of
from components.database.guest.mariadb_site import Site
from components.database.guest.mariadb_start import may_take_back
from components.database.guest.model import Config, Engine, State
from components.database.guest.place import Claim
from components.database.guest.session import Session
from components.database.guest.shell import DatabaseError
from tests.unit.database.states import a_follower, a_primary, a_replica, an_orphan

PEERS = {"db2": "10.16.1.52"}
LEVEL = a_replica(position="0-1-42")


def a_site(root: Path, *, synchronous: bool = True, peers: dict[str, str] | None = None) -> Site:
    engine = Engine("mariadb", 0, True, synchronous, "manual", 3306, seed_port=8009)
    config = Config("db1", "10.16.1.51", 8008, PEERS if peers is None else peers)
    for folder in ("var/lib/mysql", "run", "etc/ha-lab", "var/lib/ha-lab-database"):
        (root / folder).mkdir(parents=True)
    return Site(config, engine, root)


def an_answer(**changes: Any) -> dict[str, Any]:
    values = {
        "read_only": 0,
        "term": 2,
        "written": "0-1-42",
        "applied": "0-2-17",
        "waits": 1,
        "slave": {},
    }
    return {**values, **changes}


SLAVE = {
    "Slave_IO_Running": "Yes",
    "Slave_SQL_Running": "Yes",
    "Master_Host": "10.16.1.52",
    "Seconds_Behind_Master": "3",
    "Gtid_IO_Pos": "0-2-50",
    "Last_SQL_Error": "",
    "Last_IO_Error": "",
}


def test_who_can_be_written_to_is_the_primary(tmp_path: Path) -> None:
    state = state_of(a_site(tmp_path), an_answer(), {"db2": LEVEL})
    assert (state.role, state.term, state.position) == ("primary", 2, "0-1-42")
    assert state.synchronous == "on"
    assert state.followers == (a_follower(),)


@pytest.mark.parametrize(
    "peer",
    [None, an_orphan(), a_replica(follows="10.16.1.53", position="0-1-42")],
    ids=["silent", "receives nothing", "receives from another"],
)
def test_a_replica_that_does_not_say_so_itself_is_none(tmp_path: Path, peer: State | None) -> None:
    """A primary's server takes a replica without power for a healthy one."""
    assert state_of(a_site(tmp_path), an_answer(), {"db2": peer}).followers == ()


def test_a_replica_that_is_far_behind_is_not_level_yet(tmp_path: Path) -> None:
    state = state_of(a_site(tmp_path), an_answer(written="0-1-143"), {"db2": LEVEL})
    assert state.followers == (a_follower(lag_bytes=None),)


@pytest.mark.parametrize(
    ("changes", "synchronous", "found"),
    [
        ({}, True, "on"),
        ({"waits": 0}, True, "alone"),
        ({"waits": 0}, False, "off"),
    ],
    ids=["waits", "told not to", "by settings"],
)
def test_whether_writes_wait(
    tmp_path: Path, changes: dict[str, Any], synchronous: bool, found: str
) -> None:
    site = a_site(tmp_path, synchronous=synchronous)
    assert state_of(site, an_answer(**changes), {}).synchronous == found


def read_only(site: Site, claim: Claim | None, **changes: Any) -> State:
    if claim is not None:
        site.claim_file.parent.mkdir(exist_ok=True)
        site.claim_file.write_text(json.dumps(claim.__dict__))
    return state_of(site, an_answer(read_only=1, slave={**SLAVE, **changes}), {})


def test_a_replica_counts_what_it_received(tmp_path: Path) -> None:
    state = read_only(a_site(tmp_path), Claim("replica", 2, ""))
    assert (state.role, state.position, state.follows) == ("replica", "0-2-50", "10.16.1.52")
    assert state.lag_s == 3.0


@pytest.mark.parametrize(
    "changes",
    [
        {"Slave_IO_Running": "Connecting", "Last_IO_Error": "why"},
        {"Slave_SQL_Running": "No", "Last_SQL_Error": "why", "Seconds_Behind_Master": "NULL"},
    ],
    ids=["receives nothing", "applies nothing"],
)
def test_a_replica_that_stands_still_says_why(tmp_path: Path, changes: dict[str, str]) -> None:
    state = read_only(a_site(tmp_path), Claim("replica", 2, ""), **changes)
    assert (state.role, state.is_streaming, state.detail) == ("replica", False, "why")


def test_an_old_primary_that_may_not_follow_waits_for_a_person(tmp_path: Path) -> None:
    state = read_only(a_site(tmp_path), Claim("primary", 1, "it has more"))
    assert (state.role, state.was, state.detail) == ("waiting", "primary", "it has more")


@pytest.mark.parametrize("claim", [None, Claim("primary", 1, "")])
def test_what_is_read_only_without_being_a_replica_is_no_replica(
    tmp_path: Path, claim: Claim | None
) -> None:
    assert read_only(a_site(tmp_path), claim).role == "unknown"


def test_the_clients_output_is_read_with_and_without_a_replication_row() -> None:
    answer = an_answer()
    del answer["slave"]
    text = f"j\n{json.dumps(answer)}\n"
    assert answer_of(f"{text}e")["slave"] == {}
    row = "Slave_IO_Running\tMaster_Host\nYes\th\n"
    found = answer_of(f"{text}{row}e")
    assert found["slave"] == {"Slave_IO_Running": "Yes", "Master_Host": "h"}


class FakeSession(Session):
    """Remembers what it is asked."""

    def __init__(self) -> None:
        super().__init__(["false"], "")
        self.asked: list[str] = []

    def ask(self, sql: str, *, within_s: float) -> str:
        del within_s
        self.asked.append(sql)
        return ""


@pytest.mark.parametrize(
    ("alone", "state", "last"),
    [
        (False, a_primary(), ""),
        (False, a_primary(synchronous="alone"), "ON"),
        (True, a_primary(synchronous="alone"), "ON"),
        (True, a_primary(synchronous="alone", followers=()), ""),
        (True, a_primary(synchronous="alone", followers=(a_follower(lag_bytes=None),)), ""),
        (True, a_primary(synchronous="on", followers=()), "OFF"),
        (False, a_replica(), ""),
    ],
    ids=["right", "gave up", "replica back", "still alone", "catching up", "told", "no primary"],
)
def test_the_keeper_sees_to_it_that_writes_wait(
    tmp_path: Path, alone: bool, state: State, last: str
) -> None:
    site, session = a_site(tmp_path), FakeSession()
    site.set_alone(alone)
    keep(site, session, state)
    assert (session.asked[-1:] or [""])[0].rstrip(";").rpartition("= ")[2] == last


@pytest.mark.parametrize(
    ("role", "synchronous", "alone", "may"),
    [
        ("primary", True, False, True),
        ("primary", True, True, False),
        ("primary", False, False, False),
        ("replica", True, False, False),
    ],
)
def test_a_tail_is_taken_back_only_where_it_waited_for_a_replica(
    tmp_path: Path, role: str, synchronous: bool, alone: bool, may: bool
) -> None:
    site = a_site(tmp_path, synchronous=synchronous)
    site.role_file.write_text(json.dumps({"role": role, "term": 1}))
    if alone:
        site.alone_file.touch()
    assert may_take_back(site) is may


def test_data_that_does_not_say_what_it_is_is_an_error(tmp_path: Path) -> None:
    site = a_site(tmp_path)
    for text in (None, "", "{}", '{"role": "primary", "term": "x"}'):
        if text is not None:
            site.role_file.write_text(text)
        with pytest.raises(DatabaseError, match="does not say what this data is"):
            assert site.was


def test_accounts_are_limited_to_the_machines_that_need_them(tmp_path: Path) -> None:
    site = a_site(tmp_path)
    (tmp_path / "etc/ha-lab/mariadb-application.password").write_text("4pp\n")
    (tmp_path / "etc/ha-lab/mariadb-replication.cnf").write_text("[client]\npassword = r3%pl\n")
    hosts = {"replication": ["10.16.1.51", "10.16.1.52"], "application": ["10.16.1.11"]}
    (tmp_path / "etc/ha-lab/mariadb-hosts.json").write_text(json.dumps(hosts))
    found = accounts(site)

    assert set(found) == {
        ("lab-db", "localhost"),
        ("repl", "10.16.1.51"),
        ("repl", "10.16.1.52"),
        ("application", "10.16.1.11"),
    }
    assert found["repl", "10.16.1.51"][0] == hashed("r3%pl")
    assert "r3%pl" not in str(found)


def test_a_password_is_stored_as_the_server_does() -> None:
    """PASSWORD('secret') of a server."""
    assert hashed("secret").endswith("'*14E65567ABDB5135D0CFD9A70B3032C179A49EE7'")


def test_databases_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    site = a_site(tmp_path)
    for name in ("mysql", "sys", "performance_schema", "#innodb_redo"):
        (site.data / name).mkdir()
    must_be_nobodys(site)
    (site.data / "shop").mkdir()
    with pytest.raises(DatabaseError, match=r"shop .* left alone"):
        must_be_nobodys(site)
