"""What Pacemaker asks for: start, stop, promote, demote, monitor, for any engine.

Exit statuses are OCF's. The agent `ocf:ha-lab:database` is a shell script that calls this.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from .cluster import Cluster
from .decide import start_as
from .model import (
    ABSENT,
    DOWN,
    PACEMAKER,
    PRIMARY,
    REPLICA,
    STATE_DIR,
    WAITING,
    Config,
    Engine,
    State,
    managed_file,
)
from .peers import Answers, ask_peers
from .scores import (
    LEADS,
    MAY_LEAD,
    MISSES,
    NEVER,
    Act,
    adopted,
    followers,
    latest_primary,
    primary_acts,
    promotion,
)
from .shell import DatabaseError, say, write

SUCCESS, FAILED, ARGUMENTS, UNKNOWN_ACTION = 0, 1, 2, 3
NOT_RUNNING, RUNS_PROMOTED = 7, 8
PATIENCE_SHARE, PATIENCE_S = 0.6, 10.0
MEMORY_DIR = Path("/run/ha-lab-database-agent")


def patience_s(environment: Mapping[str, str]) -> float:
    """How long a server may take to answer, by the time that Pacemaker gives this action.

    A primary that is slow on a busy machine is not to be restarted; its agent must end in time.
    """
    limit_ms = environment.get("OCF_RESKEY_CRM_meta_timeout", "")
    return PATIENCE_SHARE * int(limit_ms) / 1000 if limit_ms.isdecimal() else PATIENCE_S


class Server(Protocol):
    """One engine's server on this machine, in the words of the agent."""

    @property
    def was(self) -> str:
        """The role of the data on the disk."""

    def term(self) -> int:
        """Its term. Raises DatabaseError."""

    def look(self) -> State:
        """The role, asked as the superuser; never raises."""

    def start(self, primary: State | None) -> None:
        """Run as a replica of this primary, or of the one to come. Raises DatabaseError.

        Data that went its own way is put right first where nothing is lost by that.
        """

    def stop(self) -> None:
        """Whatever runs, or is about to. Raises DatabaseError."""

    def step_down(self) -> None:
        """Stop a primary; the replicas that answer have all of its log then, if they can."""

    def promote(self, *, alone: bool) -> None:
        """From replica to primary. `alone`: writes wait for nobody. Raises DatabaseError."""

    def go_alone(self) -> None:
        """Writes wait for nobody, until a replica is there again. Raises DatabaseError."""

    def has_everything(self, machine: str) -> bool:
        """Whether a replica has every write that was acknowledged, and will have to have all."""

    def why_not_following(self, primary: State) -> str:
        """What a start of this replica would put right; empty: nothing."""


