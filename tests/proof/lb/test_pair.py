"""The load balancer pair on the rig: what is not in the gate, with the same lab of ten machines."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from lab.secrets import self_signed_certificate
from tests.support.requests import Loop
from tests.support.rig_lab import RigLab
from tests.support.waiting import TAKEOVER_S, WHOLE_S, wait_until


def test_a_killed_engine_is_back_at_once(whole: RigLab) -> None:
    owner = whole.owner()
    whole.run(owner, "systemctl", "kill", "--signal=KILL", whole.engine_unit)
    wait_until("the VIP answers", lambda: whole.ask().status == 200, usual_s=WHOLE_S)
    assert len(whole.owners()) == 1


@pytest.mark.liveness
def test_an_engine_that_stays_away_moves_the_vip(whole: RigLab) -> None:
    owner = whole.owner()
    whole.run(owner, "systemctl", "stop", whole.engine_unit)
    wait_until(
        "the other machine owns the VIP",
        lambda: whole.owners() == [whole.other(owner)],
        usual_s=TAKEOVER_S,
    )
    wait_until("the VIP answers", lambda: whole.ask().status == 200, usual_s=WHOLE_S)
    log = whole.run(owner, "cat", "/var/log/keepalived-notify.log")
    assert "Entering FAULT state" in log


def test_killed_keepalived_leaves_one_owner(whole: RigLab) -> None:
    owner = whole.owner()
    whole.run(owner, "systemctl", "kill", "--signal=KILL", "keepalived")
    wait_until("the VIP answers", lambda: whole.ask().status == 200, usual_s=WHOLE_S)
    assert whole.owner() in ("lb1", "lb2")


def test_a_changed_weight_touches_the_load_balancers_only_and_drops_no_request(
    whole: RigLab,
) -> None:
    whole.balance({"weights": {"app1": 3}})
    try:
        with Loop(whole.url(), whole.namespace) as loop:
            wait_until("requests flow", lambda: len(loop.answers) > 20, usual_s=TAKEOVER_S)
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
            usual_s=TAKEOVER_S,
        )
    finally:
        whole.run("app1", "lab-health", "on")
