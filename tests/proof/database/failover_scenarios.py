"""What every engine must do on the rig when the cluster fails it over: nothing is lost, and there
are never two primaries.

A test module imports these tests, and gives them the fixtures `engine` and `lab`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from rig import lifecycle
from tests.support.rig_failover import MEMBERS, RigFailover
from tests.support.rig_module import deployed_rig
from tests.support.sql import Writer
from tests.support.sql_engines import SqlEngine
from tests.support.waiting import COLD_START_S, WHOLE_S, wait_until


def by_cluster(engine: SqlEngine) -> dict[str, object]:
    """Unset, the failover is the cluster's, where it has fencing."""
    return {engine.name: {"enabled": True}}


def deployed(
    stack: str, engine: SqlEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RigFailover]:
    """Two load balancers, two database machines, and a storage machine as the third vote."""
    settings = {
        "topology": "full",
        "timers": "relaxed",
        "machines": {"counts": {"loadBalancer": 2, "app": 1, "database": 2, "storage": 1}},
        "cluster": {"enabled": True},
        "database": by_cluster(engine),
    }
    with deployed_rig(RigFailover, stack, settings, tmp_path_factory) as lab:
        yield lab


@pytest.fixture
def whole(lab: RigFailover, engine: SqlEngine) -> Iterator[RigFailover]:
    """One primary whose replica may take over, before the test and after it."""
    lab.await_certified(engine.name)
    yield lab
    lab.heal_cluster(engine.name)


@contextmanager
def nothing_lost(lab: RigFailover, engine: SqlEngine, table: str) -> Iterator[Writer]:
    """Writes through the VIP all the while; afterwards every acknowledged one is there."""
    with lab.sampling(engine.name) as samples, lab.writer(engine.name, table) as writer:
        yield writer
    assert writer.lost == set()
    assert [s for s in samples if list(s.values()).count("primary") > 1] == []
    print(f"{table}: {writer.outage_s:.2f} s without an acknowledged write")


def await_writes(writer: Writer, moment: float) -> None:
    """How long it took is printed at the end."""
    wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)


def await_roles(lab: RigFailover, engine: SqlEngine, primary: str, replica: str) -> None:
    """Both say so; on a busy machine one of them may be silent for a moment."""
    wanted = {primary: "primary", replica: "replica"}
    wait_until(f"the roles are {wanted}", lambda: lab.roles(engine.name) == wanted, usual_s=WHOLE_S)


def kill(lab: RigFailover, engine: SqlEngine, machine: str) -> None:
    lab.shell(machine, f"kill -9 $(systemctl show -P MainPID '{engine.unit}')")


def test_the_cluster_runs_what_up_has_made_and_only_where_there_is_data(
    whole: RigFailover, engine: SqlEngine
) -> None:
    primary, replica = whole.primary(engine.name), whole.replica(engine.name)
    running = {member.name: member.resources for member in whole.cluster().members}
    assert f"{engine.name} (Promoted)" in running[primary]
    assert f"{engine.name} (Unpromoted)" in running[replica]
    assert not any(engine.name in resource for resource in running["gluster1"])
    for machine in (primary, replica):
        assert whole.try_run(machine, "systemctl", "is-enabled", engine.unit).returncode != 0
    assert whole.cluster().is_well
    whole.preview_clean().ok()


def test_nobody_but_the_cluster_starts_or_promotes(whole: RigFailover, engine: SqlEngine) -> None:
    refused = whole.lab("db", "promote", whole.stack, engine.name, whole.replica(engine.name))
    assert refused.status == 2, refused.text
    assert "the cluster decides" in refused.text
    guard = ["runuser", "-u", engine.owner, "--", "/usr/local/lib/ha-lab/lab-database", engine.name]
    started = whole.try_run(whole.replica(engine.name), *guard, "guard")
    assert started.returncode == 1, started.stdout
    assert "the cluster starts and stops this server" in started.stdout


def test_a_killed_primary_serves_again(whole: RigFailover, engine: SqlEngine) -> None:
    with nothing_lost(whole, engine, "killed") as writer:
        kill(whole, engine, whole.primary(engine.name))
        moment = time.monotonic()
        await_writes(writer, moment)


FAULTS: dict[str, Callable[[str, str], object]] = {
    "power_off": lifecycle.power_off,
    "cut": lifecycle.cut,
    "freeze": lifecycle.freeze,
}


