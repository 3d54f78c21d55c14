"""The end of `pulumi up`: the lab is asked, as a client would, and must answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pulumi

from components.files import ServicePlan
from components.load_balancer.from_settings import load_balancer_args
from components.outputs import urls
from components.remote import Apply, Host
from components.settings.models import Settings
from components.topology import Role, Topology

PROOF_WITHIN_S = 120
METRICS = "http://127.0.0.1:{port}/metrics"
"""Of the load balancer that is asked: how many servers each service has."""


class Proof(pulumi.ComponentResource):
    """That the VIP answers, asked from the first load balancer; `up` fails where it does not.

    Produces one check, asked again whenever the load balancer's settings change.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        topology: Topology,
        *,
        hosts: Mapping[str, Host],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("halab:index:Proof", name, None, opts)
        plan = proof_plan(settings, topology)
        own = pulumi.ResourceOptions(parent=self)
        for machine in topology.with_role(Role.LOAD_BALANCER)[:1]:
            Apply(
                f"{name}-{machine.name}", host=hosts[machine.name], plan=plan, after=after, opts=own
            )
        self.register_outputs({})


def proof_plan(settings: Settings, topology: Topology) -> ServicePlan:
    """Ask the VIP for a page of an app server, whichever machine owns it; and whether somebody can
    write to each database."""
    args = load_balancer_args(settings, topology)
    digest = hashlib.sha256(repr(args).encode()).hexdigest()[:12]
    url = urls(settings, topology)["https"]
    return ServicePlan(
        name="proof",
        checks=(
            f"curl -fsk -o /dev/null --max-time 5 {url}  # with settings {digest}",
            *(
                f"curl -fs {METRICS.format(port=args.stats.port)}"
                f" | grep -q '^haproxy_backend_active_servers{{proxy=\"{service.name}\"}} 1$'"
                for service in args.tcp_services
                if service.one_at_a_time
            ),
        ),
        check_within_s=PROOF_WITHIN_S,
    )
