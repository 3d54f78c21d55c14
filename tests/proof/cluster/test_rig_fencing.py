"""Machines of a real rig cut each other's power, by the agent that clusters call."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from images.cache import cache_root
from rig.fencing import guest
from rig.processes import recorded_process
from tests.support.rig_command import ROOT, RigCommand
from tests.support.waiting import BOOT_S, COLD_START_S, TAKEOVER_S, deadline_s, wait_until

pytestmark = pytest.mark.rig

CIDR, GATEWAY = "10.98.7.0/24", "10.98.7.1"
AGENT, KEY_FILE = "/usr/sbin/fence_halab_rig", "/etc/cluster/fence_halab_rig.key"
MACHINES = ("m1", "m2", "m3")


@pytest.fixture(scope="module")
def rig(make_rig: Callable[[str], RigCommand]) -> RigCommand:
    """Three machines, all with the agent and the key."""
    command = make_rig("fence")
    command.up("--machines", ",".join(MACHINES), "--cidr", CIDR, "--fencing")
    for machine in MACHINES:
        install(command, machine, (home(command) / "fencing/key").read_text())
    return command


@pytest.fixture(autouse=True)
def all_on(rig: RigCommand) -> None:
    for machine in json.loads(rig("list", "--json"))["machines"]:
        if machine["power"] != "on":
            rig("power-on", machine["name"])


def home(rig: RigCommand) -> Path:
    return cache_root() / "rig" / rig.name


def install(rig: RigCommand, machine: str, key: str) -> None:
    agent = (Path(guest.__file__).parent / "agent.py").read_text()
    for path, content, mode in ((AGENT, agent, "755"), (KEY_FILE, key, "600")):
        script = f"mkdir -p /etc/cluster && umask 077 && cat >{path} && chmod {mode} {path}"
        given(rig, machine, "sh", "-c", script, stdin=content).check_returncode()


def given(
    rig: RigCommand, machine: str, *words: str, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """A command that root runs in a machine, with something on its standard input."""
    command = [sys.executable, "-m", "rig", "exec", machine, "--name", rig.name, "--", *words]
    return subprocess.run(
        command, cwd=ROOT, input=stdin, text=True, capture_output=True, timeout=120
    )


def fence(rig: RigCommand, action: str, plug: str = "", **options: str) -> tuple[int, str, str]:
    """What the agent on m1 does: status, output, complaint. Asked as Pacemaker asks."""
    values = {"ip": GATEWAY, "action": action, "nodename": plug, **options}
    if plug:
        values["plug"] = plug
    lines = "".join(f"{name}={value}\n" for name, value in values.items())
    done = given(rig, "m1", AGENT, stdin=lines)
    return done.returncode, done.stdout, done.stderr


def fenced(rig: RigCommand, action: str, plug: str = "", **options: str) -> str:
    """The agent's output; it must succeed."""
    status, out, said = fence(rig, action, plug, **options)
    assert status == 0, f"{action} {plug}: {said}"
    return out


def power(rig: RigCommand, machine: str) -> str:
    return str(rig.machine(machine)["power"])


def test_off_returns_when_the_power_is_gone(rig: RigCommand) -> None:
    fenced(rig, "status", "m3")
    fenced(rig, "off", "m3")
    assert power(rig, "m3") == "off"
    status, out, _ = fence(rig, "status", "m3")
    assert (status, out) == (2, "Status: OFF\n")
    fenced(rig, "off", "m3")


def test_on_gives_the_power_and_does_not_wait_for_the_boot(rig: RigCommand) -> None:
    rig("power-off", "m3")
    fenced(rig, "on", "m3")
    assert power(rig, "m3") in ("on", "booting")
    fenced(rig, "on", "m3")


def test_a_reboot_is_a_power_cut_and_not_a_shutdown(rig: RigCommand) -> None:
    rig.inside("m3", "touch /run/before")
    rig.inside("m3", "ip address add 10.98.7.99/24 dev eth0")
    fenced(rig, "reboot", "m3")
    wait_until("m3 is back", lambda: rig.ssh("m3", "true").returncode == 0, usual_s=BOOT_S)
    assert rig.run("exec", "m3", "--", "test", "-e", "/run/before").returncode == 1
    assert "10.98.7.99" not in rig.inside("m3", "ip address")


