"""What belongs to a role and needs no decision: replication slots, and the end of `alone`."""

from __future__ import annotations

from .model import ALONE, PRIMARY, REPLICA, State
from .postgresql_role import slot_name
from .postgresql_site import Site
from .session import Session

CAUGHT_UP_BYTES = 1 << 20
"""A replica this close is waited for again; the next write brings it the rest."""
_WITHIN_S = 5.0
_LOST = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active"


def keep(site: Site, session: Session, state: State) -> None:
    """Put right what this role has wrong, if anything. Raises SilentError."""
    if state.role == PRIMARY:
        for machine in sorted(site.config.peers):
            make_slot(session, slot_name(machine))
        if state.synchronous == ALONE and has_replica_again(state):
            # Writes wait for it from now on.
            session.ask("ALTER SYSTEM RESET synchronous_standby_names;", within_s=_WITHIN_S)
            session.ask("SELECT pg_reload_conf();", within_s=_WITHIN_S)
    elif state.role == REPLICA:
        # It was a primary once: the log that it kept for others would fill its disk.
        session.ask(f"{_LOST} AND restart_lsn IS NOT NULL;", within_s=_WITHIN_S)


def make_slot(session: Session, name: str) -> None:
    """The slot of one replica; one whose log was given up is made anew."""
    session.ask(f"{_LOST} AND slot_name = '{name}' AND wal_status = 'lost';", within_s=_WITHIN_S)
    session.ask(slot_statement(name), within_s=_WITHIN_S)


def slot_statement(name: str) -> str:
    """Makes a slot that is not there."""
    return (
        f"SELECT pg_create_physical_replication_slot('{name}') WHERE NOT EXISTS "  # noqa: S608
        f"(SELECT FROM pg_replication_slots WHERE slot_name = '{name}');"
    )


def has_replica_again(state: State) -> bool:
    """Whether a replica receives and is close behind."""
    return any(
        f.streaming and f.lag_bytes is not None and f.lag_bytes <= CAUGHT_UP_BYTES
        for f in state.followers
    )
