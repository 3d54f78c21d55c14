"""The databases' faults on a deployed lab, through `lab drill`; and the page that uses them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.drill.events import Write
from lab.drill.history import read_history
from lab.drill.tiers import database
from lab.stack_file import ROOT
from tests.support.requests import request
from tests.support.rig_databases import RigDatabases
from tests.support.rig_module import deployed_rig
from tests.support.waiting import DRILL_S, WHOLE_S, deadline_s, wait_until

STACK = "test-rig-dbd"
ENGINE, UNIT = "postgresql", "postgresql@15-main"
COUNTS = {"loadBalancer": 2, "app": 2, "database": 2, "storage": 0}
TOLERANCE = {"tolerancePercent": 300, "toleranceMs": 5000, "slowMs": 1000}
"""What a machine of unknown speed may cost more: these tests are about what is lost."""
SETTINGS = {
    "topology": "full",
    "timers": "standard",
    "machines": {"counts": COUNTS},
    "database": {ENGINE: {"enabled": True}},
    "drill": {"allowed": True, **TOLERANCE},
}
FAULTS = [fault.name for fault in database.tier_of(ENGINE).faults]
MOVED = ("primary-power-off", "primary-cut", "primary-freeze", "switchover")
OTHERS = ("two-owners", "two-answer-arp")
"""A host that stalls moves the load balancers' VIP too: that is for the tests of that tier."""
Verdicts = dict[str, Any]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigDatabases]:
    """Two load balancers, app servers and database machines, deployed."""
    with deployed_rig(RigDatabases, STACK, SETTINGS, tmp_path_factory) as lab:
        lab.await_whole_databases(ENGINE)
        yield lab


def visits(lab: RigDatabases, method: str = "GET") -> tuple[int, Any]:
    """Status and data of one request through the VIP."""
    answer = request(method, lab.url("/visits"), namespace=lab.namespace)
    return answer.status_code, answer.json()


def test_a_visit_goes_through_the_whole_chain_and_an_outage_is_told(lab: RigDatabases) -> None:
    before = visits(lab)[1]["visits"]
    status, stored = visits(lab, "POST")
    assert (status, stored["visits"]) == (201, before + 1), stored
    answers = [visits(lab) for _ in range(4)]
    assert {(status, data["visits"]) for status, data in answers} == {(200, before + 1)}
    assert {data["machine"] for _, data in answers} == {"app1", "app2"}

    for machine in ("db1", "db2"):
        lab.run(machine, "systemctl", "stop", UNIT)
    status, away = visits(lab, "POST")
    assert (status, away["stored"]) == (503, "no"), away
    assert "the database does not answer" in away["error"]
    for machine in ("db1", "db2"):
        lab.run(machine, "systemctl", "start", "--no-block", UNIT)
    lab.await_whole_databases(ENGINE)
    assert visits(lab)[1]["visits"] == before + 1

    password = lab.access(ENGINE).password
    for app in ("app1", "app2"):
        assert lab.run(app, "stat", "-c", "%U %a", "/etc/ha-lab/visits.password") == "root 600\n"
        processes = lab.run(app, "ps", "-eo", "user:20,args")
        assert "lab-visits" in processes
        assert password not in processes


