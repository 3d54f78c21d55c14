"""`lab-database mariadb ...`: what each word does. Results are JSON on standard output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import commands, in_cluster, mariadb_keeper, mariadb_prepare, mariadb_seed, mariadb_start
from . import mariadb_change as change
from .cluster import clone_name
from .commands import Words
from .mariadb_agent import MariadbServer
from .mariadb_primary import go_alone, promote
from .mariadb_replica import follow
from .mariadb_role import look, open_session
from .mariadb_site import ENGINE, WATCHER, Site
from .model import REPLICA, Config, Engine, State
from .peers import Answers


class Mariadb:
    """MariaDB as the role service watches it."""

    name = ENGINE

    def __init__(self, config: Config, engine: Engine) -> None:
        self._site = Site(config, engine)
        self._session = open_session(WATCHER, self._site)
        # Its own, because it may have to wait, and a load balancer does not.
        self._keeper = open_session(WATCHER, self._site)

    def look(self, peers: Answers) -> State:
        return look(self._site, self._session, peers)

    def keep(self, state: State) -> None:
        mariadb_keeper.keep(self._site, self._keeper, state)


def status(site: Site, _: Words) -> object:
    state = change.role_now(site)
    return commands.status(ENGINE, state, was=site.was, term=lambda: site.term)


def passwords(site: Site, _: Words) -> object:
    """Take up changed passwords: each machine in its own server, and where it logs in."""
    if not site.is_prepared or not change.answers(site):
        return None
    mariadb_prepare.set_accounts(site)
    state = change.role_now(site)
    if state.role == REPLICA:
        for address in site.config.peers.values():
            follow(site, address)
    return None


def join(site: Site, words: Words) -> object:
    done = change.join(site, discard="--discard" in words, reseed="--reseed" in words)
    return {"done": done}


def reload(site: Site, _: Words) -> None:
    """Say that changed settings need a start; only the cluster may give it one."""
    if site.is_active:
        clone = clone_name(ENGINE)
        print(f"note: its settings are taken up at the next start; `pcs resource restart {clone}`")


COMMANDS: Mapping[str, Callable[[Site, Words], Any]] = {
    "prepare": lambda site, _: mariadb_prepare.prepare(site),
    "passwords": passwords,
    "guard": lambda site, _: mariadb_start.guard(site),
    "settle": lambda site, _: mariadb_start.settle(site),
    "send-seed": lambda site, _: mariadb_seed.send_seed(site),
    "check": lambda site, _: commands.must_serve("MariaDB", change.role_now(site)),
    "status": status,
    "hand-over": lambda site, words: {"position": change.hand_over(site, *words)},
    "start-as-primary": lambda site, w: change.start_as_primary(site, alone="--alone" in w),
    "start-as-replica": lambda site, _: change.start_as_replica(site),
    "start": lambda site, _: site.systemctl("start", "--no-block"),
    "stop": lambda site, _: site.systemctl("stop"),
    "promote": lambda site, words: promote(site, alone="--alone" in words),
    "alone": lambda site, _: go_alone(site),
    "join": join,
    "agent": lambda site, words: in_cluster.answer_pacemaker(
        site, lambda patience_s: MariadbServer(site, patience_s=patience_s), words
    ),
    "begin": lambda site, _: in_cluster.begin(site),
    "reload": reload,
    "take-over": lambda site, _: in_cluster.take_over_here(site, lambda: change.role_now(site)),
    "await-following": lambda site, _: change.await_following(site),
}


ANYTIME = ("prepare", "passwords", "agent", "reload")
"""Those that need no data."""


def carry_out(config: Config, engine: Engine, words: Words) -> object:
    """Do what the words say. Raises DatabaseError."""
    return commands.carry_out(Site(config, engine), COMMANDS, words, anytime=ANYTIME)
