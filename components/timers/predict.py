"""From timers to the seconds that a client suffers. Pure arithmetic, with its formulas."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from components.timers.kinds import HaproxyTimers, Timers

HAPROXY_RESTART_S = 0.6
"""systemd starts a killed HAProxy again after 100 ms; the rest is its start, with margin."""
REDISPATCH_S = 0.01
"""A refused connection repeated on another server: measured 9 ms at most."""
TURNAROUND_S = 1.0
"""HAProxy's pause before it tries the same server again (at most `timeout connect`)."""


def predict(
    timers: Timers, *, cluster_members: int = 3, track_process: bool = False
) -> Mapping[str, float]:
    """Upper bound in seconds of what a client suffers, by fault.

    These are bounds of the protocols, not averages, and say nothing of a host that stalls.
    `track_process` is whether keepalived is told by the kernel that HAProxy died (virtual
    machines only). What follows the detection in a cluster (fencing, promotion) is not included.

    - `vip_owner_crash`: power loss or cut link of the owner. 3 adverts + skew of the next one.
    - `vip_owner_stop`: planned stop; the owner resigns (priority 0). Skew only.
    - `haproxy_stopped`: HAProxy ended and stays so. Check interval x fall, + skew; with
      `track_process` the skew alone.
    - `haproxy_killed`: as before, or systemd's restart if that is sooner.
    - `haproxy_hung`: the process is there and silent. (Interval x fall) + timeout, + skew.
    - `app_server_killed`: connections are refused. Redispatch, or else, requests fail until the
      checks have marked the server down.
    - `app_server_cut`: packets vanish. A new request waits `timeout connect`, once with
      redispatch, for every try without it.
    - `app_server_cut_in_flight`: the same for a request that was already accepted: TCP
      keepalive, or `timeout server` without it.
    - `app_server_unhealthy`: the health page fails; time until it gets no more requests.
    - `cluster_member_lost`: token + consensus: until fencing can begin.
    - `cluster_resource_failed`: the VIP's monitor interval.
    - `storage_server_lost`: Gluster's ping timer is armed again while there was traffic in its
      window, so twice the ping-timeout.
    """
    vrrp, haproxy = timers.vrrp, timers.haproxy
    skew = vrrp.skew_s()
    stopped = skew if track_process else vrrp.check_interval_s * vrrp.check_fall + skew
    seconds = {
        "vip_owner_crash": 3 * vrrp.advert_s + skew,
        "vip_owner_stop": skew,
        "haproxy_killed": min(stopped, HAPROXY_RESTART_S + skew),
        "haproxy_stopped": stopped,
        "haproxy_hung": vrrp.check_interval_s * vrrp.check_fall + vrrp.check_timeout_s + skew,
        "app_server_killed": REDISPATCH_S if haproxy.redispatch else _refused_s(haproxy),
        "app_server_cut": _cut_s(haproxy),
        "app_server_cut_in_flight": haproxy.in_flight_s,
        "app_server_unhealthy": _unhealthy_s(haproxy),
        "cluster_member_lost": timers.corosync.membership_s(cluster_members),
        "cluster_resource_failed": float(timers.monitor.vip_s),
        "storage_server_lost": 2.0 * timers.gluster.ping_timeout_s,
    }
    return MappingProxyType({fault: round(value, 3) for fault, value in seconds.items()})


def _unhealthy_s(haproxy: HaproxyTimers) -> float:
    """Checks that fail at once: the first within `inter`, the others each after `fastinter`."""
    again = haproxy.fastinter_ms or haproxy.inter_ms
    return (haproxy.inter_ms + (haproxy.fall - 1) * again) / 1000


def _refused_s(haproxy: HaproxyTimers) -> float:
    """Without redispatch every request to the dead server fails until it is marked down; the
    last one was accepted just before and still makes all its tries."""
    pause = min(TURNAROUND_S, haproxy.connect_ms / 1000)
    return _unhealthy_s(haproxy) + haproxy.retries * pause


def _cut_s(haproxy: HaproxyTimers) -> float:
    tries = 1 if haproxy.redispatch else 1 + haproxy.retries
    stall = tries * haproxy.connect_ms / 1000
    return stall if haproxy.redispatch else max(stall, haproxy.detection_s)
