"""Which primary to copy or to follow."""

from __future__ import annotations

import time

from .decide import progress
from .model import ABSENT, PRIMARY, State
from .peers import Answers, ask, ask_peers
from .place import Place
from .shell import DatabaseError

PRIMARY_WITHIN_S = 60.0
RECEIVED_WITHIN_S = 10.0


def await_source(place: Place) -> State | None:
    """The primary to copy; None: there is no data anywhere, and this machine begins."""
    deadline = time.monotonic() + PRIMARY_WITHIN_S
    while True:
        answers = ask_peers(place.config, place.engine.name)
        primaries = [state for state in answers.values() if state and state.role == PRIMARY]
        if primaries:
            return max(primaries, key=lambda state: state.term)
        if place.engine.bootstrap and all(s and s.role == ABSENT for s in answers.values()):
            return None
        if time.monotonic() >= deadline:
            raise DatabaseError(why_no_source(place, answers))
        time.sleep(0.2)


def why_no_source(place: Place, answers: Answers) -> str:
    """What to do where there may be data, but no primary."""
    seen = ", ".join(
        f"{name}: {state.role if state else 'does not answer'}"
        for name, state in sorted(answers.items())
    )
    return (
        f"{place.config.machine} has no data and found no primary to copy ({seen}); an empty one "
        "beside existing data would lose that: bring a primary up (`lab db status`), then repeat"
    )


def the_primary(place: Place, own: State) -> State:
    """The one primary that answers. Raises DatabaseError."""
    states = [*ask_peers(place.config, place.engine.name).values(), own]
    primaries = [state for state in states if state and state.role == PRIMARY]
    if len(primaries) != 1:
        names = ", ".join(state.machine for state in primaries) or "none"
        msg = f"expected one primary to follow, found {names}"
        raise DatabaseError(msg)
    return primaries[0]


def await_received(
    place: Place, machine: str, least: int, end: str, *, within_s: float = RECEIVED_WITHIN_S
) -> None:
    """Wait until a replica has received up to `least`, as `progress` counts. Raises DatabaseError.

    `end`: the same, for people.
    """
    deadline = time.monotonic() + within_s
    address = place.config.peers[machine]
    while True:
        state = ask(address, place.config.role_port, place.engine.name)
        if state is not None and progress(place.engine.name, state.position) >= least:
            return
        if time.monotonic() >= deadline:
            has = state.position if state else "nothing that it says"
            msg = f"{machine} lacks the end of the log ({end}, it has {has})"
            raise DatabaseError(msg)
        time.sleep(0.02)
