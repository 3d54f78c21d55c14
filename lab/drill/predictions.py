"""What each fault should cost a client at most, from the timers of the lab. Pure.

The seconds are those of the stack output `timers.predictedFailoverS`, with their formulas. An
outage is counted as a verdict counts it: by when requests are begun.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from components.timers import Engine, Predicted, Timers, explain
from components.timers.predict import FENCE_S, START_S
from lab.drill.events import Prediction
from lab.drill.target import Target

Predict = Callable[[Timers, Target], Prediction]

HUNG_S = 5.0
"""How long a fault stays in place that nothing in the lab ends."""
SLOW_S = 3.0
DELAY_S = 0.1
"""What a slow app server adds to each request."""
UNFENCED_S = 20.0
"""How long fencing stays broken: longer than all that a takeover takes, under any timers."""


def explained(timers: Timers, target: Target, name: str) -> Predicted:
    """One entry of the timers' predictions, for this lab's kind of machines."""
    members = len(_members(target)) or 3
    by_kernel = target.provider == "libvirt"
    return explain(timers, cluster_members=members, track_process=by_kernel, engine=target.engine)[
        name
    ]


def timed(name: str) -> Predict:
    """The prediction of this name, as it stands."""

    def predict(timers: Timers, target: Target) -> Prediction:
        return _prediction(explained(timers, target, name))

    return predict


def owner_lost(timers: Timers, target: Target) -> Prediction:
    """The VIP's owner is gone from the network; where it was an app server too, so is that.

    The new owner has checked that app server all the time, and from its own first requests on it
    may see sooner that it is gone.
    """
    crash = explained(timers, target, "vip_owner_crash")
    if not shares_machines(target):
        return _prediction(crash)
    lost = explained(timers, target, "app_server_lost")
    if timers.haproxy.observe_errors is not None or target.engine == "nginx":
        seconds = crash.seconds + lost.seconds
        text = f"{crash.formula} + {lost.formula} to its app server"
        return Prediction(seconds=round(seconds, 3), formula=text)
    if crash.seconds >= lost.seconds:
        return _prediction(crash)
    return Prediction(seconds=lost.seconds, formula=f"{lost.formula} of its app server")


def shares_machines(target: Target) -> bool:
    """Whether a load balancer is an app server too."""
    return bool(set(target.with_role("load_balancer")) & set(target.with_role("app")))


def balancer(engine: Engine, what: str) -> Predict:
    """What becomes of one load balancer program: `killed`, `stopped`."""

    def predict(timers: Timers, target: Target) -> Prediction:
        by_kernel = target.provider == "libvirt"
        found = explain(timers, track_process=by_kernel, engine=engine)
        return _prediction(found[f"{engine}_{what}"])

    return predict


def app_killed(timers: Timers, target: Target) -> Prediction:
    """Connections to it are refused. With redispatch and retries no idempotent request fails."""
    predicted = explained(timers, target, "app_server_killed")
    return _prediction(predicted, failed_requests=_with_retries(timers, target))


def app_lost(timers: Timers, target: Target) -> Prediction:
    """Packets to it vanish; a request waits for a timeout and is then repeated elsewhere."""
    predicted = explained(timers, target, "app_server_lost")
    return _prediction(predicted, failed_requests=_with_retries(timers, target))


def app_hung(timers: Timers, target: Target) -> Prediction:
    """Nothing notices: the outage lasts as long as the fault, and a request to it still longer."""
    wait = explained(timers, target, "app_server_hung")
    text = f"{HUNG_S:g} s that it hangs: /health answers, and pages wait for {wait.formula}"
    return Prediction(seconds=HUNG_S, formula=text)


def app_slow(_timers: Timers, target: Target) -> Prediction:
    """Nothing notices that either. No outage, unless answers so late are none for this stack."""
    late = target.drill.slow_ms <= DELAY_S * 1000
    added = f"each request to it takes {DELAY_S * 1000:g} ms more"
    if late:
        text = f"{SLOW_S:g} s that it is slow: {added}, the stack's limit is {target.drill.slow_ms}"
        return Prediction(seconds=SLOW_S, formula=f"{text} ms")
    return Prediction(seconds=0.0, formula=f"0 s: {added}", failed_requests=0)


def app_unhealthy(timers: Timers, target: Target) -> Prediction:
    """It goes on serving, so clients notice nothing while the load balancers turn away."""
    if target.engine == "nginx":
        text = "0 s: it still serves, and nginx never asks how it is"
        return Prediction(seconds=0.0, formula=text, failed_requests=0)
    away = explained(timers, target, "app_server_unhealthy")
    text = f"0 s: it still serves, and gets no more requests after {away.formula}"
    return Prediction(seconds=0.0, formula=text, failed_requests=0)


def member_lost(timers: Timers, target: Target) -> Prediction:
    """The others go on without it, and start what it ran when they know that it is off."""
    is_fenced = target.cluster.get("fencing", "none") != "none"
    name = "cluster_member_replaced" if is_fenced else "cluster_member_unfenced"
    found = explained(timers, target, name)
    waits = timers.corosync.device_s() - timers.corosync.membership_s(len(_members(target)))
    if not target.cluster.get("quorumDevice") or waits <= 0:
        return _prediction(found)
    text = f"{found.formula} + {waits:.3g} s until the quorum device has given it up too"
    return Prediction(seconds=round(found.seconds + waits, 3), formula=text)


def _members(target: Target) -> Sequence[str]:
    return tuple(target.cluster.get("members", ()))


def member_unfenced(timers: Timers, target: Target) -> Prediction:
    """Nobody may start what it ran, however long that takes; at last it is fenced by hand."""
    after = (FENCE_S + START_S, f"{FENCE_S:g} s fencing by hand + {START_S:g} s start")
    lost = explained(timers, target, "cluster_member_lost")
    text = f"{UNFENCED_S:g} s that it cannot be fenced (longer than {lost.formula}) + {after[1]}"
    return Prediction(seconds=UNFENCED_S + after[0], formula=text)


member_emptied = timed("cluster_member_emptied")
web_killed = timed("cluster_webserver_killed")


def nothing(_timers: Timers, _target: Target) -> Prediction:
    """A new process takes the listening sockets over; the old one ends its connections."""
    return Prediction(
        seconds=0.0, formula="0 s: the listening sockets are handed over", failed_requests=0
    )


def _prediction(predicted: Predicted, *, failed_requests: int | None = None) -> Prediction:
    return Prediction(
        seconds=predicted.seconds, formula=predicted.formula, failed_requests=failed_requests
    )


def _with_retries(timers: Timers, target: Target) -> int | None:
    if target.engine == "nginx":  # whatever the timers: it always asks the next server
        return 0
    safe = timers.haproxy.redispatch and timers.haproxy.retry_idempotent
    return 0 if safe else None
