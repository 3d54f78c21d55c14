"""What a drill is judged by: from its prediction, the fault and the stack's settings. Pure."""

from __future__ import annotations

from components.timers import Timers, predict
from lab.drill.events import Limits, Prediction
from lab.drill.model import Fault
from lab.drill.target import FaultLimits, Target

GOOD_IN_ROW, FEWEST_IN_ROW = 10, 3
"""So many good requests in a row end an outage: with a request every 10 ms, a tenth of a second.
Where requests are rarer, as many as there are in a second, but three."""
OVERLAP_MARGIN_S = 0.25
"""What the looks at the addresses themselves may be late."""


def limits_for(target: Target, fault: Fault | None, predicted: Prediction | None) -> Limits:
    """The limits of one fault; without a fault (None) not a single request may fail."""
    drill = target.drill

    def tolerated(seconds: float) -> float:
        return seconds * drill.tolerance_percent / 100 + drill.tolerance_ms / 1000

    # From a good request to a good one an outage looks up to an interval longer at either end.
    seen_longer_s = 2 * drill.interval_ms / 1000
    outage_s: float = 0.0
    failed: int | None = 0
    if fault is not None and predicted is not None:
        own = drill.limits.get(fault.name, FaultLimits())
        outage_s = tolerated(predicted.seconds) + seen_longer_s
        if own.outage_ms is not None:
            outage_s = own.outage_ms / 1000
        said = (own.failed_requests, fault.failed_requests, predicted.failed_requests)
        failed = next((number for number in said if number is not None), None)
    costs = predict(target.timer_set, engine=target.engine)
    in_flight_s = tolerated(costs["app_server_cut_in_flight"])
    return Limits(
        outage_s=round(outage_s, 3),
        failed_requests=failed,
        slow_s=drill.slow_ms / 1000,
        in_flight_s=0.0 if fault is None else round(in_flight_s, 3),
        good_in_row=in_row(GOOD_IN_ROW, FEWEST_IN_ROW, within_s=1.0, interval_ms=drill.interval_ms),
        owner_overlap_s=0.0 if fault is None else overlap_s(target.timer_set),
        until_undone=fault is not None and fault.until_undone,
    )


def in_row(most: int, fewest: int, *, within_s: float, interval_ms: int) -> int:
    """As many requests as there are in this time, between the two numbers."""
    return max(fewest, min(most, round(within_s * 1000 / interval_ms)))


def overlap_s(timers: Timers) -> float:
    """How long two machines may have the VIP: a former owner that comes back (thawed, restarted)
    gives it up when it hears an advert of the new one, within the time that it takes to miss three.
    """
    return round(predict(timers)["vip_owner_crash"] + OVERLAP_MARGIN_S, 3)


def watch_s(fault: Fault | None, predicted: Prediction | None, *, quiet_s: float) -> float:
    """How long the fault stays in place at least: its effect may come late, and must be over.

    A fault that nothing but its undoing ends stays for its own time alone.
    """
    if fault is None or predicted is None:
        return quiet_s
    if fault.until_undone:
        return fault.effect_s
    return max(fault.effect_s, 1.5 * predicted.seconds) + quiet_s
