"""What differs with nginx as the load balancer: it checks no server, requests find out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from components.timers.kinds import HaproxyTimers
from components.timers.terms import Predicted, Term, add, duration, times

REDISPATCH_S = 0.01
"""A refused connection repeated on another server: measured 9 ms at most."""
FAIL_TIMEOUT_S = 10
"""`fail_timeout`, nginx's default: how long a server that failed is left alone. Then one request
tries it again, and waits `proxy_connect_timeout` where its packets still vanish."""


def nginx_max_fails(timers: HaproxyTimers) -> int:
    """`max_fails`: failed requests that take a server out."""
    return timers.observe_errors or timers.fall


def with_nginx(found: Mapping[str, Predicted], timers: HaproxyTimers) -> dict[str, Predicted]:
    """HAProxy's predictions as they are with nginx.

    - `nginx_killed`, `nginx_stopped`, `nginx_hung`: as HAProxy's, whose keepalived and restart it
      has.
    - `app_server_killed`: a refused connection is repeated on the next server at once.
    - `app_server_lost`: until so many requests have failed as take it out.
    - `app_server_cut_in_flight`: nginx cannot set TCP's keepalive for its own connections.
    - `app_server_unhealthy` is no fault for it: it never asks for the health page.
    """
    connect, server = timers.connect_ms / 1000, timers.server_ms / 1000
    unanswered = add(Term(server, f"{duration(server)} proxy_read_timeout"))
    own = {
        "app_server_killed": add(
            Term(REDISPATCH_S, f"{duration(REDISPATCH_S)} to repeat it on another server")
        ),
        "app_server_lost": add(times(nginx_max_fails(timers), connect, "proxy_connect_timeout")),
        "app_server_cut": add(times(1, connect, "proxy_connect_timeout")),
        "app_server_cut_in_flight": unanswered,
        "app_server_hung": unanswered,
    }
    named = {
        fault.replace("haproxy", "nginx"): replace(
            predicted, formula=predicted.formula.replace("HAProxy", "nginx")
        )
        for fault, predicted in found.items()
        if fault != "app_server_unhealthy"
    }
    return {**named, **own}
