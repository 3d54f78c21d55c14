"""What must be able to reach the cluster's machines. Pure."""

from __future__ import annotations

from components.firewall import ANY, FirewallRule
from components.pacemaker.args import ClusterArgs
from components.pacemaker.web import PORT, serves_web

COROSYNC_PORT, PCSD_PORT, QNETD_PORT = 5405, 2224, 5403


def member_firewall(args: ClusterArgs) -> tuple[FirewallRule, ...]:
    """On each member: the others' Corosync and pcs, and whoever wants the web server."""
    members = tuple(member.address for member in args.members)
    rules = [
        FirewallRule(port=COROSYNC_PORT, protocol="udp", source=members, comment="Corosync"),
        FirewallRule(port=PCSD_PORT, protocol="tcp", source=members, comment="pcsd"),
    ]
    if serves_web(args):
        comment = "web server of the cluster"
        rules.append(FirewallRule(port=PORT, protocol="tcp", source=ANY, comment=comment))
    return tuple(rules)


def quorum_device_firewall(args: ClusterArgs) -> tuple[FirewallRule, ...]:
    """On the machine of the quorum device: its members."""
    members = tuple(member.address for member in args.members)
    return (FirewallRule(port=QNETD_PORT, protocol="tcp", source=members, comment="quorum device"),)