def test_what_is_off_stays_off_when_it_is_rebooted(rig: RigCommand) -> None:
    rig("power-off", "m3")
    fenced(rig, "reboot", "m3")
    assert power(rig, "m3") == "off"


@pytest.mark.parametrize("state", ["freeze", "cut"])
def test_a_machine_that_hangs_or_is_cut_off_can_be_fenced(rig: RigCommand, state: str) -> None:
    rig(state, "m3")
    fenced(rig, "status", "m3")
    fenced(rig, "off", "m3")
    assert power(rig, "m3") == "off"


def test_a_machine_is_cut_while_it_boots(rig: RigCommand) -> None:
    rig("power-off", "m3")
    fenced(rig, "on", "m3")
    fenced(rig, "off", "m3")
    assert power(rig, "m3") == "off"


def test_a_machine_can_be_fenced_while_another_one_boots(rig: RigCommand) -> None:
    rig("power-off", "m2")
    command = [sys.executable, "-m", "rig", "power-on", "m2", "--name", rig.name]
    with subprocess.Popen(command, cwd=ROOT) as booting:
        fenced(rig, "off", "m3")
        assert power(rig, "m3") == "off"
        assert booting.wait(timeout=deadline_s(BOOT_S)) == 0


def test_monitor_asks_the_service_and_list_knows_every_machine(rig: RigCommand) -> None:
    assert fenced(rig, "monitor") == ""
    rig("power-off", "m2")
    assert fenced(rig, "list") == "m1,\nm2,\nm3,\n"
    assert fenced(rig, "list-status") == "m1,,on\nm2,,off\nm3,,on\n"


def test_monitor_fails_without_the_service_the_key_or_the_right_one(rig: RigCommand) -> None:
    status, _, said = fence(rig, "monitor", ipport="1")
    assert status == 1
    assert f"no answer from the fence service at {GATEWAY}:1" in said
    status, _, said = fence(rig, "monitor", key_file="/nowhere")
    assert status == 1
    assert "cannot read the fence key /nowhere" in said
    given(rig, "m1", "sh", "-c", "cat >/root/other.key", stdin="o" * 64)
    status, _, said = fence(rig, "monitor", key_file="/root/other.key")
    assert status == 1
    assert "wrong key" in said


def test_another_rigs_machines_are_out_of_reach(
    rig: RigCommand, make_rig: Callable[[str], RigCommand]
) -> None:
    other = make_rig("fence2")
    other.up("--machines", "m1,m9", "--cidr", CIDR, "--fencing")
    assert (home(other) / "fencing/key").read_text() != (home(rig) / "fencing/key").read_text()
    status, _, said = fence(rig, "off", "m9")
    assert status == 1
    assert "no machine 'm9'" in said
    # Even a key of another rig that somehow came here is worth nothing.
    key = (home(other) / "fencing/key").read_text()
    given(rig, "m1", "sh", "-c", "cat >/root/stolen.key", stdin=key)
    assert fence(rig, "off", "m3", key_file="/root/stolen.key")[0] == 1
    assert (power(rig, "m3"), power(other, "m9")) == ("on", "on")


def test_the_service_is_on_the_gateways_address_alone(rig: RigCommand) -> None:
    namespace = f"ha-lab-rig-{rig.name}"
    ss = [
        "ip",
        "netns",
        "exec",
        namespace,
        "ss",
        "--listening",
        "--tcp",
        "--numeric",
        "--no-header",
    ]
    lines = subprocess.run(ss, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split()[3] for line in lines] == [f"{GATEWAY}:1229"]


