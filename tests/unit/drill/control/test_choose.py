"""Which control a lab gets."""

from __future__ import annotations

from typing import cast

import pytest

from lab.drill.control.choose import choose
from lab.drill.control.libvirt import LibvirtControl
from lab.drill.control.rig import RigControl
from lab.drill.control.ssh import SshControl
from lab.drill.model import Ability
from lab.machines import Machines
from rig.model import Machine, Rig
from tests.unit.drill.fakes import LAYOUTS, FakeMachines, a_target

MACHINES = cast(Machines, FakeMachines([]))


def a_rig(name: str = "main", machines: tuple[str, ...] = tuple(LAYOUTS["full"])) -> Rig:
    members = tuple(Machine(name=m, address=f"10.88.0.{i}") for i, m in enumerate(machines, 11))
    return Rig(name=name, cidr="10.88.0.0/24", release="bookworm", machines=members)


def test_virtual_machines_are_libvirts_where_the_outputs_say_it_is() -> None:
    control = choose(a_target(provider="libvirt"), "ha-lab", MACHINES, rigs=[a_rig()])
    assert isinstance(control, LibvirtControl)
    assert control._virsh.uri == "qemu+ssh://server/system"
    assert control._virsh.prefix == ("ip", "netns", "exec", "ha-lab")
    outside = choose(a_target(provider="libvirt"), None, MACHINES, rigs=[])
    assert isinstance(outside, LibvirtControl)
    assert outside._virsh.prefix == ()


def test_existing_machines_are_the_rigs_through_whose_namespace_they_are_reached() -> None:
    rigs = [a_rig("other"), a_rig("main")]
    control = choose(a_target(), "ha-lab-rig-main", MACHINES, rigs=rigs)
    assert isinstance(control, RigControl)
    assert control._rig == "main"
    assert control.abilities == frozenset(Ability)


@pytest.mark.parametrize("namespace", [None, "ha-lab-rig-elsewhere", "someone-elses"])
def test_all_others_are_reached_by_ssh_alone(namespace: str | None) -> None:
    control = choose(a_target(), namespace, MACHINES, rigs=[a_rig()])
    assert isinstance(control, SshControl)
    assert control.abilities == {Ability.POWER, Ability.LINK}


def test_a_rig_that_lacks_one_of_the_machines_is_not_theirs() -> None:
    control = choose(a_target(), "ha-lab-rig-main", MACHINES, rigs=[a_rig(machines=("lb1",))])
    assert isinstance(control, SshControl)
