"""nginx as the load balancer: what HAProxy's tests ask of the pair, where its features allow it.

Those that it cannot pass, and why, are listed in docs/load-balancer-nginx.md. The tests are the
same functions, here with a lab of another engine.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from lab.rig_stack import rig_up
from tests.proof.lb.test_lb_sessions import (  # noqa: F401 - its fixtures too
    clients,
    sticky,
    test_a_cookie_keeps_a_browser_on_its_app_server,
    test_clients_stay_on_their_app_server_when_the_vip_moves,
)
from tests.proof.lb.test_pair import (  # noqa: F401 - collected here a second time
    test_a_certificate_that_does_not_fit_never_takes_the_load_balancer_down,
    test_a_changed_weight_touches_the_load_balancers_only_and_drops_no_request,
    test_a_killed_engine_is_back_at_once,
    test_an_engine_that_stays_away_moves_the_vip,
    test_killed_keepalived_leaves_one_owner,
)
from tests.rig.test_lb import (  # noqa: F401 - likewise
    test_acl_routes_lead_to_their_back_ends,
    test_app_servers_answer_in_turn_and_the_backup_only_when_no_other_is_left,
    test_identity_page_names_machine_and_load_balancer,
    test_no_request_fails_when_an_app_server_is_killed,
    test_plain_http_is_redirected_to_https,
    test_power_loss_of_the_owner_moves_the_vip,
    test_statistics_and_metrics_are_there_for_the_administrator,
    test_the_admin_route_is_for_the_labs_own_network_only,
    test_there_is_exactly_one_vip_owner,
)
from tests.support.requests import Loop, get
from tests.support.rig_lab import RigLab
from tests.support.rig_module import clean_rig
from tests.support.waiting import MOMENT_S, TAKEOVER_S, wait_until

LISTENS = "ss -Hltnp src {vip}"
STACK = "test-rig-nginx"
COUNTS = {"database": 0, "storage": 0}


@pytest.fixture(scope="module")
def rig_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """The pair and three app servers, nothing deployed yet."""
    with clean_rig(STACK, tmp_path_factory):
        machines = {"counts": COUNTS}
        rig_up(STACK, {"topology": "full", "timers": "relaxed", "machines": machines})
        yield RigLab(STACK, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def lab(rig_lab: RigLab) -> RigLab:
    """The lab, deployed with nginx."""
    rig_lab.balancer = {"engine": "nginx"}
    rig_lab.balance()
    rig_lab.up().ok()
    return rig_lab


def test_the_other_engine_is_stopped_and_nothing_changes_twice(whole: RigLab) -> None:
    for balancer in ("lb1", "lb2"):
        assert whole.try_run(balancer, "systemctl", "is-active", "haproxy").returncode != 0
        assert whole.try_run(balancer, "systemctl", "is-enabled", "haproxy").returncode != 0
        assert whole.try_run(balancer, "systemctl", "is-active", "nginx").returncode != 0
        assert whole.try_run(balancer, "test", "-e", "/etc/haproxy/certs/site.pem").returncode != 0
        listening = whole.shell(balancer, LISTENS.format(vip=whole.topology.vip))
        assert '"nginx-lb"' in listening, "its processes have a name of their own"
        assert "haproxy" not in listening
    whole.preview_clean().ok()


def test_an_engine_is_changed_there_and_back(whole: RigLab) -> None:
    try:
        for engine in ("haproxy", "nginx"):
            whole.balancer = {"engine": engine}
            whole.balance()
            with Loop(whole.url(), whole.namespace) as loop:
                await_answers(loop, 20)
                whole.up().ok()
                await_answers(loop, 20)
            print(f"to {engine}: an interruption of {outage_s(loop):.2f} s")
            whole.await_whole()
    finally:
        whole.balancer = {"engine": "nginx"}
        whole.balance()
        whole.up().ok()


def await_answers(loop: Loop, count: int) -> None:
    """So many good ones in a row."""

    def are_good() -> bool:
        last = loop.answers[-count:]
        return len(last) == count and all(answer.status == 200 for answer in last)

    wait_until(f"{count} good answers in a row", are_good, usual_s=TAKEOVER_S)


def outage_s(loop: Loop) -> float:
    """The longest time between two good answers with a failed one between them."""
    longest, last, failed = 0.0, loop.answers[0].at_s, False
    for answer in loop.answers:
        if answer.status != 200:
            failed = True
            continue
        if failed:
            longest = max(longest, answer.at_s - last)
        last, failed = answer.at_s, False
    return longest


def test_a_configuration_that_nginx_cannot_take_up_is_not_called_a_reload(whole: RigLab) -> None:
    """It is valid, so `nginx -t` accepts it, but a port is taken: SIGHUP alone says nothing."""
    other = whole.other(whole.owner())
    conf = "/etc/ha-lab-nginx-lb/nginx.conf"
    whole.run(other, "cp", conf, "/root/kept.conf")
    whole.run(other, "sed", "-i", "s/listen 8404;/listen 22;/", conf)
    try:
        done = whole.try_run(other, "systemctl", "reload", whole.engine_unit)
        assert done.returncode != 0
        said = whole.run(other, "journalctl", "-u", whole.engine_unit, "-n", "20", "--no-pager")
        assert "still has its old configuration" in said
    finally:
        whole.run(other, "cp", "/root/kept.conf", conf)
    whole.run(other, "systemctl", "reload", whole.engine_unit)


def test_no_server_left_is_the_labs_own_page_with_503(whole: RigLab) -> None:
    for app in ("app1", "app2", "app3"):
        whole.run(app, "systemctl", "stop", "nginx")
    response = get(whole.url("/"), namespace=whole.namespace)
    assert response.status_code == 503
    assert "No application server is available" in response.text
    assert response.headers["X-Load-Balancer"] == whole.owner()


def test_a_vanished_app_server_is_found_out_by_requests_of_which_none_fails(whole: RigLab) -> None:
    """Nobody checks app1: the first requests that it gets find out, and are repeated on app2."""
    owner, away = whole.owner(), whole.topology.machine("app1").address

    def repeated() -> int:
        """How many requests went to app1 first: the log has the servers of each, in turn."""
        log = whole.run(owner, "journalctl", "-t", "nginx_lb", "--output=cat", "--no-pager")
        return sum(f" {away}:8080, " in line for line in log.splitlines())

    before = repeated()
    whole.power_off("app1")
    answers = [whole.ask() for _ in range(24)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.machine for answer in answers} == {"app2"}
    wait_until("the first of them in the log", lambda: repeated() > before, usual_s=MOMENT_S)
    assert repeated() - before < len(answers) // 2, "then it is left alone"


def test_lab_check_and_the_drill_know_the_engine(whole: RigLab) -> None:
    checked = whole.lab("check", whole.stack)
    assert checked.status == 0, checked.text
    assert "ha-lab-nginx-lb and" in " ".join(checked.text.split())
    assert "nginx-killed" in whole.lab("drill", whole.stack, "--list").ok().text
    text = whole.lab("drill", whole.stack, "--list", "--json").ok().text
    why_not = {row["fault"]: row["whyNot"] for row in json.loads(text[text.index("[") :])}
    assert why_not["nginx-killed"] is None
    assert why_not["haproxy-killed"] == "its load balancers run nginx, not haproxy"
