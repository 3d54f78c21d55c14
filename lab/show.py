"""Tables for people: the plan of a lab, and the outputs of a finished one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table

from components.firewall import firewall_table
from components.firewall_rules import machine_rules, sources
from components.settings.models import Settings
from components.topology import Topology
from lab.terminal import out


def show_plan(settings: Settings, topology: Topology) -> None:
    """Machines and firewall as the topology decides them."""
    out.print(f"[bold]{topology.prefix}[/]  network {topology.network}  VIP {topology.vip}")
    machines = Table("machine", "address", "roles", "memory MiB", "vCPUs", box=None)
    for m in topology.machines:
        roles = ", ".join(sorted(m.roles))
        machines.add_row(m.name, str(m.address), roles, str(m.memory_mib), str(m.vcpus))
    out.print(machines)
    wall = Table("machine", "protocol", "port", "from", "for", box=None)
    for m in topology.machines:
        for row in firewall_table(machine_rules(m, settings, topology), sources(topology)):
            wall.add_row(m.name, *row)
    out.print(wall)


def tier_endpoints(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Where the cluster, the databases and the storage of a lab answer; only those that it has."""
    found = []
    if cluster := values.get("cluster"):
        where = f"{cluster['vip']} on {', '.join(cluster['members'])}"
        url = cluster.get("publicUrl")
        found.append(("cluster", f"{url}   ({where})" if url else where))
    for engine, database in sorted(values.get("database", {}).items()):
        found += [(f"{engine} {kind}", database[kind]) for kind in ("write", "read")]
    if storage := values.get("storage"):
        where = f"{storage['volume']} on {', '.join(storage['servers'])}"
        if uploads := storage.get("uploads"):
            found.append(("uploads", uploads))
        found += [("volume", where), ("mount", storage["mount"])]
    return found


def show_outputs(stack: str, prefix: tuple[str, ...], values: dict[str, Any]) -> None:
    """Where the lab answers, how to log in, and from where."""
    urls, machines = values.get("urls", {}), values.get("machines", {})
    if not urls:
        out.print(f"stack {stack} has no outputs: it is not up (`make up STACK={stack}`)")
        return
    table = Table(box=None, show_header=False)
    table.add_row("VIP", values["vip"])
    for name, url in (*urls.items(), *tier_endpoints(values)):
        table.add_row(name, url)
    for name, machine in machines.items():
        table.add_row(name, f"{machine['ssh']}   ({', '.join(machine['roles'])})")
    out.print(table)
    if prefix:
        words = " ".join(prefix)
        out.print("The lab is reached from its own network namespace, for example:", soft_wrap=True)
        out.print(f"  {words} curl -k {urls['https']}", soft_wrap=True)
