"""The lines that matter in nginx's files, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from components.files import ServiceUnit
from components.load_balancer import (
    Acl,
    LoadBalancerArgs,
    Route,
    Stats,
    Tls,
    load_balancer_files,
    load_balancer_plan,
)
from components.load_balancer.from_settings import load_balancer_args
from components.load_balancer.nginx import error_answers, nginx_conf
from components.load_balancer.nginx_routing import conditions, routes
from components.settings.load import load_settings
from components.timers import TIMERS
from components.topology import plan
from tests.golden.cases import (
    LAB,
    LB1,
    LOGIN,
    a_backend,
    a_pair,
    some_servers,
    the_course_routes,
    the_database_services,
)

HAPROXY = ServiceUnit(name="haproxy.service", running=False)
NGINX = ServiceUnit(name="ha-lab-nginx-lb.service", running=False)
EVERYONE = some_servers(backup=False)


def a_nginx(**overrides: Any) -> LoadBalancerArgs:
    return a_pair(engine="nginx", **overrides)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_timers_are_nginxs_own_words() -> None:
    conf = lines(nginx_conf(a_nginx(timers=TIMERS["fast"]), LB1))
    assert "proxy_connect_timeout 300ms;" in conf
    assert "proxy_read_timeout 30000ms;" in conf
    assert "worker_shutdown_timeout 60s;" in conf
    assert "server 10.16.1.21:8080 max_fails=2 fail_timeout=10s;" in conf
    assert "server 10.16.1.23:8080 max_fails=2 fail_timeout=10s backup;" in conf
    course = lines(nginx_conf(a_nginx(timers=TIMERS["course"]), LB1))
    assert "server 10.16.1.21:8080 max_fails=3 fail_timeout=10s;" in course
    assert "client_header_timeout 50000ms;" in course, "0 would end every request at once"


def test_only_idempotent_requests_are_sent_twice() -> None:
    conf = nginx_conf(a_nginx(), LB1)
    assert "proxy_next_upstream error timeout;" in lines(conf)
    assert "http_5" not in conf, "an answer of 5xx would take a server out"


def test_every_condition_is_a_digit_and_a_route_a_pattern_of_them() -> None:
    args = a_nginx(**the_course_routes())
    found = conditions(args.acls)
    assert [(c.name, c.block, c.variable) for c in found] == [
        ("is_api path_beg", "map $lab_path", "$lab_acl_0"),
        ("is_static path_end", "map $lab_path", "$lab_acl_1"),
        ("is_admin path_beg", "map $lab_path", "$lab_acl_2"),
        ("is_internal src", "geo", "$lab_acl_3"),
    ]
    assert found[1].values[0] == '"~\\.jpg$"'
    assert [(r.pattern, r.backend) for r in routes(args, found)] == [
        ("1...", "api_back"),
        (".1..", "static_back"),
        ("..11", "admin_back"),
    ]


def test_all_fields_of_an_acl_must_be_true() -> None:
    acl = Acl(name="mine", path_beg=("/a",), src=(LAB,))
    args = a_nginx(acls=(acl,), routes=(Route(backend="http_back", acls=("mine",)),))
    assert [r.pattern for r in routes(args, conditions(args.acls))] == ["11"]


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ({"algorithm": "leastconn"}, "least_conn;"),
        ({"algorithm": "source"}, "hash $remote_addr consistent;"),
        ({"algorithm": "uri"}, "hash $lab_path consistent;"),
        ({"stickiness": "source"}, "hash $remote_addr consistent;"),
    ],
)
def test_algorithms(chosen: dict[str, str], line: str) -> None:
    backend = a_backend(servers=EVERYONE, **chosen)
    assert line in lines(nginx_conf(a_nginx(backends=(backend,)), LB1))


def test_a_server_of_weight_0_gets_none_but_those_that_stick_to_it() -> None:
    servers = (replace(EVERYONE[0], weight=0), *EVERYONE[1:])
    backend = a_backend(servers=servers, stickiness="cookie")
    conf = lines(nginx_conf(a_nginx(backends=(backend,)), LB1))
    group = conf[conf.index("upstream http_back {") :]
    assert group[2] == "server 10.16.1.21:8080 max_fails=2 fail_timeout=10s down;"
    own = conf[conf.index("upstream http_back~app1 {") :]
    assert own[2] == "server 10.16.1.21:8080 max_fails=2 fail_timeout=10s;"


def test_no_server_is_503_as_with_haproxy_unless_the_lab_has_a_page_for_502() -> None:
    pages = a_nginx().error_pages
    assert (502, "=503 /.ha-lab-errors/503.html") in error_answers(a_nginx())
    own = (*pages, replace(pages[0], code=502))
    assert dict(error_answers(a_nginx(error_pages=own)))[502] == "/.ha-lab-errors/502.html"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"tcp_services": the_database_services()}, "a write could reach a replica; use HAProxy"),
        ({"stats": Stats(uri="/metrics")}, "statistics uri /metrics has a meaning of its own"),
        ({"backends": (a_backend(algorithm="uri"),)}, "nginx takes no backup there"),
        (
            {
                "backends": (
                    a_backend(servers=EVERYONE, stickiness="source", algorithm="leastconn"),
                )
            },
            "nginx has no leastconn there",
        ),
        ({"backends": (a_backend(servers=some_servers(2, rise=3)),)}, "has check timers"),
        ({"backends": (a_backend(), a_backend(name="HTTP_back"))}, "differ in case only"),
    ],
)
def test_what_it_cannot_do_is_refused(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_balancer_files(a_nginx(**overrides), LB1)


def test_one_engine_runs_and_the_other_one_does_not() -> None:
    nginx, haproxy = load_balancer_plan(a_nginx(), LB1), load_balancer_plan(a_pair(), LB1)
    assert nginx.units[0] == HAPROXY
    assert haproxy.units[0] == NGINX
    assert nginx.packages["debian"] == ("nginx", "keepalived")
    assert "/etc/haproxy/certs/site.pem" in nginx.absent
    assert haproxy.absent == ("/etc/ha-lab-nginx-lb/certs/site.pem",)


def test_a_key_in_use_is_never_removed() -> None:
    assert load_balancer_plan(a_nginx(tls=Tls()), LB1).absent == ()


def test_the_vip_moves_before_the_engine_is_changed_and_only_then() -> None:
    last = load_balancer_plan(a_nginx(), LB1).files[-1]
    assert last.content == "nginx\n"
    assert last.then == (
        "if { systemctl -q is-active haproxy.service; } && systemctl -q is-active "
        "keepalived.service; then systemctl stop keepalived.service; fi"
    )
    alone = load_balancer_plan(a_nginx(peers=(LB1,)), LB1).files[-1]
    assert alone.then is None, "nobody could take it"


def test_the_packages_own_service_runs_only_where_it_is_an_app_server() -> None:
    units = {name: self_running("compact", name) for name in ("node1",)}
    assert units == {"node1": None}
    assert self_running("full", "lb1") is False
    apache = {"application": {"package": "apache2", "unit": "apache2", "port": 90}}
    bare: dict[str, Any] = {"acls": {}, "backends": {}, "routes": []}
    assert self_running("compact", "node1", bare, appServer=apache) is False


def self_running(
    topology: str, machine: str, balancer: dict[str, Any] | None = None, **more: Any
) -> bool | None:
    """What the load balancer's plan says of nginx.service; None: nothing."""
    data = {"topology": topology, "loadBalancer": {"engine": "nginx", **(balancer or {})}, **more}
    settings = load_settings(data, stack="demo")
    args = load_balancer_args(settings, plan(settings, stack="demo"))
    units = load_balancer_plan(args, args.peer(machine)).units
    return next((unit.running for unit in units if unit.name == "nginx.service"), None)


