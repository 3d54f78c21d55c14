"""The four named sets, with where their values come from."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from components.timers.kinds import (
    CorosyncTimers,
    GlusterTimers,
    HaproxyTimers,
    MonitorTimers,
    ReplicationTimers,
    Timers,
    VrrpTimers,
)

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
    patience=3,
    # Survives stalls of three seconds, as an emulated or overcommitted machine has them.
    vrrp=VrrpTimers(
        version=3,
        advert_ms=1000,
        owner_priority=250,
        priority_step=10,
        check_interval_s=2,
        # The check is a process: beside other labs an emulated machine took over two seconds for it
        # now and then, and a check that is late on both machines leaves the VIP without an owner.
        check_timeout_s=5,
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
    # Not shorter than `standard`: below 1000 ms a pause of a virtual machine gets it fenced. What
    # is faster here is the time until a resource that died is noticed.
    corosync=CorosyncTimers(token_ms=1000, token_coefficient_ms=125),
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
