"""A machine that boots: reached with its pinned host key, powered off hard, replaced."""

from __future__ import annotations

import pytest

from components.machines import names
from tests.libvirt.conftest import MakeLab
from tests.libvirt.machine_lab import Data, MachineLab
from tests.support.waiting import wait_until

NODE = "node1"


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab, golden: Data) -> MachineLab:
    """One machine that has booted."""
    made = make_lab("test-machine", golden)
    made.up().ok()
    made.wait_for_ssh(NODE)
    return made


def domain(lab: MachineLab) -> str:
    return names.domain_name(lab.topology, lab.topology.machine(NODE))


def test_cloud_init_ends_without_an_error(lab: MachineLab) -> None:
    status = lab.wait_for_cloud_init(NODE)
    assert status.status in {0, 2}, status.text
    assert "status: done" in status.text, status.text


def test_it_has_the_planned_name_and_address_and_leases_none(lab: MachineLab) -> None:
    lab.wait_for_cloud_init(NODE)
    assert lab.ssh(NODE, "hostname --short").ok().text.strip() == NODE
    addresses = lab.ssh(NODE, "ip -4 -oneline address show eth0").ok().text
    assert f"inet {lab.topology.machine(NODE).address}/24" in addresses
    assert "dynamic" not in addresses


def test_the_administrator_has_sudo_and_nobody_a_password(lab: MachineLab) -> None:
    lab.wait_for_cloud_init(NODE)
    lab.ssh(NODE, "sudo --non-interactive true").ok()
    shadow = lab.ssh(NODE, "sudo --non-interactive cut -d: -f1,2 /etc/shadow").ok().text
    passwords = [line for line in shadow.splitlines() if ":" in line and "$" in line]
    assert passwords == []


def test_the_system_disk_has_grown_to_its_size(lab: MachineLab) -> None:
    lab.wait_for_cloud_init(NODE)
    size = lab.ssh(NODE, "df --block-size=1G --output=size / | tail -n 1").ok().text
    assert int(size) >= lab.topology.machine(NODE).disk_gib - 1


def test_the_console_is_written_to_the_stacks_pool(lab: MachineLab) -> None:
    lab.wait_for_cloud_init(NODE)
    pool = names.pool_path(lab.settings.libvirt, lab.topology)
    file = names.console_volume(lab.topology.machine(NODE))
    with open(f"{pool}/{file}", encoding="utf-8", errors="replace") as console:  # noqa: PTH123
        assert f"{NODE} login:" in console.read()


def test_a_machine_that_was_powered_off_hard_is_replaced_by_a_fresh_one(lab: MachineLab) -> None:
    lab.wait_for_cloud_init(NODE)
    lab.ssh(NODE, "touch old").ok()
    before = lab.identity(NODE)
    lab.host.virsh("destroy", domain(lab))
    wait_until(
        "the powered-off machine is silent",
        lambda: lab.ssh(NODE, "true").status != 0,
        within_s=60,
    )
    lab.up("--replace", lab.urn("machines-node1-disk")).ok()
    lab.wait_for_ssh(NODE)
    assert lab.identity(NODE) != before, "the services must notice the fresh machine"
    assert lab.ssh(NODE, "test -e old").status == 1, "the old disk is still there"
    lab.preview("--expect-no-changes").ok()
