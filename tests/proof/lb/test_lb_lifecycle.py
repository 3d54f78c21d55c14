"""What happens to a lab over its life: reinstalled machines, wrong keys, killed runs, the end.

These come after the tests of the running lab and end with its destruction.
"""

from __future__ import annotations

from rig import lifecycle
from tests.support.rig_lab import RigLab
from tests.support.waiting import TAKEOVER_S, wait_until


def test_a_reinstalled_machine_is_completely_configured_again(whole: RigLab) -> None:
    """Same address, empty disk: only the identity in the stack file tells them apart."""
    public = (whole.rig_home / "administrator.pub").read_text()
    lifecycle.reinstall(whole.stack, "app1", authorized_keys=public)
    assert whole.try_run("app1", "test", "-e", "/usr/local/bin/lab-health").returncode != 0
    whole.write_hosts()
    text = whole.up().ok().text
    for name in ("app1-ready", "app1-baseline", "app-app1"):
        assert f"Command {name} " in text, f"{name} was not run again:\n{text}"
    assert "app2-baseline" not in text, "no other machine is touched"
    wait_until(
        "app1 answers again",
        lambda: "app1" in {whole.ask().machine for _ in range(4)},
        usual_s=TAKEOVER_S,
    )
    whole.preview_clean().ok()


def test_a_wrong_host_key_is_refused_with_both_keys_named(whole: RigLab) -> None:
    hosts = whole.hosts()
    wrong = {**hosts, "app2": {**hosts["app2"], "hostKey": hosts["app1"]["hostKey"]}}
    whole.change_hosts(wrong)
    try:
        done = whole.up()
        assert done.status != 0
        assert "host key mismatch" in done.text
        assert "Traceback" not in done.text
    finally:
        whole.change_hosts(hosts)
        whole.up().ok()


def test_destroy_then_a_killed_up_is_finished_by_the_next_one(whole: RigLab) -> None:
    whole.down().ok()
    # A new identity for every machine, so that there is something to do and to interrupt.
    hosts = {name: {**host, "identity": "again"} for name, host in whole.hosts().items()}
    whole.change_hosts(hosts)
    process = whole.start_up()
    assert process.stdout is not None
    for line in process.stdout:
        if "baseline creating" in line:
            break
    whole.kill(process)
    text = whole.up().ok().text
    assert "removed the lock of a Pulumi that is gone" in text
    whole.preview_clean().ok()
    assert whole.ask().status == 200


def test_destroy_leaves_no_resource_in_the_stack(whole: RigLab) -> None:
    whole.down().ok()
    assert "has no outputs" in whole.lab("outputs", whole.stack).text
    whole.up().ok()
