"""Every detection timer of the lab, in four named sets, and what they mean in seconds.

`course` holds the course's own values, or where it is silent the defaults of the daemons it
installs. `relaxed` is for hosts without KVM or with more virtual processors than real ones,
`standard` for a healthy lab, `fast` for machines that are never starved of CPU.

A timer is a trade: below the longest stall of a machine (a paused virtual CPU, a full disk queue)
a faster timer does not find failures sooner, it invents them. Units are in the names. This module
knows no daemon's syntax; the renderers of each service do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

TimersName = Literal["course", "relaxed", "standard", "fast"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VrrpTimers:
    """How the load balancers find out that the VIP's owner is gone."""

    version: Literal[2, 3]
    """VRRPv2 has whole seconds only (RFC 3768); VRRPv3 has hundredths (RFC 5798)."""
    advert_ms: int
    """Interval of the owner's adverts. 10 ms is the resolution of v3, 1000 ms that of v2."""
    owner_priority: int
    """Priority of the first machine of the pair, 1-254."""
    priority_step: int
    """How much lower each next machine is. High priorities make the skew time short."""
    check_interval_s: int
    """Interval of the script that asks HAProxy; whole seconds before keepalived 2.3.2."""
    check_timeout_s: int
    check_fall: int
    check_rise: int
    nice: int | None = None
    """Niceness of keepalived's VRRP process; None leaves it alone. Below about a second a busy
    machine otherwise loses the VIP to a scheduling delay. Not real-time scheduling: keepalived
    2.2.7 cannot set its limit of CPU time (10 ms) again at a reload, and the kernel kills it."""

    def __post_init__(self) -> None:
        floor = 1000 if self.version == 2 else 10
        if self.advert_ms % floor or not floor <= self.advert_ms <= 40_950:
            raise ValueError(
                f"VRRPv{self.version} cannot advertise every {self.advert_ms} ms; "
                f"give a multiple of {floor} ms up to 40950, or use VRRPv3 for less than a second"
            )
        if not 1 <= self.owner_priority <= 254:
            raise ValueError(
                f"VRRP priority {self.owner_priority} is outside 1-254 "
                "(0 and 255 have meanings of their own); use for example 250"
            )
        if self.check_timeout_s > self.check_interval_s * self.check_fall:
            raise ValueError(
                f"the HAProxy check may take {self.check_timeout_s} s but must have failed after "
                f"{self.check_interval_s * self.check_fall} s; make the timeout shorter"
            )

    def priority(self, place: int) -> int:
        """Priority of the machine at this place of the pair, 0 being the preferred owner."""
        priority = self.owner_priority - place * self.priority_step
        if place < 0 or priority < 1:
            raise ValueError(
                f"no VRRP priority is left for machine number {place + 1} of the load balancers; "
                "use fewer of them"
            )
        return priority

    @property
    def advert_s(self) -> float:
        """The advert interval in seconds."""
        return self.advert_ms / 1000

    def skew_s(self, place: int = 1) -> float:
        """How long the machine at this place waits after it could take over (RFC 5798, 6.1).

        VRRPv2 does not scale it with the advert interval (keepalived 2.2.7, vrrp.c).
        """
        share = (256 - self.priority(place)) / 256
        return share * (self.advert_s if self.version == 3 else 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class HaproxyTimers:
    """How HAProxy finds out that an app server is gone, and how long a client waits for that."""

    connect_ms: int
    """`timeout connect`: exactly the stall of a request that was sent to a vanished server."""
    client_ms: int
    server_ms: int
    queue_ms: int
    http_request_ms: int
    """Time a client has to send its request's headers; 0 does not limit it."""
    check_ms: int | None
    """`timeout check`: time of a check after it is connected. None: the interval is the limit."""
    inter_ms: int
    fastinter_ms: int | None
    """Check interval between the first failure and the verdict; None: as `inter_ms`."""
    downinter_ms: int | None
    """Check interval of a server that is down; None: as `inter_ms`."""
    fall: int
    rise: int
    retries: int
    redispatch: bool
    """Repeat a failed connection on another server at once, instead of three times on the dead
    one with a second's pause (measured: 9 ms instead of a 503 after 3 s)."""
    retry_idempotent: bool
    """Repeat a GET or HEAD whose server closed the connection without an answer."""
    observe_errors: int | None
    """Connection errors of real traffic in a row that mark a server down; None: checks only."""
    tcp_user_timeout_ms: int | None
    """Sent data that a server does not acknowledge ends the connection after this."""
    keepalive_idle_s: int | None
    """Idle seconds before TCP asks whether a server is still there; None: never."""
    keepalive_interval_s: int = 1
    keepalive_count: int = 2
    hard_stop_after_s: int = 60
    """How long an old process may finish its connections after a reload."""

    @property
    def longest_check_ms(self) -> int:
        """Longest time one check of a silent server takes until it has failed."""
        return self.check_ms or min(self.connect_ms, self.inter_ms)

    @property
    def detection_s(self) -> float:
        """Longest time from the failure of a silent server to its being marked down."""
        again = self.fastinter_ms or self.inter_ms
        checks = self.inter_ms + self.longest_check_ms + (self.fall - 1) * again
        return checks / 1000

    @property
    def in_flight_s(self) -> float:
        """Longest time a request waits whose server vanished after acknowledging it."""
        if self.keepalive_idle_s is None:
            return self.server_ms / 1000
        return float(self.keepalive_idle_s + self.keepalive_interval_s * self.keepalive_count)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorosyncTimers:
    """How the cluster's members find out that one of them is gone."""

    token_ms: int
    token_coefficient_ms: int
    """Added to the token for every member beyond the second."""
    consensus_factor: float = 1.2
    """Consensus in tokens; 1.2 is the smallest that corosync accepts."""

    def token_s(self, members: int) -> float:
        """The token timeout that this many members really use."""
        return (self.token_ms + max(0, members - 2) * self.token_coefficient_ms) / 1000

    def membership_s(self, members: int) -> float:
        """Seconds from the loss of a member to the new membership: token, then consensus."""
        return self.token_s(members) * (1 + self.consensus_factor)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorTimers:
    """How often Pacemaker asks its resources; the detection time of a process that died."""

    vip_s: int
    webserver_s: int
    filesystem_s: int
    promoted_s: int
    """Monitor of the primary database."""
    unpromoted_s: int
    """Monitor of a replica; must differ from `promoted_s` (PAF's documentation)."""
    timeout_s: int
    """Time one monitor may take. Generous: a fork costs 35 ms on an emulated processor."""

    def __post_init__(self) -> None:
        if self.promoted_s == self.unpromoted_s:
            raise ValueError(
                f"the monitors of primary and replica both run every {self.promoted_s} s; "
                "Pacemaker needs two different intervals, add a second to one"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationTimers:
    """How primary and replica notice that the other end of their connection is gone."""

    postgresql_wal_receiver_timeout_s: int
    postgresql_wal_sender_timeout_s: int
    postgresql_tcp_user_timeout_s: int
    """0 leaves it to the kernel, which is about 15 minutes."""
    mariadb_slave_net_timeout_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GlusterTimers:
    """How long a Gluster client waits for a brick that does not answer."""

    ping_timeout_s: int
    tcp_user_timeout_s: int
    """0 leaves it to the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """One named set of every detection timer."""

    name: TimersName
    vrrp: VrrpTimers
    haproxy: HaproxyTimers
    corosync: CorosyncTimers
    monitor: MonitorTimers
    replication: ReplicationTimers
    gluster: GlusterTimers


_COURSE = Timers(
    name="course",
    # Course section 3: advert_int 1, priorities 101 and 100, script every 2 s. The script's
    # timeout, fall and rise are keepalived's defaults.
    vrrp=VrrpTimers(
        version=2,
        advert_ms=1000,
        owner_priority=101,
        priority_step=1,
        check_interval_s=2,
        check_timeout_s=2,
        check_fall=1,
        check_rise=1,
    ),
    # Course section 2: connect 5000ms, client and server 50000ms; checks with HAProxy's defaults
    # (inter 2000 fall 3 rise 2, three retries on the same server).
    haproxy=HaproxyTimers(
        connect_ms=5000,
        client_ms=50_000,
        server_ms=50_000,
        queue_ms=5000,
        http_request_ms=0,
        check_ms=None,
        inter_ms=2000,
        fastinter_ms=None,
        downinter_ms=None,
        fall=3,
        rise=2,
        retries=3,
        redispatch=False,
        retry_idempotent=False,
        observe_errors=None,
        tcp_user_timeout_ms=None,
        keepalive_idle_s=None,
    ),
    # The course sets none: corosync 3.1's defaults.
    corosync=CorosyncTimers(token_ms=3000, token_coefficient_ms=650),
    # Course section 4: `op monitor interval=30s` on both resources.
    monitor=MonitorTimers(
        vip_s=30, webserver_s=30, filesystem_s=30, promoted_s=30, unpromoted_s=31, timeout_s=60
    ),
    # The course sets none: the daemons' defaults.
    replication=ReplicationTimers(
        postgresql_wal_receiver_timeout_s=60,
        postgresql_wal_sender_timeout_s=60,
        postgresql_tcp_user_timeout_s=0,
        mariadb_slave_net_timeout_s=60,
    ),
    gluster=GlusterTimers(ping_timeout_s=42, tcp_user_timeout_s=0),
)

_RELAXED = Timers(
    name="relaxed",
    # Survives stalls of three seconds, as an emulated or overcommitted machine has them.
    vrrp=VrrpTimers(
        version=3,
        advert_ms=1000,
        owner_priority=250,
        priority_step=10,
        check_interval_s=2,
        check_timeout_s=2,
        check_fall=3,
        check_rise=2,
    ),
    haproxy=HaproxyTimers(
        connect_ms=2000,
        client_ms=30_000,
        server_ms=30_000,
        queue_ms=10_000,
        http_request_ms=10_000,
        check_ms=2000,
        inter_ms=2000,
        fastinter_ms=1000,
        downinter_ms=2000,
        fall=3,
        rise=2,
        retries=3,
        redispatch=True,
        retry_idempotent=True,
        observe_errors=None,
        tcp_user_timeout_ms=5000,
        keepalive_idle_s=5,
        keepalive_interval_s=2,
    ),
    corosync=CorosyncTimers(token_ms=5000, token_coefficient_ms=650),
    monitor=MonitorTimers(
        vip_s=20, webserver_s=20, filesystem_s=20, promoted_s=15, unpromoted_s=16, timeout_s=60
    ),
    replication=ReplicationTimers(
        postgresql_wal_receiver_timeout_s=20,
        postgresql_wal_sender_timeout_s=20,
        postgresql_tcp_user_timeout_s=20,
        mariadb_slave_net_timeout_s=20,
    ),
    gluster=GlusterTimers(ping_timeout_s=20, tcp_user_timeout_s=20),
)

_STANDARD = Timers(
    name="standard",
    # Measured: 248-283 ms after a power loss, 14-17 ms after a planned stop.
    vrrp=VrrpTimers(
        version=3,
        advert_ms=100,
        owner_priority=250,
        priority_step=10,
        check_interval_s=1,
        check_timeout_s=1,
        check_fall=2,
        check_rise=2,
        nice=-20,
    ),
    haproxy=HaproxyTimers(
        connect_ms=500,
        client_ms=30_000,
        server_ms=30_000,
        queue_ms=5000,
        http_request_ms=5000,
        check_ms=1000,
        inter_ms=1000,
        fastinter_ms=200,
        downinter_ms=500,
        fall=2,
        rise=2,
        retries=3,
        redispatch=True,
        retry_idempotent=True,
        observe_errors=2,
        tcp_user_timeout_ms=1000,
        keepalive_idle_s=1,
    ),
    # Below 1000 ms a pause of a virtual machine gets it fenced.
    corosync=CorosyncTimers(token_ms=1000, token_coefficient_ms=125),
    monitor=MonitorTimers(
        vip_s=5, webserver_s=5, filesystem_s=10, promoted_s=4, unpromoted_s=5, timeout_s=30
    ),
    replication=ReplicationTimers(
        postgresql_wal_receiver_timeout_s=5,
        postgresql_wal_sender_timeout_s=5,
        postgresql_tcp_user_timeout_s=5,
        mariadb_slave_net_timeout_s=4,
    ),
    # Gluster calls a reconnect very expensive; 10 s is what its own CTDB hook uses.
    gluster=GlusterTimers(ping_timeout_s=10, tcp_user_timeout_s=10),
)

_FAST = Timers(
    name="fast",
    # Measured: 122-155 ms after a power loss.
    vrrp=VrrpTimers(
        version=3,
        advert_ms=50,
        owner_priority=250,
        priority_step=10,
        check_interval_s=1,
        check_timeout_s=1,
        check_fall=1,
        check_rise=2,
        nice=-20,
    ),
    # Measured: no failed request and at most 309 ms for new ones when a server's link is cut.
    haproxy=HaproxyTimers(
        connect_ms=300,
        client_ms=30_000,
        server_ms=30_000,
        queue_ms=2000,
        http_request_ms=5000,
        check_ms=500,
        inter_ms=500,
        fastinter_ms=100,
        downinter_ms=250,
        fall=2,
        rise=2,
        retries=3,
        redispatch=True,
        retry_idempotent=True,
        observe_errors=2,
        tcp_user_timeout_ms=1000,
        keepalive_idle_s=1,
    ),
    # An estimate, not measured: half of what is safe on virtual machines.
    corosync=CorosyncTimers(token_ms=500, token_coefficient_ms=60),
    monitor=MonitorTimers(
        vip_s=2, webserver_s=2, filesystem_s=5, promoted_s=2, unpromoted_s=3, timeout_s=20
    ),
    replication=ReplicationTimers(
        postgresql_wal_receiver_timeout_s=3,
        postgresql_wal_sender_timeout_s=3,
        postgresql_tcp_user_timeout_s=3,
        mariadb_slave_net_timeout_s=3,
    ),
    gluster=GlusterTimers(ping_timeout_s=5, tcp_user_timeout_s=5),
)

TIMERS: Mapping[str, Timers] = MappingProxyType(
    {timers.name: timers for timers in (_COURSE, _RELAXED, _STANDARD, _FAST)}
)


def timers_named(name: str) -> Timers:
    """The set of this name; ValueError with the nearest name when there is none."""
    if name in TIMERS:
        return TIMERS[name]
    near = get_close_matches(name, TIMERS, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(f"no timers are named {name!r}: expected {', '.join(TIMERS)}{hint}")


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
