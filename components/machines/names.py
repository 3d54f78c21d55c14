"""The names of all that a lab makes in libvirt, and the marks that tell it is the lab's own.

Pure. The program makes things by them, the host preparation recognises leftovers by them.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from components.settings.models import LibvirtSettings
from components.topology import Machine, Topology

IMAGES = PurePosixPath("/var/lib/libvirt/images")
"""libvirt's own directory for disk images: known to its AppArmor and SELinux policies."""


def domain_name(topology: Topology, machine: Machine) -> str:
    """A machine's libvirt domain."""
    return f"{topology.prefix}-{machine.name}"


def domain_mark(topology: Topology, machine: Machine) -> str:
    """The domain's description: says whose it is, to people and to the clean-up of leftovers."""
    return f"ha-lab machine {machine.name} of stack {topology.stack}"


def pool_path(settings: LibvirtSettings, topology: Topology) -> str:
    """Directory of the stack's storage pool."""
    return str(PurePosixPath(settings.pool_dir or IMAGES) / topology.prefix)


def base_volume(image_version: str) -> str:
    """The image that all the system disks are based on; another image is another volume."""
    return f"base-{image_version}.qcow2"


def disk_volume(machine: Machine) -> str:
    return f"{machine.name}.qcow2"


def data_volume(machine: Machine) -> str:
    return f"{machine.name}-data.qcow2"


def cloud_init_volume(machine: Machine) -> str:
    return f"{machine.name}-cloud-init.iso"


def console_volume(machine: Machine) -> str:
    """The file that takes the serial console."""
    return f"{machine.name}-console.log"


def is_own_volume(topology: Topology, name: str) -> bool:
    """Whether a lab of this topology makes volumes of this name."""
    if name.startswith("base-") and name.endswith(".qcow2"):
        return True
    kinds = (disk_volume, data_volume, cloud_init_volume, console_volume)
    return any(name == kind(machine) for machine in topology.machines for kind in kinds)