def test_the_certificate_is_where_the_engine_reads_it() -> None:
    settings = load_settings({"loadBalancer": {"engine": "nginx"}}, stack="demo")
    args = load_balancer_args(settings, plan(settings, stack="demo"))
    assert args.tls is not None
    assert args.tls.certificate_path == "/etc/ha-lab-nginx-lb/certs/site.pem"


def test_keepalived_tracks_the_name_that_only_this_nginx_has() -> None:
    files = {f.path: f.content for f in load_balancer_files(a_nginx(track_process=True), LB1)}
    conf = lines(files["/etc/keepalived/keepalived.conf"])
    assert "vrrp_track_process nginx {" in conf
    assert "process nginx-lb" in conf
    assert "vrrp_script check_nginx {" in conf


def test_the_password_of_the_statistics_is_for_nginx_alone() -> None:
    files = {f.path: f for f in load_balancer_files(a_nginx(stats=Stats(login=LOGIN)), LB1)}
    users = files["/etc/ha-lab-nginx-lb/users"]
    assert (users.mode, users.group) == (0o640, "lab-proxy")
    assert LOGIN.password_hash not in files["/etc/ha-lab-nginx-lb/nginx.conf"].content


def test_what_it_balances_is_there_as_data() -> None:
    files = {f.path: f.content for f in load_balancer_files(a_nginx(), LB1)}
    rows = json.loads(files["/etc/ha-lab-nginx-lb/servers.json"])
    assert [(row["name"], row["backup"]) for row in rows] == [
        ("app1", False),
        ("app2", False),
        ("app3", True),
    ]
