"""The one place that knows which programs can be the load balancer. Pure.

An engine gives its files, its unit, its packages, its process's name and what must not run beside
it. Another one is a module beside `haproxy` and an entry in `ENGINES`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from components.files import STATE_DIR, Family, RenderedFile, ServicePlan, ServiceUnit
from components.firewall import ANY, LAB, MANAGEMENT, FirewallRule
from components.load_balancer import haproxy, nginx
from components.load_balancer.args import LoadBalancerArgs, Peer
from components.load_balancer.keepalived import UNIT as KEEPALIVED
from components.load_balancer.keepalived import check_command, keepalived_files, keepalived_unit
from components.rendering import HEADER

ENGINE_PATH = f"{STATE_DIR}/load-balancer-engine"
_SYSCTL_PATH = "/etc/sysctl.d/60-ha-lab-load-balancer.conf"


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineParts:
    """What an engine contributes to the service."""

    packages: Mapping[Family, tuple[str, ...]]
    files: Callable[[LoadBalancerArgs, Peer], tuple[RenderedFile, ...]]
    unit: Callable[[LoadBalancerArgs], ServiceUnit]
    unit_name: str
    certificate_path: str
    """Where it reads the certificate of the https front end."""
    process: str
    """Name of its processes, by which keepalived tracks them."""
    idle: Callable[[Peer], tuple[ServiceUnit, ...]] = lambda _node: ()
    """Units of its own packages that must not run."""


ENGINES: Mapping[str, EngineParts] = {
    "haproxy": EngineParts(
        packages={"debian": ("haproxy",), "redhat": ("haproxy",)},
        files=haproxy.haproxy_files,
        unit=haproxy.haproxy_unit,
        unit_name=haproxy.UNIT,
        certificate_path=haproxy.CERTIFICATE_PATH,
        process="haproxy",
    ),
    "nginx": EngineParts(
        packages={"debian": ("nginx",), "redhat": ("nginx",)},
        files=nginx.nginx_files,
        unit=nginx.nginx_unit,
        unit_name=nginx.UNIT,
        certificate_path=nginx.CERTIFICATE_PATH,
        process=nginx.PROCESS,
        idle=nginx.nginx_idle_units,
    ),
}


def load_balancer_files(args: LoadBalancerArgs, node: Peer) -> tuple[RenderedFile, ...]:
    """Every file of the service on this machine, in the order in which it must be written."""
    engine = ENGINES[args.engine]
    return (
        RenderedFile(
            path=_SYSCTL_PATH,
            # The machine that does not own the VIP must be able to listen on it too.
            content=f"# {HEADER}\nnet.ipv4.ip_nonlocal_bind = 1\n",
            then=f"sysctl -q -p {_SYSCTL_PATH}",
        ),
        *engine.files(args, node),
        *keepalived_files(args, node, process=engine.process),
        # The last file: all others are valid by now.
        RenderedFile(path=ENGINE_PATH, content=f"{args.engine}\n", then=_leave_to_the_other(args)),
    )


def _leave_to_the_other(args: LoadBalancerArgs) -> str | None:
    """Where another engine runs on this machine, its VIP moves away before that is stopped: a
    planned stop of keepalived costs milliseconds, a machine between two engines half a second."""
    if len(args.peers) == 1:
        return None
    others = [e.unit_name for name, e in sorted(ENGINES.items()) if name != args.engine]
    changes = " || ".join(f"systemctl -q is-active {unit}" for unit in others)
    return (
        f"if {{ {changes}; }} && systemctl -q is-active {KEEPALIVED}; "
        f"then systemctl stop {KEEPALIVED}; fi"
    )


def load_balancer_plan(args: LoadBalancerArgs, node: Peer) -> ServicePlan:
    """The whole service on this machine. The certificate of `args.tls` must be there before."""
    engine = ENGINES[args.engine]
    others = [other for name, other in sorted(ENGINES.items()) if name != args.engine]
    return ServicePlan(
        name="load_balancer",
        packages={
            family: (*names, "keepalived") for family, names in sorted(engine.packages.items())
        },
        files=load_balancer_files(args, node),
        # A key that nobody reads any more is not left behind.
        absent=tuple(
            other.certificate_path
            for other in others
            if args.tls is None or other.certificate_path != args.tls.certificate_path
        ),
        units=(
            # First what may hold the ports; keepalived last: it asks the engine once it starts.
            *(ServiceUnit(name=other.unit_name, running=False) for other in others),
            *engine.idle(node),
            engine.unit(args),
            keepalived_unit(),
        ),
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
    rules += [
        FirewallRule(port=service.port, protocol="tcp", source=source, comment=service.name)
        for service in args.tcp_services
        for source in (LAB, MANAGEMENT)
    ]
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
