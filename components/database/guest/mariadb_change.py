"""Changes of role, on request: one step each. `lab db` decides, and puts them in order."""

from __future__ import annotations

import time
from contextlib import suppress

from .decide import FOLLOW, REFUSE, gtid_sequence
from .in_cluster import cluster_of, stopped
from .mariadb_prepare import replace
from .mariadb_primary import become_primary
from .mariadb_replica import become_replica, follow
from .mariadb_role import look, open_session
from .mariadb_seed import copy_of
from .mariadb_site import Site
from .mariadb_start import how_to_rejoin, term_of
from .model import PRIMARY, State
from .peers import ask_peers
from .shell import DatabaseError, run, say
from .source import await_received, the_primary

SUPERUSER = "root"
FOLLOWS_WITHIN_S = 60.0
LOOK_WITHIN_S = 5.0
WRITES_END_WITHIN_S = 10


def role_now(site: Site, *, within_s: float = LOOK_WITHIN_S) -> State:
    """The role, asked as the superuser."""
    peers = ask_peers(site.config, site.engine.name)
    session = open_session(SUPERUSER, site)
    try:
        return look(site, session, peers, within_s=within_s)
    finally:
        session.close()


def hand_over(site: Site, to: str) -> str:
    """Let nobody write to this primary any more, once and for all: its data is a replica's then.

    Returns where its log ends; the other machine surely has all of it. Where it has not, this
    server goes on as the primary. Raises DatabaseError.
    """
    state = role_now(site)
    if state.role != PRIMARY or to not in site.config.peers:
        msg = f"{site.config.machine} is {state.role} and cannot hand over to {to}"
        raise DatabaseError(msg)
    try:
        # It waits for commits that have begun; transactions that are open fail when they commit.
        waits = f"SET SESSION lock_wait_timeout = {WRITES_END_WITHIN_S};"
        site.sql(f"{waits}\nSET GLOBAL read_only = ON;")
        end = site.sql("SELECT @@GLOBAL.gtid_binlog_pos;")
        await_received(site, to, gtid_sequence(end), end)
    except DatabaseError:
        site.sql("SET GLOBAL read_only = OFF;")
        raise
    become_replica(site, state.term)
    return end


def start_as_primary(site: Site, *, alone: bool) -> None:
    """Be the primary, whatever the other machines say."""
    if alone:
        site.set_alone(True)
    if answers(site):
        become_primary(site, term_of(site))
        return
    # It waits to be started, and nobody may decide that but a person.
    site.go_file.parent.mkdir(exist_ok=True)
    site.systemctl("stop")
    site.go_file.touch()
    site.systemctl("start")


def answers(site: Site) -> bool:
    """Whether the server runs."""
    words = ["mariadb", "--no-defaults", f"--socket={site.socket}", "-e", "SELECT 1"]
    return run(words, timeout_s=LOOK_WITHIN_S)[0] == 0


def start_as_replica(site: Site) -> None:
    """Let data that is a replica's receive from the primary, and wait until it does."""
    if answers(site):
        follow(site, next(iter(site.config.peers.values())))
    else:
        site.systemctl("start")
    await_following(site)


def join(site: Site, *, discard: bool, reseed: bool) -> str:
    """Follow the primary again, by the gentlest way that works; says which and why."""
    state = role_now(site)
    primary = the_primary(site, state)
    if primary.machine == site.config.machine:
        return f"{primary.machine} is the primary itself; nothing was done"
    if state.is_streaming and not reseed:
        return f"{site.config.machine} follows {primary.machine} already; nothing was done"
    if reseed:
        seed_anew(site, primary)
        return f"seeded anew from {primary.machine}, as was asked"
    if not answers(site):
        if site.is_in_cluster:
            return join_in_cluster(site, primary, discard=discard)
        site.systemctl("restart")
    return join_again(site, primary, discard=discard)


def join_in_cluster(site: Site, primary: State, *, discard: bool) -> str:
    """The same where the cluster could not start the server: what is in its data said why."""
    if discard:
        seed_anew(site, primary)
        return f"seeded anew from {primary.machine}; what only it had is given up, as was asked"
    cluster_of(site).forget_failures(site.config.machine)
    await_following(site)
    return f"the cluster started it again, and it follows {primary.machine}"


def join_again(site: Site, primary: State, *, discard: bool) -> str:
    """Follow, or seed anew where that loses nothing or was asked for. Raises DatabaseError."""
    address = site.config.peers[primary.machine]
    if not site.is_primarys:
        follow(site, address)
        await_following(site)
        return f"follows the primary on {primary.machine}: it was a replica"
    found = how_to_rejoin(site, primary, address, may_discard=discard)
    if found.how == REFUSE:
        msg = f"{found.why}; look at them first, or give them up with --discard"
        raise DatabaseError(msg)
    if found.how == FOLLOW:
        become_replica(site, term_of(site))
        follow(site, address)
        await_following(site)
        return f"follows the primary on {primary.machine}: {found.why}"
    # There is no way to take back what is committed.
    seed_anew(site, primary)
    return f"seeded anew from {primary.machine}: {found.why}"


def seed_anew(site: Site, primary: State) -> None:
    """Replace this machine's data with a copy of the primary's, once that is complete."""
    fresh = site.data.with_name("mysql.fresh")
    # The old server goes on meanwhile: where it follows, the primary's writes need it.
    copy_of(site, primary, fresh)
    with stopped(site):
        replace(site, fresh)
        site.set_alone(False)
        say(f"replaced the data of {site.config.machine}")
    await_following(site)


def await_following(site: Site) -> None:
    """Wait until this replica receives from a primary. Raises DatabaseError."""
    deadline = time.monotonic() + FOLLOWS_WITHIN_S
    session = open_session(SUPERUSER, site)
    try:
        while True:
            state = look(site, session, {}, within_s=LOOK_WITHIN_S)
            if state.is_streaming:
                return
            if time.monotonic() >= deadline:
                why = state.detail or f"`journalctl -u {site.unit}` says why"
                msg = (
                    f"{site.config.machine} is {state.role} and receives nothing within "
                    f"{FOLLOWS_WITHIN_S:g} s: {why}"
                )
                raise DatabaseError(msg)
            time.sleep(0.05)
    finally:
        with suppress(OSError):
            session.close()
