"""PostgreSQL's part of the guard: data that was a primary's is put right before it follows."""

from __future__ import annotations

from .decide import REFUSE, REWIND, WAIT, Start
from .model import PRIMARY, REPLICA, State
from .place import Claim
from .postgresql_data import become_primary, become_replica, how_to_rejoin, rewind, term_of
from .postgresql_site import Site
from .shell import DatabaseError, say
from .start import await_role, must_be_started_by_cluster


def guard(site: Site) -> None:
    """Return once the server may start, with its data in the right role."""
    site.must_be_prepared()
    if site.is_in_cluster:
        must_be_started_by_cluster(site)
        return
    term = term_of(site)
    start = await_role(site, term, lambda primary, start: follow(site, primary, start))
    if start.role == PRIMARY:
        become_primary(site)
    elif site.was == PRIMARY:
        become_replica(site)
    site.write_claim(Claim(start.role, term, ""))
    site.go_file.unlink(missing_ok=True)


def follow(site: Site, primary: State, start: Start) -> Start:
    """Rewind this data if it must and may be."""
    address = site.config.peers[primary.machine]
    try:
        found = how_to_rejoin(site, primary, address)
        if found.how == REFUSE:
            hint = "`lab db rejoin --discard` gives it up"
            return Start(WAIT, f"{start.why}; {found.why}; {hint}")
        if found.how == REWIND:
            say(f"rewinding to the primary on {primary.machine}: {found.why}")
            rewind(site, address)
    except DatabaseError as error:
        return Start(WAIT, f"{start.why}; {error}")
    return Start(REPLICA, f"{start.why}; {found.why}")
