"""What belongs to a role: replication slots, and the end of `alone`."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.database.guest.model import Config, Follower, State
from components.database.guest.postgresql_keeper import CAUGHT_UP_BYTES, keep
from components.database.guest.postgresql_site import Site
from tests.unit.database.states import a_follower, a_primary, a_replica
from tests.unit.database.test_role import ENGINE, PEERS, FakeSession

RESET = "ALTER SYSTEM RESET synchronous_standby_names;"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(Config("db1", "10.16.1.51", 8008, PEERS), ENGINE, root=tmp_path)


def asked(site: Site, state: State) -> list[str]:
    session = FakeSession("")
    keep(site, session, state)
    return session.asked


def test_a_primary_has_a_slot_for_every_other_machine(site: Site) -> None:
    statements = asked(site, a_primary())
    assert any("pg_create_physical_replication_slot('db2')" in sql for sql in statements)


def test_a_replica_keeps_no_log_for_others(site: Site) -> None:
    (statement,) = asked(site, a_replica())
    assert "pg_drop_replication_slot" in statement
    assert "restart_lsn IS NOT NULL" in statement


def test_nothing_is_asked_of_a_server_that_does_not_run(site: Site) -> None:
    assert asked(site, State("db1", "down")) == []


@pytest.mark.parametrize(
    ("follower", "ends"),
    [
        (a_follower(synchronous=False), True),
        (a_follower(synchronous=False, lag_bytes=CAUGHT_UP_BYTES), True),
        (a_follower(synchronous=False, lag_bytes=CAUGHT_UP_BYTES + 1), False),
        (a_follower(synchronous=False, streaming=False), False),
        (None, False),
    ],
)
def test_writes_wait_again_once_a_replica_is_close(
    follower: Follower | None, ends: bool, site: Site
) -> None:
    followers = (follower,) if follower else ()
    state = a_primary(synchronous="alone", followers=followers)
    assert (RESET in asked(site, state)) == ends


def test_what_is_synchronous_is_left_alone(site: Site) -> None:
    assert RESET not in asked(site, a_primary())
    assert RESET not in asked(site, a_primary(synchronous="off"))
