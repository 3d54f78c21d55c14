"""What open-source nginx cannot do of what the load balancer's args can ask for. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from components.load_balancer.args import LoadBalancerArgs
from components.load_balancer.backends import Backend

STUB_URI = "/nginx_status"
"""Counters of nginx itself, on the statistics port."""


def must_suit_nginx(args: LoadBalancerArgs) -> None:
    """ValueError with everything that nginx cannot do."""
    problems = [*_of_pair(args), *(p for backend in args.backends for p in _of_backend(backend))]
    if problems:
        raise ValueError("; ".join(problems))


def _of_pair(args: LoadBalancerArgs) -> Iterator[str]:
    for service in args.tcp_services:
        yield (
            f"{service.name} is led by the servers' roles, which open-source nginx cannot ask for: "
            "a write could reach a replica; use HAProxy"
        )
    if args.stats.uri in (STUB_URI, "/metrics"):
        yield f"statistics uri {args.stats.uri} has a meaning of its own with nginx; use another"
    names = [backend.name.lower() for backend in args.backends]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"nginx takes back ends for one whose names differ in case only ({name}); rename one"


def _of_backend(backend: Backend) -> Iterator[str]:
    where = f"back end {backend.name}"
    if needs_no_backup(backend) and any(server.backup for server in backend.servers):
        yield f"{where} chooses servers by a hash or keeps clients, so nginx takes no backup there"
    if backend.stickiness == "source" and backend.algorithm not in ("roundrobin", "source"):
        yield f"{where} keeps clients by their address, so nginx has no {backend.algorithm} there"
    for server in backend.servers:
        if server.inter_ms is not None or server.rise is not None:
            yield f"server {server.name} of {where} has check timers, and nginx checks nothing"


def needs_no_backup(backend: Backend) -> bool:
    """Whether nginx would refuse a backup server (hash), or could lead a client to one too soon."""
    return backend.algorithm in ("source", "uri") or backend.stickiness != "none"
