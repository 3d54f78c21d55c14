"""ansible-core in a virtual environment of the bench's own, set up for speed, on a rig."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bench.clock import Timed, timed
from bench.playbook import Play
from components.files import ServicePlan

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
FORKS = 10
CONFIGURATION = """\
[defaults]
forks = {forks}
inventory = {home}/inventory.yaml
gathering = explicit
retry_files_enabled = false
[ssh_connection]
pipelining = true
ssh_args = -o ControlMaster=auto -o ControlPersist=60s -o UserKnownHostsFile={home}/known_hosts \
-o StrictHostKeyChecking=yes
control_path_dir = {home}/sockets
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ansible:
    """ansible-playbook against one rig."""

    home: Path
    """Directory for environment, inventory and files; removed by who made it."""
    prefix: tuple[str, ...]
    """Words before a command that must reach the machines."""

    def install(self) -> None:
        """Pinned packages into a virtual environment; needs a package registry."""
        timed([sys.executable, "-m", "venv", str(self.home / "venv")], cwd=self.home)
        pip = [str(self.home / "venv/bin/pip"), "install", "-q", "-r", str(REQUIREMENTS)]
        timed(pip, cwd=self.home)

    def meet(self, hosts: Mapping[str, Mapping[str, str]], private_key: Path) -> None:
        """Write configuration, inventory and pinned host keys."""
        text = CONFIGURATION.format(forks=FORKS, home=self.home)
        (self.home / "ansible.cfg").write_text(text)
        keys = [f"{host['address']} {host['hostKey']}\n" for host in hosts.values()]
        (self.home / "known_hosts").write_text("".join(keys))
        common = {
            "ansible_ssh_private_key_file": str(private_key),
            "ansible_python_interpreter": "/usr/bin/python3",
        }
        members = {
            name: {"ansible_host": host["address"], "ansible_user": host["user"]}
            for name, host in hosts.items()
        }
        inventory = {"all": {"vars": common, "hosts": members}}
        (self.home / "inventory.yaml").write_text(yaml.safe_dump(inventory, sort_keys=False))

    def write_files(self, plans: Mapping[str, Sequence[ServicePlan]]) -> None:
        """What the playbook copies, by machine."""
        for name, services in plans.items():
            for file in (file for plan in services for file in plan.files):
                path = self.home / "files" / name / file.path.lstrip("/")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(file.content.encode())

    def play(self, plays: Sequence[Play]) -> Timed:
        """Run a playbook. Raises BenchError where a task failed."""
        book = self.home / "playbook.yaml"
        book.write_text(json.dumps(plays, indent=1))
        return timed(
            [*self.prefix, str(self.home / "venv/bin/ansible-playbook"), str(book)],
            cwd=self.home,
            environment={
                "ANSIBLE_CONFIG": str(self.home / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.home / "home"),
                "PATH": f"{self.home}/venv/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            },
        )

    def hang_up(self) -> None:
        """End the SSH connections that ansible keeps for a minute."""
        for socket in (self.home / "sockets").glob("*"):
            argv = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "bench"]
            timed([*self.prefix, *argv], cwd=self.home)
