"""The lab: machines, then what runs on them, in the order of the course's diagram."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi

from components.app_server.component import AppServers
from components.baseline.component import Baseline
from components.load_balancer.component import LoadBalancer
from components.load_balancer.from_settings import load_balancer_args
from components.machines import make_machines
from components.outputs import public_outputs
from components.proof import Proof
from components.remote import Host
from components.secrets import Secrets
from components.settings.models import Settings
from components.settings.service_rules import read_local_file
from components.timers import timers_named
from components.topology import Role, Topology


class Lab(pulumi.ComponentResource):
    """Everything that one stack makes.

    Produces the machines, their baseline, the app servers, the load balancer pair, and the proof
    that the VIP answers; `outputs` is what the stack exports.
    """

    outputs: dict[str, pulumi.Input[object]]

    def __init__(
        self,
        name: str,
        *,
        settings: Settings,
        topology: Topology,
        secrets: Secrets,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("halab:index:Lab", name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        hosts = make_machines(settings, topology, secrets, parent=self)
        baseline = self._baseline(settings, topology, hosts)

        apps = AppServers(
            "app",
            settings,
            hosts=with_role(hosts, topology, Role.APP),
            prerequisites=baseline,
            opts=own,
        )
        balancers = LoadBalancer(
            "lb",
            load_balancer_args(settings, topology),
            hosts=with_role(hosts, topology, Role.LOAD_BALANCER),
            # Where a machine is both, its app server comes first: the distribution's default site
            # of nginx would hold the load balancer's port.
            prerequisites={**baseline, **apps.applied},
            certificate=certificate(settings, secrets),
            opts=own,
        )
        Proof("proof", settings, topology, hosts=hosts, after=[apps, balancers], opts=own)

        credentials = {
            "sshPrivateKey": hosts[topology.machines[0].name].private_key,
            "hostKeys": {name: host.host_key for name, host in sorted(hosts.items())},
        }
        public = public_outputs(settings, topology, timers_named(settings.timers))
        self.outputs = {**public, "credentials": pulumi.Output.secret(credentials)}
        self.register_outputs({})

    def _baseline(
        self, settings: Settings, topology: Topology, hosts: Mapping[str, Host]
    ) -> dict[str, pulumi.Resource]:
        """Every machine ready and prepared; by name, what its services wait for."""
        own = pulumi.ResourceOptions(parent=self)
        return {
            name: Baseline(name, settings, topology, host=host, opts=own)
            for name, host in sorted(hosts.items())
        }


def with_role(hosts: Mapping[str, Host], topology: Topology, role: Role) -> list[Host]:
    """The hosts with a role, in the topology's order."""
    return [hosts[machine.name] for machine in topology.with_role(role)]


def certificate(settings: Settings, secrets: Secrets) -> pulumi.Output[str]:
    """PEM of the https front end: the user's file, or the stack's own."""
    file = settings.load_balancer.tls.certificate_file
    if file is None:
        return secrets.get("tls", "pem")
    return pulumi.Output.secret(read_local_file(file))
