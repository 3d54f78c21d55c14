"""Back ends in nginx's words: groups of servers, how one is chosen, what a cookie does. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from components.load_balancer.args import LoadBalancerArgs
from components.load_balancer.backends import Backend, Server
from components.timers import HaproxyTimers, nginx_max_fails
from components.timers.predict_nginx import FAIL_TIMEOUT_S

COOKIE_NAME = "LAB_SERVER"
_METHODS = {
    "roundrobin": (),
    "leastconn": ("least_conn",),
    "source": ("hash $remote_addr consistent",),
    # HAProxy's `balance uri` leaves the query out as well.
    "uri": ("hash $lab_path consistent",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """An `upstream` block."""

    name: str
    lines: tuple[str, ...]
    """Without their semicolons."""


def groups(args: LoadBalancerArgs) -> tuple[Group, ...]:
    """Every back end; of one that keeps clients by a cookie, also a group for each server."""
    timers = args.timers.haproxy
    found: list[Group] = []
    for backend in args.backends:
        servers = tuple(server_line(server, timers) for server in backend.servers)
        found.append(Group(name=backend.name, lines=(*_method(backend), *servers)))
        if backend.stickiness == "cookie":
            found += [_group_of(backend, server, timers) for server in backend.servers]
    return tuple(found)


def server_line(server: Server, timers: HaproxyTimers) -> str:
    """One `server` line, with what marks it as failed."""
    fails = (server.fall or nginx_max_fails(timers)) if server.check else 0
    words = [f"server {server.address}:{server.port}"]
    if server.weight > 1:
        words.append(f"weight={server.weight}")
    words.append(f"max_fails={fails} fail_timeout={FAIL_TIMEOUT_S}s")
    if server.backup:
        words.append("backup")
    if server.weight == 0:
        words.append("down")
    return " ".join(words)


def group_name(backend: Backend, server: Server) -> str:
    """Name of the group of one server's clients; no back end can have it."""
    return f"{backend.name}~{server.name}"


def cookie_groups(args: LoadBalancerArgs) -> list[tuple[str, str, str]]:
    """Back end, server and group, where a cookie leads to it."""
    return [
        (backend.name, server.name, group_name(backend, server))
        for backend in args.backends
        if backend.stickiness == "cookie"
        for server in backend.servers
    ]


def served_by(args: LoadBalancerArgs) -> list[tuple[str, str]]:
    """Address as a pattern, and name, of every server that a cookie may name."""
    return [
        (re.escape(f"{server.address}:{server.port}"), server.name)
        for backend in args.backends
        if backend.stickiness == "cookie"
        for server in backend.servers
    ]


def _method(backend: Backend) -> tuple[str, ...]:
    by_source = backend.stickiness == "source"
    return _METHODS["source" if by_source else backend.algorithm]


def _group_of(backend: Backend, server: Server, timers: HaproxyTimers) -> Group:
    """This server, and the others while it is away. Weight 0 gets none but those that stick."""
    own = f"server {server.address}:{server.port} max_fails={nginx_max_fails(timers)}"
    others = [
        f"{server_line(other, timers)} backup" for other in backend.servers if other != server
    ]
    return Group(
        name=group_name(backend, server),
        lines=(f"{own} fail_timeout={FAIL_TIMEOUT_S}s", *others),
    )
