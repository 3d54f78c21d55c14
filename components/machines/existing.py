"""Machines that are there already: settings in, Hosts out; nothing is made."""

from __future__ import annotations

from pathlib import Path

import pulumi

from components.machines.errors import MachinesError
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
        text = Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not a text file"
        msg = (
            f"machines.privateKeyFile: cannot read {file}: {reason};"
            " give an OpenSSH private key file, or remove the setting to use the stack's own key"
        )
        raise MachinesError(msg) from None
    if "PRIVATE KEY" not in text:
        msg = f"machines.privateKeyFile: {file} is no private key file (no PRIVATE KEY line in it)"
        raise MachinesError(msg)
    return pulumi.Output.secret(text)
