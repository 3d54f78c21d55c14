"""The pair in front of real app servers: routing, checks, failover, reloads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from components.load_balancer import Backend, LoadBalancerArgs, Tls
from components.timers import TIMERS, predict
from tests.golden.cases import VIP, a_backend, a_pair, some_servers, the_course_routes
from tests.support.services.lab import NOTIFY_LOG, PAIR, Lab, header, running_lab, status
from tests.support.services.machines import wait_for, why_no_machines
from tests.support.waiting import MOMENT_S, deadline_s

RELAXED = TIMERS["relaxed"]
ARGS = a_pair(tls=Tls(), timers=RELAXED, **the_course_routes())


@pytest.fixture(scope="module")
def shared() -> Iterator[Lab]:
    if reason := why_no_machines():
        pytest.skip(reason)
    with running_lab(ARGS) as lab:
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    """The lab as it was set up: whatever a test switched off is on again."""
    yield shared
    for name in PAIR:
        if not shared.is_alive(name):
            shared.start_haproxy(name)
    for name in ("app1", "app2", "app3"):
        shared[name].run("lab-health", "on")
    everyone = {"app1", "app2", "app3"}
    wait_for(
        "every server up for both",
        lambda: all(shared.servers_up(name) == everyone for name in PAIR),
    )
    shared.owner()


def with_main(backend: Backend) -> LoadBalancerArgs:
    return replace(ARGS, backends=(backend, *ARGS.backends[1:]))


def test_plain_http_is_redirected_to_https(lab: Lab) -> None:
    answer = lab["client"].get(f"http://{VIP}/whoami?a=b")
    assert status(answer) == "301"
    assert header(answer, "location") == f"https://{VIP}/whoami?a=b"


def test_requests_go_to_the_app_servers_in_turn_and_not_to_the_backup(lab: Lab) -> None:
    servers = lab.servers_of(6)
    assert sorted(servers) == ["app1"] * 3 + ["app2"] * 3, servers


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/users", '"service": "api"'),
        ("/static/lab.css", "font-family"),
        ("/static/lab.js", "setInterval"),
        ("/admin", "admin area of app1"),
        ("/", " via lb"),
    ],
)
def test_the_routes_of_the_course_lead_to_their_back_ends(
    lab: Lab, path: str, expected: str
) -> None:
    answer = lab.get(path)
    assert status(answer) == "200"
    assert expected in answer


def test_the_admin_area_is_not_routed_for_a_client_from_outside(lab: Lab) -> None:
    lab["client"].run("ip", "address", "add", "10.99.0.5/32", "dev", "eth0")
    lab[lab.owner()].run("ip", "route", "add", "10.99.0.5/32", "via", "10.16.1.50")
    answer = lab.get("/admin", "--interface", "10.99.0.5")
    assert status(answer) == "404", "the default back end knows no /admin"


def test_the_identity_page_comes_as_text_html_or_json(lab: Lab) -> None:
    owner = lab.owner()
    assert f"via {owner}" in lab.get("/")
    assert "<h1>" in lab.get("/", "-H", "Accept: text/html,*/*")
    answer = lab.get("/", "-H", "Accept: application/json")
    assert f'"load_balancer": "{owner}", "client": "10.16.1.50"' in answer


def test_a_client_cannot_forge_the_load_balancers_name(lab: Lab) -> None:
    answer = lab.get("/whoami", "-H", 'X-Load-Balancer: x", "admin": "yes')
    assert f'"load_balancer": "{lab.owner()}"' in answer
    direct = lab["client"].get("http://10.16.1.21:8080/whoami", "-H", 'X-Load-Balancer: a"b')
    assert '"load_balancer": "none"' in direct


def test_the_backup_serves_when_the_others_are_unhealthy(lab: Lab) -> None:
    for name in ("app1", "app2"):
        lab[name].run("lab-health", "off")
    owner = lab.owner()
    wait_for("only app3 up", lambda: lab.servers_up(owner) == {"app3"})
    assert set(lab.servers_of(3)) == {"app3"}


def test_the_labs_own_error_page_is_shown_when_no_server_is_left(lab: Lab) -> None:
    for name in ("app1", "app2", "app3"):
        lab[name].run("lab-health", "off")
    owner = lab.owner()
    wait_for("no server up", lambda: not lab.servers_up(owner))
    answer = lab.get("/")
    assert status(answer) == "503"
    assert f"Answered by load balancer {owner}" in answer


def test_statistics_and_metrics_are_for_the_lab_and_administration_for_the_machine(
    lab: Lab,
) -> None:
    page = f"http://{ARGS.peers[0].address}:8404"
    assert status(lab["client"].get(f"{page}/stats")) == "200"
    assert "haproxy_server_status" in lab["client"].get(f"{page}/metrics")
    form = ("-d", "s=app1", "-d", "action=maint", "-d", "b=http_back")
    lab["client"].get(f"{page}/stats", *form)
    assert "app1" in lab.servers_up("lb1"), "a neighbour must not administer"
    lab["client"].run("ip", "address", "replace", "10.99.0.5/32", "dev", "eth0")
    lab["lb1"].run("ip", "route", "replace", "10.99.0.5/32", "via", "10.16.1.50")
    outside = lab["client"].get(f"{page}/stats", "--interface", "10.99.0.5")
    assert status(outside) == "403"


def test_a_killed_app_server_costs_no_request(lab: Lab) -> None:
    with lab.traffic() as history:
        lab.signal("app1", "KILL", "/run/nginx.pid")
        lab["app1"].run("killall", "-KILL", "nginx", check=False)
        wait_for(
            "app1 down for both",
            lambda: all("app1" not in lab.servers_up(name) for name in PAIR),
        )
    lab["app1"].start("nginx", "-g", "daemon off;")
    failed = [answer for answer in history if answer["status"] != 200]
    assert not failed


def test_a_stopped_haproxy_gives_the_vip_away_and_says_why(lab: Lab) -> None:
    owner, other = lab.owner(), lab.other()
    lab[owner].run("truncate", "-s0", NOTIFY_LOG)
    lab.kill_haproxy(owner)
    wait_for("the other one owns the VIP", lambda: lab.owners() == [other])
    assert status(lab.get("/")) == "200"
    log = wait_for("the log of the fault", lambda: lab[owner].read(NOTIFY_LOG))
    assert "Entering FAULT state (INSTANCE VI_1, priority" in log
    lab.start_haproxy(owner)
    wait_for("it waits again", lambda: "Becoming BACKUP" in lab[owner].read(NOTIFY_LOG))
    assert lab.owners() == [other], "nopreempt: the VIP stays where it works"


def test_a_haproxy_that_hangs_gives_the_vip_away(lab: Lab) -> None:
    owner, other = lab.owner(), lab.other()
    lab[owner].run("killall", "-STOP", "haproxy")
    wait_for("the other one owns the VIP", lambda: lab.owners() == [other])
    lab[owner].run("killall", "-CONT", "haproxy")


def test_a_cut_link_moves_the_vip_and_one_owner_is_left_of_two_when_it_is_back(lab: Lab) -> None:
    owner = await_takeover(lab)
    lab["switch"].run("ip", "link", "set", f"v-{owner}", "master", "br0")
    wait_for("one owner after the split", lambda: len(lab.owners()) == 1)


def test_the_courses_timers_fail_over_too() -> None:
    if reason := why_no_machines():
        pytest.skip(reason)
    course = a_pair(timers=TIMERS["course"])
    with running_lab(course, apps=()) as lab:
        other = lab.other()
        await_takeover(lab)
        log = lab[other].read("/run/keepalived.log")
        assert "rror" not in log, "keepalived found nothing to complain about"


def await_takeover(lab: Lab) -> str:
    """Cut the owner's link and wait until the other one has the VIP; who was cut off."""
    owner, other = lab.owner(), lab.other()
    begun = time.monotonic()
    lab["switch"].run("ip", "link", "set", f"v-{owner}", "nomaster")
    wait_for("the other one owns the VIP", lambda: lab[other].owns(str(VIP)))
    took_s, predicted_s = time.monotonic() - begun, predict(lab.args.timers)["vip_owner_crash"]
    print(f"{lab.args.timers.name}: {took_s:.2f} s, {predicted_s} s are predicted")
    return owner


