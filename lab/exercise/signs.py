"""When something that a person did began, from what was seen of it. Pure.

The tool does not know the moment at which a person presses Enter in another terminal. What counts
is the first visible effect, and it is looked for backwards from the moment at which the effect was
certain (another VIP owner was seen, a server was seen down, the lab was seen whole):

- *inject* is the last moment at which everything was still normal: the last look that showed the
  old owner, the last request that the broken server answered, or the first word of the machine that
  comes back; or, where that is earlier, the begin of the outages that lead up to it (up to a second
  of good requests may lie between them).
- *injected* is the first moment at which something was not normal any more. Between the two it
  happened, so their distance says how well its moment is known.
- *steady* is the end of the last disturbance before it, or the moment from which on the person was
  free to act: since then all was well.

So a drill's judge needs no rules of its own for what was broken by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lab.drill.events import AnyEvent, Header, Owner, Request
from lab.drill.judge.clients import outages
from lab.drill.judge.timeline import Sample, timeline
from lab.exercise.model import Effect
from lab.exercise.progress import Progress

LINKS_S = {Effect.VIP_MOVED: 1.0, Effect.SERVER_DOWN: 0.0, Effect.LAB_WHOLE: float("inf")}
"""Outages that are so near to each other, or to what was seen, are of one cause; in seconds.

A server's last answer proves that it still worked: what was over by then has another cause. A
machine on its way back may disturb others long before it says its first word.
"""


@dataclass(frozen=True, slots=True)
class Moments:
    """On the monotonic clock, in seconds."""

    steady: float
    inject: float
    injected: float


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A time in which a client was not served, and the first request that was not good."""

    begin: float
    first_bad: float
    end: float


def moments(header: Header, events: Sequence[AnyEvent], progress: Progress) -> Moments:
    """The three moments of a step whose effect was seen. Raises ValueError where it was not."""
    if progress.seen_at is None:
        msg = "the effect was not seen, so it has no beginning"
        raise ValueError(msg)
    seen_at = progress.seen_at
    normal, first = _anchor(events, progress)
    link_s = LINKS_S[progress.effect]
    steady = progress.begun_at
    for disturbance in sorted(disturbances(header, events), key=lambda d: -d.end):
        if disturbance.begin > seen_at:
            continue
        if disturbance.end <= max(normal - link_s, progress.begun_at):
            steady = max(steady, disturbance.end)
            break
        normal = min(normal, disturbance.begin)
        first = min(first, disturbance.first_bad)
    return Moments(steady=min(steady, normal), inject=normal, injected=max(first, normal))


def disturbances(header: Header, events: Iterable[AnyEvent]) -> Iterator[Disturbance]:
    """The outages of all clients, on the monotonic clock."""
    time = timeline([header, *events])
    for samples in time.samples().values():
        for outage in outages(time, samples):
            yield Disturbance(
                begin=time.zero + outage.begin,
                first_bad=time.zero + _first_bad(samples, outage.begin),
                end=time.zero + outage.end,
            )


def _first_bad(samples: Sequence[Sample], begin: float) -> float:
    return next((s.t for s in samples if s.t >= begin and not s.is_good), begin)


def _anchor(events: Sequence[AnyEvent], progress: Progress) -> tuple[float, float]:
    """What the effect itself shows: the last normal thing, and the first that was not."""
    seen_at = progress.seen_at or 0.0
    if progress.effect is Effect.VIP_MOVED:
        return _move(events, progress, seen_at)
    if progress.effect is Effect.LAB_WHOLE:
        words = (e.t for e in events if isinstance(e, Owner) and e.source == progress.victim)
        back = min((t for t in words if t >= progress.begun_at), default=seen_at)
        return back, back
    served = (
        e.t
        for e in events
        if isinstance(e, Request) and e.server == progress.victim and e.outcome == "ok"
    )
    lately = (t for t in served if progress.begun_at <= t <= seen_at)
    last = max(lately, default=progress.last_look)
    return (seen_at if last is None else last), seen_at


def _move(events: Sequence[AnyEvent], progress: Progress, seen_at: float) -> tuple[float, float]:
    """The last look that still shows the victim with the VIP, and the first that shows another."""
    with_it = (e.t for e in events if isinstance(e, Owner) and progress.victim in e.owners)
    return max((t for t in with_it if t < seen_at), default=seen_at), seen_at
