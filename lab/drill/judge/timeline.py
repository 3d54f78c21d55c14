"""The events of a history by kind and in order, on a clock that is 0 when the fault was begun."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Literal, TypeVar

from lab.drill.events import (
    AnyEvent,
    Event,
    Header,
    Owner,
    PhaseEvent,
    Request,
    RoleSeen,
    Step,
    Write,
)
from lab.drill.judge.numbers import rounded

NO_FAULT = "none"
Kind = Literal["good", "slow", "failed", "unknown"]
E = TypeVar("E", bound=Event)


@dataclass(frozen=True, slots=True, order=True)
class Sample:
    """One request or write of a client."""

    t: float
    took_s: float
    kind: Kind
    server: str = ""
    balancer: str = ""

    @property
    def end(self) -> float:
        return rounded(self.t + self.took_s)

    @property
    def is_good(self) -> bool:
        return self.kind == "good"


@dataclass(frozen=True, slots=True)
class Timeline:
    """A history, made ready for judging."""

    header: Header
    events: tuple[AnyEvent, ...]
    """All others, in order."""
    zero: float
    """The moment on the monotonic clock that is 0 here."""
    steps: Mapping[Step, float]
    """When each was seen first."""

    def at(self, event: Event) -> float:
        """When it was, on this clock."""
        return rounded(event.t - self.zero)

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def fault_begin(self) -> float | None:
        """From when on clients may suffer; without a fault, from when on they must not."""
        begin = self.steps.get("inject")
        if begin is None and self.header.fault == NO_FAULT:
            return self.steps.get("steady")
        return begin

    @property
    def undo_begin(self) -> float:
        """From when on it is not the fault that they suffer from; infinite where it stayed."""
        return self.steps.get("undo", float("inf"))

    def samples(self) -> dict[str, list[Sample]]:
        """By client probe, its requests and writes in the order in which they were begun.

        None that was begun at the drill's end or later: probes end a moment after it, and what they
        begin in that moment is followed by too little to say what became of it.
        """
        slow_s = self.header.limits.slow_s
        end = self.steps.get("end", float("inf"))
        found: dict[str, list[Sample]] = {}
        for event in self.events:
            if isinstance(event, Request | Write) and self.at(event) < end:
                kind = _kind(event, slow_s)
                server, balancer = (
                    (event.server, event.balancer) if isinstance(event, Request) else ("", "")
                )
                sample = Sample(self.at(event), event.took_s, kind, server, balancer)
                found.setdefault(event.probe, []).append(sample)
        return {probe: sorted(found[probe]) for probe in sorted(found)}

    def last_sign(self) -> dict[str, float]:
        """By probe, when it saw something for the last time."""
        signs: dict[str, float] = {}
        for event in self.events:
            probe = _probe_of(event)
            if probe is not None:
                signs[probe] = max(signs.get(probe, float("-inf")), self.at(event))
        return signs


def timeline(history: Sequence[AnyEvent]) -> Timeline:
    """Raises ValueError where the history does not begin with its header."""
    if not history or not isinstance(history[0], Header):
        msg = "a history begins with its header"
        raise ValueError(msg)
    header, others = history[0], tuple(_in_order(history[1:]))
    moments: dict[Step, float] = {}
    for event in others:
        if isinstance(event, PhaseEvent):
            moments.setdefault(event.step, event.t)
    zero = moments.get("inject", moments.get("steady", header.t))
    steps = {step: rounded(moment - zero) for step, moment in moments.items()}
    return Timeline(header, others, zero, steps)


def _in_order(events: Iterable[AnyEvent]) -> Iterator[AnyEvent]:
    """By time; events of one moment in an order that does not depend on how they were written."""
    by_time = attrgetter("t")
    for _, of_moment in groupby(sorted(events, key=by_time), key=by_time):
        same = list(of_moment)
        yield from sorted(same, key=repr) if len(same) > 1 else same


def _kind(event: Request | Write, slow_s: float) -> Kind:
    if event.outcome != "ok":
        return event.outcome
    return "good" if event.took_s <= slow_s else "slow"


def _probe_of(event: AnyEvent) -> str | None:
    if isinstance(event, Request | Write):
        return event.probe
    if isinstance(event, Owner):
        return event.probe or event.source
    if isinstance(event, RoleSeen):
        return event.probe or event.service
    return None


def names(values: Iterable[str]) -> tuple[str, ...]:
    """Sorted, each once, without empty ones."""
    return tuple(sorted({value for value in values if value}))
