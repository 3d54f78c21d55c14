"""What a load balancer pair is to be: values only, each checked when it is made.

Every error says which value was found, what was expected and what to do about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import get_args

from components.checks import (
    must_be_name,
    must_be_one_of,
    must_be_port,
    must_be_unique,
    must_match,
)
from components.load_balancer.backends import Backend, TcpService
from components.load_balancer.frontends import (
    DEFAULT_ERROR_PAGES,
    Acl,
    ErrorPage,
    Route,
    Stats,
    Tls,
)
from components.timers import Engine, Timers

MONITOR_URI = "/alive"
"""Path on `monitor_port` at which an engine says that it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One machine of the pair."""

    name: str
    address: IPv4Address
    web_server: bool = field(default=False, compare=False)
    """The distribution's nginx serves an application on this machine too."""

    def __post_init__(self) -> None:
        must_be_name("load balancer", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancerArgs:
    """A pair of load balancers that own one VIP."""

    vip: IPv4Address
    prefix: int
    """Prefix length of the VIP's network."""
    vrid: int
    """VRRP virtual router id, 1-255, unique on the network segment."""
    interface: str
    """Network interface of the machines that carries the VIP."""
    peers: tuple[Peer, ...]
    """The machines, the preferred owner first."""
    backends: tuple[Backend, ...]
    timers: Timers
    engine: Engine = "haproxy"
    default_backend: str = "http_back"
    acls: tuple[Acl, ...] = ()
    routes: tuple[Route, ...] = ()
    tls: Tls | None = field(default_factory=Tls)
    http_port: int = 80
    https_port: int = 443
    stats: Stats = field(default_factory=Stats)
    error_pages: tuple[ErrorPage, ...] = DEFAULT_ERROR_PAGES
    tcp_services: tuple[TcpService, ...] = ()
    max_connections: int = 4096
    peers_port: int = 1024
    """TCP port on which the pair shares its stick tables; reached by the peers only."""
    monitor_port: int = 8405
    """Loopback port that keepalived's check asks."""
    track_process: bool = False
    """Let the kernel tell keepalived that the engine died. Only where keepalived runs in the
    initial network namespace (virtual machines): elsewhere it stays in the FAULT state for ever."""

    def __post_init__(self) -> None:
        must_be_one_of("engine", self.engine, get_args(Engine), "the load balancer")
        self._check_network()
        self._check_ports()
        for service in self.tcp_services:
            self._check_instead(service)
        sections = [*(b.name for b in self.backends), *(s.name for s in self.tcp_services)]
        must_be_unique("back end name", sections)
        must_be_unique("acl name", [acl.name for acl in self.acls])
        must_be_unique("error page", [page.code for page in self.error_pages])
        backends = [backend.name for backend in self.backends]
        must_be_one_of("default back end", self.default_backend, backends, "the load balancer")
        for route in self.routes:
            must_be_one_of("back end", route.backend, backends, "a route")
            for acl in route.acls:
                known = [known.name for known in self.acls]
                must_be_one_of("acl", acl, known, f"the route to {route.backend}")
        if self.max_connections < 1:
            raise ValueError(f"max_connections {self.max_connections}: expected 1 or more")

    def _check_instead(self, service: TcpService) -> None:
        known = [f"{other.name}/{s.name}" for other in self.tcp_services for s in other.servers]
        for server in service.servers:
            if server.instead is not None:
                must_be_one_of("server", server.instead, known, f"{service.name}/{server.name}")

    def _check_network(self) -> None:
        if not 1 <= self.vrid <= 255:
            raise ValueError(f"vrid {self.vrid} is outside 1-255; the course uses 51")
        if not 1 <= self.prefix <= 32:
            raise ValueError(f"prefix {self.prefix} is outside 1-32; a /24 network has 24")
        if not self.peers:
            raise ValueError("the load balancer has no machines; give two (or one, without VRRP)")
        must_be_unique("load balancer name", [peer.name for peer in self.peers])
        must_be_unique("load balancer address", [str(peer.address) for peer in self.peers])
        network = IPv4Network((self.vip, self.prefix), strict=False)
        for peer in self.peers:
            if peer.address == self.vip:
                raise ValueError(
                    f"the VIP {self.vip} is the address of {peer.name}; choose a free address"
                )
            if peer.address not in network:
                raise ValueError(
                    f"{peer.name} ({peer.address}) is outside the VIP's network {network}; VRRP "
                    "needs both on one segment"
                )
        must_match(
            re.compile(r"^[A-Za-z][A-Za-z0-9._-]{0,14}$"),
            "interface",
            self.interface,
            "a Linux interface name such as eth0",
        )
        self.timers.vrrp.priority(len(self.peers) - 1)

    def _check_ports(self) -> None:
        ports = {
            "http_port": self.http_port,
            "https_port": self.https_port,
            "statistics port": self.stats.port,
            "peers_port": self.peers_port,
            "monitor_port": self.monitor_port,
            **{f"port of {service.name}": service.port for service in self.tcp_services},
        }
        for what, port in ports.items():
            must_be_port(what, port)
            others = [name for name, other in ports.items() if other == port and name != what]
            if others:
                raise ValueError(f"{what} and {others[0]} are both {port}; change one of them")

    def peer(self, name: str) -> Peer:
        """The machine of this name; ValueError when it is not one of the pair."""
        for peer in self.peers:
            if peer.name == name:
                return peer
        names = ", ".join(peer.name for peer in self.peers)
        raise ValueError(f"{name!r} is not one of the load balancers ({names})")

    def others(self, peer: Peer) -> tuple[Peer, ...]:
        """The pair without this machine."""
        return tuple(other for other in self.peers if other != peer)

    @property
    def sticks_by_table(self) -> bool:
        """Whether a back end remembers clients in a table that the peers must share."""
        return any(backend.stickiness == "source" for backend in self.backends)
