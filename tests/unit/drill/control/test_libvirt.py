"""Virtual machines: which virsh commands are given, and which are not needed."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from lab.drill.control.libvirt import LibvirtControl
from lab.errors import LabError
from lab.libvirt_host.virsh import Virsh
from lab.machines import Machines
from tests.unit.drill.fakes import BOOT, FakeMachines

ONE_LINK = " vnet3   network   hl-demo-1234567   virtio   52:54:00:ab:cd:ef\n"
TWO_LINKS = ONE_LINK + " vnet4   network   other   virtio   52:54:00:12:34:56\n"


class FakeVirsh:
    """One domain in one state."""

    def __init__(self, state: str, links: str = ONE_LINK) -> None:
        self.state, self.links = state, links
        self.changes: list[str] = []

    def __call__(self, *words: str) -> str:
        if words[0] == "domstate":
            assert words[1] == "ha-lab-demo-lb1"
            return f"{self.state}\n\n"
        if words[0] == "domiflist":
            return self.links
        self.changes.append(" ".join(words))
        return ""


def act(action: str, virsh: FakeVirsh) -> list[str]:
    """What changes libvirt is asked for."""
    journal: list[str] = []
    machines = FakeMachines(journal)
    machines.says("", BOOT, "boot-1")
    control = LibvirtControl(
        cast(Virsh, virsh), prefix="ha-lab-demo", machines=cast(Machines, machines)
    )
    asyncio.run(getattr(control, action)("lb1"))
    answers = [entry for entry in journal if BOOT in entry]
    assert bool(answers) == (action == "power_on"), "power on is over when SSH answers"
    return virsh.changes


@pytest.mark.parametrize(
    ("action", "state", "changes"),
    [
        ("power_off", "running", ["destroy ha-lab-demo-lb1"]),
        ("power_off", "paused", ["destroy ha-lab-demo-lb1"]),
        ("power_off", "shut off", []),
        ("power_on", "shut off", ["start ha-lab-demo-lb1"]),
        ("power_on", "paused", ["resume ha-lab-demo-lb1"]),
        ("power_on", "running", []),
        ("freeze", "running", ["suspend ha-lab-demo-lb1"]),
        ("freeze", "paused", []),
        ("thaw", "paused", ["resume ha-lab-demo-lb1"]),
        ("thaw", "running", []),
        ("cut", "running", ["domif-setlink ha-lab-demo-lb1 52:54:00:ab:cd:ef down"]),
        ("join", "running", ["domif-setlink ha-lab-demo-lb1 52:54:00:ab:cd:ef up"]),
        ("join", "shut off", []),
    ],
)
def test_only_what_is_missing_is_done(action: str, state: str, changes: list[str]) -> None:
    assert act(action, FakeVirsh(state)) == changes


def test_every_link_of_a_machine_is_cut() -> None:
    macs = [change.split()[2] for change in act("cut", FakeVirsh("running", TWO_LINKS))]
    assert macs == ["52:54:00:ab:cd:ef", "52:54:00:12:34:56"]


def test_a_machine_without_a_link_cannot_be_cut() -> None:
    with pytest.raises(LabError, match="ha-lab-demo-lb1 has no network interface"):
        act("cut", FakeVirsh("running", links="\n"))


def test_a_paused_machine_has_power() -> None:
    states = ("running", "paused", "shut off")
    controls = [
        LibvirtControl(
            cast(Virsh, FakeVirsh(state)),
            prefix="ha-lab-demo",
            machines=cast(Machines, FakeMachines([])),
        )
        for state in states
    ]
    assert [asyncio.run(c.is_on("lb1")) for c in controls] == [True, True, False]
