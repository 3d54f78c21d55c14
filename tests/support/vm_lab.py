"""A lab under test on virtual machines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from components.settings.load import load_settings
from components.settings.models import Settings
from components.topology import Topology, plan
from lab.libvirt_host.daemon import LibvirtHost
from lab.libvirt_host.inventory import list_everything
from lab.libvirt_host.leftovers import Plan, clean_leftovers
from lab.pulumi_cli import write_private
from lab.stack_file import ROOT, read_config
from tests.support.lab import Done, LabUnderTest
from tests.support.own_lines import MAKER
from tests.support.requests import Answer, ask
from tests.support.waiting import EMULATED_BOOT_S, EMULATED_S, deadline_s, wait_until

LONGEST_READY_S = 7200
"""The most that `machines.readyTimeoutS` may be."""
SSH_OPTIONS = (
    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
    "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=30", "-o", "BatchMode=yes",
)  # fmt: skip


@dataclass
class VmLab(LabUnderTest):
    """The compact topology: node1 and node2 are the load balancers."""

    host: LibvirtHost = field(kw_only=True)
    before: frozenset[str] = frozenset()
    """Everything that libvirt had before the lab."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.namespace = self.host.prefix[-1] if self.host.prefix else None

    def begin_empty(self) -> None:
        """What an interrupted run of these tests left goes; its Pulumi state is gone already."""
        whole = Plan(settings=self.settings, topology=self.topology, maker=MAKER, backend=MAKER)
        clean_leftovers(self.host.virsh, whole)
        self.before = list_everything(self.host)

    @property
    def settings(self) -> Settings:
        return load_settings(read_config(self.stack), stack=self.stack)

    @property
    def topology(self) -> Topology:
        return plan(self.settings, stack=self.stack)

    def ask(self, path: str = "/whoami") -> Answer:
        """One request through the VIP."""
        url = f"https://{self.topology.vip}{path}"
        return ask(url, namespace=self.namespace)

    def ssh(self, machine: str, command: str) -> Done:
        """Run a command over SSH with the stack's own key."""
        target = f"lab@{self.topology.machine(machine).address}"
        argv = [*self.host.prefix, "ssh", *SSH_OPTIONS, "-i", str(self._key()), target, command]
        done = subprocess.run(argv, text=True, capture_output=True, timeout=120, check=False)
        return Done(done.returncode, done.stdout + done.stderr)

    def _key(self) -> Path:
        path = self.state / "administrator"
        if not path.exists():
            words = ["pulumi", "stack", "output", "credentials", "--show-secrets", "--json"]
            done = subprocess.run(
                [*words, "--stack", self.stack],
                cwd=ROOT, env=self.env, text=True, capture_output=True, check=True,
            )  # fmt: skip
            write_private(path, json.loads(done.stdout)["sshPrivateKey"])
        return path

    def owners(self) -> list[str]:
        """The load balancers that say that they have the VIP."""
        mark = f"inet {self.topology.vip}/"
        return [n for n in ("node1", "node2") if mark in self.ssh(n, "ip -4 addr show").text]

    def owner(self) -> str:
        """The one owner; waits for there to be exactly one."""

        def only_one() -> str:
            owners = self.owners()
            return owners[0] if len(owners) == 1 else ""

        return wait_until("exactly one VIP owner", only_one, usual_s=EMULATED_S)

    @staticmethod
    def other(balancer: str) -> str:
        return "node2" if balancer == "node1" else "node1"

    def domain(self, machine: str) -> str:
        """Its name in libvirt."""
        return f"{self.topology.prefix}-{machine}"

    def power_off(self, machine: str) -> None:
        """Hard, as a power cut."""
        self.host.virsh("destroy", self.domain(machine))


L = TypeVar("L", bound=VmLab)


@contextmanager
def deployed_vms(
    kind: type[L], stack: str, settings: Mapping[str, object], *, state: Path, host: LibvirtHost
) -> Iterator[L]:
    """A compact lab of these settings on virtual machines, to be drilled too; gone afterwards."""
    made = kind(stack, state, host=host)
    made.forget()
    ready_s = min(round(deadline_s(EMULATED_BOOT_S)), LONGEST_READY_S)
    common = {
        "topology": "compact",
        "timers": "relaxed",
        "drill": {"allowed": True},
        "machines": {"readyTimeoutS": ready_s},
    }
    made.write({**common, **settings})
    made.begin_empty()
    try:
        made.up().ok()
        yield made
    finally:
        if made.file.exists():
            made.down()
            made.forget()
