"""States of machines, as tests need them."""

from __future__ import annotations

from typing import Any

from components.database.guest.model import Follower, Seen, State
from lab.database.model import Look, Picture


def a_primary(machine: str = "db1", **changes: Any) -> State:
    """A primary with a replica that has everything."""
    values = {
        "term": 1,
        "position": "0/5000000",
        "synchronous": "on",
        "followers": (a_follower(),),
    }
    return State(machine, "primary", **{**values, **changes})


def a_follower(name: str = "db2", **changes: Any) -> Follower:
    values = {"streaming": True, "synchronous": True, "lag_bytes": 0}
    return Follower(name=name, **{**values, **changes})


def a_replica(machine: str = "db2", **changes: Any) -> State:
    """A replica that receives from 10.16.1.51 and has everything."""
    values = {"term": 1, "position": "0/5000000", "follows": "10.16.1.51"}
    return State(machine, "replica", **{**values, **changes})


def an_orphan(machine: str = "db2", **changes: Any) -> State:
    """A replica whose primary is gone."""
    return a_replica(machine, **{"follows": "", **changes})


SEEN = Seen(machine="db1", term=1, synchronous="on")


def a_picture(
    *states: State, silent: tuple[str, ...] = (), seen: Seen | None = SEEN, synchronous: bool = True
) -> Picture:
    """These machines answer, and those do not."""
    looks = {s.machine: Look(machine=s.machine, state=s, seen=seen) for s in states}
    looks |= {name: Look(machine=name, state=None, why="it is off") for name in silent}
    return Picture(engine="postgresql", synchronous=synchronous, looks=looks)
