"""Machines: virtual ones on a libvirt host, or existing ones; all are Hosts to the services.

The only package that imports pulumi_libvirt, whose provider is no longer developed: another one
changes nothing outside of here.
"""

from components.machines.errors import MachinesError
from components.machines.provider import make_machines

__all__ = ["MachinesError", "make_machines"]