@pytest.mark.parametrize("fault", list(FAULTS))
def test_a_lost_primary_is_fenced_and_replaced_and_rejoins(
    fault: str, whole: RigFailover, engine: SqlEngine
) -> None:
    old, new = whole.primary(engine.name), whole.replica(engine.name)
    with nothing_lost(whole, engine, f"lost_{fault}") as writer:
        FAULTS[fault](whole.stack, old)
        moment = time.monotonic()
        await_writes(writer, moment)
        if whole.power(old) == "on":
            # It was fenced meanwhile: what is thawed or joined has booted since.
            lifecycle.thaw(whole.stack, old)
            lifecycle.join(whole.stack, old)
        else:
            whole.power_on(old)
        whole.await_certified(engine.name)

    await_roles(whole, engine, new, old)
    whole.up().ok()
    await_roles(whole, engine, new, old)


def test_a_switchover_goes_through_the_cluster(whole: RigFailover, engine: SqlEngine) -> None:
    old, new = whole.primary(engine.name), whole.replica(engine.name)
    with nothing_lost(whole, engine, "switched") as writer:
        dry = whole.lab("db", "switchover", whole.stack, engine.name, "--dry-run").ok()
        assert f"promote {new}" in dry.text
        whole.lab("db", "switchover", whole.stack, engine.name).ok()
        await_writes(writer, time.monotonic())
    whole.await_certified(engine.name)
    await_roles(whole, engine, new, old)
    assert "cli-" not in whole.run("gluster1", "cibadmin", "--query", "--scope", "constraints")


def test_without_its_replica_the_primary_goes_on_alone_and_nobody_else_may_lead(
    whole: RigFailover, engine: SqlEngine
) -> None:
    primary, replica = whole.primary(engine.name), whole.replica(engine.name)
    with nothing_lost(whole, engine, "alone") as writer:
        whole.run("gluster1", "pcs", "node", "standby", replica)
        try:
            wait_until(
                "the replica has lost its certificate",
                lambda: whole.scores(engine.name).get(replica) == "-INFINITY",
                usual_s=WHOLE_S,
            )
            await_writes(writer, time.monotonic())
            kill(whole, engine, primary)
            await_writes(writer, time.monotonic())
            assert whole.primary(engine.name) == primary, "the other one lacks writes"
        finally:
            whole.run("gluster1", "pcs", "node", "unstandby", replica)
        whole.await_certified(engine.name)


def test_a_replica_is_seeded_anew_while_the_cluster_looks_away(
    whole: RigFailover, engine: SqlEngine
) -> None:
    replica = whole.replica(engine.name)
    said = whole.lab("db", "rejoin", whole.stack, engine.name, replica, "--reseed").ok().text
    assert "seeded anew" in said
    whole.await_certified(engine.name)
    assert whole.roles(engine.name)[replica] == "replica"


def test_all_come_back_from_a_power_failure(whole: RigFailover, engine: SqlEngine) -> None:
    whole.access(engine.name).ask("CREATE TABLE dark AS SELECT 1 AS n")
    before = whole.roles(engine.name)
    for machine in MEMBERS:
        whole.power_off(machine)
    for machine in MEMBERS:
        whole.power_on(machine)
    wait_until("roles as before", lambda: whole.roles(engine.name) == before, usual_s=COLD_START_S)
    whole.await_whole_databases(engine.name)
    assert whole.access(engine.name).ask("SELECT n FROM dark") == [(1,)]


def test_it_is_given_to_people_and_back_while_it_runs(
    whole: RigFailover, engine: SqlEngine
) -> None:
    roles = whole.roles(engine.name)
    begun = {m: whole.run(m, "systemctl", "show", "-P", "MainPID", engine.unit) for m in roles}
    try:
        whole.change("database", {engine.name: {"enabled": True, "failover": "manual"}})
        whole.up().ok()
        assert not any(engine.name in r for m in whole.cluster().members for r in m.resources)
        assert whole.scores(engine.name) == {}
        assert whole.run("db1", "systemctl", "is-enabled", engine.unit).strip() == "enabled"
    finally:
        whole.change("database", by_cluster(engine))
        whole.up().ok()
    whole.await_certified(engine.name)
    now = {m: whole.run(m, "systemctl", "show", "-P", "MainPID", engine.unit) for m in roles}
    assert (whole.roles(engine.name), now) == (roles, begun), "no server was stopped for it"
