"""All the virtual machines of a lab on one libvirt host."""

from __future__ import annotations

import pulumi
import pulumi_libvirt as libvirt

from components.machines import names
from components.machines.acceleration import chosen_acceleration
from components.machines.cloud_init import Guest
from components.machines.domain import Place, VirtualMachine
from components.machines.host_facts import HostFacts
from components.machines.image import LocalImage, find_image
from components.machines.network import lab_network
from components.remote.host import Host
from components.secrets import Secrets
from components.settings.models import Settings
from components.topology import Machine, Topology


class LibvirtMachines(pulumi.ComponentResource):
    """Storage pool, base image, network and one virtual machine for each machine of the topology.

    The pool is the stack's own: libvirt locks a pool while it works on it, and stacks are separate
    processes that know nothing of each other.
    """

    hosts: dict[str, Host]
    """By machine name."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        topology: Topology,
        secrets: Secrets,
        facts: HostFacts,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("halab:machines:LibvirtMachines", name, None, opts)
        self._settings, self._secrets = settings, secrets
        self._libvirt = libvirt.Provider(
            f"{name}-libvirt",
            uri=settings.libvirt.uri,
            opts=pulumi.ResourceOptions(parent=self),
        )
        place = self._place(name, topology, facts)
        self.hosts = {
            machine.name: self._host(name, machine, place) for machine in topology.machines
        }
        self.register_outputs({"network": place.network.name, "pool": place.pool.name})

    def _place(self, name: str, topology: Topology, facts: HostFacts) -> Place:
        planning = pulumi.runtime.is_dry_run()
        pool = self._pool(name, topology)
        image = find_image(self._settings, facts, planning=planning)
        return Place(
            topology=topology,
            settings=self._settings.libvirt,
            acceleration=chosen_acceleration(self._settings, facts, planning=planning),
            guest=Guest(
                user=self._settings.machines.user,
                authorized_key=self._secrets.ssh_public_key,
                interface=self._settings.network.interface,
                name_servers=self._settings.network.dns,
            ),
            pool=pool,
            base=self._base(name, pool, image),
            network=lab_network(f"{name}-network", topology, opts=self._child()),
        )

    def _pool(self, name: str, topology: Topology) -> libvirt.Pool:
        path = names.pool_path(self._settings.libvirt, topology)
        return libvirt.Pool(
            f"{name}-pool",
            name=topology.prefix,
            type="dir",
            target=libvirt.PoolTargetArgs(path=path),
            opts=pulumi.ResourceOptions.merge(
                self._child(), pulumi.ResourceOptions(delete_before_replace=True)
            ),
        )

    def _base(self, name: str, pool: libvirt.Pool, image: LocalImage) -> libvirt.Volume:
        return libvirt.Volume(
            f"{name}-base",
            name=names.base_volume(image.version),
            pool=pool.name,
            source=image.path,
            format="qcow2",
            opts=pulumi.ResourceOptions.merge(
                self._child(),
                # The same image in another place is the same image: its checksum is in the name.
                pulumi.ResourceOptions(ignore_changes=["source"]),
            ),
        )

    def _host(self, name: str, machine: Machine, place: Place) -> Host:
        key = self._secrets.host_key(machine.name)
        vm = VirtualMachine(
            f"{name}-{machine.name}",
            machine,
            place,
            key,
            opts=pulumi.ResourceOptions(parent=self, providers=[self._libvirt]),
        )
        return Host(
            machine=machine,
            user=self._settings.machines.user,
            port=22,
            private_key=self._secrets.ssh_private_key,
            host_key=key.public,
            identity=vm.identity,
            made_by=(vm.domain,),
            ready_timeout_s=self._settings.machines.ready_timeout_s,
        )

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, provider=self._libvirt)
