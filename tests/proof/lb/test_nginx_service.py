"""nginx as load balancer in front of real app servers: what its configuration really does.

The pair, keepalived and systemd are the rig's to show (tests/proof/lb/test_nginx_pair.py).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from components.app_server import AppServerArgs, app_server_plan
from components.load_balancer import LoadBalancerArgs, Tls, load_balancer_plan
from components.load_balancer.nginx import (
    CERTIFICATE_PATH,
    CONFIG_PATH,
    FOLDER,
    LOOK_PATH,
    PID_PATH,
    PROGRAM,
    RELOAD_PATH,
)
from components.timers import TIMERS
from tests.golden.cases import LB1, VIP, a_backend, a_pair, some_servers, the_course_routes
from tests.support.services.certificate import SITE_PEM
from tests.support.services.lab import ADDRESSES, APPS, header, status
from tests.support.services.machines import Machine, segment, wait_for, why_no_machines

MACHINES = ("lb1", "app1", "app2", "app3", "client")
ARGS = a_pair(
    engine="nginx",
    peers=(LB1,),
    tls=Tls(certificate_path=CERTIFICATE_PATH),
    timers=TIMERS["relaxed"],
    **the_course_routes(),
)
BARE = replace(ARGS, acls=(), routes=(), backends=(a_backend(),))
EVERYONE = some_servers(backup=False)


@dataclass(frozen=True, slots=True)
class Lab:
    machines: dict[str, Machine]

    @property
    def balancer(self) -> Machine:
        return self.machines["lb1"]

    def take(self, args: LoadBalancerArgs) -> None:
        """New settings, taken up as the unit's reload does it."""
        self.balancer.apply(load_balancer_plan(args, LB1))
        self.balancer.run(RELOAD_PATH, self.balancer.read(PID_PATH).strip())

    def get(self, path: str, *options: str) -> str:
        return self.machines["client"].get(f"https://{VIP}{path}", *options)

    def served(self, count: int, *options: str) -> list[str]:
        return [header(self.get("/", *options), "x-served-by") for _ in range(count)]

    def start_app(self, name: str) -> None:
        self.machines[name].start("nginx", "-g", "daemon off;")
        wait_for(f"{name} answers", lambda: "200" in self.machines[name].get(HEALTH))

    def stop_app(self, name: str) -> None:
        self.machines[name].run("nginx", "-s", "stop")
        wait_for(f"{name} is gone", lambda: "200" not in self.machines[name].get(HEALTH))


HEALTH = "http://127.0.0.1:8080/health"


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    if reason := why_no_machines():
        pytest.skip(reason)
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed: apt-get install it")
    with segment({name: ADDRESSES[name] for name in MACHINES}) as machines:
        lab = Lab(machines)
        for name in APPS:
            machines[name].apply(app_server_plan(AppServerArgs(name=name)))
            lab.start_app(name)
        lab.balancer.run("ip", "address", "add", f"{VIP}/24", "dev", "eth0")
        lab.balancer.put(replace(SITE_PEM, path=CERTIFICATE_PATH))
        lab.balancer.apply(load_balancer_plan(ARGS, LB1))
        lab.balancer.run("ln", "-sfn", "/usr/sbin/nginx", PROGRAM)
        start = f"{PROGRAM} -e stderr -p {FOLDER} -c {CONFIG_PATH} >/run/lb.log 2>&1"
        lab.balancer.run("sh", "-c", start)
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Lab:
    """With the course's configuration; a reload also forgets which servers failed."""
    shared.take(ARGS)
    return shared


def test_plain_http_is_redirected_and_https_reaches_the_app_servers_in_turn(lab: Lab) -> None:
    answer = lab.machines["client"].get(f"http://{VIP}/whoami?a=b")
    assert (status(answer), header(answer, "location")) == ("301", f"https://{VIP}/whoami?a=b")
    assert sorted(lab.served(6)) == ["app1"] * 3 + ["app2"] * 3, "app3 is the backup"
    assert header(lab.get("/"), "x-load-balancer") == "lb1"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/users", '"service": "api"'),
        ("/static/lab.css?v=1", "font-family"),
        ("/admin", "admin area of app1"),
        ("/whoami", '"load_balancer": "lb1"'),
    ],
)
def test_the_routes_of_the_course_lead_to_their_back_ends(
    lab: Lab, path: str, expected: str
) -> None:
    assert expected in lab.get(path)


