"""The cluster's agent against a server and a cluster that only remember what they are told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from components.database.guest import agent as module
from components.database.guest.agent import (
    FAILED,
    NOT_RUNNING,
    RUNS_PROMOTED,
    SUCCESS,
    Agent,
    patience_s,
)
from components.database.guest.cluster import Cluster
from components.database.guest.model import Config, State
from components.database.guest.scores import LEADS, MAY_LEAD, NEVER
from components.database.guest.shell import DatabaseError
from tests.unit.database.states import a_primary, a_replica, an_orphan
from tests.unit.database.test_role import ENGINE, PEERS

DOWN = State("db1", "down")
IN_CLUSTER = replace(ENGINE, failover="pacemaker")


@dataclass
class Server:
    """Is what it is told to be."""

    state: State
    told: list[str]
    was: str = "replica"
    has_all: bool = True
    astray: str = ""

    def term(self) -> int:
        return 1

    def look(self) -> State:
        return self.state

    def start(self, primary: State | None) -> None:
        self.told.append(f"start after {primary.machine if primary else 'nobody'}")
        self.state = an_orphan("db1")

    def stop(self) -> None:
        self.told.append("stop")
        self.state = DOWN

    def step_down(self) -> None:
        self.told.append("step down")
        self.state = DOWN

    def promote(self, *, alone: bool) -> None:
        self.told.append(f"promote{' alone' if alone else ''}")
        self.state = a_primary()

    def go_alone(self) -> None:
        self.told.append("go alone")

    def has_everything(self, machine: str) -> bool:
        self.told.append(f"asked of {machine}")
        return self.has_all

    def why_not_following(self, primary: State) -> str:
        self.told.append(f"compared with {primary.machine}")
        return self.astray


@dataclass
class Scores(Cluster):
    """A cluster that is one dictionary."""

    known: dict[str, int]
    told: list[str]
    there: tuple[str, ...] = ("db1", "db2", "gluster1")
    doubt: str = ""

    def scores(self) -> dict[str, int]:
        return dict(self.known)

    def members(self) -> tuple[str, ...]:
        return self.there

    def set_score(self, machine: str, score: int) -> None:
        self.told.append(f"{machine}={score}")
        self.known[machine] = score

    def drop_score(self, machine: str) -> None:
        self.told.append(f"{machine} dropped")
        self.known.pop(machine, None)

    def confirm(self, wanted: object, *, within_s: float = 0) -> None:
        assert isinstance(wanted, dict)
        del within_s
        self.told.append(f"confirm {wanted}")
        if self.doubt:
            raise DatabaseError(self.doubt)
        self.known.update(wanted)


@dataclass
class World:
    """One machine, and what its neighbour says."""

    tmp: Path
    told: list[str] = field(default_factory=list)
    peer: State | None = field(default_factory=a_replica)
    manual: bool = False

    def agent(self, state: State, scores: dict[str, int], **changes: object) -> Agent:
        self.server = Server(state, self.told)
        self.cluster = Scores(scores, self.told)
        for name, value in changes.items():
            owner = self.server if hasattr(self.server, name) else self.cluster
            setattr(owner, name, value)
        config = Config("db1", "10.16.1.51", 8008, PEERS)
        engine = ENGINE if self.manual else IN_CLUSTER
        places = {"state": self.tmp / "state", "memory": self.tmp / "memory"}
        return Agent(config, engine, self.server, self.cluster, **places)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.setattr(module, "ask_peers", lambda *_: {"db2": world.peer})
    return world


WHOLE = {"db1": LEADS, "db2": MAY_LEAD}


@pytest.mark.parametrize(
    ("state", "status"),
    [
        (a_primary(), RUNS_PROMOTED),
        (a_replica("db1"), SUCCESS),
        (DOWN, NOT_RUNNING),
        (State("db1", "waiting"), NOT_RUNNING),
        (State("db1", "absent"), NOT_RUNNING),
        (State("db1", "unknown"), FAILED),
    ],
    ids=lambda value: value.role if isinstance(value, State) else str(value),
)
def test_a_monitor_says_what_runs(state: State, status: int, world: World) -> None:
    assert world.agent(state, dict(WHOLE)).carry_out("monitor") == status


@pytest.mark.parametrize(("given", "seconds"), [("20000", 12.0), ("", 10.0), ("soon", 10.0)])
def test_a_slow_server_has_most_of_the_time_of_its_monitor(given: str, seconds: float) -> None:
    assert patience_s({"OCF_RESKEY_CRM_meta_timeout": given} if given else {}) == seconds


class TestProbe:
    """The cluster looks at what it has not started."""

    def test_a_primary_that_runs_leads_whatever_was_before(self, world: World) -> None:
        agent = world.agent(a_primary(), {"db2": LEADS})
        assert agent.carry_out("monitor", is_probe=True) == RUNS_PROMOTED
        assert world.cluster.known == {"db1": LEADS, "db2": NEVER}

    def test_only_the_first_time(self, world: World) -> None:
        agent = world.agent(a_primary(), {"db2": LEADS})
        agent.carry_out("monitor", is_probe=True)
        world.told.clear()
        agent.carry_out("monitor", is_probe=True)
        assert world.told == []

    def test_not_where_people_decide(self, world: World) -> None:
        world.manual = True
        agent = world.agent(a_primary(), {})
        assert agent.carry_out("monitor", is_probe=True) == RUNS_PROMOTED
        assert world.told == []


class TestStart:
    """Nobody starts as a primary."""

    def test_an_old_primary_follows_the_new_one(self, world: World) -> None:
        world.peer = a_primary("db2", term=2)
        agent = world.agent(DOWN, {"db1": NEVER, "db2": LEADS}, was="primary")
        assert agent.carry_out("start") == SUCCESS
        assert world.told == ["stop", "start after db2"]

    def test_in_a_cluster_without_scores_a_primarys_data_leads(self, world: World) -> None:
        world.agent(DOWN, {}, was="primary").carry_out("start")
        assert world.cluster.known == {"db1": LEADS}

    @pytest.mark.parametrize("peer", [None, a_primary("db2", term=2), State("db2", "down")])
    def test_unless_another_one_may_be_later(self, peer: State | None, world: World) -> None:
        world.peer = peer
        world.agent(DOWN, {}, was="primary").carry_out("start")
        assert world.cluster.known == {}

    def test_a_replicas_data_never_does(self, world: World) -> None:
        world.agent(DOWN, {}).carry_out("start")
        assert world.cluster.known == {}

    def test_not_where_people_decide(self, world: World) -> None:
        world.manual = True
        assert world.agent(DOWN, {}).carry_out("start") == FAILED
        assert world.told == []


class TestPromote:
    """A certified replica becomes the primary."""

    def test_all_know_first_that_the_old_one_may_not_any_more(self, world: World) -> None:
        world.peer = None
        assert world.agent(an_orphan("db1"), {"db1": 100, "db2": 1000}).carry_out("promote") == 0
        assert world.told == [f"confirm {{'db2': {NEVER}, 'db1': {LEADS}}}", "promote alone"]

    def test_without_the_majority_nothing_is_promoted(self, world: World) -> None:
        world.peer = None
        agent = world.agent(an_orphan("db1"), {"db1": 100, "db2": 1000}, doubt="no majority")
        assert agent.carry_out("promote") == FAILED
        assert not any(told.startswith("promote") for told in world.told)

    def test_an_uncertified_replica_is_not(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert world.agent(an_orphan("db1"), {"db2": LEADS}).carry_out("promote") == FAILED
        assert "ocf-exit-reason:db1 may lack acknowledged writes" in capsys.readouterr().err
        assert world.told == []

    def test_a_primary_is_one_already(self, world: World) -> None:
        assert world.agent(a_primary(), dict(WHOLE)).carry_out("promote") == SUCCESS
        assert world.told == []


def test_a_demoted_primary_hands_its_log_over_and_follows(world: World) -> None:
    assert world.agent(a_primary(), dict(WHOLE)).carry_out("demote") == SUCCESS
    assert world.told == ["step down", "stop", "start after nobody"]


class TestWatchingPrimary:
    """What a primary's monitor puts right."""

    def test_a_replica_is_certified_once_it_has_everything(self, world: World) -> None:
        agent = world.agent(a_primary(), {"db1": LEADS, "db2": NEVER})
        agent.carry_out("monitor")
        assert world.cluster.known == WHOLE

    def test_and_not_before(self, world: World) -> None:
        agent = world.agent(a_primary(), {"db1": LEADS, "db2": NEVER}, has_all=False)
        agent.carry_out("monitor")
        assert world.cluster.known["db2"] == NEVER

    def test_it_goes_on_alone_after_the_second_look_without_a_replica(self, world: World) -> None:
        agent = world.agent(a_primary(followers=()), dict(WHOLE))
        agent.carry_out("monitor")
        assert world.told == []
        assert agent.carry_out("monitor") == RUNS_PROMOTED
        assert world.told == [f"confirm {{'db2': {NEVER}}}", "go alone"]

    def test_it_writes_nothing_alone_that_the_majority_does_not_know_of(self, world: World) -> None:
        agent = world.agent(a_primary(followers=()), dict(WHOLE), doubt="cut off")
        statuses = [agent.carry_out("monitor") for _ in range(3)]
        assert statuses == [RUNS_PROMOTED] * 3
        assert "go alone" not in world.told

    def test_a_replica_that_comes_back_between_is_not_given_up(self, world: World) -> None:
        agent = world.agent(a_primary(followers=()), dict(WHOLE))
        agent.carry_out("monitor")
        world.server.state = a_primary()
        agent.carry_out("monitor")
        world.server.state = a_primary(followers=())
        agent.carry_out("monitor")
        assert "go alone" not in world.told


