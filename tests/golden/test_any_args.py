"""Whatever the args accept, the engine accepts too: nothing is left to fail on the machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from components.checks import NAME, URL_PATH
from components.load_balancer import (
    Acl,
    Backend,
    ErrorPage,
    HttpCheck,
    LoadBalancerArgs,
    Route,
    Server,
    Stats,
    TcpCheck,
    Tls,
    load_balancer_files,
)
from components.load_balancer.backends import RESERVED_NAMES, Algorithm, Stickiness
from components.load_balancer.frontends import ErrorCode
from components.load_balancer.nginx_limits import STUB_URI, needs_no_backup
from components.timers import TIMERS, Engine
from tests.golden.cases import LB1, LB2, a_pair
from tests.support.services.certificate import SITE_PEM
from tests.support.services.machines import Machine, segment, why_no_machines

names = st.from_regex(NAME, fullmatch=True).filter(lambda name: name not in RESERVED_NAMES)
paths = st.from_regex(URL_PATH, fullmatch=True).filter(lambda path: len(path) < 60)
networks = st.builds(
    lambda bits, prefix: IPv4Network((bits, prefix), strict=False),
    st.integers(0, 2**32 - 1),
    st.integers(1, 32),
)


def servers() -> st.SearchStrategy[tuple[Server, ...]]:
    server = st.builds(
        Server,
        name=names,
        address=st.integers(2, 99).map(lambda host: IPv4Address("10.16.1.0") + host),
        port=st.integers(1, 65535),
        weight=st.integers(1, 256),
        check=st.booleans(),
        inter_ms=st.none() | st.integers(1, 60_000),
        fall=st.none() | st.integers(1, 20),
        rise=st.none() | st.integers(1, 20),
    )
    return st.lists(server, min_size=1, max_size=4, unique_by=lambda s: s.name).map(tuple)


checks = st.just(TcpCheck()) | st.builds(
    HttpCheck,
    path=paths,
    status=st.integers(100, 599),
    method=st.sampled_from(["GET", "HEAD", "OPTIONS"]),
    host=st.none() | st.just("app.lab.internal:8080"),
)
backends = st.lists(
    st.builds(
        Backend,
        name=names,
        servers=servers(),
        algorithm=st.sampled_from(get_args(Algorithm)),
        check=checks,
        stickiness=st.sampled_from(get_args(Stickiness)),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda backend: backend.name,
).map(tuple)
acls = st.lists(
    st.builds(
        Acl,
        name=names,
        path_beg=st.lists(paths, min_size=1, max_size=3).map(tuple),
        path_end=st.lists(st.sampled_from([".js", ".png", "x/-~"]), max_size=2).map(tuple),
        src=st.lists(networks, max_size=3).map(tuple),
    ),
    max_size=4,
    unique_by=lambda acl: acl.name,
).map(tuple)


@st.composite
def pairs(draw: st.DrawFn) -> LoadBalancerArgs:
    some_backends, some_acls = draw(backends), draw(acls)
    routes: list[Route] = []
    if some_acls:
        route = st.builds(
            Route,
            backend=st.sampled_from([backend.name for backend in some_backends]),
            acls=st.lists(
                st.sampled_from([acl.name for acl in some_acls]), min_size=1, max_size=3
            ).map(tuple),
        )
        routes = draw(st.lists(route, max_size=4))
    values: dict[str, Any] = {
        "backends": some_backends,
        "default_backend": some_backends[0].name,
        "acls": some_acls,
        "routes": tuple(routes),
        "timers": TIMERS[draw(st.sampled_from(sorted(TIMERS)))],
        "tls": draw(st.none() | st.builds(Tls, redirect=st.booleans())),
        "http_port": draw(st.sampled_from([80, 8000])),
        "https_port": draw(st.sampled_from([443, 8443])),
        "peers": draw(st.sampled_from([(LB1,), (LB1, LB2), (LB2, LB1)])),
        "vrid": draw(st.integers(1, 255)),
        "stats": Stats(uri=draw(paths), allowed=tuple(draw(st.lists(networks, max_size=3)))),
        "error_pages": tuple(
            ErrorPage(code=code, html=draw(st.none() | st.text(max_size=200)))
            for code in draw(st.sets(st.sampled_from(get_args(ErrorCode)), max_size=3))
        ),
        "max_connections": draw(st.integers(1, 100_000)),
    }
    return a_pair(**values)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    if reason := why_no_machines():
        pytest.skip(reason)
    if missing := [tool for tool in ("haproxy", "nginx") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed: apt-get install it")
    with segment({"lb1": "10.16.1.11/24"}) as machines:
        machines["lb1"].put(SITE_PEM)
        for engine in get_args(Engine):
            for file in load_balancer_files(a_pair(engine=engine), LB1):
                machines["lb1"].put(file)
        yield machines["lb1"]


def for_nginx(args: LoadBalancerArgs) -> LoadBalancerArgs:
    """The same pair without what open-source nginx cannot do."""
    stats = args.stats if args.stats.uri not in (STUB_URI, "/metrics") else Stats()
    backends = tuple(
        replace(
            backend,
            algorithm="roundrobin" if backend.stickiness == "source" else backend.algorithm,
            servers=tuple(
                replace(
                    server,
                    inter_ms=None,
                    rise=None,
                    backup=server.backup and not needs_no_backup(backend),
                )
                for server in backend.servers
            ),
        )
        for backend in args.backends
    )
    return replace(args, engine="nginx", stats=stats, backends=backends)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(args=pairs())
def test_what_the_args_accept_nginx_accepts(machine: Machine, args: LoadBalancerArgs) -> None:
    assume(len({backend.name.lower() for backend in args.backends}) == len(args.backends))
    for file in load_balancer_files(for_nginx(args), args.peers[0]):
        if file.path.startswith("/etc/ha-lab-nginx-lb"):
            machine.put(file)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    # No shrinking: each try costs a third of a second, and HAProxy names the line itself.
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(args=pairs())
def test_what_the_args_accept_haproxy_accepts(machine: Machine, args: LoadBalancerArgs) -> None:
    for file in load_balancer_files(args, args.peers[0]):
        if file.path.startswith("/etc/haproxy"):
            machine.put(file)
