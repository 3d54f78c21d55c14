"""A lab under test on the rig: what its machines are doing, and how they are broken."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.load_balancer.engine import ENGINES
from components.load_balancer.nginx import LOOK_PATH
from components.settings.load import load_settings
from components.topology import Topology, plan
from lab.rig_stack import host_settings
from lab.stack_file import read_config
from rig import lifecycle, state
from rig.model import Rig
from tests.support.lab import LabUnderTest
from tests.support.requests import TIMEOUT_S, Answer, ask
from tests.support.waiting import TAKEOVER_S, WHOLE_S, wait_until

COMMAND_S = 120.0
"""For a command on a machine: it hangs when it has said nothing for so long, and is not slow."""
STEADY_LOOKS = 4
"""Looks in a row that must agree: right after a fault, one look may hit the moment between."""


@dataclass
class RigLab(LabUnderTest):
    """The rig has the stack's name."""

    balancer: dict[str, Any] = field(default_factory=dict)
    """Settings of the load balancers that all tests of a module have (its engine)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.namespace = self.rig.namespace

    @property
    def rig(self) -> Rig:
        return state.load(self.stack)

    @property
    def rig_home(self) -> Path:
        return state.home(self.stack)

    def balance(self, settings: dict[str, Any] | None = None) -> None:
        """Change the load balancers' settings; without any they are those of the module again."""
        self.change("loadBalancer", {**self.balancer, **(settings or {})} or None)

    @property
    def engine(self) -> str:
        return str(self.balancer.get("engine", "haproxy"))

    @property
    def engine_unit(self) -> str:
        """The unit of the program that balances, without `.service`."""
        return ENGINES[self.engine].unit_name.removesuffix(".service")

    def hosts(self) -> dict[str, dict[str, str]]:
        """The machines as the stack file names them."""
        hosts: dict[str, dict[str, str]] = read_config(self.stack)["machines"]["hosts"]
        return hosts

    def change_hosts(self, hosts: dict[str, dict[str, str]]) -> None:
        self.change("machines", {**read_config(self.stack)["machines"], "hosts": hosts})

    def write_hosts(self) -> None:
        """Take the rig's present machines into the stack file, as `lab rig up` does."""
        self.change_hosts({m.name: host_settings(m) for m in self.rig.machines})

    @property
    def topology(self) -> Topology:
        return plan(load_settings(read_config(self.stack), stack=self.stack), stack=self.stack)

    def url(self, path: str = "/whoami", *, scheme: str = "https") -> str:
        return f"{scheme}://{self.topology.vip}{path}"

    def ask(
        self, path: str = "/whoami", *, scheme: str = "https", timeout_s: float = TIMEOUT_S
    ) -> Answer:
        """One request through the VIP."""
        return ask(self.url(path, scheme=scheme), namespace=self.namespace, timeout_s=timeout_s)

    # -- machines ---------------------------------------------------------------------------------

    def run(self, machine: str, *words: str, timeout_s: float = COMMAND_S) -> str:
        """Run a command as root on a machine, past SSH; fails where it fails."""
        done = self.try_run(machine, *words, timeout_s=timeout_s)
        assert done.returncode == 0, (
            f"{machine}: {words} ended with {done.returncode}: {done.stdout}"
        )
        return done.stdout

    def try_run(
        self, machine: str, *words: str, timeout_s: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        argv = lifecycle.enter_argv(self.stack, machine, words)
        return subprocess.run(
            argv,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )

    def shell(self, machine: str, script: str) -> str:
        return self.run(machine, "bash", "-c", script)

    def power(self, machine: str) -> str:
        return lifecycle.status(self.rig)[machine][0]

    def power_off(self, machine: str) -> None:
        lifecycle.power_off(self.stack, machine)

    def power_on(self, machine: str) -> None:
        lifecycle.power_on(self.stack, machine)

    # -- the VIP ----------------------------------------------------------------------------------

    def owners(self) -> list[str]:
        """The machines that have the VIP on an interface now, of those that run."""
        found = []
        for balancer in ("lb1", "lb2"):
            if self.power(balancer) != "on":
                continue
            text = self.run(balancer, "ip", "-j", "-4", "addr", "show")
            links: list[dict[str, Any]] = json.loads(text)
            addresses = {a["local"] for link in links for a in link["addr_info"]}
            if str(self.topology.vip) in addresses:
                found.append(balancer)
        return found

    def owner(self, *, usual_s: float = TAKEOVER_S) -> str:
        """The one owner; waits for there to be exactly one, the same in several looks in a row."""
        looks: list[list[str]] = []

        def settled() -> str:
            looks.append(self.owners())
            last = looks[-STEADY_LOOKS:]
            same = len(last) == STEADY_LOOKS and all(look == last[0] for look in last)
            return last[0][0] if same and len(last[0]) == 1 else ""

        return wait_until("exactly one VIP owner", settled, usual_s=usual_s)

    def hear_adverts(self, balancer: str, count: int) -> None:
        """Return when so many VRRP adverts of the other load balancer have come in."""
        other = self.topology.machine(self.other(balancer)).address
        heard = ("tcpdump", "-n", "-i", "eth0", "-c", str(count), f"ip proto 112 and src {other}")
        self.run(balancer, *heard)

    @staticmethod
    def other(balancer: str) -> str:
        return "lb2" if balancer == "lb1" else "lb1"

    # -- before and after a test ------------------------------------------------------------------

    def await_whole(self) -> None:
        """All machines on, one owner, the VIP answers, every app server up for both."""
        self.owner(usual_s=WHOLE_S)
        wait_until("the VIP answers", lambda: self.ask().status == 200, usual_s=WHOLE_S)
        for balancer in ("lb1", "lb2"):
            wait_until(
                f"{balancer} sees every app server up",
                lambda who=balancer: not self.down_servers(who),  # type: ignore[misc]
                usual_s=WHOLE_S,
            )
        if self.engine == "nginx":
            # It leaves a server alone for ten seconds that failed, and does not say so.
            wait_until(
                "nginx sends requests to both app servers",
                lambda: {self.ask().machine for _ in range(4)} >= {"app1", "app2"},
                usual_s=WHOLE_S,
            )

    def put_right(self) -> None:
        """Power on what is off, start what was stopped, wait until the lab is whole."""
        self.start_all()
        self.await_whole()

    def start_all(self) -> None:
        """Power on what is off, start what was stopped."""
        for machine, (power, _) in lifecycle.status(self.rig).items():
            if power != "on":
                self.power_on(machine)
        for app in ("app1", "app2", "app3"):
            self.run(app, "systemctl", "start", "nginx")
        for balancer in ("lb1", "lb2"):
            self.run(balancer, "systemctl", "start", self.engine_unit, "keepalived")

    def admin(self, balancer: str, command: str) -> str:
        """What HAProxy answers on its admin socket."""
        script = (
            "import socket;s=socket.socket(socket.AF_UNIX);s.connect('/run/haproxy/admin.sock');"
            f"s.sendall(b'{command}\\n');d=b''\n"
            "while c:=s.recv(65536): d+=c\n"
            "print(d.decode())"
        )
        return self.run(balancer, "python3", "-c", script)

    def servers(self, balancer: str) -> dict[str, str]:
        """State of each server as this load balancer sees it: `backend/server` -> UP or DOWN."""
        if self.engine == "nginx":
            looks = map(json.loads, self.run(balancer, LOOK_PATH).splitlines())
            return {f"{look['backend']}/{look['name']}": look["status"] for look in looks}
        lines = self.admin(balancer, "show stat").splitlines()
        columns = lines[0].lstrip("# ").split(",")
        rows = [dict(zip(columns, line.split(","), strict=False)) for line in lines[1:] if line]
        return {
            f"{row['pxname']}/{row['svname']}": row["status"]
            for row in rows
            if row["svname"] not in ("FRONTEND", "BACKEND")
        }

    def down_servers(self, balancer: str) -> list[str]:
        return [name for name, status in self.servers(balancer).items() if "UP" not in status]
