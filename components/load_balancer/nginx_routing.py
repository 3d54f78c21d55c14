"""ACLs and routes in nginx's words: each condition a 0 or 1, each route a pattern of them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from components.load_balancer.args import LoadBalancerArgs
from components.load_balancer.frontends import Acl


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One field of an ACL, as a block that sets a variable."""

    acl: str
    name: str
    """For people: `is_api path_beg`."""
    block: str
    """What the block reads: `map $lab_path` or `geo`, which is the client's address."""
    variable: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePattern:
    """A route as a pattern over all conditions: `1` where it needs one, `.` where it does not."""

    pattern: str
    backend: str
    acls: str


def conditions(acls: tuple[Acl, ...]) -> tuple[Condition, ...]:
    """Every field of every ACL. Paths are compared as HAProxy does it: as sent, with case."""
    found: list[Condition] = []
    for acl in acls:
        fields = (
            ("path_beg", "map $lab_path", tuple(f'"~^{_quoted(p)}"' for p in acl.path_beg)),
            ("path_end", "map $lab_path", tuple(f'"~{_quoted(end)}$"' for end in acl.path_end)),
            ("src", "geo", tuple(dict.fromkeys(str(network) for network in acl.src))),
        )
        for kind, block, values in fields:
            if values:
                found.append(
                    Condition(
                        acl=acl.name,
                        name=f"{acl.name} {kind}",
                        block=block,
                        variable=f"$lab_acl_{len(found)}",
                        values=values,
                    )
                )
    return tuple(found)


def routes(args: LoadBalancerArgs, found: tuple[Condition, ...]) -> tuple[RoutePattern, ...]:
    """One pattern for each route, in their order: nginx takes the first that matches."""
    return tuple(
        RoutePattern(
            pattern="".join("1" if condition.acl in route.acls else "." for condition in found),
            backend=route.backend,
            acls=" and ".join(route.acls),
        )
        for route in args.routes
    )


def _quoted(path: str) -> str:
    return re.escape(path)