def test_what_nginx_forwards_is_what_haproxy_forwards(lab: Lab) -> None:
    assert '"client": "10.16.1.50"' in lab.get("/whoami")


def test_a_dead_server_costs_no_request_and_the_backup_serves_when_it_is_alone(lab: Lab) -> None:
    lab.stop_app("app1")
    try:
        assert set(lab.served(6)) == {"app2"}
        lab.stop_app("app2")
        assert set(lab.served(3)) == {"app3"}
        looks = [json.loads(line) for line in lab.balancer.run(LOOK_PATH).splitlines()]
        main = {look["name"]: look["status"] for look in looks if look["backend"] == "http_back"}
        assert main == {"app1": "DOWN", "app2": "DOWN", "app3": "UP"}
        lab.stop_app("app3")
        answer = lab.get("/")
        assert status(answer) == "503"
        assert "No application server is available" in answer
        assert header(answer, "cache-control") == "no-cache"
    finally:
        for name in APPS:
            if "200" not in lab.machines[name].get(HEALTH):
                lab.start_app(name)


def test_a_cookie_keeps_a_browser_until_its_server_is_gone(lab: Lab) -> None:
    lab.take(replace(BARE, backends=(a_backend(stickiness="cookie", servers=EVERYONE),)))
    given = header(lab.get("/"), "set-cookie")
    name, _, _ = given.removeprefix("LAB_SERVER=").partition(";")
    assert given == f"LAB_SERVER={name}; path=/; HttpOnly"
    mine = ("-b", f"LAB_SERVER={name}")
    assert set(lab.served(4, *mine)) == {name}
    assert header(lab.get("/", *mine), "set-cookie") == "", "it is known already"
    assert len(set(lab.served(6, "-b", "LAB_SERVER=nobody"))) == 3
    lab.stop_app(name)
    try:
        other = lab.get("/", *mine)
        assert header(other, "x-served-by") not in ("", name)
        assert header(other, "set-cookie").startswith(f"LAB_SERVER={header(other, 'x-served-by')};")
    finally:
        lab.start_app(name)


@pytest.mark.parametrize(
    "chosen", [{"stickiness": "source"}, {"algorithm": "source"}, {"algorithm": "uri"}]
)
def test_a_hash_keeps_what_it_is_about_on_one_server(lab: Lab, chosen: dict[str, str]) -> None:
    lab.take(replace(BARE, backends=(a_backend(servers=EVERYONE, **chosen),)))
    assert len(set(lab.served(6))) == 1
    paths = {header(lab.get(f"/whoami?{i}"), "x-served-by") for i in range(6)}
    assert len(paths) == 1, "the query is no part of it"


def test_statistics_are_for_the_machine_itself_and_the_networks_that_may(lab: Lab) -> None:
    page = lab.machines["client"].get(f"http://{VIP}:8404/stats")
    assert "1 active" in page
    assert "api_back" in page
    assert "nginx_up 1" in lab.machines["client"].get(f"http://{VIP}:8404/metrics")
    assert "Active connections" in lab.balancer.get("http://127.0.0.1:8404/nginx_status")
    lab.take(replace(ARGS, stats=replace(ARGS.stats, allowed=())))
    assert status(lab.machines["client"].get(f"http://{VIP}:8404/stats")) == "403"


def test_a_reload_that_nginx_does_not_take_up_fails(lab: Lab) -> None:
    """It is valid, so `nginx -t` accepts it, but a port is taken."""
    lab.balancer.start("python3", "-m", "http.server", "9999")
    wait_for("the port is taken", lambda: "9999" in lab.balancer.run("ss", "-Hltn"))
    lab.balancer.run("sed", "-i", "s/listen 8404;/listen 9999;/", CONFIG_PATH)
    pid = lab.balancer.read(PID_PATH).strip()
    assert "still has its old configuration" in lab.balancer.run(RELOAD_PATH, pid, check=False)
    assert header(lab.get("/"), "x-served-by") in APPS


def test_its_processes_have_a_name_of_their_own(lab: Lab) -> None:
    """keepalived tracks it by that; the app server's nginx would vouch for a dead one."""
    pid = lab.balancer.read(PID_PATH).strip()
    assert lab.balancer.read(f"/proc/{pid}/comm") == "nginx-lb\n"