@pytest.fixture(scope="module")
def drilled(
    lab: RigDatabases, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Verdicts, str, Path]:
    """Verdicts of one run of every fault, what the terminal said, and the folder."""
    folder = tmp_path_factory.mktemp("drill") / "all"
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    done = lab.lab("drill", STACK, *faults, "--seed", "7", "--report", str(folder))
    assert "Traceback" not in done.text
    assert (folder / "report.json").exists(), done.text[-4000:]
    verdicts = json.loads((folder / "report.json").read_text())["verdicts"]
    return {verdict["fault"]: verdict for verdict in verdicts}, done.text, folder


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_loses_an_acknowledged_write(
    drilled: tuple[Verdicts, str, Path], fault: str
) -> None:
    verdicts, text, _ = drilled
    assert fault in verdicts, text[-4000:]
    verdict = verdicts[fault]
    failed = [s for s in verdict["sentences"] if s["outcome"] == "fail" and s["code"] not in OTHERS]
    assert not failed, json.dumps(failed, indent=1)
    written = verdict["writes"][f"{ENGINE}-write"]
    assert written["acknowledged"] > 50
    assert (written["lost"], written["duplicates"], written["unattempted"]) == (0, 0, 0)
    roles = verdict["services"][ENGINE]
    assert roles["overlaps"] == 0, "at most one writable primary"
    moved = roles["primary_before"] != roles["primary_after"]
    assert moved == (fault.removeprefix(f"{ENGINE}-") in MOVED)
    assert verdict["clients"][f"{ENGINE}-read"]["good"] > 20


def test_the_drill_says_that_it_is_the_operator(drilled: tuple[Verdicts, str, Path]) -> None:
    verdicts, text, _ = drilled
    assert text.count("the operator's part: `lab db promote`") == 3
    formula = verdicts[f"{ENGINE}-primary-cut"]["predicted"]["formula"]
    assert "`lab db promote`, begun at once" in formula


def test_afterwards_the_lab_is_whole_and_its_state_is_seen(
    drilled: tuple[Verdicts, str, Path], lab: RigDatabases
) -> None:
    del drilled
    found = lab.audited()
    for audit in (f"one-{ENGINE}-primary", f"{ENGINE}-replica-follows", f"{ENGINE}-write-kept"):
        assert found[audit] == "pass"
    frame = lab.lab("watch", STACK, "--once", "--json").ok().text
    seen = json.loads(frame[frame.index("{") :])["databases"][ENGINE]
    roles = {machine: state["role"] for machine, state in seen["machines"].items()}
    assert roles == lab.roles(ENGINE)


def test_asynchronous_replication_is_caught_losing_writes(
    lab: RigDatabases, drilled: tuple[Verdicts, str, Path], tmp_path: Path
) -> None:
    """The negative control: the same drill, whose writes do not wait for the replica, while that
    receives nothing."""
    del drilled
    lab.change("database", {ENGINE: {"enabled": True, "synchronous": False}})
    lab.up().ok()
    lab.await_whole_databases(ENGINE)
    old, new = lab.primary(ENGINE), lab.replica(ENGINE)
    fault = f"{ENGINE}-primary-power-off"
    words = ("drill", STACK, "--fault", fault, "--report", str(tmp_path))
    process = subprocess.Popen(
        lab.argv(*words), cwd=ROOT, env=lab.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        wait_until("the first writes", lambda: has_written(tmp_path), usual_s=WHOLE_S)
        lab.shell(new, CUT_REPLICATION.format(address=lab.hosts()[old]["address"]))
        process.communicate(timeout=deadline_s(DRILL_S))
    finally:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=deadline_s(DRILL_S))
        lab.try_run(new, "nft", "delete", "table", "ip", "halab_test")

    (verdict,) = json.loads((tmp_path / "report.json").read_text())["verdicts"]
    assert verdict["outcome"] == "fail"
    assert verdict["writes"][f"{ENGINE}-write"]["lost"] > 0
    assert "lost-writes" in {s["code"] for s in verdict["sentences"] if s["outcome"] == "fail"}
    # What was lost was given up with a word, so that the lab is whole again.
    lab.await_whole_databases(ENGINE)


CUT_REPLICATION = """nft add table ip halab_test
nft add chain ip halab_test in '{{ type filter hook input priority -10; }}'
nft add rule ip halab_test in ip saddr {address} tcp sport 5432 drop
"""


def has_written(folder: Path) -> bool:
    """Whether the drill whose history is here has acknowledged writes."""
    return any(
        isinstance(event, Write) and event.outcome == "ok"
        for history in folder.glob("*.jsonl")
        for event in read_history(history)
    )
