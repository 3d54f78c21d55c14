"""The load balancer pair as a Pulumi component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from components.files import RenderedFile, ServicePlan
from components.load_balancer.args import LoadBalancerArgs
from components.load_balancer.engine import ENGINES, load_balancer_plan
from components.remote import Apply, Host


class LoadBalancer(pulumi.ComponentResource):
    """HAProxy or nginx, and keepalived, on a pair of machines that own one VIP.

    Produces, for each machine in turn: the TLS certificate, then packages, configuration, units and
    the check that the engine answers. One machine after the other, the preferred owner first: it
    has the VIP of a new lab, and while one takes over a change the other can own it.
    Does not: open the firewall (see `load_balancer_firewall`), make certificates or machines.
    """

    def __init__(
        self,
        name: str,
        args: LoadBalancerArgs,
        *,
        hosts: Sequence[Host],
        prerequisites: Mapping[str, pulumi.Resource],
        certificate: pulumi.Output[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`prerequisites`: by machine name, what must be there first (its baseline)."""
        super().__init__("halab:load_balancer:LoadBalancer", name, None, opts)
        before: list[pulumi.Resource] = []
        for host in hosts:
            ready = self._certificate(name, args, host, certificate, prerequisites[host.name])
            plan = load_balancer_plan(args, args.peer(host.name))
            own = pulumi.ResourceOptions(parent=self)
            whole = f"{name}-{host.name}"
            before = [Apply(whole, host=host, plan=plan, after=[*ready, *before], opts=own)]
        self.register_outputs({})

    def _certificate(
        self,
        name: str,
        args: LoadBalancerArgs,
        host: Host,
        certificate: pulumi.Output[str],
        prerequisite: pulumi.Resource,
    ) -> list[pulumi.Resource]:
        """What the configuration needs before it is valid. Its own resource: it alone is secret,
        so that a preview still shows what changes in the configuration."""
        if args.tls is None:
            return [prerequisite]
        path, unit = args.tls.certificate_path, ENGINES[args.engine].unit_name
        plan = certificate.apply(lambda pem: certificate_plan(path, pem, unit))
        own = pulumi.ResourceOptions(parent=self)
        tls = f"{name}-{host.name}-tls"
        return [Apply(tls, host=host, plan=plan, after=[prerequisite], opts=own)]


def certificate_plan(path: str, pem: str, unit: str) -> ServicePlan:
    """The certificate with its key, readable by root alone; a new one is a reload of the engine."""
    return ServicePlan(
        name="load_balancer_tls",
        files=(
            RenderedFile(
                path=path,
                content=pem,
                mode=0o600,
                validate="openssl x509 -in {staged} -noout -checkend 0",
                then=f"if systemctl -q is-active {unit}; then systemctl reload {unit}; fi",
            ),
        ),
    )
