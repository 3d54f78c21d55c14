"""What the commands of both engines have in common: how a word is found, and what `check` says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from .model import DOWN, PRIMARY, REPLICA, WAITING, State
from .shell import DatabaseError
from .watch import read_seen

Words = list[str]


class AnySite(Protocol):
    """One engine on this machine."""

    def must_be_prepared(self) -> None: ...


S = TypeVar("S", bound=AnySite)


def carry_out(
    site: S,
    commands: Mapping[str, Callable[[S, Words], Any]],
    words: Words,
    *,
    anytime: Collection[str],
) -> object:
    """Do what the words say. Raises DatabaseError.

    `anytime`: the commands that need no prepared data.
    """
    command = commands.get(words[0]) if words else None
    if command is None:
        msg = f"expected one of: {', '.join(commands)}"
        raise DatabaseError(msg)
    if words[0] not in anytime:
        site.must_be_prepared()
    result: object = command(site, words[1:])
    return result


def must_serve(title: str, state: State) -> None:
    """Raises DatabaseError unless the server runs as a primary, or as a replica that receives."""
    if state.role == PRIMARY or (state.role == REPLICA and state.is_streaming):
        return
    why = state.detail or ("it receives nothing" if state.role == REPLICA else "")
    raise DatabaseError(f"{title} on {state.machine} is {state.role}: {why}".rstrip(": "))


def status(engine: str, state: State, *, was: str, term: Callable[[], int]) -> object:
    """The state (of a server that does not run what its data is), and the last primary seen."""
    if state.role in (DOWN, WAITING) and not state.was:
        state = replace(state, was=was, term=term())
    return {"state": state.as_json(), "seen": read_seen(engine)}
