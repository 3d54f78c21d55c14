"""`lab check`, `lab reapply` and `lab watch` on a deployed lab that is whole, changed, broken."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lab.stack_file import ROOT
from rig import lifecycle
from tests.support.lab import Done
from tests.support.rig_lab import RigLab
from tests.support.waiting import MOMENT_S, WHOLE_S, deadline_s, wait_until

NGINX, CHRONY = "/etc/nginx/nginx.conf", "/etc/chrony/conf.d/ha-lab.conf"
HELPER = "/usr/local/lib/ha-lab/check-http"


def drift(report: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    return {(d["machine"], d["plan"], d["subject"], d["found"]) for d in report["drift"]}


def applied(done: Done) -> set[str]:
    """The resources that Pulumi made again."""
    return set(re.findall(r"Command (\S+) created replacement", done.text))


def test_a_healthy_lab_passes(whole: RigLab) -> None:
    status, report = whole.check()

    assert (status, report["outcome"], report["drift"]) == (0, "pass", []), report
    assert {look["machine"] for look in report["machines"]} == {
        machine.name for machine in whole.topology.machines
    }
    assert len(report["audits"]) >= 4


def test_nothing_is_applied_where_nothing_drifted(whole: RigLab) -> None:
    done = whole.lab("reapply", whole.stack)

    assert done.status == 0
    assert "nothing has drifted" in done.text
    assert applied(done) == set()


def test_each_change_by_hand_is_named_and_put_right_by_its_own_plan_alone(whole: RigLab) -> None:
    spare = whole.other(whole.owner())
    whole.shell("app1", f"echo '# by hand' >>{NGINX}")
    whole.shell("app2", f"chmod 0700 {HELPER}")
    whole.run("app3", "systemctl", "stop", "nginx")
    whole.run(spare, "systemctl", "disable", "haproxy")
    whole.run("db1", "rm", CHRONY)

    status, report = whole.check()
    assert status == 1
    assert drift(report) == {
        ("app1", "app_server", NGINX, "content differs"),
        ("app2", "app_server", HELPER, "mode 0700"),
        ("app3", "app_server", "nginx.service", "inactive"),
        (spare, "load_balancer", "haproxy.service", "disabled"),
        ("db1", "baseline", CHRONY, "missing"),
    }

    done = whole.lab("reapply", whole.stack, "app1").ok()
    assert applied(done) == {"app-app1"}, "the plan of the machine that was named"
    assert "by hand" not in whole.run("app1", "cat", NGINX)

    done = whole.lab("reapply", whole.stack).ok()
    assert applied(done) == {"app-app2", "app-app3", f"lb-{spare}", "db1-baseline"}
    whole.preview_clean().ok()
    whole.await_whole()
    status, report = whole.check()
    assert (status, report["drift"]) == (0, []), report


def test_what_an_applier_that_is_gone_could_not_tell_is_put_right_too(whole: RigLab) -> None:
    whole.shell("db2", f"rm -r /usr/local/lib/ha-lab/applier_*; rm {CHRONY}")
    _, report = whole.check()
    assert {(d["machine"], d["plan"]) for d in report["drift"]} == {("db2", "ready")}

    done = whole.lab("reapply", whole.stack).ok()
    assert applied(done) == {"db2-ready", "db2-baseline"}
    whole.preview_clean().ok()
    assert whole.check()[0] == 0


def test_everything_is_applied_again_on_demand_and_no_client_notices(whole: RigLab) -> None:
    done = whole.lab("reapply", whole.stack, "lb1", "--all").ok()

    assert {"lb1-ready", "lb1-baseline", "lb-lb1-tls", "lb-lb1"} <= applied(done)
    assert not any("lb2" in name or "app" in name for name in applied(done)), applied(done)
    whole.preview_clean().ok()


def test_an_unknown_machine_is_refused_with_the_nearest_name(whole: RigLab) -> None:
    done = whole.lab("reapply", whole.stack, "ap1")

    assert done.status == 2
    assert "did you mean 'app1'?" in done.text


def test_a_machine_without_power_is_named(whole: RigLab) -> None:
    whole.power_off("app1")

    status, report = whole.check()
    looks = {look["machine"]: look for look in report["machines"]}
    assert status == 1
    assert (looks["app1"]["outcome"], looks["app1"]["detail"]) == ("fail", "is off")
    assert {look["outcome"] for name, look in looks.items() if name != "app1"} == {"pass"}

    done = whole.lab("reapply", whole.stack, "app1")
    assert (done.status, applied(done)) == (3, set())
    assert "app1: is off" in done.text


def test_a_machine_that_hangs_is_no_reason_to_hang(whole: RigLab) -> None:
    lifecycle.freeze(whole.stack, "app2")
    try:
        status, report = whole.check()
    finally:
        lifecycle.thaw(whole.stack, "app2")

    looks = {look["machine"]: look for look in report["machines"]}
    assert status != 0
    assert looks["app2"]["outcome"] == "unknown"
    assert "did not answer over SSH" in looks["app2"]["detail"]
    assert report["tookS"] < deadline_s(WHOLE_S)


class TestWatch:
    """The live view."""

    def test_one_frame(self, whole: RigLab) -> None:
        text = whole.lab("watch", whole.stack, "--once").ok().text

        for seen in (str(whole.topology.vip), "served", "haproxy", "UP backup"):
            assert seen in text

    def test_one_line_for_programs(self, whole: RigLab) -> None:
        text = whole.lab("watch", whole.stack, "--once", "--json").ok().text
        line = json.loads(text[text.index("{") :])

        owner = whole.owner()
        assert line["vip"]["owners"][owner] == [owner]
        assert line["vip"]["owners"]["arp"] == [owner]
        assert line["requests"]["failed"] == 0
        assert line["requests"]["perSecond"] > 0
        assert line["servers"][owner]["app1"]["status"] == ["UP"]
        assert line["machines"]["app1"]["units"]["nginx"] == "active"

    def test_it_outlives_the_machine_that_it_looks_at_and_ends_with_a_summary(
        self, whole: RigLab
    ) -> None:
        owner = whole.owner()
        other = whole.other(owner)
        with watching(whole) as (process, line):
            wait_until(
                "requests are served and the owner is seen",
                lambda: settled(line(), owner),
                usual_s=WHOLE_S,
            )
            whole.power_off(owner)
            wait_until(
                "the other owns the VIP, the machine is seen to be off, clients are served",
                lambda: moved(line(), owner, other),
                usual_s=WHOLE_S,
            )
            whole.power_on(owner)
            wait_until("it is back", lambda: power(line(), owner) == "on", usual_s=WHOLE_S)
            process.send_signal(signal.SIGINT)
            assert process.wait(deadline_s(MOMENT_S)) == 0
        assert process.stderr is not None
        said = process.stderr.read()
        assert f"VIP: {owner} -> {other}" in said
        assert "Traceback" not in said


Line = Callable[[], dict[str, Any]]


@contextmanager
def watching(lab: RigLab) -> Iterator[tuple[subprocess.Popen[str], Line]]:
    """`lab watch --json` and what gives its next line; it is ended whatever happens."""
    process = subprocess.Popen(
        lab.argv("watch", lab.stack, "--json"),
        cwd=ROOT,
        env=lab.env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    stdout = process.stdout

    def line() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(stdout.readline())
        return found

    try:
        yield process, line
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def state(line: dict[str, Any]) -> str:
    return str(line["requests"]["state"])


def power(line: dict[str, Any], machine: str) -> str:
    return str(line["machines"][machine]["power"])


def settled(line: dict[str, Any], owner: str) -> bool:
    return line["vip"]["owners"][owner] == [owner] and state(line) == "served"


def moved(line: dict[str, Any], owner: str, other: str) -> bool:
    owners = line["vip"]["owners"]
    is_moved = owners["arp"] == [other] and owners[other] == [other] and owners[owner] is None
    return is_moved and power(line, owner) == "off" and state(line) == "served"
