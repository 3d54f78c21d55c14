"""What members need for fencing, as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.fencing.choice import fencing_kind
from components.fencing.devices import RIG_AGENT, XVM_AGENT, fencing_devices, watchdog
from components.fencing.plan import fencing_plan, key_plan
from components.remote import Apply, Host
from components.secrets import Secrets
from components.settings.models import Settings
from components.topology import Topology

KEY = ("fencing", "key")
"""Group and name of the secret that the members share with whoever holds their power."""


class Fencing(pulumi.ComponentResource):
    """Agents, keys, watchdogs, and the proof that each device can be asked about each member.

    Produces for each member: the key (its own resource: it alone is secret, so that a preview shows
    what else changes), then agent and options with a check. Does not: make the stonith devices,
    which are the cluster's (`fencing_devices`), or start the service on the host, which is there
    before Pulumi runs. Without fencing it produces nothing, and members have what they had before.
    """

    applied: Mapping[str, pulumi.Resource]
    """By member, what the cluster waits for there."""

    def __init__(
        self,
        name: str,
        settings: Settings,
        topology: Topology,
        *,
        hosts: Sequence[Host],
        secrets: Secrets,
        prerequisites: Mapping[str, pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`hosts`: the cluster's members. `prerequisites`: by machine, what must be there first."""
        super().__init__("halab:fencing:Fencing", name, None, opts)
        devices = fencing_devices(settings, topology, [host.machine for host in hosts])
        plan = fencing_plan(devices, watchdog(settings))
        self._child = pulumi.ResourceOptions(parent=self)
        self.applied = {}
        for host in hosts if devices else ():
            before = prerequisites[host.name]
            key = self._key(name, settings, host, secrets, before)
            self.applied[host.name] = Apply(
                f"{name}-{host.name}", host=host, plan=plan, after=[before, *key], opts=self._child
            )
        self.register_outputs({})

    def _key(
        self,
        name: str,
        settings: Settings,
        host: Host,
        secrets: Secrets,
        before: pulumi.Resource,
    ) -> list[pulumi.Resource]:
        agent = {"xvm": XVM_AGENT, "rig": RIG_AGENT}.get(fencing_kind(settings) or "")
        if agent is None:
            return []
        plan = secrets.get(*KEY).apply(lambda key: key_plan(agent, key))
        stem = f"{name}-{host.name}-key"
        return [Apply(stem, host=host, plan=plan, after=[before], opts=self._child)]
