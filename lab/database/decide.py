"""What may be done with an engine and what is refused, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.database.guest.decide import progress
from components.database.guest.model import (
    ABSENT,
    ALONE,
    DOWN,
    ON,
    PRIMARY,
    REPLICA,
    UNKNOWN,
    WAITING,
    State,
)
from lab.database.model import Look, Picture, Promotion
from lab.errors import LabError

FAR_BEHIND_BYTES = 16 * 1024 * 1024
FAR_BEHIND_S = 10.0


class RefusedError(LabError):
    """It could be done and must not be: something would be lost."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A planned change: both machines are there."""

    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """An unplanned one: what has to be done to make this machine the primary."""

    machine: str
    state: State
    stop: tuple[str, ...]
    """Machines that answer and must not become primary meanwhile."""
    fence: tuple[str, ...]
    """Machines that do not answer: they must be without power."""
    losses: tuple[str, ...]
    """What speaks for lost writes; empty: nothing that was acknowledged is missing here."""


def switch(picture: Picture, to: str | None) -> Switch:
    """Primary and replica change places. Raises RefusedError or LabError."""
    old = the_primary(picture)
    new = the_replica(picture, to)
    follower = next((f for f in old.followers if f.name == new.machine), None)
    if follower is None or not follower.streaming or not new.is_streaming:
        msg = (
            f"{new.machine} does not receive from {old.machine}, so it would lack writes; nothing "
            f"was done. `lab db rejoin {picture.engine} {new.machine}` joins it again"
        )
        raise RefusedError(msg)
    if (follower.lag_bytes or 0) > FAR_BEHIND_BYTES or new.lag_s > FAR_BEHIND_S:
        lag = (follower.lag_bytes or 0) / 2**20
        msg = (
            f"{new.machine} is far behind ({lag:.0f} MiB, {new.lag_s:.0f} s)"
            ": nobody could write while it catches up; nothing was done, wait until it has"
        )
        raise RefusedError(msg)
    return Switch(old.machine, new.machine)


def the_primary(picture: Picture) -> State:
    """The one primary. Raises LabError."""
    found = picture.primaries
    if len(found) == 1:
        return found[0]
    if found:
        names = " and ".join(state.machine for state in found)
        msg = f"{names} both say that they are the primary; stop the one of the lower term first"
    else:
        does = "the cluster" if picture.is_in_cluster else "`lab db promote`"
        msg = (
            f"{picture.engine} has no primary now{whoever_is_silent(picture)}; `lab db "
            f"status` says what there is, and {does} makes a replica the primary"
        )
    raise LabError(msg)


def the_replica(picture: Picture, to: str | None) -> State:
    """The replica of this name, or the only one. Raises LabError."""
    found = {state.machine: state for state in picture.replicas}
    if to is not None and to not in found:
        seen = described(picture, to)
        msg = f"{to} is no replica of {picture.engine} ({seen})"
        raise LabError(msg)
    if to is None and len(found) != 1:
        msg = (
            f"expected one replica of {picture.engine}, found {', '.join(found) or 'none'}"
            f"{whoever_is_silent(picture)}; nothing was done"
        )
        raise LabError(msg)
    return found[to] if to is not None else next(iter(found.values()))


def whoever_is_silent(picture: Picture) -> str:
    """Machines that did not answer and why, in brackets; empty where all did."""
    found = [f"{name}: {picture.looks[name].why or 'no power'}" for name in picture.silent]
    return f" (no answer from {'; '.join(found)})" if found else ""


def described(picture: Picture, machine: str) -> str:
    """What a machine is, in a few words."""
    look = picture.looks.get(machine)
    if look is None:
        return f"the machines are {', '.join(sorted(picture.looks))}"
    return look.state.role if look.state else f"it does not answer: {look.why}"


def promote(picture: Picture, ledger: Sequence[Promotion] | None, machine: str | None) -> Promote:
    """Make a machine the primary although the old one is gone. Raises LabError.

    `ledger` are all promotions that are known; None: too few machines answered to be sure of them.
    """
    if picture.is_in_cluster:
        raise RefusedError(by_cluster(picture))
    candidate = the_candidate(picture, machine)
    if candidate.role == PRIMARY:
        # It goes on alone; a replica that does not answer cannot become primary by itself.
        return Promote(machine=candidate.machine, state=candidate, stop=(), fence=(), losses=())
    others = [look for name, look in sorted(picture.looks.items()) if name != candidate.machine]
    for look in others:
        if look.state is not None and look.state.role == PRIMARY:
            msg = (
                f"{look.machine} is the primary and answers; nothing was done. `lab db switchover "
                f"{picture.engine}` changes places with it and loses nothing"
            )
            raise RefusedError(msg)
    return Promote(
        machine=candidate.machine,
        state=candidate,
        stop=tuple(look.machine for look in others if must_be_stopped(look)),
        fence=tuple(look.machine for look in others if look.state is None),
        losses=losses(picture, ledger, candidate),
    )


def by_cluster(picture: Picture) -> str:
    """Why nobody promotes by hand what the cluster fails over."""
    name = picture.engine
    hint = (
        f"`lab db switchover {name}` changes places"
        if picture.primaries
        else "it promotes a replica that surely has every acknowledged write, as soon as the old "
        "primary is fenced; `lab cluster status` shows what it waits for"
    )
    return f"the cluster decides who is the primary of {name} (`failover: pacemaker`): {hint}"


