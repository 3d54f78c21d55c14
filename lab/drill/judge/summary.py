"""Several runs of the same fault in one line. Percentiles are by nearest rank: measured values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from lab.drill.events import Prediction
from lab.drill.judge.model import Part, Verdict
from lab.drill.judge.numbers import rank, rounded


class Spread(Part):
    """Outages of several runs, in seconds."""

    min: float
    median: float
    """Of an even number of runs the lower one of the two in the middle."""
    p95: float
    max: float


class Summary(Part):
    """All runs of one fault on one lab with one set of timers."""

    fault: str
    tier: str
    stack: str
    timers: str
    provider: str
    victims: tuple[str, ...]
    """Of all runs; the role may have moved from one machine to another."""
    runs: int
    passed: int
    failed: int
    unknown: int
    outages: tuple[float, ...]
    """Of the runs with data, in the order of the runs."""
    outage: Spread | None
    """None: no run has data."""
    resolution_s: float | None
    """The coarsest of all runs."""
    session_outage: Spread | None
    """Of the clients that keep one connection."""
    limit_s: float
    """The outage that is tolerated; of several the longest."""
    total_requests: tuple[int, int]
    """Fewest and most of one run; so the next three."""
    failed_requests: tuple[int, int]
    slow_requests: tuple[int, int]
    unknown_requests: tuple[int, int]
    detection: Spread | None
    takeover: Spread | None
    predicted: Prediction | None
    """Of several the longest: an upper bound of them all."""
    ratio: float | None
    """The longest outage divided by the predicted one."""


def summarise(verdicts: Iterable[Verdict]) -> list[Summary]:
    """One summary for each fault of each lab and set of timers, in the order of their first run."""
    groups: dict[tuple[str, str, str, str, str], list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(group_of(verdict), []).append(verdict)
    return [_summary(runs) for runs in groups.values()]


def group_of(one: Verdict | Summary) -> tuple[str, str, str, str, str]:
    """What two verdicts must have in common to be runs of the same."""
    return one.stack, one.provider, one.timers, one.tier, one.fault


def _summary(runs: Sequence[Verdict]) -> Summary:
    stack, provider, timers, tier, fault = group_of(runs[0])
    outcomes = Counter(run.outcome for run in runs)
    outages = tuple(run.outage_s for run in runs if run.outage_s is not None)
    predictions = [run.predicted for run in runs if run.predicted is not None]
    predicted = max(predictions, key=lambda p: (p.seconds, p.formula), default=None)
    is_comparable = bool(outages) and predicted is not None and predicted.seconds > 0
    return Summary(
        fault=fault,
        tier=tier,
        stack=stack,
        timers=timers,
        provider=provider,
        victims=tuple(sorted({victim for run in runs for victim in run.victims})),
        runs=len(runs),
        passed=outcomes["pass"],
        failed=outcomes["fail"],
        unknown=outcomes["unknown"],
        outages=outages,
        outage=spread(outages),
        resolution_s=max(
            (r.resolution_s for r in runs if r.resolution_s is not None), default=None
        ),
        session_outage=spread([r.session_outage_s for r in runs if r.session_outage_s is not None]),
        limit_s=max(run.limits.outage_s for run in runs),
        total_requests=_range(run.total for run in runs),
        failed_requests=_range(run.failed for run in runs),
        slow_requests=_range(run.slow for run in runs),
        unknown_requests=_range(run.unknown for run in runs),
        detection=spread([r.vip.detection_s for r in runs if r.vip.detection_s is not None]),
        takeover=spread([r.vip.takeover_s for r in runs if r.vip.takeover_s is not None]),
        predicted=predicted,
        ratio=rounded(max(outages) / predicted.seconds) if predicted and is_comparable else None,
    )


def spread(values: Sequence[float]) -> Spread | None:
    """Their spread; None of none."""
    if not values:
        return None
    return Spread(
        min=min(values), median=rank(values, 0.5), p95=rank(values, 0.95), max=max(values)
    )


def _range(counts: Iterable[int]) -> tuple[int, int]:
    found = list(counts)
    return min(found), max(found)
