"""The load balancer pair and the app servers of the whole lab, used and broken."""

from __future__ import annotations

import subprocess
from collections import Counter

import httpx
import pytest

from lab.netns import inside
from tests.support.requests import TIMEOUT_S, Loop, get
from tests.support.rig_lab import RigLab
from tests.support.waiting import BOOT_S, MOMENT_S, TAKEOVER_S, WHOLE_S, wait_until

METRICS = {"haproxy": "haproxy_backend_status", "nginx": 'nginx_connections{state="active"}'}
"""One that the load balancer's page of metrics has, by engine."""

PREFERRED = "lb1"
"""It has the higher priority: it alone would take the VIP back if it might."""
ADVERTS_TO_TAKE_OVER = 12
"""Whoever wants the VIP has taken it by then: its check has passed after four, and it has listened
for four more."""


def test_plain_http_is_redirected_to_https(lab: RigLab) -> None:
    response = get(lab.url("/", scheme="http"), namespace=lab.namespace)
    assert response.status_code == 301
    assert response.headers["location"] == lab.url("/")


def test_app_servers_answer_in_turn_and_the_backup_only_when_no_other_is_left(
    whole: RigLab,
) -> None:
    seen = Counter(whole.ask().machine for _ in range(8))
    assert seen == {"app1": 4, "app2": 4}, "round robin, the backup waits"
    for app in ("app1", "app2"):
        whole.run(app, "systemctl", "stop", "nginx")
    wait_until("app3 answers", lambda: whole.ask().machine == "app3", usual_s=TAKEOVER_S)


def test_identity_page_names_machine_and_load_balancer(lab: RigLab) -> None:
    body = get(lab.url("/whoami"), namespace=lab.namespace).json()
    assert body["machine"] in ("app1", "app2")
    assert body["load_balancer"] == lab.owner()


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/api/items", '"service": "api"'), ("/static/lab.css", "{"), ("/admin", "admin area")],
)
def test_acl_routes_lead_to_their_back_ends(lab: RigLab, path: str, expected: str) -> None:
    response = get(lab.url(path), namespace=lab.namespace)
    assert response.status_code == 200
    assert expected in response.text


def test_the_admin_route_is_for_the_labs_own_network_only(lab: RigLab) -> None:
    """From another network `/admin` is an ordinary path of the default back end."""
    outside, vip = "10.99.99.99", str(lab.topology.vip)
    with inside(lab.namespace):
        transport = httpx.HTTPTransport(verify=False, local_address=outside)
    for balancer in ("lb1", "lb2"):
        lab.run(balancer, "ip", "route", "add", f"{outside}/32", "via", str(lab.topology.gateway))
    _loopback_address(lab, outside, present=True)
    try:
        with inside(lab.namespace), httpx.Client(transport=transport, timeout=TIMEOUT_S) as client:
            response = client.get(f"https://{vip}/admin")
    finally:
        _loopback_address(lab, outside, present=False)
        for balancer in ("lb1", "lb2"):
            lab.run(balancer, "ip", "route", "del", f"{outside}/32")
    assert "admin area" not in response.text


def _loopback_address(lab: RigLab, address: str, *, present: bool) -> None:
    """A second address of the client's side, in the rig's own namespace."""
    verb = "add" if present else "del"
    argv = ["ip", "-n", str(lab.namespace), "addr", verb, f"{address}/32", "dev", "lo"]
    subprocess.run(argv, check=True)


def test_a_port_that_no_role_declared_is_closed_from_a_neighbour(whole: RigLab) -> None:
    # What is closed answers nothing: there the limit is waited for.
    probe = "timeout {limit_s} bash -c '</dev/tcp/{address}/{port}' && echo open || echo closed"
    db1 = str(whole.topology.machine("db1").address)
    lb1 = str(whole.topology.machine("lb1").address)
    whole.shell(
        "db1", "systemd-run -q --unit=undeclared --collect python3 -m http.server 5555 || true"
    )
    try:
        wait_until(
            "the undeclared listener answers on its own machine",
            lambda: "open" in whole.shell("db1", probe.format(limit_s=30, address=db1, port=5555)),
            usual_s=MOMENT_S,
        )
        assert "closed" in whole.shell("app1", probe.format(limit_s=2, address=db1, port=5555))
        # The positive control: the same probe sees a port that is declared.
        vip = str(whole.topology.vip)
        assert "open" in whole.shell("app1", probe.format(limit_s=30, address=vip, port=443))
        assert "closed" in whole.shell("app1", probe.format(limit_s=2, address=lb1, port=8404))
    finally:
        whole.run("db1", "systemctl", "stop", "undeclared")


def test_statistics_and_metrics_are_there_for_the_administrator(lab: RigLab) -> None:
    base = f"http://{lab.topology.vip}:8404"
    page = get(f"{base}/stats", namespace=lab.namespace)
    assert page.status_code == 200
    assert "http_back" in page.text
    metrics = get(f"{base}/metrics", namespace=lab.namespace)
    assert METRICS[lab.engine] in metrics.text


def test_there_is_exactly_one_vip_owner(lab: RigLab) -> None:
    assert lab.owners() == [lab.owner()]


def test_power_loss_of_the_owner_moves_the_vip(whole: RigLab) -> None:
    owner = PREFERRED
    if whole.owner() != owner:
        whole.run(whole.other(owner), "systemctl", "restart", "keepalived")
        wait_until(f"{owner} has the VIP", lambda: whole.owner() == owner, usual_s=TAKEOVER_S)
    whole.power_off(owner)
    wait_until("the VIP answers", lambda: whole.ask().status == 200, usual_s=WHOLE_S)
    assert whole.owners() == [whole.other(owner)]
    whole.power_on(owner)
    wait_until(
        f"{owner} runs keepalived again",
        lambda: whole.try_run(owner, "systemctl", "is-active", "keepalived").returncode == 0,
        usual_s=BOOT_S,
    )
    whole.hear_adverts(owner, ADVERTS_TO_TAKE_OVER)
    assert whole.owner() == whole.other(owner), "it does not take the VIP back by itself"


def test_no_request_fails_when_an_app_server_is_killed(whole: RigLab) -> None:
    with Loop(whole.url(), whole.namespace) as loop:
        wait_until("requests flow", lambda: len(loop.answers) > 50, usual_s=TAKEOVER_S)
        whole.run("app1", "systemctl", "kill", "--signal=KILL", "nginx")
        so_far = len(loop.answers)
        wait_until("requests go on", lambda: len(loop.answers) > so_far + 100, usual_s=TAKEOVER_S)
    assert loop.failed == []
    assert loop.machines["app2"] > loop.machines["app1"] > 0
