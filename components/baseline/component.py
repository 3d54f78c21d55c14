"""The baseline of one machine as a Pulumi component."""

from __future__ import annotations

import pulumi

from components.baseline.plan import baseline_plan
from components.firewall_rules import machine_rules, sources
from components.remote import Apply, Host, Ready
from components.settings.models import Settings
from components.topology import Topology


class Baseline(pulumi.ComponentResource):
    """Names, SSH, clock, no automatic updates, and the firewall that the machine's roles declare.

    Produces the gate that waits for the machine, then one applied plan. Does not make users: the
    image or the host has the administrator.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        topology: Topology,
        *,
        host: Host,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("halab:baseline:Baseline", name, None, opts)
        plan = baseline_plan(
            host.machine,
            topology,
            user=host.user,
            rules=machine_rules(host.machine, settings, topology),
            sources=sources(topology),
            firewall=settings.machines.firewall,
        )
        own = pulumi.ResourceOptions(parent=self)
        ready = Ready(f"{host.name}-ready", host=host, opts=own)
        Apply(f"{host.name}-baseline", host=host, plan=plan, after=[ready], opts=own)
        self.register_outputs({})
