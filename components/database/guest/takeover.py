"""A change of places on request, carried out by the cluster."""

from __future__ import annotations

import time
from collections.abc import Callable

from .cluster import Cluster
from .model import PRIMARY, State
from .scores import MAY_LEAD, TAKES_OVER, described, is_certified
from .shell import DatabaseError

WITHIN_S = 60.0
PAUSE_S = 0.05


def take_over(cluster: Cluster, machine: str, look: Callable[[], State]) -> None:
    """Have the cluster make this replica the primary. Raises DatabaseError.

    By its score: the highest one is promoted, and a promotion sets it back. So nothing is left
    behind that would have to be cleared, as the constraint of `pcs resource move` would.
    """
    if look().role == PRIMARY:
        return
    scores = cluster.scores()
    if not is_certified(scores, machine):
        msg = (
            f"{machine} may lack acknowledged writes, the primary has not certified it (its score "
            f"is {described(scores, machine)}); nothing was done"
        )
        raise DatabaseError(msg)
    cluster.set_score(machine, TAKES_OVER)
    deadline = time.monotonic() + WITHIN_S
    while look().role != PRIMARY:
        if time.monotonic() >= deadline:
            if cluster.scores().get(machine) == TAKES_OVER:
                cluster.set_score(machine, MAY_LEAD)
            msg = (
                f"the cluster has not promoted {machine} within {WITHIN_S:g} s; "
                "`lab cluster status` says why"
            )
            raise DatabaseError(msg)
        time.sleep(PAUSE_S)
