"""The one place that knows which programs can be the load balancer. Pure.

An engine gives its files, its unit, its packages and the command by which keepalived sees that it
lives. Another one is a module beside `haproxy` and an entry in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.files import Family, RenderedFile, ServicePlan, ServiceUnit
from components.firewall import ANY, FirewallRule
from components.load_balancer.args import LoadBalancerArgs, Peer
from components.load_balancer.haproxy import haproxy_files, haproxy_unit
from components.load_balancer.keepalived import check_command, keepalived_files, keepalived_unit


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParts:
    """What an engine contributes to the service."""

    packages: Mapping[Family, tuple[str, ...]]
    files: Callable[[LoadBalancerArgs, Peer], tuple[RenderedFile, ...]]
    unit: Callable[[LoadBalancerArgs], ServiceUnit]


ENGINES: Mapping[str, EngineParts] = {
    "haproxy": EngineParts(
        packages={"debian": ("haproxy",), "redhat": ("haproxy",)},
        files=haproxy_files,
        unit=haproxy_unit,
    ),
}


def load_balancer_files(args: LoadBalancerArgs, node: Peer) -> tuple[RenderedFile, ...]:
    """Every file of the service on this machine, in the order in which it must be written."""
    return (*ENGINES[args.engine].files(args, node), *keepalived_files(args, node))


def load_balancer_plan(args: LoadBalancerArgs, node: Peer) -> ServicePlan:
    """The whole service on this machine. The certificate of `args.tls` must be there before."""
    engine = ENGINES[args.engine]
    return ServicePlan(
        name="load_balancer",
        packages={
            family: (*names, "keepalived") for family, names in sorted(engine.packages.items())
        },
        files=load_balancer_files(args, node),
        # keepalived last: it asks the engine as soon as it starts.
        units=(engine.unit(args), keepalived_unit()),
        checks=(check_command(args),),
    )


def load_balancer_firewall(args: LoadBalancerArgs, node: Peer) -> tuple[FirewallRule, ...]:
    """What must be able to reach this machine."""
    rules = [FirewallRule(port=args.http_port, protocol="tcp", source=ANY, comment="HTTP")]
    if args.tls:
        rules.append(
            FirewallRule(port=args.https_port, protocol="tcp", source=ANY, comment="HTTPS")
        )
    if args.stats.allowed:
        rules.append(
            FirewallRule(
                port=args.stats.port,
                protocol="tcp",
                source=args.stats.allowed,
                comment="statistics and metrics",
            )
        )
    peers = tuple(peer.address for peer in args.others(node))
    if peers:
        rules.append(FirewallRule(protocol="vrrp", source=peers, comment="VRRP of the pair"))
    if peers and args.sticks_by_table:
        rules.append(
            FirewallRule(
                port=args.peers_port, protocol="tcp", source=peers, comment="HAProxy peers"
            )
        )
    return tuple(rules)
