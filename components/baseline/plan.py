"""The baseline of a machine as a service plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from components.files import Family, RenderedFile, ServicePlan, ServiceUnit
from components.firewall import FirewallRule, Sources, firewall_plan
from components.pacemaker.leave import no_member_file
from components.rendering import HEADER, Templates
from components.topology import Machine, Role, Topology

_TEMPLATES = Templates(Path(__file__).parent / "templates")
CLOCK_SERVERS = 2
"""The first machines of a lab keep its time where no server outside can be asked."""

PACKAGES: dict[Family, tuple[str, ...]] = {
    "debian": ("chrony", "nftables", "curl", "ca-certificates"),
    "redhat": ("chrony", "nftables", "curl", "ca-certificates"),
}
UPDATERS = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "unattended-upgrades.service",
    "dnf-automatic.timer",
    "dnf-makecache.timer",
)
"""What would change or restart a service by itself, in the middle of a drill."""
CHRONY_RULE = FirewallRule(protocol="udp", port=123, source="lab", comment="time (NTP)")


def baseline_plan(
    machine: Machine,
    topology: Topology,
    *,
    user: str,
    rules: Iterable[FirewallRule],
    sources: Sources,
    firewall: bool,
) -> ServicePlan:
    """Everything of a machine that does not depend on its roles, and the firewall that does.

    `user`: the administrator whose SSH brings all this; his way in stays open.
    """
    chrony = _chrony(topology)
    wall = firewall_plan([*rules, CHRONY_RULE], sources) if firewall else None
    return ServicePlan(
        name="baseline",
        packages=PACKAGES,
        files=(
            _hosts(machine, topology),
            # Before the firewall: whoever leaves the cluster says so to the others.
            *(() if machine.has(Role.CLUSTER) else (no_member_file(topology.prefix),)),
            _cloud_init(),
            _sshd(user),
            chrony,
            *(wall.files if wall else ()),
        ),
        units=(
            *(ServiceUnit(name=name, running=False) for name in UPDATERS),
            ServiceUnit(name="chrony.service", redhat="chronyd.service", restart_on=(chrony.path,)),
            *(wall.units if wall else ()),
        ),
    )


def _hosts(machine: Machine, topology: Topology) -> RenderedFile:
    cluster = bool(topology.with_role(Role.CLUSTER))
    values = {"machine": machine, "topology": topology, "cluster": cluster}
    return RenderedFile(path="/etc/hosts", content=_TEMPLATES.render("hosts.j2", values))


def _cloud_init() -> RenderedFile:
    """/etc/hosts is the lab's now: cloud-init would put 127.0.1.1 into it again at every boot,
    and the cluster's members would take themselves for loopback."""
    return RenderedFile(
        path="/etc/cloud/cloud.cfg.d/99-ha-lab.cfg",
        content=f"# {HEADER}\nmanage_etc_hosts: false\n",
    )


def _sshd(user: str) -> RenderedFile:
    return RenderedFile(
        path="/etc/ssh/sshd_config.d/10-ha-lab.conf",
        content=_TEMPLATES.render("sshd.conf.j2", {"user": user}),
        mode=0o600,
        validate="sshd -t -f {staged}",
        # The unit is ssh on Debian and sshd elsewhere; a reload keeps sessions.
        then="systemctl reload ssh.service 2>/dev/null || systemctl reload sshd.service",
    )


def _chrony(topology: Topology) -> RenderedFile:
    values = {"servers": topology.machines[:CLOCK_SERVERS], "network": topology.network}
    return RenderedFile(
        path="/etc/chrony/conf.d/ha-lab.conf", content=_TEMPLATES.render("chrony.conf.j2", values)
    )
