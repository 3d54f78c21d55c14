"""From timers to the seconds that a client suffers. Pure arithmetic, with its formulas.

Each prediction is a sum of terms, and a term is a number with the words for it: what is computed
and what is printed cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from components.timers.kinds import Engine, HaproxyTimers, Timers, VrrpTimers
from components.timers.predict_nginx import REDISPATCH_S, with_nginx
from components.timers.terms import Predicted, Term, add, duration, times

TAKEOVER_S = 0.01
"""keepalived sets the VIP and tells it to the neighbours: measured 5 to 10 ms."""
DRAIN_S = 0.02
"""Before a planned stop, open connections may end (`drain-vip`: 5 ms, and its own time)."""
RESTART_DELAY_S = 0.1
"""`RestartSec` of keepalived and HAProxy (their drop-ins)."""
HAPROXY_RESTART_S = 0.6
"""systemd starts a killed HAProxy again after that; the rest is its start, with margin."""
CHECK_SPREAD = 0.05
"""`spread-checks 5`: an interval between checks is up to so much longer or shorter."""
TURNAROUND_S = 1.0
"""HAProxy's pause before it tries the same server again (at most `timeout connect`); also before
another one where that is the last (2.6, `back_handle_st_cer`): measured once for each failure."""
FENCE_S = 1.5
"""The members agree who is there, Pacemaker asks the fence device, and is told that the power is
off. An estimate for a quiet host, from 1.95 s in one log of a rig on a busy one."""
START_S = 1.5
"""The cluster starts the VIP and then Apache, each by a shell script: likewise, from 1.7 s. Three
emulated machines on two cores took 5 and 7.5 s, their fencing 7 and 10 s: both, and the stop, are
the machines' work, so the timers' `patience` counts."""
STOP_S = 2.5
"""Apache looks once a second whether its last client is gone, and its agent once a second whether
Apache is."""


def predict(
    timers: Timers,
    *,
    cluster_members: int = 3,
    track_process: bool = False,
    engine: Engine = "haproxy",
) -> Mapping[str, float]:
    """Upper bound in seconds of what a client suffers, by fault; see `explain`."""
    found = explain(
        timers, cluster_members=cluster_members, track_process=track_process, engine=engine
    )
    return MappingProxyType({fault: predicted.seconds for fault, predicted in found.items()})


def explain(
    timers: Timers,
    *,
    cluster_members: int = 3,
    track_process: bool = False,
    engine: Engine = "haproxy",
) -> Mapping[str, Predicted]:
    """Upper bound of what a client suffers, with its formula, by fault.

    These are bounds of the protocols, not averages, and say nothing of a host that stalls.
    `track_process` is whether keepalived is told by the kernel that HAProxy died (virtual
    machines only). With nginx as engine its own faults and bounds take the place of HAProxy's (see
    `predict_nginx`). What follows the detection in a cluster (fencing, promotion) is not included.

    - `vip_owner_crash`: power loss, cut link or freeze of the owner. 3 adverts + skew of the next.
    - `vip_owner_stop`: planned stop; the owner lets open connections end and resigns (priority
      0). Drain + skew.
    - `keepalived_killed`: its VIP stays and HAProxy goes on answering until systemd has restarted
      keepalived, which takes a VIP away that it finds; the rest is as after a crash.
    - `haproxy_stopped`: HAProxy ended and stays so. Check interval x fall, + skew; with
      `track_process` the skew alone.
    - `haproxy_killed`: as before, or systemd's restart if that is sooner.
    - `haproxy_hung`: the process is there and silent. (Interval x fall) + timeout, + skew.
    - `app_server_killed`: connections are refused. Redispatch, or else, requests fail until the
      checks have marked the server down.
    - `app_server_lost`: packets vanish (power, cut link); time until it gets no more requests.
      HAProxy sees its own connections fail, where it observes them, or else its checks.
    - `app_server_cut`: how long a new request waits then: `timeout connect`, once with redispatch,
      for every try without it.
    - `app_server_cut_in_flight`: the same for a request that was already accepted: TCP
      keepalive, or `timeout server` without it.
    - `app_server_hung`: its health page answers and the others do not, which no check notices: how
      long a request to it waits.
    - `app_server_unhealthy`: the health page fails; time until it gets no more requests.
    - `cluster_member_lost`: token + consensus: until fencing can begin.
    - `cluster_member_replaced`: as before, + fencing, + start of the resources elsewhere.
    - `cluster_member_unfenced`: the same without fencing, which is a risk and no gain.
    - `cluster_member_emptied`: standby: the resources are stopped and started elsewhere.
    - `cluster_resource_failed`: the VIP's monitor interval.
    - `cluster_webserver_killed`: the web server's monitor interval, + start.
    - `storage_server_lost`: Gluster's ping timer is armed again while there was traffic in its
      window, so twice the ping-timeout.
    """
    found = {
        **_vrrp(timers.vrrp, track_process=track_process),
        **_app_server(timers.haproxy),
        **_cluster_and_storage(timers, cluster_members),
    }
    return MappingProxyType(with_nginx(found, timers.haproxy) if engine == "nginx" else found)


def _vrrp(vrrp: VrrpTimers, *, track_process: bool) -> dict[str, Predicted]:
    adverts = Term(3 * vrrp.advert_s, f"3 x {duration(vrrp.advert_s)} advert")
    rfc = "RFC 5798" if vrrp.version == 3 else "RFC 3768"
    skew = Term(vrrp.skew_s(), f"{duration(vrrp.skew_s())} skew ({rfc})")
    takeover = Term(TAKEOVER_S, f"{duration(TAKEOVER_S)} takeover")
    resigns = (skew, takeover)
    drain = Term(DRAIN_S, f"{duration(DRAIN_S)} drain")
    checks = Term(
        vrrp.check_interval_s * vrrp.check_fall,
        f"{vrrp.check_fall} x {duration(vrrp.check_interval_s)} check interval",
    )
    timeout = Term(vrrp.check_timeout_s, f"{duration(vrrp.check_timeout_s)} check timeout")
    restart = Term(HAPROXY_RESTART_S, f"{duration(HAPROXY_RESTART_S)} restart of HAProxy")
    answers = Term(-RESTART_DELAY_S, f"{duration(RESTART_DELAY_S)} that its VIP still answers")
    stopped = add(*resigns) if track_process else add(checks, *resigns)
    return {
        "vip_owner_crash": add(adverts, *resigns),
        "vip_owner_stop": add(drain, *resigns),
        "keepalived_killed": add(adverts, *resigns, answers),
        "haproxy_killed": min(stopped, add(restart, *resigns), key=lambda p: p.seconds),
        "haproxy_stopped": stopped,
        "haproxy_hung": add(checks, timeout, *resigns),
    }


def _app_server(haproxy: HaproxyTimers) -> dict[str, Predicted]:
    connect, server = haproxy.connect_ms / 1000, haproxy.server_ms / 1000
    unhealthy = _intervals(haproxy)
    pause = min(TURNAROUND_S, connect)
    repeated = (
        Term(REDISPATCH_S, f"{duration(REDISPATCH_S)} to repeat it on another server"),
        Term(pause, f"{duration(pause)} pause if that is the last one"),
    )
    in_flight = Term(haproxy.in_flight_s, f"{duration(haproxy.in_flight_s)} TCP keepalive")
    unanswered = Term(server, f"{duration(server)} timeout server")
    return {
        # Without redispatch the last request was accepted just before the server is marked down,
        # and still makes all its tries.
        "app_server_killed": add(*repeated)
        if haproxy.redispatch
        else add(*unhealthy, times(haproxy.retries, pause, "between tries")),
        "app_server_lost": _lost(haproxy),
        "app_server_cut": add(times(_tries(haproxy), connect, "timeout connect")),
        "app_server_cut_in_flight": add(in_flight if haproxy.keepalive_idle_s else unanswered),
        "app_server_hung": add(unanswered),
        "app_server_unhealthy": add(*unhealthy),
    }


def _cluster_and_storage(timers: Timers, members: int) -> dict[str, Predicted]:
    corosync, ping = timers.corosync, float(timers.gluster.ping_timeout_s)
    token = corosync.token_s(members)
    consensus = corosync.membership_s(members) - token
    lost = (
        Term(token, f"{duration(token)} token"),
        Term(consensus, f"{duration(consensus)} consensus"),
    )
    fence, start, stop = (
        Term(seconds * timers.patience, f"{duration(seconds * timers.patience)} {what}")
        for seconds, what in ((FENCE_S, "fencing"), (START_S, "start"), (STOP_S, "stop"))
    )
    vip, web = (
        Term(float(seconds), f"{duration(seconds)} monitor interval")
        for seconds in (timers.monitor.vip_s, timers.monitor.webserver_s)
    )
    return {
        "cluster_member_lost": add(*lost),
        "cluster_member_replaced": add(*lost, fence, start),
        "cluster_member_unfenced": add(*lost, start),
        "cluster_member_emptied": add(stop, start),
        "cluster_resource_failed": add(vip),
        "cluster_webserver_killed": add(web, start),
        "storage_server_lost": add(times(2, ping, "ping-timeout")),
    }


def _tries(haproxy: HaproxyTimers) -> int:
    """How often a request is sent to a silent server."""
    return 1 if haproxy.redispatch else 1 + haproxy.retries


def _lost(haproxy: HaproxyTimers) -> Predicted:
    """Until a server whose packets vanish is marked down: by checks, or by requests that fail."""
    check = haproxy.vanished_check_ms / 1000
    # The next check begins an interval after the end of the one before.
    checks = add(*_intervals(haproxy), times(haproxy.fall, check, "check without an answer"))
    if haproxy.observe_errors is None:
        return checks
    seen = add(times(haproxy.observe_errors, haproxy.connect_ms / 1000, "timeout connect"))
    return min(seen, checks, key=lambda predicted: predicted.seconds)


def _intervals(haproxy: HaproxyTimers) -> tuple[Term, ...]:
    """The time between checks from a failure to the verdict of the last of them."""
    first = haproxy.inter_ms / 1000
    again = (haproxy.fastinter_ms or haproxy.inter_ms) / 1000
    more = (times(haproxy.fall - 1, again, "to the next check"),) if haproxy.fall > 1 else ()
    spread = CHECK_SPREAD * (first + sum(term.seconds for term in more))
    return (
        Term(first, f"{duration(first)} check interval"),
        *more,
        Term(spread, f"{duration(spread)} spread"),
    )
