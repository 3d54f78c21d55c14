"""What `lab-database` does where the cluster starts and stops a server, for any engine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from .agent import Agent, Server, patience_s
from .cluster import Cluster
from .model import State
from .place import Place
from .shell import DatabaseError
from .takeover import take_over

STOPPED_WITHIN_S = 60.0


def cluster_of(place: Place) -> Cluster:
    return Cluster(place.engine.name, place.config.machine)


def answer_pacemaker(
    place: Place, server_of: Callable[[float], Server], words: Sequence[str]
) -> None:
    """What Pacemaker asks for; ends this program with OCF's exit status.

    `server_of`: the engine's server, by the seconds that it may take to say what it is.
    """
    server = server_of(patience_s(os.environ))
    asked = Agent(place.config, place.engine, server, cluster_of(place))
    action = words[0] if words else ""
    raise SystemExit(asked.carry_out(action, is_probe="--probe" in words))


def begin(place: Place) -> None:
    """Before the cluster has taken the server over, it is started as one without a cluster."""
    if not place.is_in_cluster and not place.is_active:
        place.systemctl("start")


def take_over_here(place: Place, look: Callable[[], State]) -> None:
    """Have the cluster make this machine's replica the primary. Raises DatabaseError."""
    take_over(cluster_of(place), place.config.machine, look)


@contextmanager
def stopped(place: Place) -> Iterator[None]:
    """The server does not run in the block, and starts after it, whoever starts it."""
    if not place.is_in_cluster:
        place.systemctl("stop")
        yield
        place.systemctl("start")
        return
    cluster, machine = cluster_of(place), place.config.machine
    cluster.keep_away(machine)
    try:
        await_stopped(place)
        yield
    finally:
        cluster.let_back(machine)


def await_stopped(place: Place) -> None:
    """Wait until the cluster has stopped the server. Raises DatabaseError."""
    deadline = time.monotonic() + STOPPED_WITHIN_S
    while place.is_active:
        if time.monotonic() >= deadline:
            msg = f"the cluster has not stopped {place.unit} within {STOPPED_WITHIN_S:g} s"
            raise DatabaseError(msg)
        time.sleep(0.1)
