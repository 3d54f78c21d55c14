"""The life of a stack's machines in libvirt, with machines that have nothing to boot."""

from __future__ import annotations

import subprocess
from xml.etree import ElementTree as ET

import pytest

from lab.errors import LabError
from tests.libvirt.conftest import MakeLab
from tests.libvirt.machine_lab import Data, MachineLab

TOO_MUCH_MIB = 1024 * 1024
"""A memory that no host of ours has: the domain is defined, and its start fails."""


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab, hollow: Data) -> MachineLab:
    """Two machines that are up."""
    made = make_lab("test-life", hollow, machines=2)
    made.up().ok()
    return made


def test_nothing_changes_when_nothing_changed(lab: MachineLab) -> None:
    lab.preview_clean().ok()


def test_nothing_changes_after_a_refresh(lab: MachineLab) -> None:
    lab.pulumi("refresh", "--yes", "--skip-preview", "--stack", lab.stack).ok()
    lab.preview_clean().ok()


def test_no_private_key_is_in_the_state(lab: MachineLab) -> None:
    text = lab.state_text()
    assert "PRIVATE KEY" not in text
    assert "cloud-config" not in text, "user-data must be kept as a secret"


def test_the_network_leases_nothing_and_knows_the_machines(lab: MachineLab) -> None:
    network = ET.fromstring(lab.host.virsh("net-dumpxml", lab.topology.prefix))
    assert network.find("ip/dhcp") is None
    found = {host.get("ip") for host in network.iterfind("dns/host")}
    assert found == {str(machine.address) for machine in lab.topology.machines}


def test_the_domain_is_what_the_topology_says(lab: MachineLab) -> None:
    node1 = lab.topology.machine("node1")
    xml = ET.fromstring(lab.host.virsh("dumpxml", lab.domain()))
    mac = xml.find("devices/interface/mac")
    assert mac is not None
    assert mac.get("address") == node1.mac
    assert xml.findtext("memory") == str(node1.memory_mib * 1024)
    disks = {disk.get("type") for disk in xml.iterfind("devices/disk")}
    assert disks == {"file"}, "AppArmor denies disks that are given as volumes"
    agent = [t.get("name") for t in xml.iterfind("devices/channel/target")]
    assert agent == ["org.qemu.guest_agent.0"]


def test_destroy_leaves_what_was_there_before(make_lab: MakeLab, hollow: Data) -> None:
    made = make_lab("test-destroy", hollow)
    before = made.own_lines()
    made.up().ok()
    during = made.own_lines()
    made.destroy().ok()
    assert before == set()
    kinds = {line.split()[0] for line in during}
    assert kinds >= {"domain", "network", "pool", "volume", "interface", "file"}, "saw too little"
    assert made.own_lines() == set()


def test_what_a_failed_create_left_is_cleaned_up(make_lab: MakeLab, hollow: Data) -> None:
    made = make_lab("test-failed", hollow)
    good = made.data["machines"]
    made.change(machines={"sizes": {"default": {"memoryMib": TOO_MUCH_MIB}}})
    assert made.up().status != 0, "this host has a tebibyte of memory?"
    made.change(machines=good)
    assert "already exists" in made.up().text, "nothing was left: the test proves nothing"
    left = made.clean()
    assert left.domains == (made.domain(),)
    made.up().ok()
    assert made.domain() in made.running()
    assert not made.clean(), "what is in the state is no leftover"


def test_a_foreign_domain_of_the_same_name_is_not_touched(make_lab: MakeLab, hollow: Data) -> None:
    made = make_lab("test-foreign", hollow)
    foreign = f"<domain type='qemu'><name>{made.domain()}</name><memory>65536</memory>"
    foreign += "<os><type>hvm</type></os></domain>"
    define = [*made.host.prefix, "virsh", "-c", made.host.uri, "define", "/dev/stdin"]
    subprocess.run(define, input=foreign, text=True, check=True, capture_output=True)
    try:
        with pytest.raises(LabError, match=f"{made.domain()} is in the way"):
            made.clean()
        assert made.domain() in made.host.virsh.names("list", "--all", "--name")
    finally:
        made.host.virsh("undefine", made.domain())
