"""Thousands of requests as a few hundred marks: what a plot of some hundred pixels can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lab.drill.events import Owner, RoleSeen
from lab.drill.judge.owners import WIRE
from lab.drill.judge.services import PRIMARY
from lab.drill.judge.spans import WORD_S, Span, Word, at_most
from lab.drill.judge.timeline import Kind, Sample, Timeline, names

BINS = 240
FLOOR_S = 1e-4
"""A logarithmic axis has no 0."""

LAST_WORD_S = 0.01
"""Drawn of a word that no other one follows: a machine without power says nothing any more."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The requests of one kind that were begun in one bin of time."""

    t: float
    """Their mean start."""
    least_s: float
    most_s: float


def marks(samples: Iterable[Sample], kind: Kind, begin: float, end: float) -> list[Mark]:
    """The requests of one kind between two moments, in bins of time; none is left out."""
    width = (end - begin) / BINS
    bins: dict[int, list[Sample]] = {}
    for sample in samples:
        if sample.kind == kind and begin <= sample.t <= end:
            bins.setdefault(int((sample.t - begin) / width) if width > 0 else 0, []).append(sample)
    return [_mark(bins[number]) for number in sorted(bins)]


def _mark(samples: Sequence[Sample]) -> Mark:
    took = [max(sample.took_s, FLOOR_S) for sample in samples]
    return Mark(sum(sample.t for sample in samples) / len(samples), min(took), max(took))


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which one and the same had something, or several at once."""

    begin: float
    end: float
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """Who had it, as one source says; nothing where nobody had it or nothing is known."""

    source: str
    """`arp`, the name of a machine, or of a service."""
    is_service: bool
    stretches: tuple[Stretch, ...]
    vip: str = ""
    """Name of the VIP; empty for the load balancers'."""


def lanes(time: Timeline) -> list[Lane]:
    """Of the VIP, each source; then the primaries of each service."""
    looks: dict[tuple[str, str], list[Owner]] = {}
    for event in time.of(Owner):
        looks.setdefault((event.vip, event.source), []).append(event)
    # The VIP that the fault is about first, and of each what the wire says.
    about = time.header.vip
    ordered = sorted(looks, key=lambda of: (of[0] != about, of[0], of[1] != WIRE, of[1]))
    owners = [
        Lane(source, False, _of_looks(time, looks[vip, source]), vip=vip) for vip, source in ordered
    ]
    return [*owners, *_primaries(time)]


def _of_looks(time: Timeline, looks: Sequence[Owner]) -> tuple[Stretch, ...]:
    stretches: list[Stretch] = []
    for place, look in enumerate(looks):
        begin = time.at(look)
        following = time.at(looks[place + 1]) if place + 1 < len(looks) else float("inf")
        end = following if following - begin <= WORD_S else begin + LAST_WORD_S
        owners = names(look.owners)
        last = stretches[-1] if stretches else None
        if last and last.owners == owners and last.end >= begin:
            stretches[-1] = Stretch(last.begin, end, owners)
        else:
            stretches.append(Stretch(begin, end, owners))
    return tuple(stretch for stretch in stretches if stretch.owners)


def _primaries(time: Timeline) -> list[Lane]:
    words: dict[str, dict[str, list[Word]]] = {}
    for event in time.of(RoleSeen):
        said = words.setdefault(event.service, {}).setdefault(event.machine, [])
        said.append(Word(time.at(event), event.role == PRIMARY))
    return [
        Lane(service, True, _together({m: at_most(w, _word_s(w)) for m, w in machines.items()}))
        for service, machines in sorted(words.items())
    ]


def _word_s(words: Sequence[Word]) -> float:
    """Rarely asked services are believed for longer: as long as two usual looks."""
    between = sorted(b.t - a.t for a, b in pairwise(words))
    return max(WORD_S, 2 * between[len(between) // 2]) if between else WORD_S


def _together(spans: dict[str, list[Span]]) -> tuple[Stretch, ...]:
    moments = sorted(
        {m for each in spans.values() for span in each for m in (span.begin, span.end)}
    )
    stretches: list[Stretch] = []
    for begin, end in pairwise(moments):
        middle = (begin + end) / 2
        owners = names(m for m, each in spans.items() if any(s.holds(middle) for s in each))
        if stretches and stretches[-1].owners == owners:
            stretches[-1] = Stretch(stretches[-1].begin, end, owners)
        else:
            stretches.append(Stretch(begin, end, owners))
    return tuple(stretch for stretch in stretches if stretch.owners)
