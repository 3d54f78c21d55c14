"""Which control breaks the machines of a lab."""

from __future__ import annotations

from collections.abc import Iterable

from lab.drill.control import Control
from lab.drill.control.libvirt import LibvirtControl
from lab.drill.control.rig import RigControl
from lab.drill.control.ssh import SshControl
from lab.drill.target import Target
from lab.libvirt_host.virsh import Virsh
from lab.machines import Machines
from rig import state
from rig.model import Rig


def control_for(target: Target, namespace: str | None, machines: Machines) -> Control:
    """The way to break this lab's machines from here. `namespace`: from where they are reached."""
    rigs = [rig for name in state.names() if (rig := state.find(name))]
    return choose(target, namespace, machines, rigs=rigs)


def choose(
    target: Target, namespace: str | None, machines: Machines, *, rigs: Iterable[Rig]
) -> Control:
    """The choice itself, `rigs` being those of this host. Pure.

    Machines that exist are a rig's when they are reached through its namespace and it has them all.
    """
    if target.provider == "libvirt":
        prefix = ("ip", "netns", "exec", namespace) if namespace else ()
        virsh = Virsh(uri=target.libvirt_uri, prefix=prefix)
        return LibvirtControl(virsh, prefix=target.prefix, machines=machines)
    for rig in rigs:
        has_all = set(target.machines) <= {machine.name for machine in rig.machines}
        if rig.namespace == namespace and has_all:
            return RigControl(rig.name)
    return SshControl(machines)
