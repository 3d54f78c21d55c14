"""What belongs to a role and needs no decision: whether writes wait for a replica."""

from __future__ import annotations

from .mariadb_site import Site
from .model import ON, PRIMARY, State
from .session import Session

_WITHIN_S = 5.0
_WAIT = "SET GLOBAL rpl_semi_sync_master_enabled = {};"


def keep(site: Site, session: Session, state: State) -> None:
    """Put right what this role has wrong, if anything. Raises SilentError."""
    if state.role != PRIMARY:
        return
    if site.alone_file.exists() and has_replica_again(state):
        site.set_alone(False)
    if site.wants_to_wait != (state.synchronous == ON):
        session.ask(_WAIT.format("ON" if site.wants_to_wait else "OFF"), within_s=_WITHIN_S)


def has_replica_again(state: State) -> bool:
    """Whether a replica receives and has been sent everything."""
    return any(f.streaming and f.lag_bytes == 0 for f in state.followers)
