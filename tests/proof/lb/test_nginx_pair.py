"""nginx as the load balancer: what HAProxy's tests ask of the pair, where its features allow it.

Those that it cannot pass, and why, are listed in docs/load-balancer-nginx.md. The tests are the
same functions, here with a lab of another engine.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator

import pytest

from lab.rig_stack import rig_up
from tests.rig.test_lb import (  # noqa: F401 - collected here a second time
    test_a_certificate_that_does_not_fit_never_takes_the_load_balancer_down,
    test_a_changed_weight_touches_the_load_balancers_only_and_drops_no_request,
    test_a_killed_engine_is_back_at_once,
    test_acl_routes_lead_to_their_back_ends,
    test_an_engine_that_stays_away_moves_the_vip,
    test_app_servers_answer_in_turn_and_the_backup_only_when_no_other_is_left,
    test_identity_page_names_machine_and_load_balancer,
    test_killed_keepalived_leaves_one_owner,
    test_no_request_fails_when_an_app_server_is_killed,
    test_plain_http_is_redirected_to_https,
    test_power_loss_of_the_owner_moves_the_vip,
    test_statistics_and_metrics_are_there_for_the_administrator,
    test_the_admin_route_is_for_the_labs_own_network_only,
    test_there_is_exactly_one_vip_owner,
)
from tests.rig.test_lb_sessions import (  # noqa: F401 - its fixtures too
    clients,
    sticky,
    test_a_cookie_keeps_a_browser_on_its_app_server,
    test_clients_stay_on_their_app_server_when_the_vip_moves,
)
from tests.support.requests import Loop, get
from tests.support.rig_lab import RigLab
from tests.support.rig_module import clean_rig
from tests.support.waiting import wait_until

SWITCH_OUTAGE_S = 2.0
"""What a change of the engine may cost on a busy host: two planned moves of the VIP."""
LISTENS = "ss -Hltnp src {vip}"


STACK = os.environ.get("HALAB_TEST_RIG_NGINX", "test-rig-nginx")
"""Another name lets two runs of these tests share a machine."""
TIMERS = os.environ.get("HALAB_TEST_TIMERS", "fast")
"""`relaxed` on a machine that stalls for seconds: with `fast` its VIP moves for nothing."""
COUNTS = {"database": 0, "storage": 0}


@pytest.fixture(scope="module")
def rig_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """The pair and three app servers, nothing deployed yet."""
    with clean_rig(STACK, tmp_path_factory):
        machines = {"counts": COUNTS}
        rig_up(STACK, {"topology": "full", "timers": TIMERS, "machines": machines})
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


def test_an_engine_is_changed_there_and_back_with_a_short_interruption(whole: RigLab) -> None:
    try:
        for engine in ("haproxy", "nginx"):
            whole.balancer = {"engine": engine}
            whole.balance()
            with Loop(whole.url(), whole.namespace, limit_s=600) as loop:
                wait_until("requests flow", lambda loop=loop: len(loop.answers) > 20, within_s=30)  # type: ignore[misc]
                whole.up().ok()
            assert outage_s(loop) < SWITCH_OUTAGE_S, f"to {engine}: {outage_s(loop)} s"
    finally:
        whole.balancer = {"engine": "nginx"}
        whole.balance()
        whole.up().ok()


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
    response = get(whole.url("/"), namespace=whole.namespace, timeout_s=5)
    assert response.status_code == 503
    assert "No application server is available" in response.text
    assert response.headers["X-Load-Balancer"] == whole.owner()


def test_a_vanished_app_server_costs_a_request_one_connect_timeout_and_no_failure(
    whole: RigLab,
) -> None:
    """Nobody checks app1: the first requests that it gets find out, and are repeated on app2."""
    timers = whole.outputs()["timers"]["predictedFailoverS"]
    whole.power_off("app1")
    begun = time.monotonic()
    answers = [whole.ask(timeout_s=10) for _ in range(12)]
    assert time.monotonic() - begun < 60
    assert {answer.status for answer in answers} == {200}
    assert {answer.machine for answer in answers} == {"app2"}
    slow = [answer for answer in answers if answer.took_s > timers["app_server_cut"]]
    assert 1 <= len(slow) <= 4, "then it is left alone"


def test_lab_check_and_the_drill_know_the_engine(whole: RigLab) -> None:
    checked = whole.lab("check", whole.stack)
    assert checked.status == 0, checked.text
    assert "ha-lab-nginx-lb and" in " ".join(checked.text.split())
    assert "nginx-killed" in whole.lab("drill", whole.stack, "--list").ok().text
    text = whole.lab("drill", whole.stack, "--list", "--json").ok().text
    why_not = {row["fault"]: row["whyNot"] for row in json.loads(text[text.index("[") :])}
    assert why_not["nginx-killed"] is None
    assert why_not["haproxy-killed"] == "its load balancers run nginx, not haproxy"
