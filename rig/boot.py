"""How a machine is started: its network, its cgroups, its disk, systemd-nspawn; as text. No I/O."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rig.model import Machine, Rig

#: Status with which nspawn asks for a new start when the machine reboots itself.
REBOOT_STATUS = 133


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What of the host decides how machines start.

    `cgroups`: folders in which each machine gets one of its own (none under systemd, which makes
    a scope for it); `unified`: the host has only cgroup v2.
    """

    cgroups: tuple[Path, ...]
    unified: bool
    systemd: bool


def network_commands(rig: Rig, machine: Machine) -> list[str]:
    """`ip` commands (without the word ip) that give a machine its namespace and its link."""
    inside, port = rig.machine_namespace(machine.name), machine.name
    prefix = rig.network.prefixlen
    return [
        f"netns add {inside}",
        f"-n {rig.namespace} link add {port} type veth peer name eth0 netns {inside}",
        f"-n {inside} link set lo up",
        f"-n {inside} link set eth0 address {rig.mac(machine.name)} up",
        f"-n {inside} address add {machine.address}/{prefix} dev eth0",
        f"-n {inside} route add default via {rig.gateway}",
        f"-n {rig.namespace} link set {port} master br0 up",
    ]


def container(rig: Rig, machine: str) -> str:
    """The name by which systemd-nspawn knows this machine."""
    return f"{rig.name}.{machine}"


def nspawn_argv(rig: Rig, machine: Machine, root: Path, host: Host) -> list[str]:
    """The command that boots `root` as this machine.

    Without CAP_SYS_TIME a machine cannot turn the host's clock, without CAP_SYS_MODULE not load
    its kernel modules.
    """
    return [
        "systemd-nspawn",
        "--register=no",
        "--keep-unit",
        "--boot",
        "--quiet",
        f"--directory={root}",
        f"--machine={container(rig, machine.name)}",
        f"--hostname={machine.name}",
        f"--network-namespace-path=/run/netns/{rig.machine_namespace(machine.name)}",
        "--capability=all",
        "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE",
        "--bind=/dev/fuse",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        f"systemd.unified_cgroup_hierarchy={int(host.unified or rig.release != 'bookworm')}",
    ]


_SCRIPT = """\
#!/bin/sh
# Machine {machine} of rig {rig}: boots it, again when it reboots itself, and ends when it is off.
# Written and started by the rig tool. Its disk is mounted where only this process tree sees it,
# so that nothing stays mounted when the tree is gone.
set -eu
export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
cd {home}
echo "$$ $(cut -d' ' -f22 /proc/$$/stat)" >supervisor.pid
{join_cgroups}
while :; do
  # A machine that lost its power keeps neither addresses nor firewall: its namespace is new.
  ip netns delete {namespace} 2>/dev/null || :
  ip -n {rig_namespace} link delete {machine} 2>/dev/null || :
{network}
  status=0
  unshare --mount --propagation slave sh -euc {start} || status=$?
  ip netns delete {namespace} 2>/dev/null || :
  ip -n {rig_namespace} link delete {machine} 2>/dev/null || :
  [ "$status" = {reboot} ] || exit "$status"
done
"""


def run_script(rig: Rig, machine: Machine, home: Path, tree: Path, host: Host) -> str:
    """The shell script that is the machine's supervisor; `home` holds its disk and its logs."""
    mount = f"mount -t overlay overlay -o lowerdir={tree},upperdir={home}/upper,workdir={home}/work"
    nspawn = shlex.join(nspawn_argv(rig, machine, home / "root", host))
    start = f"{mount} {home}/root; exec {nspawn}"
    return _SCRIPT.format(
        machine=machine.name,
        rig=rig.name,
        home=shlex.quote(str(home)),
        join_cgroups="\n".join(_join(cgroup / _own(rig, machine)) for cgroup in host.cgroups),
        namespace=rig.machine_namespace(machine.name),
        rig_namespace=rig.namespace,
        network="\n".join(f"  ip {line}" for line in network_commands(rig, machine)),
        start=shlex.quote(start),
        reboot=REBOOT_STATUS,
    )


def launch_argv(rig: Rig, machine: Machine, script: Path, host: Host) -> list[str]:
    """The command that starts the script; under systemd in a scope of its own."""
    if not host.systemd:
        return ["sh", str(script)]
    scope = f"--unit={rig.machine_namespace(machine.name)}.scope"
    options = ["--scope", "--quiet", "--collect", "--property=Delegate=yes"]
    return ["systemd-run", *options, scope, "sh", str(script)]


def own_cgroups(rig: Rig, host: Host, machine: str | None = None) -> list[Path]:
    """The cgroups that a machine (or all of the rig) may leave behind."""
    parts = ("ha-lab-rig", rig.name, *([machine] if machine else []))
    return [cgroup.joinpath(*parts) for cgroup in host.cgroups]


def _own(rig: Rig, machine: Machine) -> Path:
    return Path("ha-lab-rig", rig.name, machine.name)


def _join(cgroup: Path) -> str:
    return f"mkdir -p {cgroup} && echo $$ >{cgroup}/cgroup.procs"


def missing_tools(found: Sequence[str]) -> list[str]:
    """Debian packages of the commands among those the rig needs that were not `found`."""
    needed = {
        "systemd-nspawn": "systemd-container",
        "ip": "iproute2",
        "unshare": "util-linux",
        "nsenter": "util-linux",
    }
    return sorted({package for command, package in needed.items() if command not in found})
