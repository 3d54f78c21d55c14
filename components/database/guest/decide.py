"""Whether a server may start as a primary, and how an old primary joins again. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .model import ABSENT, DOWN, PRIMARY, REPLICA, WAITING, State

WAIT = "wait"
FOLLOW, REWIND, REFUSE = "follow", "rewind", "refuse"


@dataclass(frozen=True)
class Start:
    """How a server starts: as `primary`, as `replica`, or not yet (`wait`)."""

    role: str
    why: str


def start_as(was: str, term: int, peers: Mapping[str, State | None]) -> Start:
    """The role in which data may be started that was `was` when it stopped.

    A replica's data always starts as a replica. A primary's does so as a primary only when every
    other machine has said that it is not one, and has never followed a later one: whoever does not
    answer may have been promoted meanwhile.
    """
    if was == REPLICA:
        return Start(REPLICA, "it was a replica")
    answers = sorted(peers.items())
    for name, state in answers:
        if state is not None and state.role == PRIMARY:
            return Start(REPLICA, f"{name} is the primary (term {state.term}, here {term})")
    for name, state in answers:
        if state is not None and state.term > term:
            why = f"{name} has data of term {state.term}, here it is {term}"
            return Start(REPLICA, f"a later primary existed: {why}")
    for name, state in answers:
        if state is None:
            why = f"{name} does not answer and may be the primary"
            return Start(WAIT, f"{why}; `lab db promote` decides without it")
        if not _is_no_rival(state, term):
            return Start(WAIT, f"{name} cannot say yet what it is ({state.role} {state.was})")
    return Start(PRIMARY, "no other machine is, or has been since")


def _is_no_rival(state: State, term: int) -> bool:
    """Whether a machine that is not the primary cannot claim to be one either."""
    if state.role in (REPLICA, ABSENT):
        return True
    if state.role == WAITING:
        return state.term < term
    return state.role == DOWN and state.was == REPLICA


@dataclass(frozen=True)
class Rejoin:
    """How data that was a primary's becomes a replica's."""

    how: str
    """`follow` (it has nothing of its own), `rewind` (what it has alone is discarded), `refuse`."""
    why: str


def rejoin(*, records: int, commits: int, synchronous: bool, may_discard: bool = False) -> Rejoin:
    """What to do about the log that this machine wrote and the new primary never had.

    `records` are all of its entries and `commits` the transactions among them. While writes waited
    for a replica, none of those was acknowledged to anybody: the replica was promoted without them.
    """
    if records == 0:
        return Rejoin(FOLLOW, "it has nothing that the primary lacks")
    if commits == 0:
        return Rejoin(REWIND, "its log went on after the promotion, but no transaction is in that")
    what = f"{commits} transaction{'s' if commits > 1 else ''} that the primary never had"
    if synchronous:
        return Rejoin(REWIND, f"{what}; none was acknowledged, for writes waited for a replica")
    if may_discard:
        return Rejoin(REWIND, f"{what} are discarded, as was asked")
    return Rejoin(REFUSE, f"{what} may have been acknowledged and would be lost")


@dataclass(frozen=True)
class Fork:
    """One line of a timeline's history: at `position` term `term` ended."""

    term: int
    position: int


def history_of(text: str) -> tuple[Fork, ...]:
    """The forks in a PostgreSQL timeline history file."""
    rows = (line.split("#")[0].split() for line in text.splitlines())
    return tuple(Fork(int(row[0]), lsn(row[1])) for row in rows if len(row) >= 2)


def fork_from(term: int, forks: Iterable[Fork]) -> int | None:
    """Where the primary's history left this term; None where the term is no part of it."""
    return next((fork.position for fork in forks if fork.term == term), None)


def lsn(text: str) -> int:
    """`0/5000148` as a number. Raises ValueError."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def lsn_text(position: int) -> str:
    """The number as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def gtid_sequence(position: str) -> int:
    """The sequence number of a MariaDB GTID such as `0-1-42`; of nothing it is 0.

    All is in one domain, and strict mode lets the number only grow, whoever is primary. Raises
    ValueError.
    """
    if not position:
        return 0
    domain, _, number = position.split("-")
    if domain != "0":
        msg = f"expected a GTID of domain 0, got {position!r}"
        raise ValueError(msg)
    return int(number)


def terms_of(rows: Iterable[tuple[int, str]]) -> tuple[Fork, ...]:
    """The forks in a table of terms: each row is a term and the GTID after which it began."""
    began = sorted((term, gtid_sequence(after)) for term, after in rows)
    return tuple(Fork(before, position) for (before, _), (_, position) in zip(began, began[1:]))


PROGRESS: Mapping[str, Callable[[str], int]] = {"postgresql": lsn, "mariadb": gtid_sequence}


def progress(engine: str, position: str) -> int:
    """A position as a number that grows with the log; of nothing it is 0."""
    if not position:
        return 0
    if engine not in PROGRESS:
        msg = f"there is no engine {engine!r}"
        raise ValueError(msg)
    return PROGRESS[engine](position)
