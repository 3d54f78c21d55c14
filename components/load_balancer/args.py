"""What a load balancer pair is to be: values only, each checked when it is made.

Every error says which value was found, what was expected and what to do about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Literal, get_args

from components.checks import (
    URL_PATH,
    must_be_name,
    must_be_one_of,
    must_be_port,
    must_be_unique,
    must_match,
)
from components.timers import Timers

Engine = Literal["haproxy"]
Algorithm = Literal["roundrobin", "leastconn", "source", "uri"]
"""`balance` of a back end. The course's fifth, weighted, is any of them with weights."""
Stickiness = Literal["none", "cookie", "source"]
ErrorCode = Literal[400, 403, 408, 500, 502, 503, 504]

_PATH_END = re.compile(r"^[A-Za-z0-9._~/-]+$")
_HOST = re.compile(r"^[A-Za-z0-9.-]+(:[0-9]+)?$")
_CRYPT = re.compile(r"^\$(5|6)\$[./A-Za-z0-9$=]+$")
_FILE = re.compile(r"^/[A-Za-z0-9._/-]+$")
MONITOR_URI = "/alive"
"""Path on `monitor_port` at which an engine says that it answers."""
RESERVED_NAMES = ("stats", "monitor", "http_front")
"""Sections that every configuration has; a back end of that name would clash with them."""
ERROR_PAGE_BYTES = 8192
"""HAProxy keeps an error page in one buffer of 16 KiB, with its headers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """One machine of the pair."""

    name: str
    address: IPv4Address

    def __post_init__(self) -> None:
        must_be_name("load balancer", self.name)


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
class Acl:
    """A named condition: true when every field that is given matches, by any of its values."""

    name: str
    path_beg: tuple[str, ...] = ()
    path_end: tuple[str, ...] = ()
    src: tuple[IPv4Network, ...] = ()
    """Networks of the client."""

    def __post_init__(self) -> None:
        must_be_name("acl", self.name)
        if not (self.path_beg or self.path_end or self.src):
            raise ValueError(f"acl {self.name} has no condition; give it path_beg, path_end or src")
        for path in self.path_beg:
            must_match(URL_PATH, f"path_beg of acl {self.name}", path, "a URL path such as /api")
        for end in self.path_end:
            must_match(_PATH_END, f"path_end of acl {self.name}", end, "an ending such as .png")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`use_backend backend if acl acl ...`: the first route whose ACLs are all true is taken."""

    backend: str
    acls: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.acls:
            raise ValueError(
                f"the route to {self.backend} has no acl; name at least one, or make the back "
                "end the default"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage:
    """An error page of the lab's own."""

    code: ErrorCode
    html: str | None = None
    """The body; None: the lab's own short page."""

    def __post_init__(self) -> None:
        must_be_one_of("error page", self.code, get_args(ErrorCode), "the load balancer")
        size = len((self.html or "").encode())
        if size > ERROR_PAGE_BYTES:
            raise ValueError(
                f"the error page for {self.code} has {size} bytes, at most {ERROR_PAGE_BYTES} fit "
                "in HAProxy's buffer; shorten it or link its images"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The https front end."""

    certificate_path: str = "/etc/haproxy/certs/site.pem"
    """PEM on the machine: certificate, chain, private key. Whoever has the secret writes it."""
    redirect: bool = True
    """Answer plain http with a 301 to https."""

    def __post_init__(self) -> None:
        must_match(_FILE, "certificate path", self.certificate_path, "an absolute path")


@dataclass(frozen=True, slots=True, kw_only=True)
class StatsLogin:
    """A user of the statistics page."""

    user: str
    password_hash: str
    """crypt(3) hash `$5$...` or `$6$...` (`mkpasswd -m sha-256`), never the password itself."""

    def __post_init__(self) -> None:
        must_be_name("statistics user", self.user)
        if not _CRYPT.match(self.password_hash):
            # The value may be a password put here by mistake, so it is not repeated.
            raise ValueError(
                f"the password hash of statistics user {self.user} is not a crypt(3) hash that "
                "begins with $5$ or $6$; make one with `mkpasswd -m sha-256`"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The statistics page and, on the same port, the Prometheus metrics at /metrics."""

    port: int = 8404
    uri: str = "/stats"
    refresh_s: int = 10
    allowed: tuple[IPv4Network, ...] = ()
    """Networks that may read it; the machine itself always may, and it alone may administer."""
    login: StatsLogin | None = None
    prometheus: bool = True

    def __post_init__(self) -> None:
        must_be_port("the statistics page", self.port)
        must_match(URL_PATH, "statistics uri", self.uri, "a URL path such as /stats")
        if self.refresh_s < 1:
            raise ValueError(f"statistics refresh of {self.refresh_s} s: expected 1 or more")


DEFAULT_ERROR_PAGES = (ErrorPage(code=400), ErrorPage(code=503))
"""The two that the course configures."""


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
    tls: Tls | None = Tls()
    http_port: int = 80
    https_port: int = 443
    stats: Stats = Stats()
    error_pages: tuple[ErrorPage, ...] = DEFAULT_ERROR_PAGES
    max_connections: int = 4096
    peers_port: int = 1024
    """TCP port on which the pair shares its stick tables; reached by the peers only."""
    monitor_port: int = 8405
    """Loopback port that keepalived's check asks."""
    track_process: bool = False
    """Let the kernel tell keepalived that HAProxy died. Only where keepalived runs in the initial
    network namespace (virtual machines): elsewhere it stays in the FAULT state for ever."""

    def __post_init__(self) -> None:
        must_be_one_of("engine", self.engine, get_args(Engine), "the load balancer")
        self._check_network()
        self._check_ports()
        must_be_unique("back end name", [backend.name for backend in self.backends])
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
