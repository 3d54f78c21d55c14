"""The databases' faults: who is broken, what the operator's part is, and how all is put right."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from components.database.guest.model import Follower, State
from components.timers import TIMERS
from components.timers.predict_database import explain_database
from lab.database import acts as real
from lab.database.model import Look, Picture
from lab.drill.model import Ability
from lab.drill.scene import Scene
from lab.drill.target import target_from
from lab.drill.tiers import database, database_acts, database_audits
from lab.drill.tiers.registry import fault_named
from lab.errors import LabError
from lab.health import check
from tests.unit.drill.fakes import FakeControl, FakeMachines, finish
from tests.unit.drill.world import outputs

ENGINE = "postgresql"
ONE_PRIMARY, FOLLOWS = f"one-{ENGINE}-primary", f"{ENGINE}-replica-follows"
UNIT = "postgresql@15-main.service"


def a_primary(machine: str, *, follower: str = "", synchronous: str = "on") -> State:
    followers = (Follower(follower, True, True, 0),) if follower else ()
    return State(machine, "primary", term=3, synchronous=synchronous, followers=followers)


def a_replica(machine: str, *, follows: str = "10.16.1.51") -> State:
    return State(machine, "replica", term=3, follows=follows)


WHOLE = {"db1": a_primary("db1", follower="db2"), "db2": a_replica("db2")}


@dataclass
class Databases:
    """db1 and db2; what the operator did is in the journal beside what the fault did."""

    synchronous: bool = True
    failover: str = "manual"
    control_name: str = "rig"
    states: list[dict[str, State | None]] = field(default_factory=lambda: [dict(WHOLE)])
    """Looks one after the other; the last one stays."""
    patience: list[float] = field(default_factory=list)
    """By look, how long a machine may take to answer."""
    journal: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        machine = {"roles": ["database"], "user": "lab", "port": 22}
        data: dict[str, Any] = outputs()
        data["machines"] |= {
            "db1": {"address": "10.16.1.51", **machine},
            "db2": {"address": "10.16.1.52", **machine},
        }
        data["database"] = {
            ENGINE: {
                "write": "10.16.1.100:5432",
                "read": "10.16.1.100:5433",
                "database": "myapp",
                "failover": self.failover,
                "synchronous": self.synchronous,
                "unit": UNIT,
                "rolePort": 8008,
            }
        }
        data["credentials"]["database"] = {"user": "application", "password": "hidden"}
        machines = FakeMachines(self.journal)
        self.control = FakeControl(self.journal, name=self.control_name)
        self.scene = Scene(
            target=target_from(data, stack="demo"),
            machines=cast(Any, machines),
            control=cast(Any, self.control),
            namespace=None,
        )

    async def picture(
        self, _scene: Scene, engine: str, *, timeout_s: float = 0, again: bool = True
    ) -> Picture:
        del again
        self.patience.append(timeout_s)
        now = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        looks = {m: Look(machine=m, state=s, why="" if s else "silent") for m, s in now.items()}
        return Picture(engine=engine, synchronous=self.synchronous, looks=looks)

    async def make_primary(self, _scene: Scene, engine: str, _say: object, **how: Any) -> None:
        words = " ".join(f"{key}={value}" for key, value in sorted(how.items()))
        self.journal.append(f"promote {engine} {words}")

    async def switchover(self, _scene: Scene, engine: str, _say: object) -> None:
        self.journal.append(f"switchover {engine}")

    async def rejoin(self, _scene: Scene, engine: str, _say: object, **how: Any) -> None:
        self.journal.append(f"rejoin {engine} {how['machine']} discard={how['discard']}")

    def done(self) -> list[str]:
        """Without looks at whether a machine answers."""
        return [
            entry
            for entry in self.journal
            if "boot_id" not in entry and "is-system-running" not in entry and "forget" not in entry
        ]


@pytest.fixture
def databases(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes databases whose operator only writes down what it is asked for."""

    def make(**values: Any) -> Databases:
        made = Databases(**values)
        made.scene.machines.says("", "boot_id", "boot-1\n")  # type: ignore[attr-defined]
        for module in (database_acts, database_audits):
            monkeypatch.setattr(module, "picture_of", made.picture)
        operator = SimpleNamespace(
            make_primary=made.make_primary,
            switchover=made.switchover,
            rejoin=made.rejoin,
            FENCES=real.FENCES,
        )
        monkeypatch.setattr(database_acts, "operator", operator)
        monkeypatch.setattr(database_acts, "PAUSE_S", 0.0)
        monkeypatch.setattr(database_acts, "FOUND_WITHIN_S", 0.05)
        return made

    return make