def the_candidate(picture: Picture, machine: str | None) -> State:
    """Who is to become primary. Raises LabError."""
    possible = {
        look.machine: look.state
        for look in picture.looks.values()
        if look.state is not None and look.state.role in (REPLICA, WAITING, PRIMARY)
    }
    if machine is not None and machine in possible:
        return possible[machine]
    if machine is not None:
        msg = f"{machine} cannot become the primary of {picture.engine}: "
        raise LabError(msg + described(picture, machine))
    if len(possible) != 1:
        found = ", ".join(f"{n} ({s.role})" for n, s in sorted(possible.items())) or "none"
        msg = f"say which machine is to be the primary of {picture.engine}: there is {found}"
        raise LabError(msg)
    return next(iter(possible.values()))


def must_be_stopped(look: Look) -> bool:
    """Whether a machine that answers could start as a primary meanwhile."""
    return look.state is not None and look.state.role in (DOWN, WAITING, UNKNOWN)


def losses(
    picture: Picture, ledger: Sequence[Promotion] | None, candidate: State
) -> tuple[str, ...]:
    """Why this machine may lack acknowledged writes; empty: it surely has them all.

    While writes wait for a replica, every acknowledged one is on it. That ends where a primary went
    on alone, or another one was promoted, and every such act is in the ledger.
    """
    if not picture.synchronous:
        return ("writes do not wait for a replica (`synchronous: false`)",)
    if ledger is None:
        return ("too few machines answer to know of all earlier promotions",)
    latest = max(ledger, key=lambda entry: (entry.term, entry.alone), default=None)
    if latest is not None and latest.machine != candidate.machine:
        if latest.term > candidate.term:
            why = f"{latest.machine} was promoted later (term {latest.term}, here {candidate.term})"
            return (why,)
        past = progress(picture.engine, candidate.position) > progress(
            picture.engine, latest.position
        )
        if latest.alone and latest.term == candidate.term and not past:
            return (f"{latest.machine} went on alone, and this machine has nothing of that",)
    return last_seen(picture, candidate)


def last_seen(picture: Picture, candidate: State) -> tuple[str, ...]:
    """What this machine itself saw of the last primary."""
    seen = picture.looks[candidate.machine].seen
    if candidate.role != REPLICA:
        return ()
    if seen is None:
        return ("it never heard of the primary that it follows",)
    if seen.term > candidate.term:
        return (f"it has not yet taken over what {seen.machine} wrote as the later primary",)
    if seen.synchronous != ON:
        return (f"writes on {seen.machine} did not wait for it when it last heard of that",)
    return ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is not as it should be, and what to do."""

    text: str
    fatal: bool
    """Nobody can write, or something may be lost."""


def alarms(picture: Picture) -> tuple[Alarm, ...]:
    """What is wrong with an engine."""
    found = []
    name = picture.engine
    if len(picture.primaries) > 1:
        names = " and ".join(state.machine for state in picture.primaries)
        found.append(Alarm(f"two primaries: {names}", fatal=True))
    if not picture.primaries:
        hint = (
            "the cluster promotes a replica that surely has every write (`lab cluster status`)"
            if picture.is_in_cluster
            else f"`lab db promote {name}` makes a replica the primary"
        )
        what = "no primary, nobody can write"
        if picture.unknown:
            what = f"no primary is seen, unless it is {' or '.join(picture.unknown)}"
        found.append(Alarm(f"{what}; {hint}", fatal=True))
    for state in picture.primaries:
        found += primary_alarms(picture, state)
    for machine, look in sorted(picture.looks.items()):
        found += machine_alarms(name, machine, look)
    return tuple(found)


def primary_alarms(picture: Picture, state: State) -> list[Alarm]:
    """What is wrong from a primary's point of view."""
    if len(picture.looks) == 1:
        return []
    followers = [follower for follower in state.followers if follower.streaming]
    if not followers and state.synchronous == ON:
        hint = (
            "it goes on alone once the cluster knows"
            if picture.is_in_cluster
            else "bring the replica back, or let it go on alone: "
            f"`lab db promote {picture.engine} {state.machine}`"
        )
        text = f"{state.machine} has no replica, so writes wait; {hint}"
        return [Alarm(text, fatal=True)]
    if state.synchronous == ALONE:
        text = f"{state.machine} goes on alone: what it writes now is nowhere else"
        return [Alarm(text, fatal=True)]
    if not followers:
        return [Alarm(f"{state.machine} has no replica", fatal=True)]
    lags = [(f.name, f.lag_bytes or 0) for f in followers]
    behind = [(name, lag / 2**20) for name, lag in lags if lag > FAR_BEHIND_BYTES]
    return [Alarm(f"{name} is {lag:.0f} MiB behind", False) for name, lag in behind]


def machine_alarms(engine: str, machine: str, look: Look) -> list[Alarm]:
    """What is wrong with one machine."""
    state = look.state
    if state is None:
        return [Alarm(f"{machine} does not answer: {look.why}", fatal=False)]
    if state.role in (DOWN, WAITING, UNKNOWN, ABSENT):
        why = f": {state.detail}" if state.detail else ""
        return [Alarm(f"{machine} is {state.role}{why}", fatal=False)]
    if state.role == REPLICA and not state.is_streaming:
        hint = f"`lab db rejoin {engine} {machine}` joins it again"
        why = f" ({state.detail})" if state.detail else ""
        return [Alarm(f"{machine} receives nothing{why}; {hint}", fatal=False)]
    if state.role == REPLICA and state.lag_s > FAR_BEHIND_S:
        # It has what is acknowledged on its disk; readers do not see it yet.
        return [Alarm(f"{machine} is {state.lag_s:.0f} s behind in what it shows", fatal=False)]
    return []
