"""fence_virtd's configuration: one daemon a lab, on its bridge, for its members alone. Pure.

What the daemon does about a request (fence_virt.conf(5) and its source, version 4.12.1): the caller
must sign with the key and answer a challenge; then the address of the TCP connection's other end
has to stand in a group as `ip`, and the domain that is asked for in the same group as `uuid`. With
no group at all everything is allowed, and with a key file that cannot be read the key is not asked
for: who starts the daemon has to see to both (`lab.libvirt_host.fencing`).
"""

from __future__ import annotations

from pathlib import Path

from components.fencing.choice import PORT
from components.machines.names import domain_name
from components.rendering import Templates
from components.topology import Role, Topology

_TEMPLATES = Templates(Path(__file__).parent / "templates")


def virtd_conf(topology: Topology, *, uri: str, key_file: str) -> str:
    """The text of fence_virt.conf for this lab."""
    members = topology.with_role(Role.CLUSTER)
    if not members:
        raise ValueError(f"the lab {topology.stack} has no cluster members, so nobody may fence")
    values = {
        "address": topology.gateway,
        "port": PORT,
        "key_file": key_file,
        "uri": uri,
        "name": topology.prefix,
        "callers": [member.address for member in members],
        "domains": [domain_name(topology, member) for member in members],
    }
    return _TEMPLATES.render("fence_virt.conf.j2", values)
