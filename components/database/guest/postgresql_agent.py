"""PostgreSQL in the words of the cluster's agent."""

from __future__ import annotations

from .cluster_server import ClusterServer
from .decide import REWIND, Rejoin, lsn, lsn_text
from .model import PRIMARY, REPLICA, State
from .place import Claim
from .postgresql_change import go_alone, last_record, promote, role_now
from .postgresql_data import (
    become_replica,
    how_to_rejoin,
    rewind,
    stay_replica,
    term_of,
    was_alone,
)
from .postgresql_keeper import slot_statement
from .postgresql_role import slot_name
from .postgresql_site import Site
from .shell import DatabaseError, say

WAIT_AGAIN = """ALTER SYSTEM RESET synchronous_standby_names;
SELECT pg_reload_conf();
CHECKPOINT;"""
"""The checkpointer tells the sessions, and does so before it begins a checkpoint."""


class PostgresqlServer(ClusterServer[Site]):
    """PostgreSQL of this machine."""

    next_start = "rewinds it"

    def term(self) -> int:
        return term_of(self._site)

    def look(self) -> State:
        return role_now(self._site, within_s=self._patience_s)

    def start(self, primary: State | None) -> None:
        site = self._site
        site.must_be_prepared()
        if primary is not None:
            self._put_right(primary)
        stay_replica(site)
        site.write_claim(Claim(REPLICA, term_of(site), ""))
        site.cluster_file.parent.mkdir(exist_ok=True)
        site.cluster_file.touch()
        site.systemctl("start")

    def _put_right(self, primary: State) -> None:
        """Rewind this data if it must and may be. Raises DatabaseError where it may not."""
        site, address = self._site, self._site.config.peers[primary.machine]
        found = self._how_to_follow(primary)
        if found.how == REWIND:
            say(f"rewinding to the primary on {primary.machine}: {found.why}")
            rewind(site, address)
        if site.was == PRIMARY or found.how == REWIND:
            become_replica(site)

    def step_down(self) -> None:
        site = self._site
        site.sql("CHECKPOINT;")  # so that the stop, in which nobody can write, has little to do
        self.stop()
        try:
            end = last_record(site)
            self._await_replicas(lsn(end) + 1, end)
        except DatabaseError as error:
            say(str(error))

    def promote(self, *, alone: bool) -> None:
        if not alone and was_alone(self._site):
            self._site.sql(WAIT_AGAIN)
        # The keeper makes them later: a replica that comes in vain waits before it tries again.
        for machine in sorted(self._site.config.peers):
            self._site.sql(slot_statement(slot_name(machine)))
        promote(self._site, alone=alone)

    def go_alone(self) -> None:
        go_alone(self._site)

    def _log_end(self) -> tuple[int, str]:
        """While nobody waited for a replica, writes were acknowledged that it may lack; and some
        still are until the checkpointer has told every session. The checkpointer does that before
        it begins a checkpoint, and whatever was acknowledged before is in the log by then.
        """
        self._site.sql("CHECKPOINT;")
        end = lsn(self._site.sql("SELECT pg_current_wal_flush_lsn();"))
        return end, lsn_text(end)

    def _rejoin(self, primary: State) -> Rejoin:
        site = self._site
        return how_to_rejoin(site, primary, site.config.peers[primary.machine])
