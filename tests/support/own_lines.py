"""What one stack has on a libvirt host; other stacks may come and go meanwhile."""

from __future__ import annotations

from components.topology import Topology
from lab.libvirt_host.daemon import LibvirtHost
from lab.libvirt_host.inventory import list_everything

MAKER = "tests"
"""Who made whatever has the name of a test's stack, where nobody else may have one."""


def own_lines(host: LibvirtHost, topology: Topology) -> set[str]:
    """Its domains, networks, pools, volumes, interfaces and files, a line each."""
    marks = (topology.prefix, topology.bridge)
    return {line for line in list_everything(host) if any(mark in line for mark in marks)}
