"""A machine as the services see it: reachable over SSH, whatever made it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_command import remote

from components.topology import Machine

SSH_DIAL_ATTEMPTS = -1
"""Unlimited: the resource's own timeout ends the waiting (a fresh VM may need minutes)."""
SSH_DIAL_ATTEMPTS_READY = 30
"""Once a machine was ready, about 30 tries at most a second apart tell a fault from a hiccup."""
SSH_PER_DIAL_TIMEOUT_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine, how it is reached, and what tells its incarnation from the one before."""

    machine: Machine
    user: str
    """The SSH administrator; has sudo without a password (or is root)."""
    port: int
    private_key: pulumi.Input[str]
    host_key: pulumi.Input[str]
    """Pinned public host key, `type base64`."""
    identity: pulumi.Input[str]
    """Changes when the machine is made anew, even at the same address."""
    made_by: tuple[pulumi.Resource, ...] = ()
    """What must exist before the machine can be reached (its domain); empty for existing hosts."""
    ready_timeout_s: int = 900

    @property
    def name(self) -> str:
        return self.machine.name


def connection(
    host: Host, *, dial_attempts: int = SSH_DIAL_ATTEMPTS_READY
) -> remote.ConnectionArgs:
    """The one place where connections are made: host key pinned, dialling bounded."""
    return remote.ConnectionArgs(
        host=str(host.machine.address),
        port=host.port,
        user=host.user,
        private_key=host.private_key,
        host_key=host.host_key,
        dial_error_limit=dial_attempts,
        per_dial_timeout=SSH_PER_DIAL_TIMEOUT_S,
    )
