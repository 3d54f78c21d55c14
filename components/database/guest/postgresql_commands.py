"""`lab-database postgresql ...`: what each word does. Results are JSON on standard output."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from . import commands, in_cluster, postgresql_keeper, postgresql_prepare
from . import postgresql_change as change
from .cluster import clone_name
from .commands import Words
from .model import PRIMARY, REPLICA, Config, Engine, State
from .peers import Answers
from .postgresql_agent import PostgresqlServer
from .postgresql_data import term_of
from .postgresql_role import look, open_session
from .postgresql_site import ENGINE, WATCHER, Site
from .postgresql_start import guard
from .shell import DatabaseError

CLONE = clone_name(ENGINE)
RELOADED_WITHIN_S = 30.0
LOADED_AT = "SELECT pg_conf_load_time();"
"""A server that finds a mistake in its files keeps what it had, and this time too."""


class Postgresql:
    """PostgreSQL as the role service watches it."""

    name = ENGINE

    def __init__(self, config: Config, engine: Engine) -> None:
        self._site = Site(config, engine)
        self._session = open_session(WATCHER, engine.port)
        # Its own, because it may have to wait, and a load balancer does not.
        self._keeper = open_session(WATCHER, engine.port)

    def look(self, peers: Answers) -> State:
        del peers  # the server itself notices when a replica is gone
        return look(self._site, self._session)

    def keep(self, state: State) -> None:
        postgresql_keeper.keep(self._site, self._keeper, state)


def status(site: Site, _: Words) -> object:
    state = change.role_now(site)
    return commands.status(ENGINE, state, was=site.was, term=lambda: term_of(site))


def passwords(site: Site, _: Words) -> object:
    """Take up changed passwords, where this is the primary; a replica gets them from it."""
    if site.is_prepared and change.role_now(site).role == PRIMARY:
        postgresql_prepare.set_passwords(site)
    return None


def join(site: Site, words: Words) -> object:
    done = change.join(site, discard="--discard" in words, reseed="--reseed" in words)
    return {"done": done}


def reload(site: Site, _: Words) -> None:
    """Take up changed settings; says which ones need more. Raises DatabaseError."""
    if change.role_now(site).role not in (PRIMARY, REPLICA):
        return
    before = site.sql(LOADED_AT)
    site.systemctl("reload")
    deadline = time.monotonic() + RELOADED_WITHIN_S
    while site.sql(LOADED_AT) == before:
        if time.monotonic() >= deadline:
            raise DatabaseError(
                f"the server did not take up its settings within {RELOADED_WITHIN_S:g} s: its log "
                "(journalctl, or /var/log/postgresql) says which one is wrong"
            )
        time.sleep(0.05)
    names = site.sql("SELECT string_agg(name, ', ') FROM pg_settings WHERE pending_restart;")
    if names:
        print(f"note: {names}: taken up at the next start; `pcs resource restart {CLONE}`")


COMMANDS: Mapping[str, Callable[[Site, Words], Any]] = {
    "prepare": lambda site, _: postgresql_prepare.prepare(site),
    "passwords": passwords,
    "guard": lambda site, _: guard(site),
    "check": lambda site, _: commands.must_serve("PostgreSQL", change.role_now(site)),
    "status": status,
    "hand-over": lambda site, words: {"position": change.hand_over(site, *words)},
    "start-as-primary": lambda site, w: change.start_as_primary(site, alone="--alone" in w),
    "start-as-replica": lambda site, _: change.start_as_replica(site),
    "start": lambda site, _: site.systemctl("start", "--no-block"),
    "stop": lambda site, _: site.systemctl("stop"),
    "promote": lambda site, words: change.promote(site, alone="--alone" in words),
    "alone": lambda site, _: change.go_alone(site),
    "join": join,
    "agent": lambda site, words: in_cluster.answer_pacemaker(
        site, lambda patience_s: PostgresqlServer(site, patience_s=patience_s), words
    ),
    "begin": lambda site, _: in_cluster.begin(site),
    "reload": reload,
    "take-over": lambda site, _: in_cluster.take_over_here(site, lambda: change.role_now(site)),
    "await-following": lambda site, _: change.await_following(site),
}


ANYTIME = ("prepare", "passwords", "agent")
"""Those that need no data."""


def carry_out(config: Config, engine: Engine, words: Words) -> object:
    """Do what the words say. Raises DatabaseError."""
    return commands.carry_out(Site(config, engine), COMMANDS, words, anytime=ANYTIME)
