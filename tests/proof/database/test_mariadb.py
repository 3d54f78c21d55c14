"""MariaDB on the rig, failover by hand: whatever happens, what was acknowledged is there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import lifecycle
from tests.proof.database.database_scenarios import *  # noqa: F403 - the scenarios are this module's tests
from tests.proof.database.database_scenarios import deployed
from tests.support.requests import request
from tests.support.rig_databases import RigDatabases
from tests.support.sql_engines import MARIADB, SqlEngine
from tests.support.waiting import TAKEOVER_S, WHOLE_S, wait_until

STACK = "test-rig-mdb"
TOLERANCE = {"tolerancePercent": 300, "toleranceMs": 5000, "intervalMs": 50}
"""What a machine of unknown speed may cost more: these tests are about what is lost. The interval:
these timers alone would have clients ask twice a second."""
FAULTS = ("mariadb-primary-power-off", "mariadb-primary-killed", "mariadb-switchover")


@pytest.fixture(scope="module")
def engine() -> SqlEngine:
    return MARIADB


@pytest.fixture(scope="module")
def lab(engine: SqlEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigDatabases]:
    yield from deployed(STACK, engine, tmp_path_factory, drill={"allowed": True, **TOLERANCE})


def test_the_history_is_safe_and_writes_wait_for_the_replica(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    names = (
        "sync_binlog",
        "innodb_flush_log_at_trx_commit",
        "binlog_format",
        "gtid_strict_mode",
        "rpl_semi_sync_master_enabled",
        "rpl_semi_sync_master_wait_point",
        "rpl_semi_sync_master_wait_no_slave",
        "relay_log_recovery",
    )
    columns = ", ".join(f"@@GLOBAL.{name}" for name in names)
    (row,) = whole.access(engine.name).ask(f"SELECT {columns}")
    assert dict(zip(names, row, strict=True)) == {
        "sync_binlog": 1,
        "innodb_flush_log_at_trx_commit": 1,
        "binlog_format": "ROW",
        "gtid_strict_mode": 1,
        "rpl_semi_sync_master_enabled": 1,
        "rpl_semi_sync_master_wait_point": "AFTER_SYNC",
        "rpl_semi_sync_master_wait_no_slave": 1,
        "relay_log_recovery": 0,
    }


def test_the_visits_page_stores_and_reads_through_the_whole_chain(whole: RigDatabases) -> None:
    def visits(method: str, status: int) -> int:
        answer = request(method, whole.url("/visits"), namespace=whole.namespace)
        assert answer.status_code == status, answer.text
        return int(answer.json()["visits"])

    (before,) = wait_until("the page", lambda: (visits("GET", 200),), usual_s=TAKEOVER_S)
    assert visits("POST", 201) == before + 1
    assert visits("GET", 200) == before + 1


def test_what_a_replica_only_received_survives_its_own_crash_and_the_loss_of_the_primary(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    """The server itself would throw its relay log away: with GTIDs it does so at every start."""
    old, new = whole.primary(engine.name), whole.replica(engine.name)
    with whole.writer(engine.name, "received") as writer:
        whole.shell(new, "mariadb -e 'STOP SLAVE SQL_THREAD'")
        moment = time.monotonic()
        wait_until(
            "acknowledged, not applied",
            lambda: writer.has_written_since(moment + 0.5),
            usual_s=WHOLE_S,
        )
        lifecycle.power_off(STACK, old)
        whole.shell(new, "kill -9 $(systemctl show -P MainPID mariadb)")
        wait_until(
            "it is a replica again",
            lambda: whole.database_state(new, engine.name).get("role") == "replica",
            usual_s=WHOLE_S,
        )
        whole.lab("db", "promote", STACK, engine.name).ok()
        moment = time.monotonic()
        wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)
    assert writer.lost == set()


def test_the_drill_finds_every_acknowledged_write_again(
    whole: RigDatabases, engine: SqlEngine, tmp_path: Path
) -> None:
    """The faults are the same for every engine; what writes and reads them back is not."""
    words = [word for fault in FAULTS for word in ("--fault", fault)]
    done = whole.lab("drill", STACK, *words, "--seed", "7", "--report", str(tmp_path))
    report = tmp_path / "report.json"
    assert report.exists(), done.text[-4000:]
    verdicts = {v["fault"]: v for v in json.loads(report.read_text())["verdicts"]}
    assert set(verdicts) == set(FAULTS), done.text[-4000:]
    for fault, verdict in verdicts.items():
        assert verdict["outcome"] == "pass", (fault, json.dumps(verdict["sentences"], indent=1))
        written = verdict["writes"][f"{engine.name}-write"]
        assert written["acknowledged"] > 50, fault
        assert (written["lost"], written["duplicates"]) == (0, 0), fault
        assert verdict["services"][engine.name]["overlaps"] == 0, fault
    assert whole.audited()[f"{engine.name}-write-kept"] == "pass"
    frame = whole.lab("watch", STACK, "--once", "--json").ok().text
    seen = json.loads(frame[frame.index("{") :])["databases"][engine.name]
    assert {m: state["role"] for m, state in seen["machines"].items()} == whole.roles(engine.name)
