"""Changed settings of a stack's machines in libvirt, with machines that have nothing to boot."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.libvirt.conftest import MakeLab
from tests.libvirt.machine_lab import Data, MachineLab


@pytest.fixture(scope="module")
def lab(make_lab: MakeLab, hollow: Data) -> MachineLab:
    """Two machines that are up."""
    made = make_lab("test-change", hollow, machines=2)
    made.up().ok()
    return made


def test_another_memory_keeps_the_disk(lab: MachineLab) -> None:
    before, disk = lab.identity("node1"), lab.urn("machines-node1-disk")
    lab.change(machines={"sizes": {"default": {"memoryMib": 2560}}})
    done = lab.up().ok()
    assert lab.identity("node1") != before, "the services must notice the new machine"
    assert "machines-node1-disk" not in done.text, f"{disk} was touched"
    lab.preview_clean().ok()


def test_another_network_moves_every_machine(lab: MachineLab) -> None:
    lab.change(number=249)
    lab.up().ok()
    lab.preview_clean().ok()
    assert lab.host.virsh("net-dumpxml", lab.topology.prefix).count("10.16.249.1'") == 1
    assert {lab.domain("node1"), lab.domain("node2")} <= set(lab.running())


def test_another_image_gives_new_disks(lab: MachineLab, tmp_path: Path) -> None:
    image = tmp_path / "other.qcow2"
    make = ["qemu-img", "create", "-q", "-f", "qcow2", str(image), "2G"]
    subprocess.run(make, check=True)
    before = lab.identity("node1")
    settings = {"acceleration": "qemu", "image": {"path": str(image)}}
    lab.change(libvirt=settings)
    lab.up().ok()
    lab.preview_clean().ok()
    assert lab.identity("node1") != before
    bases = [v for v in lab.host.virsh.names("vol-list", lab.topology.prefix) if "base-" in v]
    assert len(bases) == 1, "the old base image is of no use any more"


def test_uefi_is_a_setting(lab: MachineLab) -> None:
    lab.change(libvirt={**dict(_section(lab, "libvirt")), "firmware": "uefi"})
    lab.up().ok()
    assert "pflash" in lab.host.virsh("dumpxml", lab.domain())
    lab.preview_clean().ok()


def _section(lab: MachineLab, name: str) -> dict[str, object]:
    section = lab.data[name]
    assert isinstance(section, dict)
    return section


def test_two_stacks_at_once_do_not_disturb_each_other(make_lab: MakeLab, hollow: Data) -> None:
    labs = [make_lab(f"test-pair-{name}", hollow) for name in ("one", "two")]
    with ThreadPoolExecutor() as pool:
        ups = list(pool.map(lambda lab: lab.up(), labs))
    for done in ups:
        done.ok()
    first, second = labs
    assert {first.domain(), second.domain()} <= set(first.running())
    first.destroy().ok()
    second.preview_clean().ok()
    assert second.domain() in second.running()
