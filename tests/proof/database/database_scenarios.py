"""What every engine must do on the rig, failover by hand: what was acknowledged is there.

A test module imports these tests, and gives them the fixtures `engine` and `lab`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from components.timers import TIMERS
from rig import lifecycle
from tests.support.rig_databases import RigDatabases
from tests.support.rig_module import deployed_rig
from tests.support.sql import Access
from tests.support.sql_engines import ERRORS, SqlEngine
from tests.support.waiting import MOMENT_S, WHOLE_S, wait_until

TIMERS_NAME = "relaxed"
COUNTS = {"loadBalancer": 2, "app": 1, "database": 2, "storage": 0}


def deployed(
    stack: str, engine: SqlEngine, tmp_path_factory: pytest.TempPathFactory, **more: object
) -> Iterator[RigDatabases]:
    """Two load balancers and two database machines, and the lab on them; `more` settings."""
    settings = {
        "topology": "full",
        "timers": TIMERS_NAME,
        "machines": {"counts": COUNTS},
        "database": {engine.name: {"enabled": True}},
        **more,
    }
    with deployed_rig(RigDatabases, stack, settings, tmp_path_factory) as lab:
        yield lab


@pytest.fixture
def whole(lab: RigDatabases, engine: SqlEngine) -> Iterator[RigDatabases]:
    """The lab with one primary whose replica follows, before the test and after it."""
    lab.await_whole_databases(engine.name)
    yield lab
    lab.heal(engine.name)


def moved(lab: RigDatabases, engine: SqlEngine, old: str) -> bool:
    return lab.primary(engine.name) != old


def await_status(lab: RigDatabases, engine: SqlEngine, status: int, says: str = "") -> None:
    """`lab db status` ends so; on a busy host it may first hear nothing from the machines."""

    def as_expected() -> bool:
        done = lab.lab("db", "status", lab.stack, engine.name)
        assert done.status == status, done.text
        assert says in " ".join(done.text.split()), done.text
        return True

    wait_until("lab db status", as_expected, usual_s=WHOLE_S)


def test_what_is_written_is_read_from_the_replica(whole: RigDatabases, engine: SqlEngine) -> None:
    write, read = whole.access(engine.name), whole.access(engine.name, "read")
    write.ask("CREATE TABLE greetings (word text)")
    write.ask("INSERT INTO greetings VALUES ('bonjour')")

    assert write.ask(engine.is_replica) == [(False,)]
    assert read.ask(engine.is_replica) == [(True,)]
    # It is acknowledged once the replica has it, and shown there a moment later.
    shown = wait_until("it", lambda: read.ask("SELECT word FROM greetings"), usual_s=MOMENT_S)
    assert shown == [("bonjour",)]
    with pytest.raises(engine.read_only, match=engine.read_only_says):
        read.ask("INSERT INTO greetings VALUES ('refused')")


def test_nobody_comes_in_without_the_right_password(whole: RigDatabases, engine: SqlEngine) -> None:
    wrong = replace(whole.access(engine.name), password="wrong")

    def refused() -> bool:
        """A busy lab may refuse for another reason first."""
        with pytest.raises(engine.refuses) as caught:
            wrong.connect()
        return engine.refuses_says in str(caught.value)

    wait_until("the refusal", refused, usual_s=WHOLE_S)


def test_a_killed_primary_is_back_by_itself(whole: RigDatabases, engine: SqlEngine) -> None:
    old = whole.primary(engine.name)
    with whole.writer(engine.name, "killed") as writer:
        kill = f"kill -9 $(systemctl show -P MainPID '{engine.unit}')"
        whole.shell(old, kill)
        moment = time.monotonic()
        wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)

    assert writer.lost == set()
    assert whole.primary(engine.name) == old


def test_a_switchover_loses_nothing_and_never_has_two_primaries(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    old = whole.primary(engine.name)
    with whole.sampling(engine.name) as samples, whole.writer(engine.name, "switched") as writer:
        assert (
            "would stop"
            in whole.lab("db", "switchover", whole.stack, engine.name, "--dry-run").ok().text
        )
        whole.lab("db", "switchover", whole.stack, engine.name).ok()
        moment = time.monotonic()
        wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)

    assert moved(whole, engine, old)
    assert writer.lost == set()
    assert writer.failures, "the writer's connection ended with the primary's role"
    assert [s for s in samples if list(s.values()).count("primary") > 1] == []
    whole.preview_clean().ok()
    assert moved(whole, engine, old), "nothing moved it back"


@pytest.mark.parametrize("fault", ["power_off", "cut", "freeze"])
def test_a_lost_primary_is_replaced_on_request_and_rejoins_by_itself(
    fault: str, whole: RigDatabases, engine: SqlEngine
) -> None:
    old, new = whole.primary(engine.name), whole.replica(engine.name)
    with (
        whole.sampling(engine.name) as samples,
        whole.writer(engine.name, f"lost_{fault}") as writer,
    ):
        getattr(lifecycle, fault)(whole.stack, old)
        moment = time.monotonic()
        whole.lab("db", "promote", whole.stack, engine.name).ok()
        wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)
        assert whole.power(old) == "off", "whoever does not answer has no power any more"
        await_status(whole, engine, 1, "goes on alone")
        whole.power_on(old)
        whole.await_whole_databases(engine.name)

    assert writer.lost == set()
    assert [s for s in samples if list(s.values()).count("primary") > 1] == []
    whole.await_roles(engine.name, {new: "primary", old: "replica"})
    await_status(whole, engine, 0)
    whole.preview_clean().ok()


def test_without_its_replica_writes_wait_and_an_alarm_says_so(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    replica = whole.replica(engine.name)
    with whole.writer(engine.name, "waited") as writer:
        whole.run(replica, "systemctl", "stop", engine.unit)
        moment = time.monotonic()
        await_status(whole, engine, 1, "writes wait")
        assert not writer.has_written_since(moment + 1), "nothing is acknowledged meanwhile"
        refused = whole.lab("db", "switchover", whole.stack, engine.name)
        assert refused.status == 2, refused.text
        whole.run(replica, "systemctl", "start", engine.unit)
        wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)

    assert writer.lost == set()


def test_both_machines_come_back_from_a_power_failure_as_they_were(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    old, other = whole.primary(engine.name), whole.replica(engine.name)
    whole.access(engine.name).ask("CREATE TABLE dark AS SELECT 1 AS n")
    for machine in (old, other):
        whole.power_off(machine)
    whole.power_on(old)
    wait_until(
        "the old primary asks first",
        lambda: whole.database_state(old, engine.name).get("role") == "waiting",
        usual_s=WHOLE_S,
    )
    whole.power_on(other)
    whole.await_whole_databases(engine.name)

    whole.await_roles(engine.name, {old: "primary", other: "replica"})
    assert whole.access(engine.name).ask("SELECT n FROM dark") == [(1,)]


def test_no_write_reaches_a_replica_just_after_a_load_balancer_starts(
    whole: RigDatabases, engine: SqlEngine
) -> None:
    access = whole.access(engine.name)
    for verb in ("reload", "restart"):
        for balancer in ("lb1", "lb2"):
            whole.run(balancer, "systemctl", verb, "haproxy")
        assert answers_while_it_checks(access, engine) == {(False,)}, verb


def answers_while_it_checks(access: Access, engine: SqlEngine) -> set[tuple[Any, ...]]:
    """Whether a replica answers, asked at least as long as HAProxy takes to find a server down."""
    checks = TIMERS[TIMERS_NAME].haproxy
    end = time.monotonic() + checks.fall * checks.inter_ms / 1000
    found: set[tuple[Any, ...]] = set()

    def has_checked() -> bool:
        with suppress(*ERRORS):
            found.update(access.ask(engine.is_replica))
        return bool(found) and time.monotonic() >= end

    wait_until("an answer, and the checks", has_checked, usual_s=WHOLE_S, every_s=0)
    return found


@pytest.fixture
def asynchronous(whole: RigDatabases, engine: SqlEngine) -> Iterator[RigDatabases]:
    """The same lab, whose writes do not wait for the replica."""
    set_synchronous(whole, engine, False)
    yield whole
    whole.heal(engine.name)
    set_synchronous(whole, engine, True)


def set_synchronous(lab: RigDatabases, engine: SqlEngine, value: bool) -> None:
    lab.change("database", {engine.name: {"enabled": True, "synchronous": value}})
    lab.up().ok()


def test_without_synchronous_replication_the_same_checker_sees_lost_writes(
    asynchronous: RigDatabases, engine: SqlEngine
) -> None:
    lab = asynchronous
    old, new = lab.primary(engine.name), lab.replica(engine.name)
    with lab.writer(engine.name, "control") as writer:
        lifecycle.cut(lab.stack, new)
        moment = time.monotonic()
        wait_until("writes go on", lambda: writer.has_written_since(moment + 0.2), usual_s=WHOLE_S)
        lifecycle.power_off(lab.stack, old)
    lifecycle.join(lab.stack, new)

    refused = lab.lab("db", "promote", lab.stack, engine.name)
    assert refused.status == 2, refused.text
    assert "may lack writes" in refused.text
    lab.lab("db", "promote", lab.stack, engine.name, "--accept-loss").ok()
    endpoint = lab.access(engine.name)
    wait_until("the endpoint follows", lambda: endpoint.ask("SELECT 1"), usual_s=WHOLE_S)
    assert writer.lost != set()

    # The old primary has what is lost, and does not give it up by itself.
    lab.power_on(old)
    wait_until(
        "it waits for a person",
        lambda: (
            "may have been acknowledged" in lab.database_state(old, engine.name).get("detail", "")
        ),
        usual_s=WHOLE_S,
    )
    kept = lab.lab("db", "rejoin", lab.stack, engine.name)
    assert kept.status == 2, kept.text
    assert "would be lost" in kept.text
    assert engine.gives_up in lab.lab("db", "rejoin", lab.stack, engine.name, "--discard").ok().text
    lab.await_whole_databases(engine.name)


def test_a_replica_is_seeded_anew_on_request(whole: RigDatabases, engine: SqlEngine) -> None:
    replica = whole.replica(engine.name)
    # On a busy host the machines may not answer at first; then nothing is done.
    said = wait_until(
        "the replica's new copy",
        lambda: whole.lab("db", "rejoin", whole.stack, engine.name, replica, "--reseed").ok().text,
        usual_s=WHOLE_S,
    )

    assert f"seeded anew from {whole.primary(engine.name)}" in said
    whole.await_roles(engine.name, {whole.primary(engine.name): "primary", replica: "replica"})
