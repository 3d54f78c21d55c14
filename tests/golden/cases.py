"""The cases of which every rendered byte is kept, and builders for what they vary."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from components.app_server import AppServerArgs, OwnApplication, app_server_plan
from components.files import ServicePlan
from components.firewall import Sources, firewall_plan
from components.load_balancer import (
    Acl,
    Backend,
    ErrorPage,
    HttpCheck,
    LoadBalancerArgs,
    Peer,
    Route,
    Server,
    Stats,
    StatsLogin,
    TcpCheck,
    Tls,
    load_balancer_firewall,
    load_balancer_plan,
)
from components.timers import TIMERS

LAB = IPv4Network("10.16.1.0/24")
VIP = IPv4Address("10.16.1.100")
LB1 = Peer(name="lb1", address=IPv4Address("10.16.1.11"))
LB2 = Peer(name="lb2", address=IPv4Address("10.16.1.12"))
SOURCES = Sources(
    lab=LAB,
    management=(IPv4Address("10.16.1.1"),),
    roles={"load_balancer": (LB1.address, LB2.address), "app": ()},
)


def some_servers(count: int = 3, port: int = 8080, **overrides: Any) -> tuple[Server, ...]:
    """app1, app2, ...; the third is the backup, as in the course."""
    return tuple(
        Server(
            name=f"app{i}",
            address=IPv4Address(f"10.16.1.{20 + i}"),
            port=port,
            **{"backup": i == 3, **overrides},
        )
        for i in range(1, count + 1)
    )


def a_backend(**overrides: Any) -> Backend:
    return Backend(**{"name": "http_back", "servers": some_servers(), **overrides})


def a_pair(**overrides: Any) -> LoadBalancerArgs:
    """The course's pair with standard timers, without TLS unless given."""
    values = {
        "vip": VIP,
        "prefix": 24,
        "vrid": 51,
        "interface": "eth0",
        "peers": (LB1, LB2),
        "backends": (a_backend(),),
        "timers": TIMERS["standard"],
        "tls": None,
        "stats": Stats(allowed=(LAB,)),
    }
    return LoadBalancerArgs(**{**values, **overrides})


def the_course_routes() -> dict[str, Any]:
    """ACLs, routes and back ends of the course's section on routing."""
    return {
        "acls": (
            Acl(name="is_api", path_beg=("/api",)),
            Acl(name="is_static", path_end=(".jpg", ".png", ".css", ".js")),
            Acl(name="is_admin", path_beg=("/admin",)),
            Acl(name="is_internal", src=(LAB,)),
        ),
        "routes": (
            Route(backend="api_back", acls=("is_api",)),
            Route(backend="static_back", acls=("is_static",)),
            Route(backend="admin_back", acls=("is_admin", "is_internal")),
        ),
        "backends": (
            a_backend(),
            a_backend(name="api_back", servers=some_servers(2, 3000), algorithm="leastconn"),
            a_backend(name="static_back", servers=some_servers(1, 8081)),
            a_backend(name="admin_back", servers=some_servers(1, 8082), check=TcpCheck()),
        ),
    }


def weighted() -> Backend:
    servers = zip(some_servers(backup=False), (3, 2, 1), strict=True)
    return a_backend(
        servers=tuple(
            Server(name=s.name, address=s.address, port=s.port, weight=weight)
            for s, weight in servers
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A plan of which the files with these last names are kept, or all of them."""

    plan: Callable[[], ServicePlan]
    keep: tuple[str, ...] = ("haproxy.cfg", "keepalived.conf", "nginx.conf", "nftables.conf")


def _pair(node: Peer = LB1, **overrides: Any) -> Case:
    return Case(plan=lambda: load_balancer_plan(a_pair(**overrides), node))


def _haproxy(**overrides: Any) -> Case:
    plan = _pair(**overrides).plan
    return Case(plan=plan, keep=("haproxy.cfg",))


PASSWORD_HASH = "$5$salt$U1lq1mmzm8qRZHEHzxkkz1z1lMIBSu9Kzq41nUAlGX9"
LOGIN = StatsLogin(user="trainer", password_hash=PASSWORD_HASH)

CASES: Mapping[str, Case] = {
    "load_balancer/course": _pair(timers=TIMERS["course"], tls=Tls()),
    "load_balancer/relaxed": _pair(timers=TIMERS["relaxed"]),
    "load_balancer/standard": Case(
        plan=lambda: load_balancer_plan(a_pair(tls=Tls(), **the_course_routes()), LB1),
        keep=(),
    ),
    "load_balancer/standard-lb2": _pair(node=LB2, tls=Tls(), **the_course_routes()),
    "load_balancer/fast": _pair(timers=TIMERS["fast"], track_process=True),
    "load_balancer/one-machine": _pair(
        peers=(LB1,), backends=(a_backend(servers=some_servers(2)),)
    ),
    "load_balancer/leastconn": _haproxy(backends=(a_backend(algorithm="leastconn"),)),
    "load_balancer/source": _haproxy(backends=(a_backend(algorithm="source"),)),
    "load_balancer/uri": _haproxy(backends=(a_backend(algorithm="uri"),)),
    "load_balancer/weighted": _haproxy(backends=(weighted(),)),
    "load_balancer/sticky-cookie": _haproxy(backends=(a_backend(stickiness="cookie"),)),
    "load_balancer/sticky-source": _haproxy(backends=(a_backend(stickiness="source"),)),
    "load_balancer/checks": _haproxy(
        backends=(
            a_backend(
                check=HttpCheck(path="/alive", status=204, method="HEAD", host="app.lab.internal"),
                servers=some_servers(2, inter_ms=3000, fall=3, rise=2),
            ),
            a_backend(name="tcp_back", servers=some_servers(1, check=False), check=TcpCheck()),
        )
    ),
    "load_balancer/other-ports": _haproxy(
        tls=Tls(certificate_path="/etc/haproxy/certs/site.pem"),
        http_port=8000,
        https_port=8443,
        stats=Stats(port=9000, uri="/status", refresh_s=5, login=LOGIN, prometheus=False),
        error_pages=(ErrorPage(code=502, html="<p>Retour dans un instant é</p>\n"),),
        acls=(Acl(name="is_mine", path_beg=("/mine",), src=(LAB,)),),
        routes=(Route(backend="http_back", acls=("is_mine",)),),
    ),
    "app_server/demo": Case(plan=lambda: app_server_plan(AppServerArgs(name="app1")), keep=()),
    "app_server/own": Case(
        plan=lambda: app_server_plan(
            AppServerArgs(
                name="app1",
                application=OwnApplication(
                    packages={"debian": ("myapp",)}, unit="myapp.service", port=9090
                ),
            )
        ),
        keep=(),
    ),
    "firewall/load-balancer": Case(
        plan=lambda: firewall_plan(
            load_balancer_firewall(
                a_pair(tls=Tls(), backends=(a_backend(stickiness="source"),)), LB1
            ),
            SOURCES,
        )
    ),
    "firewall/nothing-declared": Case(plan=lambda: firewall_plan((), SOURCES)),
}
