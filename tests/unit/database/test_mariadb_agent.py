"""MariaDB under the cluster: what a start does with the data that it finds."""

from __future__ import annotations

import os
import pwd
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest

from components.database.guest import cluster_server, mariadb_agent, mariadb_site, mariadb_start
from components.database.guest.decide import FOLLOW, REFUSE, REWIND, Rejoin
from components.database.guest.mariadb_agent import MariadbServer
from components.database.guest.mariadb_site import Site
from components.database.guest.model import ALONE, OFF, ON, PRIMARY, REPLICA, State
from components.database.guest.place import Claim
from components.database.guest.shell import DatabaseError
from tests.unit.database.states import a_primary, a_replica
from tests.unit.database.test_mariadb_role import a_site

OTHER = a_primary("db2", term=2)
PEER = "10.16.1.52"


class Lab:
    """The server's world: what was done to it, in order."""

    def __init__(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        self.site, self.done = site, list[str]()
        self.found: Rejoin | DatabaseError = Rejoin(FOLLOW, "it has nothing that the primary lacks")
        self._patch = monkeypatch
        self.server = MariadbServer(site, patience_s=1.0)
        for name, act in {
            "how_to_rejoin": self.how_to_rejoin,
            "become_replica": self.become_replica,
            "follow": lambda _site, address: self.note(f"follow {address}"),
            "copy_of": lambda _site, primary, _fresh: self.note(f"copy {primary.machine}"),
            "replace": self.replace,
            "term_of": lambda _site: 1,
            "promote": lambda _site, *, alone: self.note(f"promote {alone=}"),
        }.items():
            monkeypatch.setattr(mariadb_agent, name, act)
        monkeypatch.setattr(Site, "systemctl", self.systemctl)

    def note(self, what: str) -> None:
        self.done.append(what)

    def replace(self, site: Site, _fresh: Path) -> None:
        self.note("replace")
        site.write_role(REPLICA, 2)

    def how_to_rejoin(self, *_: object) -> Rejoin:
        if isinstance(self.found, DatabaseError):
            raise self.found
        return self.found

    def become_replica(self, _site: Site, term: int, *, was_alone: bool = False) -> None:
        self.note(f"replica {term=} {was_alone=}")

    def systemctl(self, verb: str, *_: str) -> None:
        site = self.site
        if verb == "start":
            assert site.cluster_file.exists(), "the guard would refuse it"
            assert site.claim() == Claim(REPLICA, site.term, "")
            verb = f"start {site.start_file.read_text().strip()}"
        self.note(verb)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    here = pwd.getpwuid(os.geteuid()).pw_name
    monkeypatch.setattr(mariadb_site, "OWNER", here)
    monkeypatch.setattr(Site, "owner", here)
    plain = a_site(tmp_path)
    found = Site(plain.config, changed(plain.engine, failover="pacemaker"), tmp_path)
    found.prepared_file.parent.mkdir(parents=True, exist_ok=True)
    found.prepared_file.touch()
    found.prepared_file.with_name("mariadb-in-cluster").touch()
    found.write_role(PRIMARY, 1)
    return found


@pytest.fixture
def lab(site: Site, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(site, monkeypatch)


@pytest.mark.parametrize("alone", [True, False])
def test_without_a_primary_it_keeps_everything_and_waits_for_one(lab: Lab, alone: bool) -> None:
    """What was written while nobody waited for a replica is nowhere else: that is remembered."""
    lab.site.set_alone(alone)
    lab.server.start(None)
    assert lab.done == [
        "start HALAB_RECOVER_AS=MASTER",
        f"replica term=1 was_alone={alone}",
        f"follow {PEER}",
    ]


def test_an_old_primary_follows_the_new_one(lab: Lab) -> None:
    lab.server.start(OTHER)
    assert lab.done == [
        "start HALAB_RECOVER_AS=SLAVE",
        "replica term=1 was_alone=False",
        f"follow {PEER}",
    ]


def test_a_replica_stays_what_it_is(lab: Lab) -> None:
    lab.site.write_role(REPLICA, 2)
    lab.server.start(OTHER)
    assert lab.done == ["start HALAB_RECOVER_AS=MASTER", f"follow {PEER}"]


def test_what_nobody_was_told_of_is_given_up_for_a_copy(lab: Lab) -> None:
    lab.found = Rejoin(REWIND, "2 transactions; none was acknowledged")
    lab.server.start(OTHER)
    assert lab.done == [
        "start HALAB_RECOVER_AS=SLAVE",
        "copy db2",
        "stop",
        "replace",
        "start HALAB_RECOVER_AS=MASTER",
        f"follow {PEER}",
    ]


def test_what_may_have_been_acknowledged_is_for_a_person(lab: Lab) -> None:
    lab.found = Rejoin(REFUSE, "2 transactions may have been acknowledged")
    with pytest.raises(DatabaseError, match=r"2 transactions .*`lab db rejoin --discard`"):
        lab.server.start(OTHER)
    assert lab.done == ["start HALAB_RECOVER_AS=SLAVE"]


def test_without_a_common_history_a_primary_stops_and_a_replica_tries(lab: Lab) -> None:
    lab.found = DatabaseError("no common history")
    with pytest.raises(DatabaseError, match="no common history"):
        lab.server.start(OTHER)
    lab.done.clear()
    lab.site.write_role(REPLICA, 1)
    lab.server.start(OTHER)
    assert lab.done[-1] == f"follow {PEER}"


def test_nothing_starts_beside_the_cluster(site: Site) -> None:
    site.cluster_file.parent.mkdir(parents=True)
    site.start_file.write_text("as the agent says\n")
    site.cluster_file.touch()
    mariadb_start.guard(site)
    assert site.start_file.read_text() == "as the agent says\n"
    mariadb_start.settle(site)  # without a word to the server: the agent goes on
    with pytest.raises(DatabaseError, match="the cluster starts and stops this server"):
        mariadb_start.guard(site)


def test_a_promotion_forgets_that_it_was_alone_once(lab: Lab) -> None:
    lab.site.set_alone(True)
    lab.server.promote(alone=False)
    assert lab.done == ["promote alone=False"]
    assert not lab.site.alone_file.exists()


@pytest.mark.parametrize(
    ("role", "synchronous", "position", "expected"),
    [
        (PRIMARY, ON, "0-1-42", True),
        (PRIMARY, ON, "0-1-41", False),
        (PRIMARY, ALONE, "0-1-42", False),
        (PRIMARY, OFF, "0-1-1", True),
        (REPLICA, ON, "0-1-42", False),
    ],
)
def test_only_a_replica_that_is_waited_for_is_certified(
    lab: Lab,
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    synchronous: str,
    position: str,
    expected: bool,
) -> None:
    own = State("db1", role, term=1, synchronous=synchronous)
    monkeypatch.setattr(MariadbServer, "look", lambda _: own)
    monkeypatch.setattr(Site, "sql", lambda *_, **__: "0-1-42")
    peer: Any = a_replica(position=position)
    monkeypatch.setattr("components.database.guest.source.ask", lambda *_: peer)
    monkeypatch.setattr(cluster_server, "CERTIFIED_WITHIN_S", 0.0)
    assert lab.server.has_everything("db2") is expected


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (Rejoin(FOLLOW, "nothing"), ""),
        (Rejoin(REFUSE, "for a person"), ""),
        (DatabaseError("silent"), ""),
        (Rejoin(REWIND, "2 transactions"), "went its own way: 2 transactions"),
    ],
)
def test_a_start_is_asked_for_only_where_it_helps(
    lab: Lab, found: Rejoin | DatabaseError, says: str
) -> None:
    lab.found = found
    why = lab.server.why_not_following(OTHER)
    assert (says in why) if says else (why == "")
