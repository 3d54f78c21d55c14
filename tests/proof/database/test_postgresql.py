"""PostgreSQL on the rig, failover by hand: whatever happens, what was acknowledged is there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.proof.database.database_scenarios import *  # noqa: F403 - the scenarios are this module's tests
from tests.proof.database.database_scenarios import await_status, deployed
from tests.support.rig_databases import MACHINES, RigDatabases
from tests.support.sql_engines import POSTGRESQL, SqlEngine
from tests.support.waiting import WHOLE_S, wait_until

STACK = "test-rig-db"


@pytest.fixture(scope="module")
def engine() -> SqlEngine:
    return POSTGRESQL


@pytest.fixture(scope="module")
def lab(engine: SqlEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigDatabases]:
    yield from deployed(STACK, engine, tmp_path_factory)


def test_checksums_are_on_and_writes_wait_for_the_replica(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    (row,) = whole.access(engine.name).ask(
        "SELECT current_setting('data_checksums'), current_setting('synchronous_standby_names')"
    )
    assert row == ("on", f'ANY 1 ("{whole.replica(engine.name)}")')


@contextmanager
def patient(lab: RigDatabases) -> Iterator[None]:
    """The stream does not break because the host is busy for longer than the timers allow.

    A server whose replay is paused asks for no new stream, so that writes would wait for ever
    (measured: receiver ended by hand). That is another thing than what is looked at here.
    """
    settings = ("wal_sender_timeout", "wal_receiver_timeout")

    def each(change: str) -> None:
        asks = " ".join(f"-c 'ALTER SYSTEM {change.format(name)}'" for name in settings)
        for machine in MACHINES:
            psql = "cd / && runuser -u postgres -- psql -q -v ON_ERROR_STOP=1"
            lab.shell(machine, f"{psql} {asks} -c 'SELECT pg_reload_conf()'")

    each("SET {} = 0")
    try:
        yield
    finally:
        each("RESET {}")


def test_a_replica_that_is_far_behind_is_an_alarm_and_no_new_primary(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    """Writes go on: what is acknowledged is on its disk. Only what it shows is old."""
    replica = whole.replica(engine.name)
    psql = "runuser -u postgres -- psql -qAtc"
    with patient(whole):
        whole.shell(replica, f"{psql} 'SELECT pg_wal_replay_pause()'")
        try:
            with whole.writer(engine.name, "behind") as writer:
                await_status(whole, engine, 1, "behind in what it shows")
                refused = whole.lab("db", "switchover", STACK, engine.name)
                moment = time.monotonic()
                wait_until(
                    "writes go on", lambda: writer.has_written_since(moment), usual_s=WHOLE_S
                )
        finally:
            whole.shell(replica, f"{psql} 'SELECT pg_wal_replay_resume()'")
    assert refused.status == 2, refused.text
    assert "is far behind" in refused.text
    assert writer.lost == set()
    await_status(whole, engine, 0)


WAL = "/var/lib/postgresql/15/main/pg_wal"
SMALL_DISK = f"""set -e
systemctl stop postgresql@15-main
cp -a {WAL} /var/tmp/wal
mount -t tmpfs -o size=$(($(du -sm {WAL} | cut -f1) + 40))m,mode=0700 tmpfs {WAL}
chown postgres:postgres {WAL}
cp -a /var/tmp/wal/. {WAL}/
rm -r /var/tmp/wal
systemctl start --no-block postgresql@15-main
"""
"""Its log has a disk of its own with room for two segments more."""
FILL = (
    "INSERT INTO filler SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 30000)"
)


@pytest.fixture
def small(whole: RigDatabases, engine: SqlEngine) -> Iterator[RigDatabases]:
    """The primary has little room left for its log; afterwards it has its own disk again."""
    machine = whole.replica(engine.name)
    whole.shell(machine, SMALL_DISK)
    whole.await_whole_databases(engine.name)
    wait_until(
        "the machine with the small disk is the primary",
        lambda: whole.lab("db", "switchover", STACK, engine.name).status == 0,
        usual_s=WHOLE_S,
    )
    whole.await_whole_databases(engine.name)
    assert whole.primary(engine.name) == machine
    yield whole
    whole.shell(machine, f"systemctl stop postgresql@15-main; umount {WAL}")
    whole.lab("db", "rejoin", STACK, engine.name, machine, "--reseed").ok()


def test_a_primary_whose_disk_is_full_loses_nothing_and_is_replaced_on_request(
    small: RigDatabases, engine: SqlEngine
) -> None:
    old, new = small.primary(engine.name), small.replica(engine.name)
    small.access(engine.name).ask("CREATE TABLE filler (words text)")
    with small.writer(engine.name, "filled") as writer:
        fill_up(small, engine)
        await_status(small, engine, 1, "no primary, nobody can write")
        small.lab("db", "promote", STACK, engine.name, new).ok()
        moment = time.monotonic()
        wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)

    assert writer.lost == set()
    assert small.roles(engine.name)[new] == "primary"
    assert small.roles(engine.name)[old] != "primary"


def fill_up(lab: RigDatabases, engine: SqlEngine) -> None:
    """Write until the server cannot."""

    def is_full() -> bool:
        try:
            lab.access(engine.name).ask(FILL)
        except psycopg.OperationalError:
            return True
        return False

    wait_until("the log's disk is full", is_full, usual_s=WHOLE_S, every_s=0)
