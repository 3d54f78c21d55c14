"""MariaDB's part of the guard, and what follows a start: a server starts read-only, always.

`guard` runs before the server, as its user, and decides the role; `settle` runs once it is up, as
root: it ends read-only where this is the primary, and lets a replica follow.
"""

from __future__ import annotations

from .decide import FOLLOW, REFUSE, WAIT, Rejoin, Start, fork_from, gtid_sequence, rejoin, terms_of
from .mariadb_primary import become_primary
from .mariadb_replica import become_replica, follow
from .mariadb_site import OWN_DATABASE, Site
from .model import PRIMARY, REPLICA, State
from .place import Claim
from .shell import DatabaseError, say, write
from .source import await_source
from .start import await_role, must_be_started_by_cluster

RECOVER = "HALAB_RECOVER_AS={}\n"


def guard(site: Site) -> None:
    """Return once the server may start; its data is read-only until `settle`."""
    site.must_be_prepared()
    if site.is_in_cluster:
        must_be_started_by_cluster(site)
        return
    term = site.term
    start = await_role(site, term, lambda primary, start: may_follow(term, primary, start))
    recover_as(site, follows=start.role == REPLICA)
    site.write_claim(Claim(start.role, term, ""))
    site.go_file.unlink(missing_ok=True)


def recover_as(site: Site, *, follows: bool) -> None:
    """Note in whose role the server recovers. `follows`: another machine is the primary already."""
    role = "SLAVE" if follows and may_take_back(site) else "MASTER"
    write(site.start_file, RECOVER.format(role))


def may_take_back(site: Site) -> bool:
    """Whether the last transactions, not yet committed when the server died, may be removed.

    Only where another machine is the primary already: as the primary again, or as a replica whose
    primary may be lost, the server keeps them, for another may have them, or none. And only where
    they waited for a replica when it died: without that, clients were told that they are done.
    """
    return site.is_primarys and site.engine.synchronous and not site.alone_file.exists()


def may_follow(term: int, primary: State, start: Start) -> Start:
    """Whether an old primary's data may start to be compared with that primary's. Pure."""
    if primary.term <= term:
        why = f"the data here is of term {term}, and not older than that; find out which is right"
        return Start(WAIT, f"{start.why}; {why}")
    return start


def settle(site: Site) -> None:
    """Take up the role that the guard has decided. Raises DatabaseError."""
    if site.is_in_cluster:
        return  # the agent that has started it goes on
    claim = site.claim()
    if claim is None:
        msg = f"{site.claim_file} does not say in which role the server has started"
        raise DatabaseError(msg)
    if claim.was == PRIMARY:
        become_primary(site, site.term)
    elif site.is_primarys:
        settle_old_primary(site)
    else:
        for address in site.config.peers.values():
            follow(site, address)


def settle_old_primary(site: Site) -> None:
    """Follow the new primary, where this data has nothing that it lacks; else wait for a person."""
    primary = await_source(site)
    if primary is None:
        raise DatabaseError("there is no primary to follow any more")
    address = site.config.peers[primary.machine]
    found = how_to_rejoin(site, primary, address)
    if found.how == FOLLOW:
        say(f"following the primary on {primary.machine}: {found.why}")
        become_replica(site, term_of(site))
        follow(site, address)
        return
    hint = "gives it up" if found.how == REFUSE else "seeds this machine anew"
    option = " --discard" if found.how == REFUSE else ""
    why = f"{primary.machine} is the primary (term {primary.term}); {found.why}"
    say(f"waiting: {why}")
    site.write_claim(Claim(PRIMARY, site.term, f"{why}; `lab db rejoin{option}` {hint}"))


def term_of(site: Site) -> int:
    """The term of a running server's data."""
    return int(site.sql(f"SELECT MAX(term) FROM {OWN_DATABASE}.terms;"))  # noqa: S608 - a constant


def how_to_rejoin(site: Site, primary: State, address: str, *, may_discard: bool = False) -> Rejoin:
    """What is to be done with this running, read-only data to follow that primary.

    Raises DatabaseError where the two have no history in common.
    """
    term = term_of(site)
    if term > primary.term:
        msg = (
            f"the data here is of term {term}, later than the primary's ({primary.term} on "
            f"{primary.machine}): it is not discarded; find out which one is right"
        )
        raise DatabaseError(msg)
    query = f"SELECT term, begins_after FROM {OWN_DATABASE}.terms WHERE term >= {term}"  # noqa: S608
    own, theirs = rows_of(site.sql(f"{query};")), rows_of(site.ask_other(address, query))
    if own[:1] != theirs[:1]:
        msg = (
            f"the data here (term {term}) has no common history with {primary.machine} (term "
            f"{primary.term}); seed it anew: `lab db rejoin --reseed`"
        )
        raise DatabaseError(msg)
    end = gtid_sequence(site.sql("SELECT @@GLOBAL.gtid_binlog_pos;"))
    fork = fork_from(term, terms_of(theirs))
    extra = 0 if fork is None else max(0, end - fork)
    synchronous = site.engine.synchronous and not site.alone_file.exists()
    return rejoin(records=extra, commits=extra, synchronous=synchronous, may_discard=may_discard)


def rows_of(text: str) -> list[tuple[int, str]]:
    """Terms and where they began, of a client's output. Pure."""
    rows = (line.split("\t") for line in text.splitlines())
    return sorted((int(row[0]), row[1]) for row in rows)
