"""Two load balancers with sshd, and the network namespace from which probes look at them."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lab.drill.events import Owner
from lab.drill.scene import Scene
from lab.drill.target import target_from
from lab.machines import Machines
from tests.contract.sshd import make_key
from tests.support.services.machines import Machine, segment, wait_for
from tests.unit.drill.probes.probing import Seen, running
from tests.unit.drill.world import World, outputs

VIP = "10.16.1.100"
ADDRESSES = {"lb1": "10.16.1.11/24", "lb2": "10.16.1.12/24", "client": "10.16.1.50/24"}
PAIR = ("lb1", "lb2")
AHEAD_S = {"lb1": 0, "lb2": 5000}
"""By so much the monotonic clock of each is ahead of this host's, as that of a virtual machine."""
NAMESPACE = "ha-lab-test-probes-"
SSHD = """
mkdir -p /run/sshd /run/key /usr/local/bin
ssh-keygen -q -t ed25519 -N '' -f /run/key/host
cat >/run/key/authorized
cat >/run/key/config <<EOF
HostKey /run/key/host
AuthorizedKeysFile /run/key/authorized
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile /run/sshd.pid
EOF
command -v sudo || { printf '#!/bin/sh\\nshift; exec "$@"\\n' >/usr/local/bin/sudo
    chmod 755 /usr/local/bin/sudo; }
"""


@dataclass
class ProbeLab:
    """The machines, and how a drill would reach them."""

    machines: dict[str, Machine]
    namespace: str
    key: Path
    host_keys: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def take_vip(self, name: str) -> None:
        """Without an announcement, as the kernel alone does it."""
        self[name].run("ip", "address", "add", f"{VIP}/32", "dev", "eth0")

    def leave_vip(self, name: str) -> None:
        self[name].run("ip", "address", "del", f"{VIP}/32", "dev", "eth0")

    def nobody_has_it(self) -> None:
        for name in PAIR:
            if self[name].owns(VIP):
                self.leave_vip(name)

    def mac(self, name: str) -> str:
        (link,) = json.loads(self[name].run("ip", "-j", "link", "show", "eth0"))
        return str(link["address"])

    def start_sshd(self, name: str) -> None:
        machine = self[name]
        clock = ("--time", "--monotonic", str(AHEAD_S[name]), "--fork", "--kill-child")
        machine.start("unshare", *clock, "/usr/sbin/sshd", "-D", "-f", "/run/key/config")
        probe = "exec 3<>/dev/tcp/127.0.0.1/22"
        wait_for(f"sshd of {name}", lambda: machine.succeeds("bash", "-c", probe))

    def install_sshd(self, name: str) -> None:
        self[name].run("sh", "-c", SSHD, stdin=self.key.with_suffix(".pub").read_text())
        words = self[name].read("/run/key/host.pub").split()
        self.host_keys[name] = " ".join(words[:2])
        self.start_sshd(name)

    def cut(self, name: str) -> None:
        self["switch"].run("ip", "link", "set", f"v-{name}", "nomaster")

    def join(self, name: str) -> None:
        self["switch"].run("ip", "link", "set", f"v-{name}", "master", "br0")

    @asynccontextmanager
    async def seen_by(self, probe: object) -> AsyncIterator[Seen]:
        """What a probe sees of this lab for the length of the block."""
        machines = {
            name: {"address": ADDRESSES[name].split("/")[0], "roles": ["load_balancer"]}
            for name in PAIR
        }
        login = {"user": "root", "port": 22}
        found = {name: {**machine, **login} for name, machine in machines.items()}
        target = target_from({**outputs(), "machines": found, "vip": VIP}, stack="demo")
        async with Machines(
            target.machines,
            private_key=self.key.read_text(),
            host_keys=self.host_keys,
            namespace=self.namespace,
        ) as ssh:
            control = World().scene.control
            scene = Scene(target=target, machines=ssh, control=control, namespace=self.namespace)
            async with running(probe, scene) as seen:  # type: ignore[arg-type]
                yield seen


@contextmanager
def probe_lab(folder: Path) -> Iterator[ProbeLab]:
    """The lab; its client's namespace has a name as long as it is there."""
    with segment(ADDRESSES) as machines:
        namespace = f"{NAMESPACE}{os.getpid()}"
        _forget_killed()
        client = str(machines["client"].pid)
        subprocess.run(["ip", "netns", "attach", namespace, client], check=True)
        try:
            lab = ProbeLab(machines, namespace, make_key(folder / "key"))
            for name in PAIR:
                lab.install_sshd(name)
            yield lab
        finally:
            subprocess.run(["ip", "netns", "delete", namespace], check=True)


def _forget_killed() -> None:
    """A test that was killed leaves the name of its namespace."""
    for name in Path("/run/netns").glob(f"{NAMESPACE}*"):
        if not Path("/proc", name.name.removeprefix(NAMESPACE)).exists():
            subprocess.run(["ip", "netns", "delete", name.name], check=True)


def owners_of(seen: Seen, source: str) -> list[tuple[str, ...]]:
    """What one source said, without the repetitions, in the order of its moments."""
    looks = [e for e in seen.events if isinstance(e, Owner) and e.source == source]
    found: list[tuple[str, ...]] = []
    for look in sorted(looks, key=lambda look: look.t):
        if found[-1:] != [look.owners]:
            found.append(look.owners)
    return found
