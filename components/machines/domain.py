"""One virtual machine: disks, cloud-init, console file and domain."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import pulumi
import pulumi_libvirt as libvirt

from components.machines import cloud_init, names
from components.machines.cloud_init import Guest
from components.machines.host_facts import Acceleration
from components.rendering import Templates
from components.secrets import HostKey
from components.settings.models import LibvirtSettings
from components.topology import Machine, Topology

BYTES_PER_GIB = 1024**3
TEMPLATES = Templates(Path(__file__).parent)
REPLACED_WITH = ("cloudinit", "networkInterfaces[*].networkId", "networkInterfaces[*].mac")
"""Changes that the provider would make under a running guest, which would not take them up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What all the virtual machines of a lab share."""

    topology: Topology
    settings: LibvirtSettings
    acceleration: Acceleration
    guest: Guest
    pool: libvirt.Pool
    base: libvirt.Volume
    network: libvirt.Network


class VirtualMachine(pulumi.ComponentResource):
    """A libvirt domain with the address that the topology planned.

    Produces: system disk (backed by the base image), data disk where the machine has one,
    cloud-init disk, console file, domain. Does not: wait for it, or configure anything inside.
    """

    identity: pulumi.Output[str]
    """Changes with every new domain and every new cloud-init."""
    domain: libvirt.Domain

    def __init__(
        self,
        name: str,
        machine: Machine,
        place: Place,
        host_key: HostKey,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("halab:machines:VirtualMachine", name, None, opts)
        self._stem, self._machine, self._place = name, machine, place
        disks = [self._disk(), *self._data_disks()]
        console = self._console()
        seed = self._cloud_init(host_key)
        self.domain = self._domain(disks, seed, console)
        self.identity = pulumi.Output.all(self.domain.id, seed.id).apply(
            lambda ids: " ".join(str(part) for part in ids)
        )
        self.register_outputs({"identity": self.identity})

    def _disk(self) -> libvirt.Volume:
        """The system disk. A new domain keeps it; a new base image replaces both."""
        return libvirt.Volume(
            f"{self._stem}-disk",
            name=names.disk_volume(self._machine),
            pool=self._place.pool.name,
            base_volume_id=self._place.base.id,
            size=self._machine.disk_gib * BYTES_PER_GIB,
            format="qcow2",
            opts=self._same_name(),
        )

    def _data_disks(self) -> list[libvirt.Volume]:
        size_gib = self._machine.data_disk_gib
        if not size_gib:
            return []
        disk = libvirt.Volume(
            f"{self._stem}-data-disk",
            name=names.data_volume(self._machine),
            pool=self._place.pool.name,
            size=size_gib * BYTES_PER_GIB,
            format="qcow2",
            opts=self._same_name(),
        )
        return [disk]

    def _console(self) -> libvirt.Volume:
        """QEMU opens the console file but does not make it; as a volume it goes with the stack."""
        return libvirt.Volume(
            f"{self._stem}-console",
            name=names.console_volume(self._machine),
            pool=self._place.pool.name,
            format="raw",
            opts=self._same_name(),
        )

    def _cloud_init(self, host_key: HostKey) -> libvirt.CloudInitDisk:
        machine, topology, guest = self._machine, self._place.topology, self._place.guest
        keys = pulumi.Output.all(private=host_key.private, public=host_key.public)
        return libvirt.CloudInitDisk(
            f"{self._stem}-cloud-init",
            name=names.cloud_init_volume(machine),
            pool=self._place.pool.name,
            user_data=keys.apply(
                lambda k: cloud_init.user_data(
                    machine, topology, guest, private_key=k["private"], public_key=k["public"]
                )
            ),
            meta_data=pulumi.Output.from_input(host_key.public).apply(
                lambda public: cloud_init.meta_data(machine, topology, guest, public_key=public)
            ),
            network_config=cloud_init.network_config(machine, topology, guest),
            opts=pulumi.ResourceOptions(
                parent=self, delete_before_replace=True, additional_secret_outputs=["userData"]
            ),
        )

    def _domain(
        self, disks: list[libvirt.Volume], seed: libvirt.CloudInitDisk, console: libvirt.Volume
    ) -> libvirt.Domain:
        place, machine = self._place, self._machine
        return libvirt.Domain(
            self._stem,
            name=names.domain_name(place.topology, machine),
            description=names.domain_mark(place.topology, machine),
            type=place.acceleration,
            cpu=_cpu(place.acceleration),
            memory=machine.memory_mib,
            vcpu=machine.vcpus,
            disks=[libvirt.DomainDiskArgs(volume_id=disk.id) for disk in disks],
            cloudinit=seed.id,
            consoles=[
                libvirt.DomainConsoleArgs(
                    type="file", target_port="0", target_type="serial", source_path=console.id
                )
            ],
            network_interfaces=[
                libvirt.DomainNetworkInterfaceArgs(network_id=place.network.id, mac=machine.mac)
            ],
            xml=libvirt.DomainXmlArgs(xslt=domain_xslt(place)),
            # Addresses are planned: nobody has to ask the agent for them. Its channel is there.
            qemu_agent=False,
            running=True,
            autostart=False,
            opts=pulumi.ResourceOptions(
                parent=self,
                delete_before_replace=True,
                replace_on_changes=list(REPLACED_WITH),
                # With UEFI, libvirt chooses the firmware's files and the provider reads them back.
                ignore_changes=["firmware", "nvram"],
            ),
        )

    def _same_name(self) -> pulumi.ResourceOptions:
        """For what has the same name before and after a replacement: the old one goes first."""
        return pulumi.ResourceOptions(parent=self, delete_before_replace=True)


def domain_xslt(place: Place) -> str:
    """The stylesheet that finishes the provider's domain XML."""
    path = names.pool_path(place.settings, place.topology)
    values = {
        "pool_path": escape(path, {'"': "&quot;"}),
        "acceleration": place.acceleration,
        "firmware": place.settings.firmware,
    }
    return TEMPLATES.render("domain.xsl.j2", values)


def _cpu(acceleration: Acceleration) -> libvirt.DomainCpuArgs | None:
    """The host's own CPU under KVM; an emulated one is in the stylesheet."""
    return libvirt.DomainCpuArgs(mode="host-passthrough") if acceleration == "kvm" else None
