"""The one door to machines: virtual or existing, the services do not know which."""

from __future__ import annotations

import pulumi

from components.machines.existing import existing_machines
from components.machines.host_facts import read_facts
from components.machines.libvirt import LibvirtMachines
from components.remote.host import Host
from components.secrets import Secrets
from components.settings.models import Settings
from components.topology import Topology


def make_machines(
    settings: Settings, topology: Topology, secrets: Secrets, *, parent: pulumi.Resource | None
) -> dict[str, Host]:
    """A Host for each machine of the topology, by name.

    Raises MachinesError where the host was not prepared (no image, KVM not tried) or a key file
    cannot be read; it is shown without a traceback.
    """
    if settings.machines.provider == "existing":
        return existing_machines(settings, topology, secrets)
    made = LibvirtMachines(
        "machines",
        settings,
        topology,
        secrets,
        read_facts(),
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return made.hosts
