"""Machines that are there already: settings in, Hosts out; nothing is made."""

from __future__ import annotations

import pulumi

from components.machines.errors import MachinesError
from components.machines.private_key import read_private_key
from components.remote.host import Host
from components.secrets import Secrets
from components.settings.models import Settings
from components.topology import Machine, Topology


def existing_machines(settings: Settings, topology: Topology, secrets: Secrets) -> dict[str, Host]:
    """The hosts by machine name. Raises MachinesError where the private key cannot be read."""
    key = _private_key(settings.machines.private_key_file, secrets)
    return {machine.name: _host(settings, machine, key) for machine in topology.machines}


def _host(settings: Settings, machine: Machine, key: pulumi.Output[str]) -> Host:
    given = settings.machines.hosts[machine.name]
    return Host(
        machine=machine,
        user=given.user or settings.machines.user,
        port=given.port,
        private_key=key,
        host_key=given.host_key,
        # A reinstalled machine has most often a new host key, which must be given here anyway.
        identity=given.identity or given.host_key,
        ready_timeout_s=settings.machines.ready_timeout_s,
    )


def _private_key(file: str | None, secrets: Secrets) -> pulumi.Output[str]:
    if file is None:
        return secrets.ssh_private_key
    try:
        return pulumi.Output.secret(read_private_key(file))
    except ValueError as error:
        raise MachinesError(str(error)) from None