GONE = {"db1": None, "db2": a_replica("db2", follows="")}
ALONE = {"db1": None, "db2": a_primary("db2", synchronous="alone")}
SWAPPED = {"db1": a_replica("db1"), "db2": a_primary("db2", follower="db1")}


@pytest.mark.parametrize(
    ("how", "broken"), [("power-off", "power_off"), ("cut", "cut"), ("freeze", "freeze")]
)
def test_a_lost_primary_is_replaced_by_the_operator(
    databases: Any, how: str, broken: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = databases()
    fault = fault_named(f"{ENGINE}-primary-{how}")
    assert finish(fault.resolve(lab.scene)) == ("db1",)
    lab.states[:] = [GONE]
    finish(fault.inject(lab.scene, ("db1",)))
    assert lab.done() == [
        f"{broken} db1",
        "promote postgresql accept_loss=False machine=db2",
    ]
    assert "the operator's part: `lab db promote`" in "".join(capsys.readouterr())


def test_the_cluster_needs_no_operator(databases: Any) -> None:
    lab = databases(failover="pacemaker", states=[GONE])
    finish(fault_named(f"{ENGINE}-primary-power-off").inject(lab.scene, ("db1",)))
    assert lab.done() == ["power_off db1"]


def test_without_synchronous_replication_the_operator_must_accept_a_loss(databases: Any) -> None:
    lab = databases(synchronous=False, states=[GONE])
    finish(fault_named(f"{ENGINE}-primary-power-off").inject(lab.scene, ("db1",)))
    assert lab.done()[-1] == "promote postgresql accept_loss=True machine=db2"


def test_an_engine_whose_primary_is_elsewhere_is_left_alone(databases: Any) -> None:
    lab = databases(states=[WHOLE])
    finish(database_acts.promote(lab.scene, ("db2",)))
    assert lab.done() == []


def test_a_lost_machine_gets_everything_back_whatever_it_lost(databases: Any) -> None:
    lab = databases(states=[ALONE, SWAPPED])
    lab.control.off.add("db1")
    finish(fault_named(f"{ENGINE}-primary-cut").undo(lab.scene, ("db1",)))
    assert lab.done() == ["thaw db1", "join db1", "power_on db1"]


def test_undoing_what_never_happened_changes_nothing(databases: Any) -> None:
    lab = databases()
    finish(fault_named(f"{ENGINE}-primary-freeze").undo(lab.scene, ("db1",)))
    assert lab.done() == ["thaw db1", "join db1", "join db1"]
    assert "promote" not in " ".join(lab.journal)


HANDED_OVER = State("db1", "down", term=3, was="replica")
LEFT = a_replica("db2", follows="")


@pytest.mark.parametrize(
    ("half", "machine"),
    [
        ({"db1": HANDED_OVER, "db2": LEFT}, "db2"),
        ({"db1": a_replica("db1", follows=""), "db2": replace(LEFT, position="0/5000000")}, "db2"),
    ],
    ids=["stopped", "started again"],
)
def test_a_switchover_that_ended_half_way_is_ended(
    databases: Any, half: dict[str, State | None], machine: str
) -> None:
    lab = databases(states=[half, SWAPPED])
    finish(fault_named(f"{ENGINE}-switchover").undo(lab.scene, ("db1",)))
    assert lab.done() == [f"promote postgresql accept_loss=False machine={machine}"]


def test_a_primary_that_starts_again_by_itself_is_waited_for(databases: Any) -> None:
    starting: dict[str, State | None] = {"db1": State("db1", "down", was="primary"), "db2": LEFT}
    lab = databases(states=[starting, WHOLE])
    finish(database_acts.make_whole(lab.scene, ENGINE))
    assert lab.done() == []


def test_what_was_given_up_by_the_promotion_is_discarded(databases: Any) -> None:
    waiting = State("db1", "waiting", was="primary", detail="may have been acknowledged")
    head = replace(SWAPPED["db2"], synchronous="off")
    first: dict[str, State | None] = {"db1": waiting, "db2": head}
    lab = databases(synchronous=False, states=[first, {**SWAPPED, "db2": head}])
    finish(database_acts.make_whole(lab.scene, ENGINE))
    assert lab.done() == ["rejoin postgresql db1 discard=True"]


def test_what_may_have_been_acknowledged_is_never_discarded_where_nothing_was_accepted(
    databases: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_acts, "WHOLE_WITHIN_S", 0.05)
    waiting = State("db1", "waiting", was="primary", detail="may have been acknowledged")
    lab = databases(states=[{"db1": waiting, "db2": ALONE["db2"]}])
    with pytest.raises(LabError, match="db1 does not follow db2"):
        finish(database_acts.make_whole(lab.scene, ENGINE))
    assert lab.done() == []


def test_a_switchover_is_asked_for(databases: Any) -> None:
    lab = databases()
    finish(fault_named(f"{ENGINE}-switchover").inject(lab.scene, ("db1",)))
    assert lab.done() == ["switchover postgresql"]


def test_servers_are_killed_stopped_and_started(databases: Any) -> None:
    lab = databases()
    for name, victim in (("primary-killed", "db1"), ("replica-stopped", "db2")):
        fault = fault_named(f"{ENGINE}-{name}")
        assert finish(fault.resolve(lab.scene)) == (victim,)
        finish(fault.inject(lab.scene, (victim,)))
        finish(fault.undo(lab.scene, (victim,)))
    start = f"systemctl start --no-block {UNIT}"
    assert lab.done() == [
        f"db1: kill -9 $(systemctl show -P MainPID {UNIT})",
        f"db1: {start}",
        f"db2: systemctl stop {UNIT}",
        f"db2: {start}",
    ]


@pytest.mark.parametrize(
    "state",
    [
        {"db1": a_primary("db1"), "db2": a_replica("db2", follows="")},
        {"db1": a_primary("db1", follower="db2", synchronous="alone"), "db2": a_replica("db2")},
    ],
)
def test_nothing_is_broken_while_no_replica_has_everything(databases: Any, state: Any) -> None:
    lab = databases(states=[state])
    for fault in database.TIERS[0].faults:
        with pytest.raises(LabError, match="nothing was broken"):
            finish(fault.resolve(lab.scene))


def test_a_machine_that_is_slow_to_answer_is_asked_again(databases: Any) -> None:
    lab = databases(states=[{"db1": None, "db2": None}, WHOLE])
    assert finish(database_acts.primary(lab.scene, ENGINE)) == ("db1",)


def test_by_hand_somebody_must_be_able_to_keep_the_old_primary_off(databases: Any) -> None:
    fault = fault_named(f"{ENGINE}-primary-power-off")
    with pytest.raises(LabError, match="nobody here can take the power"):
        finish(fault.resolve(databases(control_name="ssh").scene))
    by_cluster = databases(control_name="ssh", failover="pacemaker")
    assert finish(fault.resolve(by_cluster.scene)) == ("db1",)


def test_what_waits_for_the_operator_is_not_waited_for_before_the_operator_acts(
    databases: Any,
) -> None:
    """A former primary with writes of its own starts only once they are given up."""
    waiting = State("db1", "waiting", term=2, was="primary")
    halfway = {"db1": waiting, "db2": ALONE["db2"]}
    lab = databases(synchronous=False, states=[halfway, halfway, SWAPPED])
    finish(fault_named(f"{ENGINE}-primary-power-off").undo(lab.scene, ("db1",)))
    wait = next(i for i, entry in enumerate(lab.journal) if "is-system-running" in entry)
    given_up = next(i for i, entry in enumerate(lab.journal) if "discard=True" in entry)
    assert given_up < wait


def test_a_fault_says_which_ability_it_needs() -> None:
    needs = {f.name.removeprefix(f"{ENGINE}-"): f.needs for f in database.TIERS[0].faults}
    assert {name: set(abilities) for name, abilities in needs.items() if abilities} == {
        "primary-power-off": {Ability.POWER},
        "primary-cut": {Ability.POWER, Ability.LINK},
        "primary-freeze": {Ability.POWER, Ability.FREEZE},
    }


def test_one_machine_has_no_replica_to_go_on_with(databases: Any) -> None:
    target = databases().scene.target
    alone = {name: m for name, m in target.machines.items() if name != "db2"}
    one = target.model_copy(update={"machines": alone})
    for fault in database.TIERS[0].faults:
        assert fault.why_not(target) is None
        assert "no replica" in str(fault.why_not(one))


@pytest.mark.parametrize(
    ("state", "outcome", "said"),
    [
        (WHOLE, "pass", "db1 is the primary"),
        ({"db1": a_primary("db1"), "db2": a_primary("db2")}, "fail", "db1 and db2 are primary"),
        ({**GONE, "db1": State("db1", "down")}, "fail", "nobody is primary"),
        (GONE, "unknown", f"nobody is primary of {ENGINE}; db1 cannot be asked"),
        (ALONE, "unknown", "db1 cannot be asked"),
    ],
)
def test_there_is_one_primary(databases: Any, state: Any, outcome: str, said: str) -> None:
    lab = databases(states=[state])
    finding = finish(audit_of(ONE_PRIMARY)(lab.scene))
    assert (finding.outcome, said in finding.detail) == (outcome, True)


def test_an_audit_asks_once_and_with_patience(databases: Any) -> None:
    lab = databases(states=[WHOLE])
    assert finish(audit_of(ONE_PRIMARY)(lab.scene)).outcome == "pass"
    assert lab.patience == [database_audits.PATIENT_S]
    assert database_audits.PATIENT_S < check.AUDIT_TIMEOUT_S


def test_audits_that_ask_at_the_same_time_share_the_answer_later_ones_ask_anew(
    databases: Any,
) -> None:
    lab = databases(states=[ALONE, WHOLE])
    one, follows = (audit.check for audit in database_audits.audits_of(ENGINE, ENGINE)[:2])

    async def both() -> list[str]:
        findings = await asyncio.gather(one(lab.scene), follows(lab.scene))
        return [finding.outcome for finding in findings]

    async def twice() -> list[list[str]]:
        return [await both(), await both()]

    assert asyncio.run(twice()) == [["unknown", "fail"], ["pass", "pass"]]
    assert len(lab.patience) == 2


def test_an_audit_that_runs_out_of_time_leaves_the_answer_to_the_others(databases: Any) -> None:
    lab = databases(states=[WHOLE])
    one, follows = (audit.check for audit in database_audits.audits_of(ENGINE, ENGINE)[:2])

    async def cancelled() -> str:
        first = asyncio.ensure_future(one(lab.scene))
        second = asyncio.ensure_future(follows(lab.scene))
        await asyncio.sleep(0)
        first.cancel()
        return (await second).outcome

    assert asyncio.run(cancelled()) == "pass"


def audit_of(name: str) -> Any:
    return next(a.check for a in database_audits.audits_of(ENGINE, ENGINE) if a.name == name)


def test_an_alarm_is_a_failed_audit(databases: Any) -> None:
    good = finish(audit_of(FOLLOWS)(databases().scene))
    assert good.outcome == "pass"
    bad = finish(audit_of(FOLLOWS)(databases(states=[ALONE]).scene))
    assert bad.outcome == "fail"
    assert "goes on alone" in bad.detail
    silent = finish(audit_of(FOLLOWS)(databases(states=[GONE]).scene))
    assert silent.outcome == "unknown"


@pytest.mark.parametrize("timers", TIMERS)
@pytest.mark.parametrize("mode", ["manual", "pacemaker"])
def test_predictions_are_ordered_as_the_faults_are(timers: str, mode: str) -> None:
    found = explain_database(TIMERS[timers], mode=mode, synchronous=True)
    assert set(found) == {"killed", "power_off", "lost", "switchover", "replica_stopped"}
    assert 0 < found["power_off"].seconds <= found["lost"].seconds
    assert all(predicted.formula for predicted in found.values())


def test_the_operator_is_part_of_the_formula_and_replicas_of_none_cost_little() -> None:
    fast = TIMERS["fast"]
    by_hand = explain_database(fast, mode="manual", synchronous=True)
    assert "`lab db promote`, begun at once" in by_hand["lost"].formula
    assert (
        "lab db" not in explain_database(fast, mode="pacemaker", synchronous=True)["lost"].formula
    )
    asynchronous = explain_database(fast, mode="manual", synchronous=False)["replica_stopped"]
    assert asynchronous.seconds < 1
    with pytest.raises(ValueError, match="'automatic': expected one of manual, pacemaker"):
        explain_database(fast, mode="automatic", synchronous=True)


@pytest.mark.parametrize("mode", ["manual", "pacemaker"])
def test_a_mariadb_replica_takes_leave_of_a_primary_that_is_gone(mode: str) -> None:
    """One second (`rpl_semi_sync_slave_kill_conn_timeout`); of one that is there it takes none."""
    fast = TIMERS["fast"]
    one = explain_database(fast, mode=mode, synchronous=True, engine="postgresql")
    other = explain_database(fast, mode=mode, synchronous=True, engine="mariadb")
    more = {fault: round(other[fault].seconds - one[fault].seconds, 3) for fault in one}
    assert more == {**dict.fromkeys(one, 0.0), "power_off": 1.0, "lost": 1.0}


def test_a_machine_that_has_the_vip_too_takes_it_along(databases: Any) -> None:
    target = databases().scene.target
    fault = fault_named(f"{ENGINE}-primary-cut")
    apart = fault.predict(TIMERS["fast"], target)
    both = target.machines["db1"].model_copy(update={"roles": ("database", "load_balancer")})
    shared = target.model_copy(update={"machines": {**target.machines, "db1": both}})
    together = fault.predict(TIMERS["fast"], shared)
    assert together.seconds == round(apart.seconds + 0.163, 3)
    assert together.formula.endswith("of the VIP")
    killed = fault_named(f"{ENGINE}-primary-killed")
    assert killed.predict(TIMERS["fast"], shared) == killed.predict(TIMERS["fast"], target)
