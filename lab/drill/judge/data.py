"""Whether the history holds what a verdict needs: a prober that did not run saw no outage either.

- A probe that was announced has *no data* where it died, never started, or saw nothing after the
  fault was begun. One that is `absent` cannot run on this lab at all; that is said and held
  against nobody.
- A client probe was *late* where, between the steady state and the end, it asked nothing for longer
  than the outage that it may have (so that a pause could hide one that is too long), or for more
  than a second (without a fault, where nothing is tolerated: for that alone), and in any case for
  more than 10 intervals. Shorter pauses are in the resolution of its numbers, and never count as
  certain outage.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lab.drill.events import ProbeState
from lab.drill.judge.clients import Pause, outage_limit_s, pauses_of
from lab.drill.judge.model import Client
from lab.drill.judge.timeline import NO_FAULT, Sample, Timeline

LATE_INTERVALS = 10
LATE_S = 1.0


def no_data(time: Timeline) -> dict[str, str]:
    """By announced probe without data: why, in the words of the history where it has any."""
    states: dict[str, list[ProbeState]] = {}
    for event in time.of(ProbeState):
        states.setdefault(event.probe, []).append(event)
    signs = time.last_sign()
    since = time.fault_begin
    missing: dict[str, str] = {}
    for probe in sorted(time.header.probes):
        reason = _why_no_data(states.get(probe, []), signs.get(probe), since)
        if reason is not None:
            missing[probe] = reason
    return missing


def absent(time: Timeline) -> frozenset[str]:
    """Probes that cannot run on this lab."""
    return frozenset(event.probe for event in time.of(ProbeState) if event.state == "absent")


def _why_no_data(
    states: Sequence[ProbeState], last_sign: float | None, since: float | None
) -> str | None:
    for event in states:
        if event.state in {"died", "absent"}:
            return f"{event.state}: {event.detail}" if event.detail else event.state
    if last_sign is None:
        return "saw nothing" if states else "never started"
    return "saw nothing after the fault" if since is not None and last_sign < since else None


def long_pauses(time: Timeline, clients: Mapping[str, Client]) -> dict[str, tuple[Pause, ...]]:
    """By announced client probe, its pauses of more than 10 intervals while it was to look."""
    begin = time.steps.get("steady", time.fault_begin)
    if begin is None:
        return {}
    return {
        probe: tuple(_long_pauses(time, clients[probe], samples, begin))
        for probe, samples in time.samples().items()
    }


def _long_pauses(
    time: Timeline, client: Client, samples: Sequence[Sample], begin: float
) -> Iterator[Pause]:
    if client.interval_s is None:
        return
    end = time.steps.get("end", float("inf"))
    waits = client.is_session or client.kind == "write"
    for pause in (*pauses_of(samples, waits=waits), *_at_the_ends(samples, begin, end)):
        is_long = pause.length_s > client.interval_s * LATE_INTERVALS
        if is_long and pause.end > begin and pause.begin < end:
            yield pause


def latest(time: Timeline, client: Client, pauses: Sequence[Pause]) -> Pause | None:
    """The longest of these pauses, if it may have hidden what would change the verdict."""
    tolerated = LATE_S
    if time.header.fault != NO_FAULT:
        tolerated = min(tolerated, outage_limit_s(time, client))
    late = [pause for pause in pauses if pause.length_s > tolerated]
    return max(late, key=lambda pause: pause.length_s, default=None)


def _at_the_ends(samples: Sequence[Sample], begin: float, end: float) -> list[Pause]:
    """Before the first request and after the last one."""
    pauses = [Pause(begin, samples[0].t)]
    if end != float("inf"):
        last = max(sample.t if sample.is_good else sample.end for sample in samples)
        pauses.append(Pause(last, end))
    return [pause for pause in pauses if pause.end > pause.begin]
