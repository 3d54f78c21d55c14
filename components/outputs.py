"""Names and shape of the stack outputs: the interface of the `lab` command and of scripts.

`OUTPUTS_VERSION` grows when a name or a meaning changes; new names alone do not change it.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.settings.models import Settings
from components.timers import Timers, predict
from components.topology import Machine, Topology

OUTPUTS_VERSION = 1


def public_outputs(settings: Settings, topology: Topology, timers: Timers) -> dict[str, object]:
    """Every output that is no secret. Pure: they are known before anything exists."""
    return {
        "version": OUTPUTS_VERSION,
        "stack": topology.stack,
        "vip": str(topology.vip),
        "urls": urls(settings, topology),
        "machines": {m.name: machine_output(m, settings) for m in topology.machines},
        "timers": {"name": settings.timers, "predictedFailoverS": dict(predict(timers))},
        "provider": settings.machines.provider,
        "prefix": topology.prefix,
        "drill": {"allowed": settings.drill.allowed},
    }


def urls(settings: Settings, topology: Topology) -> dict[str, str]:
    """Where clients go; always the VIP."""
    balancer, vip = settings.load_balancer, topology.vip
    return {
        "http": _url("http", vip, balancer.http_port, 80),
        "https": _url("https", vip, balancer.https_port, 443),
        "stats": f"http://{vip}:{balancer.stats.port}/stats",
    }


def _url(scheme: str, host: object, port: int, ordinary: int) -> str:
    return f"{scheme}://{host}/" if port == ordinary else f"{scheme}://{host}:{port}/"


def machine_output(machine: Machine, settings: Settings) -> Mapping[str, object]:
    """Address, roles and how to log in."""
    host = settings.machines.hosts.get(machine.name)
    user = (host.user if host else None) or settings.machines.user
    port = host.port if host else 22
    words = ["ssh", *(["-p", str(port)] if port != 22 else []), f"{user}@{machine.address}"]
    return {
        "address": str(machine.address),
        "roles": sorted(machine.roles),
        "user": user,
        "port": port,
        "ssh": " ".join(words),
    }
