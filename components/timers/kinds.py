"""What a set of timers consists of: one class for each tier, units in the names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TimersName = Literal["course", "relaxed", "standard", "fast"]
Engine = Literal["haproxy", "nginx"]
"""The program that balances the load."""


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
    def vanished_check_ms(self) -> int:
        """How long one check of a server takes whose packets vanish, until it has failed."""
        # Without `timeout check` a check has one timeout for all of it, its interval.
        return self.inter_ms if self.check_ms is None else min(self.connect_ms, self.inter_ms)

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

    @property
    def device_timeout_ms(self) -> int:
        """When a quorum device and a member give each other up. Corosync's default of 10 s belongs
        to its token of 3 s; the members wait for the device's vote before they go on."""
        return 3 * self.token_ms

    def device_s(self) -> float:
        """Seconds until a quorum device gives a lost member up: it hears of each member every 0.8
        of the timeout, and waits 1.5 times as long (corosync-qnetd(8), dpd_interval_coefficient).
        """
        return 1.2 * self.device_timeout_ms / 1000

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
    patience: int = 1
    """How many times longer than elsewhere an answer may take before it counts as missing: an
    emulated processor is ten times slower, and none of its work is stuck because of that."""
    vrrp: VrrpTimers
    haproxy: HaproxyTimers
    corosync: CorosyncTimers
    monitor: MonitorTimers
    replication: ReplicationTimers
    gluster: GlusterTimers
