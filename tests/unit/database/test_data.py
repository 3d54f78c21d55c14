"""What the data of a stopped server is; PostgreSQL's own programs are stand-ins here."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from components.database.guest import postgresql_data as data
from components.database.guest import postgresql_prepare as prepare
from components.database.guest import postgresql_start as start
from components.database.guest import source
from components.database.guest.decide import Rejoin, Start
from components.database.guest.model import Config, Engine, State
from components.database.guest.postgresql_site import Site
from components.database.guest.shell import DatabaseError
from components.database.guest.start import decision
from tests.unit.database.states import a_primary, a_replica, an_orphan
from tests.unit.database.test_role import ENGINE, PEERS

CONTROL = """Database cluster state:               in production
Latest checkpoint's TimeLineID:       {term}
Latest checkpoint's PrevTimeLineID:   9
Min recovery ending loc's timeline:   {recovery}
"""
WALDUMP = """rmgr: Heap        len (rec/tot):     54/    54, tx: 740, lsn: 0/03000060, desc: INSERT
rmgr: Transaction len (rec/tot):     46/    46, tx: 740, lsn: 0/03000098, desc: COMMIT 2026-11-23
rmgr: Transaction len (rec/tot):     34/    34, tx: 741, lsn: 0/030000C8, desc: ABORT 2026-11-23
rmgr: Standby     len (rec/tot):     50/    50, tx:   0, lsn: 0/030000F0, desc: RUNNING_XACTS
pg_waldump: error: error in WAL record at 0/30000F0: invalid record length at 0/3000128
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(Config("db1", "10.16.1.51", 8008, PEERS), ENGINE, root=tmp_path)
    (site.data / "pg_wal").mkdir(parents=True)
    return site


def control_says(monkeypatch: pytest.MonkeyPatch, term: int, recovery: int = 0) -> None:
    monkeypatch.setattr(data, "must", lambda *_, **__: CONTROL.format(term=term, recovery=recovery))


