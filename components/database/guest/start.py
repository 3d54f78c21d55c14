"""The guard: in which role the server may start. Runs before every start, as the server's user.

It waits, for as long as it takes, while nobody can say whether there is another primary: a start
that fails would only be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from .decide import WAIT, Start, start_as
from .model import PRIMARY, REPLICA, State
from .peers import Answers, ask_peers
from .place import Claim, Place
from .shell import DatabaseError, say

PAUSE_S = 0.5
Follow = Callable[[State, Start], Start]
"""Makes an old primary's data ready to follow a primary; says to wait where it cannot."""


def await_role(place: Place, term: int, follow: Follow) -> Start:
    """The role in which the server is to start, once there is one."""
    said = ""
    while True:
        start = decision(place, term, ask_peers(place.config, place.engine.name), follow)
        if start.role != WAIT:
            say(f"starting as {start.role}: {start.why}")
            return start
        place.write_claim(Claim(place.was, term, start.why))
        if start.why != said:
            say(f"waiting: {start.why}")
            said = start.why
        time.sleep(PAUSE_S)


def must_be_started_by_cluster(place: Place) -> None:
    """The cluster's agent has put the data right. Raises DatabaseError where somebody else starts.

    Two that start the same server would undo each other's decisions.
    """
    try:
        place.cluster_file.unlink()
    except FileNotFoundError:
        msg = (
            "the cluster starts and stops this server (`failover: pacemaker`): see `lab cluster "
            "status`, and `pcs resource cleanup` lets it try again what has failed"
        )
        raise DatabaseError(msg) from None


def decision(place: Place, term: int, answers: Answers, follow: Follow) -> Start:
    """Start, or wait; an old primary's data is put right first where nothing is lost by that."""
    if place.go_file.exists():
        return Start(PRIMARY, "a person decided it")
    start = start_as(place.was, term, answers)
    if start.role != REPLICA or place.was == REPLICA:
        return start
    primaries = [state for state in answers.values() if state and state.role == PRIMARY]
    if not primaries:
        return Start(WAIT, f"{start.why}; there is no primary to follow")
    return follow(max(primaries, key=lambda state: state.term), start)
