"""Which firewall rules a machine gets: what each of its roles' services declares. Pure."""

from __future__ import annotations

from components.app_server.from_settings import app_server_args
from components.app_server.render import app_server_firewall
from components.database.from_settings import database_args, database_firewall
from components.firewall import MANAGEMENT, FirewallRule, Sources
from components.load_balancer.engine import load_balancer_firewall
from components.load_balancer.from_settings import load_balancer_args
from components.pacemaker.firewall import member_firewall, quorum_device_firewall
from components.pacemaker.from_settings import cluster_args
from components.settings.models import Settings
from components.storage.firewall import storage_firewall
from components.storage.from_settings import storage_args
from components.topology import Machine, Role, Topology, quorum_device_name


def machine_rules(
    machine: Machine, settings: Settings, topology: Topology
) -> tuple[FirewallRule, ...]:
    """Everything that may reach this machine, as declared by the services of its roles."""
    rules = ssh_rules(machine, settings)
    if machine.has(Role.LOAD_BALANCER):
        pair = load_balancer_args(settings, topology)
        rules += load_balancer_firewall(pair, pair.peer(machine.name))
    if machine.has(Role.APP):
        rules += app_server_firewall(app_server_args(settings, machine))
    if machine.has(Role.CLUSTER):
        rules += member_firewall(cluster_args(settings, topology))
    if machine.name == quorum_device_name(settings):
        rules += quorum_device_firewall(cluster_args(settings, topology))
    databases = database_args(settings, topology)
    if machine.has(Role.DATABASE) and databases is not None:
        rules += database_firewall(databases)
    storage = storage_args(settings, topology)
    if machine.has(Role.STORAGE) and storage is not None:
        rules += storage_firewall(storage)
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
