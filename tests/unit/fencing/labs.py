"""Labs with a cluster, as settings give them."""

from __future__ import annotations

from typing import Any

from components.settings.load import load_settings
from components.settings.models import Settings
from components.topology import Machine, Role, Topology, plan
from tests.unit.settings.samples import EXISTING, with_value

VIRTUAL: dict[str, Any] = {"number": 1, "cluster": {"enabled": True}}
RIG = with_value(
    with_value(EXISTING, "machines.networkNamespace", "ha-lab-rig-demo"), "cluster.enabled", True
)
HOSTS = with_value(EXISTING, "cluster.enabled", True)
IPMI = {"agent": "fence_ipmilan", "plugs": {f"node{i}": str(i) for i in (1, 2, 3)}}
OWN = with_value(HOSTS, "cluster.fencing", {"kind": "devices", "devices": {"ipmi": IPMI}})


def lab(data: dict[str, Any], **changes: object) -> tuple[Settings, Topology, tuple[Machine, ...]]:
    """Settings, topology and members. Changes by path, with __ for a dot."""
    for path, value in changes.items():
        data = with_value(data, path.replace("__", "."), value)
    settings = load_settings(data, stack="demo")
    topology = plan(settings, stack="demo")
    return settings, topology, topology.with_role(Role.CLUSTER)
