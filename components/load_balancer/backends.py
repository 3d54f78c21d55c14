"""Where a load balancer sends requests and connections: servers, and how they are checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Literal, get_args

from components.checks import (
    URL_PATH,
    must_be_name,
    must_be_one_of,
    must_be_port,
    must_be_unique,
    must_match,
)

Algorithm = Literal["roundrobin", "leastconn", "source", "uri"]
"""`balance` of a back end. The course's fifth, weighted, is any of them with weights."""
Stickiness = Literal["none", "cookie", "source"]
_HOST = re.compile(r"^[A-Za-z0-9.-]+(:[0-9]+)?$")
RESERVED_NAMES = ("stats", "monitor", "http_front")
"""Sections that every configuration has; a back end of that name would clash with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server of a back end."""

    name: str
    address: IPv4Address
    port: int
    weight: int = 1
    """Share of the requests, 0-256; 0 gets none but those that stick to it."""
    backup: bool = False
    """Used only when no other server is up."""
    check: bool = True
    inter_ms: int | None = None
    """Check interval of this server alone; None: the timers' (`fall` and `rise` likewise)."""
    fall: int | None = None
    rise: int | None = None

    def __post_init__(self) -> None:
        must_be_name("server", self.name)
        must_be_port(f"server {self.name}", self.port)
        if not 0 <= self.weight <= 256:
            raise ValueError(
                f"weight {self.weight} of server {self.name} is outside 0-256; "
                "weights are shares, so 1, 2, 3 do as well as 100, 200, 300"
            )
        for what in ("inter_ms", "fall", "rise"):
            value = getattr(self, what)
            if value is not None and value < 1:
                raise ValueError(
                    f"{what} {value} of server {self.name} is less than 1; leave it out for the "
                    "timers' value"
                )


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """A server is up when it answers this request with this status."""

    path: str = "/health"
    status: int = 200
    method: Literal["GET", "HEAD", "OPTIONS"] = "GET"
    host: str | None = None
    """Host header; the check is then HTTP/1.1, otherwise HTTP/1.0 without one."""

    def __post_init__(self) -> None:
        must_match(URL_PATH, "check path", self.path, "a URL path such as /health")
        if not 100 <= self.status <= 599:
            raise ValueError(f"check status {self.status} is no HTTP status; use 100-599, as 200")
        if self.host is not None:
            must_match(
                _HOST, "Host of the check", self.host, "a host name such as app.lab.internal"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpCheck:
    """A server is up when it accepts a connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A group of servers that do the same."""

    name: str
    servers: tuple[Server, ...]
    algorithm: Algorithm = "roundrobin"
    check: HttpCheck | TcpCheck = HttpCheck()
    stickiness: Stickiness = "none"

    def __post_init__(self) -> None:
        must_be_name("back end", self.name)
        if self.name in RESERVED_NAMES:
            raise ValueError(
                f"back end {self.name} has the name of a section that is always there; "
                f"choose another than {', '.join(RESERVED_NAMES)}"
            )
        must_be_one_of("algorithm", self.algorithm, get_args(Algorithm), f"back end {self.name}")
        must_be_one_of("stickiness", self.stickiness, get_args(Stickiness), f"back end {self.name}")
        if not self.servers:
            raise ValueError(f"back end {self.name} has no servers; give it at least one")
        must_be_unique(f"server name in back end {self.name}", [s.name for s in self.servers])
        if all(server.backup for server in self.servers):
            raise ValueError(
                f"every server of back end {self.name} is a backup; leave at least one that is not"
            )
        if all(server.weight == 0 for server in self.servers if not server.backup):
            raise ValueError(
                f"every server of back end {self.name} has weight 0, so none gets a request; "
                "give one of them a weight of 1 or more"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpServer:
    """One server of a TCP service."""

    name: str
    address: IPv4Address
    instead: str | None = None
    """Used only when no other server is up, and only while this server `SERVICE/NAME` is."""

    def __post_init__(self) -> None:
        must_be_name("server", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpService:
    """A port of the VIP whose connections go to servers that have a role, and to no other.

    The role is asked over HTTP, beside the service; a server counts as down until it has said it.
    """

    name: str
    port: int
    """Of the VIP."""
    server_port: int
    servers: tuple[TcpServer, ...]
    check_port: int
    check_path: str
    """A server has the role when it answers this with status 200."""
    one_at_a_time: bool = False
    """Never two servers at once, even if both say that they have the role: the first one."""

    def __post_init__(self) -> None:
        must_be_name("TCP service", self.name)
        must_be_port(f"TCP service {self.name}", self.port)
        must_be_port(f"the servers of TCP service {self.name}", self.server_port)
        must_be_port(f"the role check of TCP service {self.name}", self.check_port)
        must_match(
            URL_PATH, "role check", self.check_path, "a URL path such as /postgresql/primary"
        )
        if not self.servers:
            raise ValueError(f"TCP service {self.name} has no servers; give it at least one")
        must_be_unique(f"server of TCP service {self.name}", [s.name for s in self.servers])