class TestWatchingReplica:
    """A replica that can follow only after a rewind fails, and is started again."""

    def test_one_that_went_its_own_way_fails(self, world: World) -> None:
        world.peer = a_primary("db2", term=2)
        agent = world.agent(an_orphan("db1"), {"db2": LEADS}, astray="it went its own way")
        assert [agent.carry_out("monitor") for _ in range(2)] == [SUCCESS, FAILED]

    def test_one_that_only_waits_does_not(self, world: World) -> None:
        world.peer = a_primary("db2")
        agent = world.agent(an_orphan("db1"), {"db2": LEADS})
        assert [agent.carry_out("monitor") for _ in range(3)] == [SUCCESS] * 3

    def test_nor_one_without_any_primary(self, world: World) -> None:
        agent = world.agent(an_orphan("db1"), dict(WHOLE), astray="unused")
        assert [agent.carry_out("monitor") for _ in range(3)] == [SUCCESS] * 3


def test_what_is_no_more_the_clusters_runs_on_and_leaves_no_scores(world: World) -> None:
    world.manual = True
    agent = world.agent(a_primary(), dict(WHOLE))
    assert (agent.carry_out("demote"), agent.carry_out("stop")) == (SUCCESS, SUCCESS)
    assert (world.server.state, world.cluster.known) == (a_primary(), {})


def test_an_action_that_it_does_not_have_is_not_implemented(world: World) -> None:
    assert world.agent(DOWN, {}).carry_out("migrate") == module.UNKNOWN_ACTION
