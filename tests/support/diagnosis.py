"""How a lab under test is at the moment at which a test failed."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from components.machines import names
from rig import lifecycle, state
from tests.support.lab import LabUnderTest
from tests.support.rig_lab import RigLab
from tests.support.vm_lab import VmLab

LINES = 30
"""Of each unit's journal."""
PATIENCE_S = 30
UNITS = {
    "lb": ("keepalived", "haproxy"),
    "app": ("nginx",),
    "db": ("postgresql@*", "mariadb", "ha-lab-database", "corosync", "pacemaker"),
    "gluster": ("glusterd", "corosync", "pacemaker"),
    "node": ("keepalived", "haproxy", "nginx", "corosync", "pacemaker"),
}
"""What runs on a machine, by the beginning of its name."""
LOOK = """
systemctl --failed --no-legend --plain
ip -brief -4 address
[ -d /etc/keepalived ] && tail -n 3 /var/log/keepalived-notify.log
[ -S /run/haproxy/admin.sock ] && python3 - <<'END'
import socket
asked = socket.socket(socket.AF_UNIX)
asked.connect("/run/haproxy/admin.sock")
asked.sendall(b"show stat\\n")
head, *rows = asked.makefile().read().splitlines()
names = head.lstrip("# ").split(",")
for row in (dict(zip(names, row.split(","))) for row in rows if row):
    print(row["pxname"], row["svname"], row["status"], row["check_status"])
END
"""
"""VIP, failed units, keepalived's last words, and HAProxy's servers, where there are such."""


def describe_labs(found: Iterable[object]) -> list[tuple[str, str]]:
    """A titled text for each machine of the labs among a test's fixtures."""
    labs = {id(one): one for one in found if isinstance(one, LabUnderTest)}
    return [section for lab in labs.values() for section in _described(lab)]


def units_of(machine: str) -> tuple[str, ...]:
    """The units whose journal says what a machine did."""
    return UNITS.get(machine.rstrip("0123456789"), ())


def _described(lab: LabUnderTest) -> Iterator[tuple[str, str]]:
    try:
        if isinstance(lab, RigLab):
            yield from _rig(lab)
        elif isinstance(lab, VmLab):
            yield from _machines(lab)
    except Exception as error:  # noqa: BLE001 - the test's own failure must be told in any case
        yield (f"lab {lab.stack}", f"could not be described: {error!r}")


def _rig(lab: RigLab) -> Iterator[tuple[str, str]]:
    for machine, (power, link) in lifecycle.status(lab.rig).items():
        words = [f"power {power}, link {link}"]
        if power == "on":
            words.append(lab.try_run(machine, "sh", "-c", LOOK, timeout_s=PATIENCE_S).stdout)
        words.append(_rig_journal(lab, machine, is_on=power == "on"))
        yield (f"{lab.stack}: {machine}", "\n".join(words))


def _rig_journal(lab: RigLab, machine: str, *, is_on: bool) -> str:
    """Of each of the machine's units; from its disk where it is off or frozen."""
    disk = state.machine_home(lab.rig, machine) / "upper/var/log/journal"
    said = []
    for unit in units_of(machine):
        words = _journal_of(unit)
        if is_on:
            said.append(lab.try_run(machine, *words, timeout_s=PATIENCE_S).stdout)
        else:
            said.append(_output([*words, f"--directory={disk}"]))
    return "\n".join(said)


def _journal_of(unit: str) -> list[str]:
    return ["journalctl", "--no-pager", "--output=short-precise", f"--lines={LINES}", "-u", unit]


def _machines(lab: VmLab) -> Iterator[tuple[str, str]]:
    yield (f"{lab.stack}: libvirt", lab.host.virsh("list", "--all"))
    running = lab.host.virsh.names("list", "--name")
    for machine in lab.topology.machines:
        if lab.domain(machine.name) not in running:
            yield (f"{lab.stack}: {machine.name}", "it is off")
            continue
        journals = [shlex.join(_journal_of(unit)) for unit in units_of(machine.name)]
        script = shlex.quote("; ".join([LOOK, *journals]))
        yield (f"{lab.stack}: {machine.name}", lab.ssh(machine.name, f"sudo sh -c {script}").text)
    pool = Path(names.pool_path(lab.settings.libvirt, lab.topology))
    for machine in lab.topology.machines:
        console = pool / names.console_volume(machine)
        yield (console.name, _output(["tail", "-n", str(LINES), str(console)]))


def _output(argv: list[str]) -> str:
    done = subprocess.run(
        argv, capture_output=True, text=True, errors="replace", timeout=PATIENCE_S, check=False
    )
    return done.stdout + done.stderr