class Agent:
    """One engine on this machine under the cluster's control."""

    def __init__(
        self, config: Config, engine: Engine, server: Server, cluster: Cluster, **places: Path
    ) -> None:
        """`places`: other directories in tests."""
        self._config, self._engine = config, engine
        self._server, self._cluster = server, cluster
        self._marker = managed_file(engine.name, places.get("state", STATE_DIR))
        self._memory = places.get("memory", MEMORY_DIR) / f"{engine.name}.json"

    @property
    def is_ours(self) -> bool:
        """Whether the settings give the engine to the cluster."""
        return self._engine.failover == PACEMAKER

    def carry_out(self, action: str, *, is_probe: bool = False) -> int:
        """Do what Pacemaker asks; OCF's exit status."""
        actions: Mapping[str, Callable[[], int]] = {
            "monitor": lambda: self.monitor(is_probe=is_probe),
            "start": self.start,
            "stop": self.stop,
            "promote": self.promote,
            "demote": self.demote,
            "validate-all": lambda: SUCCESS,
        }
        if action not in actions:
            return UNKNOWN_ACTION
        try:
            return actions[action]()
        except DatabaseError as error:
            reason = " ".join(str(error).split())
            print(f"ocf-exit-reason:{reason}", file=sys.stderr, flush=True)
            return FAILED

    # -- actions ----------------------------------------------------------------------------------

    def monitor(self, *, is_probe: bool = False) -> int:
        """What runs; and, but for a probe, what its role has to put right."""
        state = self._server.look()
        if is_probe and self.is_ours and state.role in (PRIMARY, REPLICA):
            self._adopt(state)
        if state.role == PRIMARY:
            self._look_after(is_probe, self._watch_primary, state)
            return RUNS_PROMOTED
        if state.role == REPLICA:
            self._look_after(is_probe, self._watch_replica, state)
            return SUCCESS
        if state.role in (DOWN, WAITING, ABSENT):
            return NOT_RUNNING
        raise DatabaseError(state.detail or f"{state.machine} is {state.role}")

    def start(self) -> int:
        """Run as a replica, whatever the data was: only a promotion makes a primary."""
        self._must_be_ours()
        state = self._server.look()
        if state.role == REPLICA:
            return SUCCESS
        self._mark()
        self._server.stop()
        answers = self._ask()
        self._claim_first(answers)
        self._server.start(latest_primary(answers))
        self._remember(0)
        return SUCCESS

    def stop(self) -> int:
        """The engine runs no more; where it is not the cluster's any more, it is let go instead."""
        if not self.is_ours:
            say(f"{self._engine.name} is not the cluster's any more: it runs on")
            for machine in self._cluster.scores():
                self._cluster.drop_score(machine)
            return SUCCESS
        self._server.stop()
        return SUCCESS

    def promote(self) -> int:
        """Become the primary, where this machine surely has every acknowledged write."""
        self._must_be_ours()
        state = self._server.look()
        if state.role == PRIMARY:
            return SUCCESS
        if state.role != REPLICA:
            raise DatabaseError(f"{state.machine} is {state.role} and cannot be promoted")
        answers = self._ask(self._cluster.members())
        found = promotion(
            state.machine, self._cluster.scores(), answers, synchronous=self._engine.synchronous
        )
        if found.refusal:
            raise DatabaseError(found.refusal)
        self._cluster.confirm(found.scores)
        self._server.promote(alone=found.alone)
        self._remember(0)
        return SUCCESS

    def demote(self) -> int:
        """From primary to replica: stop, let the replicas have the rest, start as one of them."""
        if not self.is_ours:
            return SUCCESS
        role = self._server.look().role
        if role == REPLICA:
            return SUCCESS
        if role == PRIMARY:
            self._server.step_down()
        return self.start()

    # -- what a role has to put right -------------------------------------------------------------

    def _look_after(self, is_probe: bool, watch: Callable[[State], None], state: State) -> None:
        if self.is_ours and not is_probe:
            watch(state)

    def _watch_primary(self, state: State) -> None:
        """Certify replicas, or go on without them. What fails is tried again next time."""
        try:
            members = self._cluster.members()
            missed = 0 if followers(state, members) else self._missed() + 1
            self._remember(missed)
            scores = self._cluster.scores()
            peers = list(self._config.peers)
            for act in primary_acts(state, scores, members, missed=missed, peers=peers):
                self._do(act)
        except DatabaseError as error:
            say(str(error))

    def _do(self, act: Act) -> None:
        if act.what == "lead":
            self._cluster.set_score(act.machine, LEADS)
        elif act.what == "forget":
            self._cluster.confirm({act.machine: NEVER}, within_s=0)
        elif act.what == "alone":
            say(f"no replica follows {act.machine}: it goes on alone")
            # Also where they are NEVER already: that may be known on this machine only.
            self._cluster.confirm(dict.fromkeys(self._config.peers, NEVER), within_s=0)
            self._server.go_alone()
        elif self._server.has_everything(act.machine):
            self._cluster.set_score(act.machine, MAY_LEAD)

    def _watch_replica(self, state: State) -> None:
        """Fails, and so has the cluster start it again, where only a start can put it right."""
        missed = 0 if state.is_streaming else self._missed() + 1
        self._remember(missed)
        if missed < MISSES:
            return
        primary = latest_primary(self._ask())
        why = self._server.why_not_following(primary) if primary else ""
        if why:
            raise DatabaseError(why)

    # -- whose it is ------------------------------------------------------------------------------

    def _must_be_ours(self) -> None:
        if not self.is_ours:
            msg = f"{self._engine.name} is in the hands of people (`failover: manual`)"
            raise DatabaseError(msg)

    def _adopt(self, state: State) -> None:
        """The cluster finds a server that runs: it goes on in its role."""
        if self._marker.exists():
            return
        if state.role == PRIMARY:
            for machine, score in adopted(state.machine, self._cluster.scores()).items():
                self._cluster.set_score(machine, score)
        self._mark()

    def _claim_first(self, answers: Answers) -> None:
        """In a cluster without any score, a primary's data leads, if no other can be later."""
        if self._server.was != PRIMARY or self._cluster.scores():
            return
        if start_as(PRIMARY, self._server.term(), answers).role == PRIMARY:
            self._cluster.set_score(self._config.machine, LEADS)

    def _mark(self) -> None:
        self._marker.parent.mkdir(parents=True, exist_ok=True)
        self._marker.touch()

    def _ask(self, members: Collection[str] | None = None) -> Answers:
        """What the other machines say; of `members` only, for lost ones take time to be silent."""
        peers = self._config.peers
        there = {name: peers[name] for name in peers if members is None or name in members}
        answers = ask_peers(replace(self._config, peers=there), self._engine.name)
        return {**dict.fromkeys(peers), **answers}

    # -- between two monitors ---------------------------------------------------------------------

    def _missed(self) -> int:
        try:
            return int(json.loads(self._memory.read_text(encoding="utf-8"))["missed"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _remember(self, missed: int) -> None:
        if missed != self._missed():
            self._memory.parent.mkdir(exist_ok=True)
            write(self._memory, json.dumps({"missed": missed}))
