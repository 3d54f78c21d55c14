"""What client probes saw: outages, failed and slow requests, who answered.

The definitions, for requests and writes alike, in the order in which they were begun:

- *good*: answered as expected within `limits.slow_s`. *slow*: answered as expected, later.
  *unknown*: whether it succeeded cannot be known. Unknown ones at the very end were cut off by the
  end of the drill; they are counted and prove nothing. All others are not good.
- An *outage* begins with the start of the last good request before the first one that is not good
  (before the first success: with the first request), and ends with the start of the first of K
  (`limits.good_in_row`) good ones in a row. So it is at most one interval too long at either end,
  never too short. With one of two servers dead every second request fails; no K good ones follow
  each other, and the outage covers it all. Where K good ones never come it lasts until the end of
  the last request.
- One single slow request is no outage as long as the requests around it were good: it is counted
  as slow. It is one where the next good request was begun more than `slow_s` after the last one, as
  with a probe that has one connection and waits for each answer.
- An outage belongs to the *fault* if it was not over before the fault was begun, to its *undo* if
  its first request that was not good was begun after the undoing. What cannot be told apart counts
  for the fault.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from lab.drill.events import Write
from lab.drill.judge.model import Client, Latency, Outage, Phase
from lab.drill.judge.numbers import rank, rounded
from lab.drill.judge.timeline import NO_FAULT, Sample, Timeline, names

RETRANSMIT_S = 0.2
"""TCP_RTO_MIN of Linux."""


@dataclass(slots=True)
class _Window:
    """Requests that were not good, not K good ones in a row between them."""

    begin: float
    bad: list[Sample] = field(default_factory=list)
    good_in_row: int = 0
    good_at: float | None = None
    """Start of the first of the good ones in a row behind it."""
    end: float = 0.0
    is_over: bool = False


def clients(time: Timeline) -> dict[str, Client]:
    """By probe; those that saw nothing at all are not in it."""
    writers = {event.probe for event in time.of(Write)}
    return {
        probe: _client(time, probe, samples, is_writer=probe in writers)
        for probe, samples in time.samples().items()
    }


def fresh(of: Collection[Client]) -> list[Client]:
    """Those that connect anew each time: they are what a prediction is about. All, where none does.

    A connection that was open waits for TCP's retransmissions besides.
    """
    anew = [client for client in of if not client.is_session]
    return anew or list(of)


def outage_limit_s(time: Timeline, client: Client) -> float:
    """How long this client may be without service.

    One that keeps its connection: twice as long and 200 ms more. TCP sends again after 200 ms (at
    least, on Linux), and each time waits twice as long, so that after an outage of T it tries again
    at most T + 200 ms later. Or as long as a request may be in flight to a server that vanished.
    """
    limit = time.header.limits.outage_s
    if not client.is_session or time.header.fault == NO_FAULT:
        return limit
    return rounded(max(2 * limit + RETRANSMIT_S, time.header.limits.in_flight_s))


def _client(time: Timeline, probe: str, samples: Sequence[Sample], *, is_writer: bool) -> Client:
    is_session = probe in time.header.sessions
    counts = Counter(sample.kind for sample in samples)
    found = outages(time, samples)
    before, after = _around(time, samples, found)
    return Client(
        kind="write" if is_writer else "request",
        is_session=is_session,
        interval_s=time.header.probes.get(probe),
        resolution_s=_resolution(time, probe, samples),
        total=len(samples),
        good=counts["good"],
        slow=counts["slow"],
        failed=counts["failed"],
        unknown=counts["unknown"],
        failed_after=sum(outage.failed for outage in found if outage.phase != "before"),
        outages=tuple(found),
        outage_s=_longest(found, "fault") if _has_data(samples, time.fault_begin) else None,
        undo_outage_s=_longest(found, "undo") if _has_data(samples, time.undo_begin) else None,
        latency=_latency([sample.took_s for sample in samples if sample.is_good]),
        servers_before=names(sample.server for sample in before),
        servers_after=names(sample.server for sample in after),
        balancers_before=names(sample.balancer for sample in before),
        balancers_after=names(sample.balancer for sample in after),
    )


def outages(time: Timeline, samples: Sequence[Sample]) -> list[Outage]:
    """The outages of one client; the module says what that is."""
    known = _without_cut_off(samples)
    return [
        _outage(time, window)
        for window in _windows(known, time.header.limits.good_in_row)
        if _is_outage(window, time.header.limits.slow_s)
    ]


def _without_cut_off(samples: Sequence[Sample]) -> Sequence[Sample]:
    last = len(samples)
    while last and samples[last - 1].kind == "unknown":
        last -= 1
    return samples[:last]


def _windows(samples: Sequence[Sample], good_in_row: int) -> list[_Window]:
    windows: list[_Window] = []
    last_good: Sample | None = None
    for sample in samples:
        window = windows[-1] if windows and not windows[-1].is_over else None
        if sample.is_good:
            last_good = sample
            if window is not None:
                _good_again(window, sample, good_in_row)
            continue
        if window is None:
            window = _Window(begin=sample.t if last_good is None else last_good.t)
            windows.append(window)
        window.bad.append(sample)
        window.good_in_row, window.good_at = 0, None
    if windows and not windows[-1].is_over:
        windows[-1].end = max(sample.end for sample in samples)
    return windows


def _good_again(window: _Window, sample: Sample, good_in_row: int) -> None:
    if window.good_at is None:
        window.good_at = window.end = sample.t
    window.good_in_row += 1
    window.is_over = window.good_in_row >= good_in_row


def _is_outage(window: _Window, slow_s: float) -> bool:
    if len(window.bad) > 1 or window.bad[0].kind != "slow":
        return True
    return window.good_at is not None and window.good_at - window.begin > slow_s


def _outage(time: Timeline, window: _Window) -> Outage:
    counts = Counter(sample.kind for sample in window.bad)
    phase = _phase(time, window)
    return Outage(
        begin=window.begin,
        end=window.end,
        duration_s=rounded(max(window.end - window.begin, 0.0)),
        phase=phase,
        is_over=window.is_over,
        until_undone=phase == "fault" and window.end > time.undo_begin,
        failed=counts["failed"],
        slow=counts["slow"],
        unknown=counts["unknown"],
    )


def _phase(time: Timeline, window: _Window) -> Phase:
    fault_begin = time.fault_begin
    if fault_begin is None or max(sample.end for sample in window.bad) < fault_begin:
        return "before"
    return "undo" if window.bad[0].t >= time.undo_begin else "fault"


def _longest(found: Iterable[Outage], phase: Phase) -> float:
    return max((outage.duration_s for outage in found if outage.phase == phase), default=0.0)


def _has_data(samples: Sequence[Sample], moment: float | None) -> bool:
    return moment is not None and samples[-1].t >= moment


def _latency(took: Sequence[float]) -> Latency | None:
    if not took:
        return None
    p50, p95, p99 = (rounded(rank(took, share)) for share in (0.5, 0.95, 0.99))
    return Latency(p50=p50, p95=p95, p99=p99, max=rounded(max(took)))


def _around(
    time: Timeline, samples: Sequence[Sample], found: Iterable[Outage]
) -> tuple[list[Sample], list[Sample]]:
    """The good requests before the fault, and those from the end of its last outage on."""
    begin = time.fault_begin
    if begin is None:
        return [sample for sample in samples if sample.is_good], []
    ends = [outage.end for outage in found if outage.phase == "fault"]
    served_from = max([begin, time.steps.get("injected", begin), *ends])
    good = [sample for sample in samples if sample.is_good]
    before = [sample for sample in good if sample.t < begin]
    return before, [sample for sample in good if served_from <= sample.t < time.undo_begin]


def _resolution(time: Timeline, probe: str, samples: Sequence[Sample]) -> float | None:
    """Of starts, also where the client waits in between: outages are counted by them."""
    interval = time.header.probes.get(probe)
    since = time.fault_begin
    pauses = pauses_of(samples, waits=False)
    lengths = [pause.length_s for pause in pauses if since is None or pause.end >= since]
    known = [value for value in (interval, *lengths) if value is not None]
    return rounded(max(known)) if known else None


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which a probe asked nothing and waited for nothing that went wrong."""

    begin: float
    end: float

    @property
    def length_s(self) -> float:
        return rounded(self.end - self.begin)

    def within(self, begin: float, end: float) -> float:
        """How much of it lies between these two moments, in seconds."""
        return rounded(max(min(self.end, end) - max(self.begin, begin), 0.0))


def pauses_of(samples: Sequence[Sample], *, waits: bool) -> list[Pause]:
    """The times between the starts of two requests, one after the other.

    Where a request that went wrong was on its way the probe was not idle: what happened then is
    known. A request that went well excuses only a client that `waits` for each answer before it
    asks again: had the prober itself stood still, such a request would be in flight as well.
    """
    pauses: list[Pause] = []
    busy_until = float("-inf")
    for sample, following in pairwise(samples):
        if waits or not sample.is_good:
            busy_until = max(busy_until, sample.end)
        begin = max(sample.t, busy_until)
        if following.t > begin:
            pauses.append(Pause(begin, following.t))
    return pauses