def waldump_says(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(data, "run", lambda *_, **__: (1, text))


class TestTerm:
    """The timeline of data that no server runs on."""

    def test_is_that_of_the_last_checkpoint(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        control_says(monkeypatch, 2)
        assert data.term_of(site) == 2

    def test_is_that_of_its_log_before_any_checkpoint(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        control_says(monkeypatch, 2)
        (site.data / "pg_wal" / "0000000B0000000000000003").touch()
        (site.data / "pg_wal" / "000000020000000000000003.partial").touch()
        assert data.term_of(site) == 11

    def test_is_not_that_of_a_history_it_only_heard_of(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        control_says(monkeypatch, 2, recovery=3)
        (site.data / "pg_wal" / "0000000B.history").touch()
        assert data.term_of(site) == 3


class TestOwnLog:
    """What this data has and a primary lacks."""

    def test_records_and_commits_are_counted(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waldump_says(monkeypatch, WALDUMP)
        assert data.written_after(site, 1, 0x3000060) == (4, 1)

    def test_a_log_that_ends_there_has_none(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waldump_says(
            monkeypatch, "pg_waldump: error: could not find a valid record after 0/4000000"
        )
        (site.data / "pg_wal" / "000000010000000000000003").touch()
        assert data.written_after(site, 1, 0x4000000) == (0, 0)

    def test_a_log_that_was_removed_is_not_taken_for_an_empty_one(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        waldump_says(monkeypatch, "pg_waldump: error: could not open file")
        (site.data / "pg_wal" / "000000010000000000000005").touch()
        with pytest.raises(DatabaseError, match="seed this machine anew"):
            data.written_after(site, 1, 0x4000000)

    @pytest.mark.parametrize(
        ("synchronous", "auto_conf", "how"),
        [
            (True, data.AUTO_CONF, "rewind"),
            (True, "synchronous_standby_names = ''\n", "refuse"),
            (False, data.AUTO_CONF, "refuse"),
        ],
        ids=["waited", "alone", "asynchronous"],
    )
    def test_commits_are_given_up_only_where_writes_waited(
        self,
        synchronous: bool,
        auto_conf: str,
        how: str,
        site: Site,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        engine = Engine("postgresql", 15, True, synchronous, "manual", 5432)
        site = Site(site.config, engine, root=site.root)
        (site.data / "postgresql.auto.conf").write_text(auto_conf)
        control_says(monkeypatch, 1)
        waldump_says(monkeypatch, WALDUMP)
        monkeypatch.setattr(data, "fork_of", lambda *_: 0x3000060)

        found = data.how_to_rejoin(site, a_primary("db2", term=2), "10.16.1.52")
        assert found.how == how

    def test_data_of_a_later_term_is_never_given_up(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        control_says(monkeypatch, 3)
        with pytest.raises(DatabaseError, match="find out which one is right"):
            data.how_to_rejoin(site, a_primary("db2", term=2), "10.16.1.52", may_discard=True)


class TestRewind:
    """The data of an old primary is made the new one's."""

    def test_waits_for_the_checkpoint_after_the_promotion(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = ["f", "f", "t"]
        monkeypatch.setattr(Site, "ask_other", lambda *_: answers.pop(0))
        monkeypatch.setattr("time.sleep", lambda _: None)
        ran: list[int] = []
        monkeypatch.setattr(data, "must", lambda *_, **__: ran.append(len(answers)))

        data.rewind(site, "10.16.1.52")
        assert ran == [0], "pg_rewind ran once, after the last answer"

    def test_is_not_tried_without_it(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Site, "ask_other", lambda *_: "f")
        monkeypatch.setattr(data, "CHECKPOINT_WITHIN_S", 0.0)
        monkeypatch.setattr(data, "must", lambda *_, **__: pytest.fail("pg_rewind ran"))

        with pytest.raises(DatabaseError, match="no checkpoint since its promotion"):
            data.rewind(site, "10.16.1.52")


def test_alone_is_in_the_data_from_its_next_start_on(site: Site) -> None:
    auto = site.data / "postgresql.auto.conf"
    auto.write_text("# Do not edit\nwork_mem = '8MB'\n")
    data.set_alone(site)
    data.set_alone(site)

    assert data.was_alone(site)
    assert auto.read_text() == "# Do not edit\nwork_mem = '8MB'\nsynchronous_standby_names = ''\n"


def test_a_replica_takes_over_nothing_that_was_set_on_the_primary(site: Site) -> None:
    (site.data / "postgresql.auto.conf").write_text("synchronous_standby_names = ''\n")
    data.become_replica(site)
    assert (site.was, data.was_alone(site)) == ("replica", False)

    data.become_primary(site)
    assert site.was == "primary"


class TestGuard:
    """What happens before a start."""

    def decision(
        self, site: Site, peer: State | None, monkeypatch: pytest.MonkeyPatch, **found: str
    ) -> Start:
        rejoin = Rejoin(found.get("how", "follow"), found.get("why", ""))
        monkeypatch.setattr(start, "how_to_rejoin", lambda *_, **__: rejoin)
        rewound: list[str] = []
        monkeypatch.setattr(start, "rewind", lambda _, address: rewound.append(address))
        chosen = decision(
            site, 1, {"db2": peer}, lambda primary, found: start.follow(site, primary, found)
        )
        assert rewound == (["10.16.1.52"] if found.get("how") == "rewind" else [])
        return chosen

    def test_an_old_primary_follows_the_new_one(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.decision(site, a_primary("db2", term=2), monkeypatch).role == "replica"

    def test_it_is_rewound_first_where_nothing_is_lost_by_that(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        chosen = self.decision(site, a_primary("db2", term=2), monkeypatch, how="rewind")
        assert chosen.role == "replica"

    def test_it_waits_for_a_person_where_something_would_be(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        peer = a_primary("db2", term=2)
        chosen = self.decision(site, peer, monkeypatch, how="refuse", why="3 transactions")
        assert (chosen.role, "3 transactions" in chosen.why) == ("wait", True)

    def test_it_waits_where_a_later_primary_was_and_is_none_now(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.decision(site, an_orphan(term=2), monkeypatch).role == "wait"

    def test_a_person_decides_against_everything_else(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        site.go_file.parent.mkdir(parents=True)
        site.go_file.touch()
        assert self.decision(site, None, monkeypatch).role == "primary"

    def test_a_primary_goes_on_where_its_replica_is_there(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.decision(site, a_replica(), monkeypatch).role == "primary"


class TestSource:
    """From whom a new machine copies its data."""

    def source(
        self,
        site: Site,
        peer: State | None,
        monkeypatch: pytest.MonkeyPatch,
        *,
        bootstrap: bool = True,
    ) -> State | None:
        engine = Engine("postgresql", 15, bootstrap, True, "manual", 5432)
        monkeypatch.setattr(source, "ask_peers", lambda *_: {"db2": peer})
        monkeypatch.setattr(source, "PRIMARY_WITHIN_S", 0.0)
        return source.await_source(Site(site.config, engine, root=site.root))

    def test_from_a_primary(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.source(site, a_primary("db2"), monkeypatch) == a_primary("db2")

    def test_the_first_machine_begins_where_there_is_no_data(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.source(site, State("db2", "absent"), monkeypatch) is None

    @pytest.mark.parametrize(
        ("peer", "bootstrap"),
        [
            (State("db2", "absent"), False),
            (an_orphan(), True),
            (State("db2", "down"), True),
            (None, True),
        ],
        ids=["not the first", "a replica", "a server that is down", "silence"],
    )
    def test_nobody_begins_beside_data_that_may_be_there(
        self, peer: State | None, bootstrap: bool, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(DatabaseError, match="found no primary to copy"):
            self.source(site, peer, monkeypatch, bootstrap=bootstrap)


def test_a_foreign_cluster_is_left_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "must", lambda *_, **__: pytest.fail("nothing may be done"))
    site.settings.mkdir(parents=True)
    (site.settings / "postgresql.conf").touch()
    with pytest.raises(DatabaseError, match="left alone"):
        prepare.prepare(site)


def test_the_verifier_is_that_of_the_standard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of RFC 7677: user, pencil, and its salt."""
    salt = "W22ZaJ0SNY7soEsUEjb6gQ=="
    monkeypatch.setattr("os.urandom", lambda _: base64.b64decode(salt))
    scheme, salted, keys = prepare.verifier("pencil").split("$")

    assert (scheme, salted) == ("SCRAM-SHA-256", f"4096:{salt}")
    stored, server = keys.split(":")
    assert stored == "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    assert server == "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="


class TestInCluster:
    """Where the cluster starts the server, nobody else does."""

    @pytest.fixture
    def managed(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
        monkeypatch.setattr(start, "await_role", lambda *_: pytest.fail("nobody is to be asked"))
        found = Site(site.config, replace(ENGINE, failover="pacemaker"), root=site.root)
        found.prepared_file.parent.mkdir(parents=True)
        found.prepared_file.touch()
        found.prepared_file.with_name("postgresql-in-cluster").touch()
        found.cluster_file.parent.mkdir(parents=True)
        return found

    def test_the_agents_start_passes_the_guard_once(self, managed: Site) -> None:
        managed.cluster_file.touch()
        start.guard(managed)
        with pytest.raises(DatabaseError, match="the cluster starts and stops this server"):
            start.guard(managed)

    def test_with_failover_by_hand_the_mark_means_nothing(self, managed: Site) -> None:
        assert managed.is_in_cluster
        assert not Site(managed.config, ENGINE, root=managed.root).is_in_cluster

    def test_a_held_primary_keeps_what_it_was_told(self, site: Site) -> None:
        (site.data / "postgresql.auto.conf").write_text("synchronous_standby_names = ''\n")
        data.stay_replica(site)
        assert (site.was, data.was_alone(site)) == ("replica", True)