def test_the_agent_describes_itself_as_pacemaker_and_pcs_want_it(rig: RigCommand) -> None:
    metadata = ET.fromstring(rig.inside("m1", f"{AGENT} -o metadata"))
    assert metadata.get("name") == "fence_halab_rig"
    actions = {str(action.get("name")) for action in metadata.iter("action")}
    assert {"on", "off", "reboot", "status", "monitor", "list", "metadata"} <= actions
    for parameter in metadata.iter("parameter"):
        assert parameter.find("shortdesc") is not None
        assert parameter.find("content") is not None
    assert "fence_halab_rig" in rig.inside("m1", "stonith_admin --list-installed")
    assert "ip (required)" in rig.inside("m1", "pcs stonith describe fence_halab_rig")


def test_a_cluster_fences_by_it(rig: RigCommand) -> None:
    nodes = "".join(
        f"node {{\n nodeid: {n}\n name: {name}\n ring0_addr: {rig.machine(name)['address']}\n}}\n"
        for n, name in enumerate(MACHINES, start=1)
    )
    config = (
        "totem {\n version: 2\n cluster_name: t\n transport: knet\n token: 1000\n}\n"
        f"nodelist {{\n{nodes}}}\nquorum {{\n provider: corosync_votequorum\n}}\n"
    )
    script = "cat >/etc/corosync/corosync.conf && systemctl start corosync pacemaker"
    for machine in MACHINES:
        given(rig, machine, "sh", "-c", script, stdin=config).check_returncode()
    seen = "Online: [ m1 m2 m3 ]"
    wait_until(
        "all are online", lambda: seen in rig.inside("m1", "crm_mon -1"), usual_s=COLD_START_S
    )
    hosts = "'pcmk_host_list=m1 m2 m3' pcmk_host_check=static-list"
    create = f"pcs stonith create fence-rig fence_halab_rig ip={GATEWAY} {hosts} --wait=30"
    rig.inside("m1", create)
    rig.inside("m3", "touch /run/before")
    rig.inside("m1", "stonith_admin --reboot m3 --timeout 30")
    assert "reboot of m3 successful" in rig.inside("m1", "stonith_admin --history m3")
    wait_until("m3 is back", lambda: rig.ssh("m3", "true").returncode == 0, usual_s=BOOT_S)
    assert rig.run("exec", "m3", "--", "test", "-e", "/run/before").returncode == 1
    for machine in MACHINES:
        rig.inside(machine, "systemctl stop pacemaker corosync")


def test_a_service_that_is_killed_comes_back_by_itself(rig: RigCommand) -> None:
    for child in children(supervisor(rig)):
        os.kill(child, signal.SIGKILL)
    wait_until(
        "the service answers again", lambda: fence(rig, "monitor")[0] == 0, usual_s=TAKEOVER_S
    )


def test_up_starts_a_service_that_is_gone_and_leaves_one_that_runs(rig: RigCommand) -> None:
    before = supervisor(rig)
    rig.up("--machines", ",".join(MACHINES))
    assert supervisor(rig) == before
    for pid in (before, *children(before)):
        os.kill(pid, signal.SIGKILL)
    rig.up("--machines", ",".join(MACHINES))
    assert supervisor(rig) != before
    fenced(rig, "monitor")


def test_the_key_is_for_root_alone_and_stays(rig: RigCommand) -> None:
    file = home(rig) / "fencing/key"
    before = file.read_text()
    rig.up("--machines", ",".join(MACHINES))
    assert file.read_text() == before
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_down_ends_the_service(make_rig: Callable[[str], RigCommand]) -> None:
    rig = make_rig("fence3")
    rig.up("--machines", "m1", "--cidr", CIDR, "--fencing")
    pids = (supervisor(rig), *children(supervisor(rig)))
    assert len(pids) == 2
    rig("down")
    assert all(gone(pid) for pid in pids)
    assert not home(rig).exists()


def test_a_rig_has_no_service_that_nobody_asked_for(make_rig: Callable[[str], RigCommand]) -> None:
    rig = make_rig("fence4")
    rig.up("--machines", "m1", "--cidr", CIDR)
    assert not (home(rig) / "fencing").exists()


def supervisor(rig: RigCommand) -> int:
    pid = recorded_process(home(rig) / "fencing/service.pid")
    assert pid is not None, "the fence service does not run"
    return pid


def children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in tasks]


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