def test_a_new_weight_is_taken_up_without_losing_a_request(lab: Lab) -> None:
    servers = some_servers()
    heavy = replace(servers[0], weight=3)
    try:
        with lab.traffic() as history:
            lab.apply(with_main(a_backend(servers=(heavy, *servers[1:]))))
        answered = lab.servers_of(8)
    finally:
        lab.apply(ARGS)
    assert not [answer for answer in history if answer["status"] != 200]
    assert sorted(answered) == ["app1"] * 6 + ["app2"] * 2, answered


def test_a_server_that_was_down_gets_no_request_from_the_process_after_a_reload(lab: Lab) -> None:
    # Not the first server: its check comes first of all, at the moment of the start.
    lab["app2"].run("lab-health", "off")
    owner = lab.owner()
    wait_for("app2 down", lambda: "app2" not in lab.servers_up(owner))
    with lab.traffic() as history:
        for _ in range(3):
            lab.reload_haproxy(owner)
    assert {answer["server"] for answer in history} == {"app1"}


def test_a_reload_of_keepalived_moves_nothing(lab: Lab) -> None:
    owner = lab.owner()
    events = lab[owner].start("sh", "-c", "exec ip monitor address >/run/events")
    try:
        slower = replace(RELAXED, vrrp=replace(RELAXED.vrrp, advert_ms=1500))
        lab.apply(replace(ARGS, timers=slower))
        lab.apply(ARGS)
    finally:
        lab[owner].run("killall", "ip")
        events.wait(timeout=deadline_s(MOMENT_S))
    assert lab.owners() == [owner]
    assert "Deleted" not in lab[owner].read("/run/events")


