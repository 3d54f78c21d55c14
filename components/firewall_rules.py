"""Which firewall rules a machine gets: what each of its roles' services declares. Pure."""

from __future__ import annotations

from components.app_server.from_settings import app_server_args
from components.app_server.render import app_server_firewall
from components.firewall import MANAGEMENT, FirewallRule, Sources
from components.load_balancer.args import Peer
from components.load_balancer.engine import load_balancer_firewall
from components.load_balancer.from_settings import load_balancer_args
from components.settings.models import Settings
from components.topology import Machine, Role, Topology


def machine_rules(
    machine: Machine, settings: Settings, topology: Topology
) -> tuple[FirewallRule, ...]:
    """Everything that may reach this machine, as declared by the services of its roles."""
    rules = ssh_rules(machine, settings)
    if machine.has(Role.LOAD_BALANCER):
        peer = Peer(name=machine.name, address=machine.address)
        rules += load_balancer_firewall(load_balancer_args(settings, topology), peer)
    if machine.has(Role.APP):
        rules += app_server_firewall(app_server_args(settings, machine))
    return tuple(rules)


def ssh_rules(machine: Machine, settings: Settings) -> list[FirewallRule]:
    """An existing machine's own SSH port; 22 is in every firewall already."""
    host = settings.machines.hosts.get(machine.name)
    if host is None or host.port == 22:
        return []
    comment = "SSH of the administrator on its own port"
    return [FirewallRule(port=host.port, protocol="tcp", source=MANAGEMENT, comment=comment)]


def sources(topology: Topology) -> Sources:
    """Who is meant by `lab`, `management` and the roles' names."""
    return Sources(
        lab=topology.network,
        management=topology.management,
        roles={
            str(role): tuple(machine.address for machine in topology.with_role(role))
            for role in Role
        },
    )
