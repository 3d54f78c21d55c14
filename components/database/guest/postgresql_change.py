"""Changes of role, on request: one step each. `lab db` decides, and puts them in order."""

from __future__ import annotations

import shutil
import time

from .decide import REFUSE, REWIND, lsn
from .in_cluster import stopped
from .model import PRIMARY, REPLICA, State
from .place import Claim
from .postgresql_data import (
    become_primary,
    become_replica,
    how_to_rejoin,
    rewind,
    set_alone,
    term_of,
)
from .postgresql_prepare import copy_of
from .postgresql_role import look, open_session
from .postgresql_site import OWNER, TIMELINE, Site
from .shell import DatabaseError, run, say
from .source import await_received, the_primary

PROMOTE_WITHIN_S = 60
TERM = f"SELECT {TIMELINE}"
FOLLOWS_WITHIN_S = 60.0
LOOK_WITHIN_S = 5.0


def role_now(site: Site, *, within_s: float = LOOK_WITHIN_S) -> State:
    """The role, asked as the superuser."""
    session = open_session(OWNER, site.engine.port)
    try:
        return look(site, session, within_s=within_s)
    finally:
        session.close()


def hand_over(site: Site, to: str) -> str:
    """Stop a primary in good order, once and for all: its data is a replica's then.

    Returns where its log ends; the other machine surely has all of it. Where it has not, this
    server goes on as the primary. Raises DatabaseError.
    """
    state = role_now(site)
    if state.role != PRIMARY or to not in site.config.peers:
        msg = f"{site.config.machine} is {state.role} and cannot hand over to {to}"
        raise DatabaseError(msg)
    site.sql("CHECKPOINT;")  # so that the stop, in which nobody can write, has little left to do
    site.systemctl("stop")
    try:
        end = last_record(site)
        # Its beginning is what is known of the last record: the replica must be past that.
        await_received(site, to, lsn(end) + 1, end)
    except DatabaseError:
        start_as_primary(site, alone=False)
        raise
    become_replica(site)
    site.write_claim(Claim(REPLICA, state.term, ""))
    return end


def last_record(site: Site) -> str:
    """The last record of a stopped server. Raises DatabaseError where it did not end well."""
    _, said = run([site.program("pg_controldata"), str(site.data)], user=OWNER)
    facts = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    state = facts.get("Database cluster state", "").strip()
    if state != "shut down":
        msg = f"the server did not stop in good order (its data is {state!r})"
        raise DatabaseError(msg)
    return facts["Latest checkpoint location"].strip()


def start_as_primary(site: Site, *, alone: bool) -> None:
    """Start a stopped server as the primary, whatever the other machines say."""
    site.go_file.parent.mkdir(exist_ok=True)
    site.systemctl("stop")
    become_primary(site)
    if alone:
        set_alone(site)
    site.go_file.touch()
    site.systemctl("start")


def promote(site: Site, *, alone: bool) -> None:
    """Make this replica the primary. `alone`: writes wait for no replica until there is one."""
    if alone:
        go_alone(site)
    done, *term = site.sql(f"SELECT pg_promote(true, {PROMOTE_WITHIN_S});\n{TERM};").split()
    if done != "t":
        msg = f"{site.config.machine} was not promoted within {PROMOTE_WITHIN_S} s"
        raise DatabaseError(msg)
    site.write_claim(Claim(PRIMARY, int(term[0]), ""))
    # It accepts writes already. An old primary can be rewound only once this is done.
    site.sql("CHECKPOINT;")


def go_alone(site: Site) -> None:
    """Writes do not wait for a replica, until the keeper sees one again."""
    if site.engine.synchronous:
        site.sql("ALTER SYSTEM SET synchronous_standby_names = '';\nSELECT pg_reload_conf();")


def start_as_replica(site: Site) -> None:
    """Start data that is a replica's, and wait until it follows."""
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
    with stopped(site):
        if reseed:
            seed_anew(site, primary)
            done = f"seeded anew from {primary.machine}, as was asked"
        else:
            address = site.config.peers[primary.machine]
            done = join_again(site, primary, address, discard=discard)
        site.write_claim(Claim(REPLICA, term_of(site), ""))
    await_following(site)
    return done


def join_again(site: Site, primary: State, address: str, *, discard: bool) -> str:
    """Rewind where that is needed and loses nothing, or was asked for. Raises DatabaseError."""
    found = how_to_rejoin(site, primary, address, may_discard=discard)
    if found.how == REFUSE:
        msg = f"{found.why}; look at them first, or give them up with --discard"
        raise DatabaseError(msg)
    if found.how == REWIND:
        rewind(site, address)
    become_replica(site)
    words = "rewound to" if found.how == REWIND else "follows"
    return f"{words} the primary on {primary.machine}: {found.why}"


def seed_anew(site: Site, primary: State) -> None:
    """Replace this machine's data with a copy of the primary's, once that is complete."""
    fresh = site.data.with_name("main.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    copy_of(site, primary, fresh)
    old = site.data.with_name("main.old")
    shutil.rmtree(old, ignore_errors=True)
    site.data.rename(old)
    fresh.rename(site.data)
    become_replica(site)
    shutil.rmtree(old)
    say(f"replaced the data of {site.config.machine}")


def await_following(site: Site) -> None:
    """Wait until this replica receives from a primary. Raises DatabaseError."""
    deadline = time.monotonic() + FOLLOWS_WITHIN_S
    session = open_session(OWNER, site.engine.port)
    try:
        while not look(site, session).is_streaming:
            if time.monotonic() >= deadline:
                msg = (
                    f"{site.config.machine} runs as a replica but receives nothing within "
                    f"{FOLLOWS_WITHIN_S:g} s; `journalctl -u {site.unit}` says why"
                )
                raise DatabaseError(msg)
            time.sleep(0.05)
    finally:
        session.close()
