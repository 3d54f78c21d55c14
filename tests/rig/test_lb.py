"""The load balancer pair and the app servers, deployed by the program, used and broken."""

from __future__ import annotations

import re
import subprocess
from collections import Counter

import httpx
import pytest

from lab.netns import inside
from lab.secrets import self_signed_certificate
from tests.support.requests import Loop, get
from tests.support.rig_lab import RigLab
from tests.support.waiting import wait_until

FAILOVER_WITHIN_S = 10
METRICS = {"haproxy": "haproxy_backend_status", "nginx": 'nginx_connections{state="active"}'}
"""One that the load balancer's page of metrics has, by engine."""


def test_a_second_preview_finds_nothing_to_do(lab: RigLab) -> None:
    lab.preview_clean().ok()


def test_a_second_up_changes_nothing(lab: RigLab) -> None:
    text = lab.up().ok().text
    assert "unchanged" in text
    assert not any(word in text for word in (" created", " updated", " replaced")), text


def test_the_outputs_say_where_the_lab_answers(lab: RigLab) -> None:
    outputs = lab.outputs()
    assert outputs["vip"] == str(lab.topology.vip)
    assert outputs["urls"]["https"] == f"https://{lab.topology.vip}/"
    assert set(outputs["machines"]) == {machine.name for machine in lab.topology.machines}
    assert "credentials" not in outputs, "secrets are not printed"


def test_plain_http_is_redirected_to_https(whole: RigLab) -> None:
    response = get(whole.url("/", scheme="http"), namespace=whole.namespace)
    assert response.status_code == 301
    assert response.headers["location"] == whole.url("/")


def test_app_servers_answer_in_turn_and_the_backup_only_when_no_other_is_left(
    whole: RigLab,
) -> None:
    seen = Counter(whole.ask().machine for _ in range(8))
    assert seen == {"app1": 4, "app2": 4}, "round robin, the backup waits"
    for app in ("app1", "app2"):
        whole.run(app, "systemctl", "stop", "nginx")
    wait_until("app3 answers", lambda: whole.ask().machine == "app3", within_s=15)


def test_identity_page_names_machine_and_load_balancer(whole: RigLab) -> None:
    body = get(whole.url("/whoami"), namespace=whole.namespace).json()
    assert body["machine"] in ("app1", "app2")
    assert body["load_balancer"] == whole.owner()


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/api/items", '"service": "api"'), ("/static/lab.css", "{"), ("/admin", "admin area")],
)
def test_acl_routes_lead_to_their_back_ends(whole: RigLab, path: str, expected: str) -> None:
    response = get(whole.url(path), namespace=whole.namespace)
    assert response.status_code == 200
    assert expected in response.text


def test_the_admin_route_is_for_the_labs_own_network_only(whole: RigLab) -> None:
    """From another network `/admin` is an ordinary path of the default back end."""
    outside, vip = "10.99.99.99", str(whole.topology.vip)
    with inside(whole.namespace):
        transport = httpx.HTTPTransport(verify=False, local_address=outside)
    for balancer in ("lb1", "lb2"):
        whole.run(
            balancer, "ip", "route", "add", f"{outside}/32", "via", str(whole.topology.gateway)
        )
    _loopback_address(whole, outside, present=True)
    try:
        with inside(whole.namespace), httpx.Client(transport=transport, timeout=5) as client:
            response = client.get(f"https://{vip}/admin")
    finally:
        _loopback_address(whole, outside, present=False)
        for balancer in ("lb1", "lb2"):
            whole.run(balancer, "ip", "route", "del", f"{outside}/32")
    assert "admin area" not in response.text


def _loopback_address(lab: RigLab, address: str, *, present: bool) -> None:
    """A second address of the client's side, in the rig's own namespace."""
    verb = "add" if present else "del"
    argv = ["ip", "-n", str(lab.namespace), "addr", verb, f"{address}/32", "dev", "lo"]
    subprocess.run(argv, check=True)


def test_a_port_that_no_role_declared_is_closed_from_a_neighbour(whole: RigLab) -> None:
    probe = "timeout 2 bash -c '</dev/tcp/{address}/{port}' && echo open || echo closed"
    db1 = str(whole.topology.machine("db1").address)
    lb1 = str(whole.topology.machine("lb1").address)
    whole.shell(
        "db1", "systemd-run -q --unit=undeclared --collect python3 -m http.server 5555 || true"
    )
    try:
        wait_until(
            "the undeclared listener answers on its own machine",
            lambda: "open" in whole.shell("db1", probe.format(address=db1, port=5555)),
            within_s=10,
        )
        assert "closed" in whole.shell("app1", probe.format(address=db1, port=5555))
        # The positive control: the same probe sees a port that is declared.
        vip = str(whole.topology.vip)
        assert "open" in whole.shell("app1", probe.format(address=vip, port=443))
        assert "closed" in whole.shell("app1", probe.format(address=lb1, port=8404))
    finally:
        whole.run("db1", "systemctl", "stop", "undeclared")


