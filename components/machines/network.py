"""The lab's one private network in libvirt."""

from __future__ import annotations

import pulumi
import pulumi_libvirt as libvirt

from components.topology import Topology


def lab_network(name: str, topology: Topology, *, opts: pulumi.ResourceOptions) -> libvirt.Network:
    """A NAT network without DHCP, on a bridge of its own, whose DNS knows the machines.

    Addresses are static: cloud-init sets what the topology planned. Name and bridge are unique per
    stack, so that two labs share a host. It starts with the host, or powered-off machines could not
    be started by hand after a reboot.
    """
    hosts = [
        libvirt.NetworkDnsHostArgs(hostname=hostname, ip=str(machine.address))
        for machine in topology.machines
        for hostname in (machine.name, f"{machine.name}.{topology.domain}")
    ]
    return libvirt.Network(
        name,
        name=topology.prefix,
        mode="nat",
        bridge=topology.bridge,
        domain=topology.domain,
        addresses=[str(topology.network)],
        dhcp=libvirt.NetworkDhcpArgs(enabled=False),
        dns=libvirt.NetworkDnsArgs(enabled=True, local_only=True, hosts=hosts),
        autostart=True,
        opts=pulumi.ResourceOptions.merge(
            opts,
            # The name is the same before and after: two cannot be there at once.
            pulumi.ResourceOptions(delete_before_replace=True),
        ),
    )
