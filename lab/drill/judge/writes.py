"""What became of numbered writes: every acknowledged one must be there, once; nothing else may be.

A write whose answer was lost, or that failed, may be there or not: the client was told nothing
else. (How long clients could not write is an outage like any other: see `clients`.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lab.drill.events import Present, Write
from lab.drill.judge.model import Writes
from lab.drill.judge.timeline import Timeline

SHOWN = 10
Range = tuple[int, int]
"""Both ends included."""


def writes(time: Timeline) -> dict[str, Writes]:
    """By probe that wrote something, or of which something was found."""
    attempts: dict[str, list[Write]] = {}
    for event in time.of(Write):
        attempts.setdefault(event.probe, []).append(event)
    # Where somebody looked twice the last look counts.
    found = {event.probe: event for event in time.of(Present)}
    return {
        probe: _of_probe(attempts.get(probe, []), found.get(probe))
        for probe in sorted({*attempts, *found})
    }


def _of_probe(attempts: Sequence[Write], found: Present | None) -> Writes:
    acknowledged = {write.number for write in attempts if write.outcome == "ok"}
    attempted = {write.number for write in attempts}
    unknown = {w.number for w in attempts if w.outcome == "unknown"} - acknowledged
    ranges = _merged(found.numbers) if found else []
    lost = sorted(number for number in acknowledged if not _is_in(number, ranges))
    # Counted, never listed: a range may be as long as it likes.
    there = sum(last - first + 1 for first, last in ranges)
    expected = sum(_is_in(number, ranges) for number in attempted)
    return Writes(
        acknowledged=len(acknowledged),
        unknown=len(unknown),
        failed=len(attempted - acknowledged - unknown),
        lost=len(lost) if found else None,
        lost_numbers=tuple(lost[:SHOWN]) if found else (),
        duplicates=len(set(found.duplicates)) if found else None,
        unattempted=there - expected if found else None,
    )


def _merged(ranges: Iterable[Range]) -> list[Range]:
    """The same numbers in ranges that do not overlap, in order; empty ones are left out."""
    merged: list[Range] = []
    for first, last in sorted(ranges):
        if first > last:
            continue
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _is_in(number: int, ranges: Sequence[Range]) -> bool:
    return any(first <= number <= last for first, last in ranges)
