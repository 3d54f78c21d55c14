"""Who may be promoted by the cluster, as scores in its configuration. Pure.

A machine's score says whether it has every write that was ever acknowledged. It is certified (0 or
more) or not (`NEVER`), and the cluster promotes certified machines only, the highest score first.
The one who changes scores is the primary: it certifies a replica once every later acknowledgement
needs it, and takes that back, known to every member that it can reach, before it acknowledges a
write without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from .model import ALONE, ON, PRIMARY, REPLICA, State

TAKES_OVER, LEADS, MAY_LEAD = 2000, 1000, 100
"""Of a machine that is asked to become primary, of the primary, of a replica that has it all."""
NEVER = -1_000_000
"""-INFINITY: no rule of the cluster, and no move by hand, promotes it."""
MISSES = 2
"""Monitors in a row that see no replica before the primary goes on without it."""
FAR_BEHIND_BYTES = 16 * 1024 * 1024

Scores = Mapping[str, int]
"""By machine; one that is missing has none."""


def score_of(text: str) -> int:
    """A score as Pacemaker writes it. Raises ValueError."""
    sign, bare = (-1, text[1:]) if text.startswith("-") else (1, text.lstrip("+"))
    return sign * (-NEVER if bare.upper() == "INFINITY" else int(bare))


def score_text(score: int) -> str:
    """A score as Pacemaker reads it."""
    return "-INFINITY" if score <= NEVER else str(score)


def is_certified(scores: Scores, machine: str) -> bool:
    """Whether a machine has every write that was acknowledged."""
    return scores.get(machine, NEVER) >= 0


@dataclass(frozen=True)
class Promotion:
    """How a machine becomes primary."""

    refusal: str
    """Why it must not; empty: it may."""
    scores: Scores
    """What every member has to know before."""
    alone: bool
    """Its writes wait for nobody at first."""


def promotion(
    machine: str, scores: Scores, peers: Mapping[str, State | None], *, synchronous: bool
) -> Promotion:
    """What a promotion needs, by the scores and what the other machines say.

    Where every other machine is certified and runs as a replica, writes wait for one of them from
    the first one on: a crash that was over at once, or a change on request, never leaves a write
    on one disk only.
    """
    if not is_certified(scores, machine):
        why = f"{machine} may lack acknowledged writes (its score is {described(scores, machine)})"
        return Promotion(why, {}, alone=False)
    there = [n for n, state in peers.items() if is_certified(scores, n) and is_replica(state)]
    known = {name: MAY_LEAD if name in there else NEVER for name in sorted(peers)}
    return Promotion("", {**known, machine: LEADS}, alone=synchronous and len(there) < len(peers))


def is_replica(state: State | None) -> bool:
    return state is not None and state.role == REPLICA


def described(scores: Scores, machine: str) -> str:
    return score_text(scores[machine]) if machine in scores else "not set"


@dataclass(frozen=True)
class Act:
    """One thing that a primary has to do about a machine, itself included."""

    what: str
    """`lead`, `certify`, `forget`, or `alone`: to go on without any replica."""
    machine: str


def primary_acts(
    state: State, scores: Scores, members: Collection[str], *, missed: int, peers: Collection[str]
) -> list[Act]:
    """What a running primary has to put right, in order.

    `members` are the machines that the cluster has contact with, `missed` counts the monitors in a
    row, this one included, in which no replica followed.
    """
    acts = [Act("lead", state.machine)] if scores.get(state.machine) != LEADS else []
    following = followers(state, members)
    acts += list(_certificates(state, scores, following, peers))
    lost = [name for name in sorted(peers) if name not in following]
    given_up = [n for n in lost if missed >= MISSES or n not in members]
    if state.synchronous == ON and given_up and len(given_up) == len(peers):
        return [*acts, Act("alone", state.machine)]
    return acts + [Act("forget", name) for name in given_up if is_certified(scores, name)]


def _certificates(
    state: State, scores: Scores, following: Collection[str], peers: Collection[str]
) -> Iterator[Act]:
    if state.synchronous == ALONE:
        return  # until the keeper lets writes wait again
    for name in sorted(set(following) & set(peers)):
        # One that is asked to take over keeps the score for that.
        if scores.get(name) not in (MAY_LEAD, TAKES_OVER):
            yield Act("certify", name)


def followers(state: State, members: Collection[str]) -> list[str]:
    """The replicas that receive; where nobody waits, only those that are not far behind."""
    return [
        f.name
        for f in state.followers
        if f.streaming
        and f.name in members
        and (state.synchronous != ON or f.synchronous)
        and (state.synchronous == ON or is_near(f.lag_bytes))
    ]


def is_near(lag_bytes: int | None) -> bool:
    """Whether a replica is not far behind; nobody is taken for near who cannot say it."""
    return lag_bytes is not None and lag_bytes <= FAR_BEHIND_BYTES


def adopted(machine: str, scores: Scores) -> Scores:
    """The scores when the cluster takes over a running primary: earlier ones do not count."""
    return {**{name: NEVER for name in scores if name != machine}, machine: LEADS}


def latest_primary(peers: Mapping[str, State | None]) -> State | None:
    """The primary among the other machines; of two, the one of the later term."""
    found = [state for state in peers.values() if state is not None and state.role == PRIMARY]
    return max(found, key=lambda state: state.term, default=None)
