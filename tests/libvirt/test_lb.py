"""The whole program on virtual machines: the VIP, power loss, a replaced machine, the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.libvirt_host.daemon import LibvirtHost
from lab.libvirt_host.inventory import list_everything
from tests.libvirt.machine_lab import Data
from tests.support.vm_lab import VmLab
from tests.support.waiting import wait_until

STACK = "test-vm-lab"
FAILOVER_WITHIN_S = 60
"""Emulated processors stall; how long it really takes is for the drill to measure."""


@pytest.fixture(scope="module")
def before(libvirt_host: LibvirtHost) -> frozenset[str]:
    return list_everything(libvirt_host)


@pytest.fixture(scope="module")
def lab(
    libvirt_host: LibvirtHost,
    golden: Data,
    before: frozenset[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[VmLab]:
    """The deployed compact lab."""
    del before
    made = VmLab(STACK, tmp_path_factory.mktemp("state"), host=libvirt_host)
    made.forget()
    made.write({"topology": "compact", "timers": "relaxed", **golden})
    try:
        made.up().ok()
        yield made
    finally:
        if made.file.exists():
            made.down()
            made.forget()


def test_the_vip_answers_and_nothing_is_left_to_do(lab: VmLab) -> None:
    assert lab.ask().status == 200
    lab.preview_clean().ok()


def test_power_loss_of_the_owner_moves_the_vip(lab: VmLab) -> None:
    owner = lab.owner()
    lab.power_off(owner)
    wait_until("the VIP answers", lambda: lab.ask().status == 200, within_s=FAILOVER_WITHIN_S)
    assert lab.owners() == [lab.other(owner)]
    lab.power_on(owner)
    lab.await_ssh(owner)
    assert lab.owner() == lab.other(owner), "it does not take the VIP back by itself"


def test_a_replaced_machine_is_completely_configured_again(lab: VmLab) -> None:
    lab.ssh("node3", "sudo touch /root/old").ok()
    text = lab.lab("up", STACK, "--replace", "node3").ok().text
    for name in ("node3-ready", "node3-baseline", "app-node3"):
        assert f"Command {name} " in text, f"{name} was not run again:\n{text}"
    assert lab.ssh("node3", "sudo test -e /root/old").status == 1, "the old disk is still there"
    assert lab.ssh("node3", "curl -fs http://127.0.0.1:8080/health").ok().text.strip() == "ok"
    lab.preview_clean().ok()


def test_destroy_leaves_what_was_there_before(lab: VmLab, before: frozenset[str]) -> None:
    lab.down().ok()
    assert list_everything(lab.host) == before
    lab.forget()
