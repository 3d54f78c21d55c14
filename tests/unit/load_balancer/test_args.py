"""Wrong values of a load balancer are refused with the value and what to do."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

import pytest

from components.load_balancer import (
    Acl,
    ErrorPage,
    HttpCheck,
    Peer,
    Route,
    Server,
    Stats,
    StatsLogin,
    Tls,
)
from tests.golden.cases import LB1, LB2, VIP, a_backend, a_pair, some_servers


def a_server(**overrides: Any) -> Server:
    return replace(some_servers(1)[0], **overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"vrid": 0}, "vrid 0 is outside 1-255"),
        ({"vrid": 256}, "vrid 256"),
        ({"prefix": 33}, "prefix 33 is outside 1-32"),
        ({"peers": ()}, "has no machines; give two"),
        ({"peers": (LB1, LB1)}, "load balancer name lb1 appears twice"),
        ({"peers": (LB1, replace(LB2, address=LB1.address))}, "address 10.16.1.11 appears twice"),
        ({"peers": (LB1, replace(LB2, address=VIP))}, "VIP 10.16.1.100 is the address of lb2"),
        (
            {"peers": (LB1, replace(LB2, address=IPv4Address("10.16.2.12")))},
            r"lb2 \(10.16.2.12\) is outside the VIP's network 10.16.1.0/24",
        ),
        ({"interface": "eth0; rm"}, "interface 'eth0; rm'.*such as eth0"),
        ({"interface": "eth0\n"}, r"interface 'eth0\\n'"),
        ({"http_port": 0}, "port 0 of http_port is outside 1-65535"),
        ({"https_port": 80}, "http_port and https_port are both 80"),
        ({"stats": Stats(port=80)}, "are both 80"),
        ({"engine": "apache"}, "engine 'apache'.*use one of: haproxy"),
        ({"default_backend": "web"}, "default back end 'web'.*use one of: http_back"),
        ({"backends": (a_backend(), a_backend())}, "back end name http_back appears twice"),
        (
            {"routes": (Route(backend="api", acls=("is_api",)),)},
            "back end 'api' of a route does not exist; use one of: http_back",
        ),
        (
            {"routes": (Route(backend="http_back", acls=("is_api",)),)},
            "acl 'is_api' of the route to http_back does not exist",
        ),
        ({"max_connections": 0}, "max_connections 0"),
        ({"error_pages": (ErrorPage(code=503), ErrorPage(code=503))}, "503 appears twice"),
    ],
)
def test_a_wrong_pair_is_refused(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        a_pair(**overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"servers": ()}, "http_back has no servers"),
        ({"algorithm": "random"}, "algorithm 'random'.*roundrobin, leastconn, source, uri"),
        ({"stickiness": "ip"}, "stickiness 'ip'.*none, cookie, source"),
        ({"servers": (a_server(), a_server())}, "server name in back end http_back app1 appears"),
        ({"servers": (a_server(backup=True),)}, "every server of .* is a backup"),
        ({"servers": (a_server(weight=0),)}, "has weight 0, so none gets a request"),
        ({"name": "http back"}, "back end name 'http back'"),
        ({"name": "stats"}, "back end stats has the name of a section"),
    ],
)
def test_a_wrong_back_end_is_refused(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        a_backend(**overrides)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"weight": 257}, "weight 257 of server app1 is outside 0-256"),
        ({"weight": -1}, "weight -1"),
        ({"port": 65536}, "port 65536 of server app1"),
        ({"inter_ms": 0}, "inter_ms 0 of server app1 is less than 1"),
        ({"fall": 0}, "fall 0"),
        ({"name": "app 1"}, "server name 'app 1'"),
    ],
)
def test_a_wrong_server_is_refused(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        a_server(**overrides)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Acl(name="is_api"), "acl is_api has no condition"),
        (lambda: Acl(name="a", path_beg=("api",)), "path_beg of acl a 'api'.*such as /api"),
        (lambda: Acl(name="a", path_end=(".js }\n",)), "path_end of acl a"),
        (lambda: Route(backend="b", acls=()), "the route to b has no acl"),
        (lambda: HttpCheck(path="health"), "check path 'health'.*such as /health"),
        (lambda: HttpCheck(status=600), "check status 600"),
        (lambda: HttpCheck(host="a b"), "Host of the check 'a b'"),
        (lambda: Tls(certificate_path="site.pem"), "certificate path 'site.pem'"),
        (lambda: Stats(refresh_s=0), "refresh of 0 s"),
        (lambda: Stats(uri="stats"), "statistics uri 'stats'"),
        (lambda: ErrorPage(code=404), "error page 404"),  # type: ignore[arg-type]
        (lambda: ErrorPage(code=503, html="x" * 9000), "9000 bytes, at most 8192"),
        (lambda: Peer(name="", address=VIP), "load balancer name ''"),
    ],
)
def test_a_wrong_part_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_password_given_instead_of_its_hash_is_not_repeated_in_the_error() -> None:
    with pytest.raises(ValueError, match="is not a crypt") as raised:
        StatsLogin(user="trainer", password_hash="hunter2-secret")
    assert "hunter2" not in str(raised.value)


def test_a_pair_knows_its_machines() -> None:
    pair = a_pair()
    assert pair.peer("lb2") == LB2
    assert pair.others(LB1) == (LB2,)
    with pytest.raises(ValueError, match=r"'lb3' is not one of the load balancers \(lb1, lb2\)"):
        pair.peer("lb3")