def test_a_cookie_keeps_a_client_on_its_server_whichever_machine_owns_the_vip(lab: Lab) -> None:
    lab.apply(with_main(a_backend(stickiness="cookie")))
    try:
        first = lab.get("/")
        cookie = header(first, "set-cookie").split(";")[0]
        lab.kill_haproxy(lab.owner())
        lab.owner()
        wait_for("an answer", lambda: status(lab.get("/")) == "200")
        again = {header(lab.get("/", "-b", cookie), "x-served-by") for _ in range(4)}
    finally:
        for name in PAIR:
            if not lab.is_alive(name):
                lab.start_haproxy(name)
        lab.apply(ARGS)
    assert again == {header(first, "x-served-by")}


def test_a_client_known_by_its_address_stays_on_its_server_after_a_failover(lab: Lab) -> None:
    lab.apply(with_main(a_backend(stickiness="source")))
    try:
        first = header(lab.get("/"), "x-served-by")
        owner, other = lab.owner(), lab.other()
        wait_for("the peer knows the client", lambda: "10.16.1.50" in table_of(lab, other))
        lab.kill_haproxy(owner)
        wait_for("the other one owns the VIP", lambda: lab.owners() == [other])
        assert set(lab.servers_of(4)) == {first}
    finally:
        for name in PAIR:
            if not lab.is_alive(name):
                lab.start_haproxy(name)
        lab.apply(ARGS)


def table_of(lab: Lab, name: str) -> str:
    """The stick table of the main back end, asked over the admin socket."""
    ask = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/haproxy/admin.sock');"
        "s.sendall(b'show table http_back\\n'); print(s.recv(65536).decode())"
    )
    return lab[name].run("python3", "-c", ask)
