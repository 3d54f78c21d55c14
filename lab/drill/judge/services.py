"""Who was primary of each replicated service, as its machines say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.drill.events import RoleSeen
from lab.drill.judge.model import Service
from lab.drill.judge.spans import WORD_S, Word, certain, overlap
from lab.drill.judge.timeline import Timeline

PRIMARY = "primary"
LOOKS_MISSED = 2.5
"""A word is believed until two looks were missed, where looks are further apart than usual."""


def services(time: Timeline) -> dict[str, Service]:
    """By service."""
    seen: dict[str, dict[str, list[RoleSeen]]] = {}
    for event in time.of(RoleSeen):
        seen.setdefault(event.service, {}).setdefault(event.machine, []).append(event)
    return {service: _service(time, seen[service]) for service in sorted(seen)}


def _service(time: Timeline, of_machine: Mapping[str, Sequence[RoleSeen]]) -> Service:
    begin = time.fault_begin
    before, after = [], []
    for machine, events in sorted(of_machine.items()):
        early = [event for event in events if begin is None or time.at(event) < begin]
        if early and early[-1].role == PRIMARY:
            before.append(machine)
        if events[-1].role == PRIMARY:
            after.append(machine)
    spans = [
        certain([Word(time.at(e), e.role == PRIMARY) for e in events], _word_s(time, events))
        for events in of_machine.values()
    ]
    both = overlap(spans, 1)
    return Service(
        primary_before=tuple(before),
        primary_after=tuple(after),
        overlaps=both.count,
        overlap_s=both.seconds,
    )


def _word_s(time: Timeline, events: Sequence[RoleSeen]) -> float:
    interval = time.header.probes.get(events[0].probe or events[0].service, 0.0)
    return max(WORD_S, LOOKS_MISSED * interval)
