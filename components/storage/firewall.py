"""What must be able to reach a storage machine. Pure."""

from __future__ import annotations

from components.firewall import FirewallRule
from components.storage.args import StorageArgs

DAEMON_PORT = 24007
FIRST_BRICK_PORT, LAST_BRICK_PORT = 49152, 49251
"""Since release 10 a brick has a random port between these two, which glusterd.vol says."""


def storage_firewall(args: StorageArgs) -> tuple[FirewallRule, ...]:
    """The other servers and the clients: both talk to the daemon and to every brick."""
    source = tuple(sorted({node.address for node in (*args.servers, *args.clients)}))
    return (
        FirewallRule(port=DAEMON_PORT, protocol="tcp", source=source, comment="glusterd"),
        FirewallRule(
            port=FIRST_BRICK_PORT,
            last_port=LAST_BRICK_PORT,
            protocol="tcp",
            source=source,
            comment="bricks of Gluster",
        ),
    )
