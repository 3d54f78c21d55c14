"""The whole program on virtual machines: as planned, its VIP, power loss and replacement, the end.

One lab for all of it: emulated machines take minutes to boot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.machines import names
from lab.libvirt_host.daemon import LibvirtHost
from tests.libvirt.machine_lab import Data
from tests.support.own_lines import own_lines
from tests.support.vm_lab import VmLab, deployed_vms
from tests.support.waiting import EMULATED_S, wait_until

STACK = "test-vm-lab"


@pytest.fixture(scope="module")
def lab(
    libvirt_host: LibvirtHost,
    golden: Data,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[VmLab]:
    """The deployed compact lab."""
    state = tmp_path_factory.mktemp("state")
    with deployed_vms(VmLab, STACK, golden, state=state, host=libvirt_host) as made:
        yield made


def test_the_vip_answers(lab: VmLab) -> None:
    assert lab.ask().status == 200


def test_a_machine_is_as_planned(lab: VmLab) -> None:
    node = "node3"
    machine = lab.topology.machine(node)
    seen = json.loads(lab.ssh(node, f"sudo --non-interactive python3 -c '{LOOK}'").ok().text)
    assert seen["cloud_init"] in {0, 2}, "cloud-init ended with an error"
    assert seen["name"] == node
    assert f"inet {machine.address}/24" in seen["addresses"]
    assert "dynamic" not in seen["addresses"], "it leases none"
    assert [line for line in seen["shadow"].splitlines() if "$" in line] == [], "a password"
    assert seen["disk_gib"] >= machine.disk_gib - 1, "the system disk has grown to its size"


LOOK = """
import json, os, socket, subprocess
def said(*words): return subprocess.run(words, capture_output=True, text=True)
disk = os.statvfs("/")
print(json.dumps({
    "cloud_init": said("cloud-init", "status").returncode,
    "name": socket.gethostname(),
    "addresses": said("ip", "-4", "-oneline", "address", "show", "eth0").stdout,
    "shadow": open("/etc/shadow").read(),
    "disk_gib": disk.f_frsize * disk.f_blocks / 2**30,
}))
"""
"""One login for everything: an emulated machine takes seconds for each."""


def test_the_console_is_written_to_the_stacks_pool(lab: VmLab) -> None:
    pool = Path(names.pool_path(lab.settings.libvirt, lab.topology))
    console = pool / names.console_volume(lab.topology.machine("node3"))
    # Not the login prompt: systemd gives up on the device after 90 s, which a busy host may take.
    text = console.read_text(encoding="utf-8", errors="replace")
    assert re.search(r"Cloud-init v\. \S+ finished at", text), text[-2000:]


def test_power_loss_of_the_owner_moves_the_vip_and_a_new_machine_in_its_place_is_whole(
    lab: VmLab,
) -> None:
    owner = lab.owner()
    lab.ssh(owner, "sudo touch /root/old; sync").ok()
    lab.power_off(owner)
    wait_until("the VIP answers", lambda: lab.ask().status == 200, usual_s=EMULATED_S)
    assert lab.owners() == [lab.other(owner)]

    text = lab.lab("up", STACK, "--replace", owner).ok().text
    for name in (f"{owner}-ready", f"{owner}-baseline", f"app-{owner}", f"lb-{owner}"):
        assert f"Command {name} " in text, f"{name} was not run again:\n{text}"
    assert lab.ssh(owner, "sudo test -e /root/old").status == 1, "the old disk is still there"
    assert lab.ssh(owner, "curl -fs http://127.0.0.1:8080/health").ok().text.strip() == "ok"
    assert lab.owner() == lab.other(owner), "it does not take the VIP back by itself"
    lab.preview_clean().ok()


def test_destroy_leaves_what_was_there_before(lab: VmLab) -> None:
    topology, during = lab.topology, own_lines(lab.host, lab.topology)
    lab.down().ok()
    assert {line.split()[0] for line in during} >= {"domain", "network", "pool", "volume"}
    assert own_lines(lab.host, topology) == set()
    lab.forget()
