"""MariaDB in the words of the cluster's agent."""

from __future__ import annotations

from .cluster_server import ClusterServer
from .decide import FOLLOW, Rejoin, gtid_sequence
from .mariadb_change import role_now
from .mariadb_prepare import replace
from .mariadb_primary import go_alone, promote
from .mariadb_replica import become_replica, follow
from .mariadb_seed import copy_of
from .mariadb_site import Site
from .mariadb_start import how_to_rejoin, recover_as, term_of
from .model import REPLICA, State
from .place import Claim
from .shell import DatabaseError, say

WRITES_END_WITHIN_S = 5
LOG_END = "SELECT @@GLOBAL.gtid_binlog_pos;"


class MariadbServer(ClusterServer[Site]):
    """MariaDB of this machine."""

    next_start = "copies again"

    def term(self) -> int:
        return self._site.term

    def look(self) -> State:
        return role_now(self._site, within_s=self._patience_s)

    def start(self, primary: State | None) -> None:
        site = self._site
        site.must_be_prepared()
        self._run(primary)
        if primary is None:
            if site.is_primarys:
                become_replica(site, term_of(site), was_alone=site.alone_file.exists())
            for address in site.config.peers.values():
                follow(site, address)
            return
        # What it lacks, or has too much, only the running server can say.
        found = self._how_to_follow(primary)
        if found.how != FOLLOW:
            self._copy(primary, found.why)
        elif site.is_primarys:
            become_replica(site, term_of(site))
        follow(site, site.config.peers[primary.machine])

    def _run(self, primary: State | None) -> None:
        """The server runs, read-only, and receives nothing yet."""
        site = self._site
        site.write_claim(Claim(REPLICA, site.term, ""))
        recover_as(site, follows=primary is not None)
        site.cluster_file.touch()
        site.systemctl("start")

    def _copy(self, primary: State, why: str) -> None:
        """There is no way to take back what is committed: a copy takes the place of the data."""
        site = self._site
        say(f"copying the data of {primary.machine}: {why}")
        fresh = site.data.with_name("mysql.fresh")
        copy_of(site, primary, fresh)
        self.stop()
        replace(site, fresh)
        site.set_alone(False)
        self._run(primary)

    def step_down(self) -> None:
        site = self._site
        try:
            # It waits for commits that have begun; transactions that are open fail in theirs.
            waits = f"SET SESSION lock_wait_timeout = {WRITES_END_WITHIN_S};"
            site.sql(f"{waits}\nSET GLOBAL read_only = ON;")
            end = site.sql(LOG_END)
            self._await_replicas(gtid_sequence(end), end)
        except DatabaseError as error:
            say(str(error))
        self.stop()

    def promote(self, *, alone: bool) -> None:
        # It may be left from the time when this machine was the primary before.
        self._site.set_alone(False)
        promote(self._site, alone=alone)

    def go_alone(self) -> None:
        go_alone(self._site)

    def _log_end(self) -> tuple[int, str]:
        """Since writes wait for it, all that is in the log by now was either received by a replica
        or not acknowledged; a commit asks whether to wait after its log is written.
        """
        end = self._site.sql(LOG_END)
        return gtid_sequence(end), end

    def _rejoin(self, primary: State) -> Rejoin:
        site = self._site
        return how_to_rejoin(site, primary, site.config.peers[primary.machine])