def test_statistics_and_metrics_are_there_for_the_administrator(whole: RigLab) -> None:
    base = f"http://{whole.topology.vip}:8404"
    page = get(f"{base}/stats", namespace=whole.namespace)
    assert page.status_code == 200
    assert "http_back" in page.text
    metrics = get(f"{base}/metrics", namespace=whole.namespace)
    assert METRICS[whole.engine] in metrics.text


def test_there_is_exactly_one_vip_owner(whole: RigLab) -> None:
    assert whole.owners() == [whole.owner()]


def test_power_loss_of_the_owner_moves_the_vip(whole: RigLab) -> None:
    owner = whole.owner()
    whole.power_off(owner)
    wait_until("the VIP answers", lambda: whole.ask().status == 200, within_s=FAILOVER_WITHIN_S)
    assert whole.owners() == [whole.other(owner)]
    whole.power_on(owner)
    wait_until(
        f"{owner} runs keepalived again",
        lambda: whole.try_run(owner, "systemctl", "is-active", "keepalived").returncode == 0,
        within_s=20,
    )
    assert whole.owner() == whole.other(owner), "it does not take the VIP back by itself"


def test_a_killed_engine_is_back_at_once(whole: RigLab) -> None:
    owner = whole.owner()
    whole.run(owner, "systemctl", "kill", "--signal=KILL", whole.engine_unit)
    wait_until("the VIP answers", lambda: whole.ask().status == 200, within_s=FAILOVER_WITHIN_S)
    assert len(whole.owners()) == 1


def test_an_engine_that_stays_away_moves_the_vip(whole: RigLab) -> None:
    owner = whole.owner()
    whole.run(owner, "systemctl", "stop", whole.engine_unit)
    wait_until(
        "the other machine owns the VIP",
        lambda: whole.owners() == [whole.other(owner)],
        within_s=FAILOVER_WITHIN_S,
    )
    wait_until("the VIP answers", lambda: whole.ask().status == 200, within_s=FAILOVER_WITHIN_S)
    log = whole.run(owner, "cat", "/var/log/keepalived-notify.log")
    assert "Entering FAULT state" in log


def test_killed_keepalived_leaves_one_owner(whole: RigLab) -> None:
    owner = whole.owner()
    whole.run(owner, "systemctl", "kill", "--signal=KILL", "keepalived")
    wait_until("the VIP answers", lambda: whole.ask().status == 200, within_s=FAILOVER_WITHIN_S)
    assert whole.owner() in ("lb1", "lb2")


def test_no_request_fails_when_an_app_server_is_killed(whole: RigLab) -> None:
    with Loop(whole.url(), whole.namespace) as loop:
        wait_until("requests flow", lambda: len(loop.answers) > 50, within_s=15)
        whole.run("app1", "systemctl", "kill", "--signal=KILL", "nginx")
        so_far = len(loop.answers)
        wait_until("requests go on", lambda: len(loop.answers) > so_far + 100, within_s=15)
    assert loop.failed == []
    assert loop.machines["app2"] > loop.machines["app1"] > 0


def test_a_changed_weight_touches_the_load_balancers_only_and_drops_no_request(
    whole: RigLab,
) -> None:
    whole.balance({"weights": {"app1": 3}})
    try:
        with Loop(whole.url(), whole.namespace) as loop:
            wait_until("requests flow", lambda: len(loop.answers) > 20, within_s=15)
            text = whole.up().ok().text
        assert loop.failed == []
        touched = set(re.findall(r"Command (\S+) updated", text))
        assert touched == {"lb-lb1", "lb-lb2", "proof-lb1"}, text
        seen = Counter(whole.ask().machine for _ in range(8))
        assert seen == {"app1": 6, "app2": 2}
    finally:
        whole.balance()
        whole.up().ok()


def test_a_certificate_that_does_not_fit_never_takes_the_load_balancer_down(
    whole: RigLab,
) -> None:
    one, other = (self_signed_certificate(whole.topology) for _ in range(2))
    broken = whole.state / "broken.pem"
    begin = "-----BEGIN PRIVATE KEY"
    broken.write_text(one.partition(begin)[0] + begin + other.partition(begin)[2])
    whole.balance({"tls": {"certificateFile": str(broken)}})
    try:
        done = whole.up()
        assert done.status != 0
        assert whole.engine_unit in done.text
        assert "Traceback" not in done.text
        assert whole.ask().status == 200, "the old configuration still serves"
        whole.run(whole.owner(), "systemctl", "restart", whole.engine_unit)
        assert whole.ask().status == 200, "the old certificate is back on disk as well"
    finally:
        whole.balance()
        whole.up().ok()


def test_a_lab_health_switch_takes_an_app_server_out(whole: RigLab) -> None:
    whole.run("app1", "lab-health", "off")
    try:
        wait_until(
            "only app2 answers",
            lambda: {whole.ask().machine for _ in range(4)} == {"app2"},
            within_s=15,
        )
    finally:
        whole.run("app1", "lab-health", "on")
