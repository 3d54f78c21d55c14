"""Callers of fence_virtd in namespaces on a lab's bridge, each with the address of a machine.

The machines of these tests have nothing to boot. For fence_virtd a member is who has its address
and the key, and that is what a namespace behind the same bridge has.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from components.fencing.choice import PORT
from components.topology import Machine
from lab.libvirt_host.fencing import FenceDaemon
from tests.libvirt.machine_lab import MachineLab
from tests.support.lab import Done
from tests.support.waiting import TAKEOVER_S, wait_until

CHECK = Path(__file__).parents[3] / "components/fencing/templates/check-fencing"


@dataclass(frozen=True)
class Caller:
    """A namespace on the bridge of a lab."""

    namespace: str
    lab: MachineLab

    def run(self, *words: str, stdin: str = "") -> Done:
        done = subprocess.run(
            ["ip", "netns", "exec", self.namespace, *words],
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return Done(done.returncode, done.stdout)

    def fence(
        self, action: str, domain: str = "", *options: str, by: FenceDaemon, key: Path | None = None
    ) -> Done:
        """What fence_virt says here, asking a daemon with its own key or with another one."""
        where = ["-T", str(by.topology.gateway), "-p", str(PORT), "-k", str(key or by.key_file)]
        target = ["-H", domain] if domain else []
        return self.run("fence_virt", *where, "-t", "30", "-o", action, *target, *options)

    def check(self, folder: Path, *plugs: str, by: FenceDaemon) -> Done:
        """What the members' own check says here."""
        options = folder / "options"
        lines = [f"ipaddr={by.topology.gateway}", f"ipport={PORT}", f"key_file={by.key_file}"]
        options.write_text("\n".join(lines) + "\n")
        return self.run("bash", str(CHECK), "fence_virt", str(options), "list", *plugs)

    def pretend(self, address: str, *, to: str) -> None:
        """Speak with somebody else's address to one peer."""
        gateway = str(self.lab.topology.gateway)
        self.run("ip", "address", "add", f"{address}/32", "dev", "eth0").ok()
        self.run("ip", "route", "add", f"{to}/32", "via", gateway, "src", address).ok()


@contextmanager
def caller_as(lab: MachineLab, machine: Machine) -> Iterator[Caller]:
    """A caller with the address of a machine that has not booted."""
    namespace = f"halab-test-{os.getpid()}-{lab.stack[-8:]}"
    port = f"hlt{os.getpid() % 100000}{lab.stack[-1]}"
    inside, at_bridge = ["ip", "-n", namespace], [*lab.host.prefix, "ip"]
    moved = ["netns", namespace]
    address = f"{machine.address}/{lab.topology.network.prefixlen}"
    bridge, gateway = lab.topology.bridge, lab.topology.gateway
    steps = [
        ["ip", "netns", "add", namespace],
        [*at_bridge, "link", "add", port, "type", "veth", "peer", "name", "eth0", *moved],
        [*at_bridge, "link", "set", port, "master", bridge, "up"],
        [*inside, "link", "set", "lo", "up"],
        [*inside, "link", "set", "eth0", "up"],
        [*inside, "address", "add", address, "dev", "eth0"],
        [*inside, "route", "add", "default", "via", str(gateway)],
    ]
    try:
        for step in steps:
            subprocess.run(step, check=True, capture_output=True)
        caller = Caller(namespace, lab)
        # A bridge lets a new port wait before it passes anything.
        dns = ("timeout", "30", "bash", "-c", f"exec 3<>/dev/tcp/{gateway}/53")
        wait_until("the gateway answers", lambda: caller.run(*dns).status == 0, usual_s=TAKEOVER_S)
        yield caller
    finally:
        # The other end of its link goes with it.
        subprocess.run(["ip", "netns", "delete", namespace], check=False, capture_output=True)
