"""The drill on virtual machines: libvirt cuts the power, and the measured history is judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.libvirt_host.daemon import LibvirtHost
from tests.libvirt.machine_lab import Data
from tests.support.vm_lab import VmLab, deployed_vms

STACK = "test-vm-drill"
POWER_FAULT = "vip-owner-power-off"


@pytest.fixture(scope="module")
def lab(
    libvirt_host: LibvirtHost, golden: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VmLab]:
    """The deployed compact lab."""
    state = tmp_path_factory.mktemp("state")
    with deployed_vms(VmLab, STACK, golden, state=state, host=libvirt_host) as made:
        yield made


def test_a_drill_cuts_the_owners_power_and_the_lab_keeps_its_promises(
    lab: VmLab, tmp_path: Path
) -> None:
    folder = tmp_path / "drill"
    done = lab.lab("drill", STACK, "--fault", POWER_FAULT, "--report", str(folder))
    (verdict,) = json.loads((folder / "report.json").read_text())["verdicts"]
    assert (verdict["fault"], verdict["outcome"]) == (POWER_FAULT, "pass"), done.text[-6000:]
    assert verdict["outage_s"] > 0, "libvirt cut the power, and no client felt it"
    assert {audit["outcome"] for audit in verdict["audits"]} == {"pass"}
