"""Small machines for tests: network, mount and process namespaces, and nothing of ours outside.

A machine sees this system's programs, and has copies of its own of /etc, /usr/local and /var
(overlays in memory), an empty /run, and one interface `eth0` on a bridge that exists only in the
segment's namespace. When the test ends, or is killed, the kernel removes everything.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeVar

from components.files import RenderedFile, ServicePlan
from tests.support.waiting import MOMENT_S, TAKEOVER_S, deadline_s, wait_until

_T = TypeVar("_T")
_OVERLAYS = """
set -e
mount -t tmpfs tmpfs /run
for dir in etc usr/local var; do
    mkdir -p /run/.overlay/$dir/upper /run/.overlay/$dir/work
    mount -t overlay overlay \
        -o lowerdir=/$dir,upperdir=/run/.overlay/$dir/upper,workdir=/run/.overlay/$dir/work /$dir
done
mkdir -p /run/haproxy
"""
_READY = "echo ready; exec sleep infinity"
_TIMEOUT_S = 60
"""For a command; it hangs when it takes so long."""


def why_no_machines() -> str | None:
    """The reason why there can be none here and what would change that, or None."""
    if os.geteuid() != 0:
        return "namespaced machines need root: run the tests as root"
    missing = [
        tool for tool in ("unshare", "nsenter", "setpriv", "ip") if shutil.which(tool) is None
    ]
    if missing:
        return f"namespaced machines need {', '.join(missing)}: install util-linux and iproute2"
    return None


def wait_for(what: str, ask: Callable[[], _T], *, usual_s: float = TAKEOVER_S) -> _T:
    """Ask, often, until the answer is true."""
    return wait_until(what, ask, usual_s=usual_s, every_s=0.01)


@dataclass(kw_only=True)
class Machine:
    """One machine; `run` and `start` execute inside it."""

    name: str
    pid: int
    """Process id, outside, of its first process."""
    daemons: list[subprocess.Popen[str]] = field(default_factory=list)

    def command(self, argv: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self.pid}", "--net", "--mount", "--pid", "--", *argv]

    def run(self, *argv: str, stdin: str | None = None, check: bool = True) -> str:
        """Output (both streams) of a command."""
        done = subprocess.run(
            self.command(argv),
            input=None if stdin is None else stdin.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_TIMEOUT_S,
            check=False,
        )
        output = done.stdout.decode(errors="replace")
        if check and done.returncode != 0:
            raise AssertionError(f"{self.name}: {shlex.join(argv)}: {done.returncode}: {output}")
        return output

    def succeeds(self, *argv: str) -> bool:
        return (
            subprocess.run(
                self.command(argv), capture_output=True, timeout=_TIMEOUT_S, check=False
            ).returncode
            == 0
        )

    def start(self, *argv: str) -> subprocess.Popen[str]:
        """Start a daemon in the foreground; it ends with the machine. Its log is /run/NAME.log."""
        log = f"/run/{argv[0]}.log"
        line = f"exec {shlex.join(argv)} >>{log} 2>&1"
        daemon = subprocess.Popen(self.command(["sh", "-c", line]), text=True)
        self.daemons.append(daemon)
        return daemon

    def read(self, path: str) -> str:
        return self.run("cat", path)

    def put(self, file: RenderedFile) -> None:
        """What the applier does with a file, but for systemd, which these machines have not."""
        staged = f"{file.path}.staged"
        install = (
            f"mkdir -p {Path(file.path).parent} && cat >{staged} && chmod {file.mode:o} {staged}"
        )
        self.run("sh", "-c", install, stdin=file.content)
        if file.validate:
            self.run("sh", "-c", file.validate.replace("{staged}", staged))
        self.run("mv", staged, file.path)
        if file.then and not file.then.startswith("systemctl"):
            self.run("sh", "-c", file.then)

    def apply(self, plan: ServicePlan) -> None:
        for file in plan.files:
            self.put(file)

    def get(self, url: str, *options: str) -> str:
        """Status, headers and body of a GET from this machine."""
        return self.run(
            "curl", "-sSik", "--noproxy", "*", "--max-time", "30", *options, url, check=False
        )

    def owns(self, address: str) -> bool:
        return f" {address}/" in self.run("ip", "-o", "-4", "address")


@contextmanager
def segment(addresses: dict[str, str]) -> Iterator[dict[str, Machine]]:
    """Machines by name, each with its address (`10.0.0.1/24`) on one network segment."""
    with ExitStack() as stack:
        switch = stack.enter_context(_machine("switch"))
        switch.run("ip", "link", "add", "br0", "type", "bridge")
        switch.run("ip", "link", "set", "br0", "up")
        machines = {name: stack.enter_context(_machine(name)) for name in addresses}
        for name, address in addresses.items():
            machine = machines[name]
            pair = ["type", "veth", "peer", "name", "eth0", "netns", str(machine.pid)]
            # Both ends are made inside namespaces: this system's own network never sees them.
            outside = [f"--target={switch.pid}", "--net", "ip", "link", "add", f"v-{name}", *pair]
            subprocess.run(["nsenter", *outside], check=True)
            switch.run("ip", "link", "set", f"v-{name}", "master", "br0", "up")
            machine.run("ip", "address", "add", address, "dev", "eth0")
            machine.run("ip", "link", "set", "eth0", "up")
        machines["switch"] = switch
        yield machines


@contextmanager
def _machine(name: str) -> Iterator[Machine]:
    namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    script = f"ip link set lo up\n{_OVERLAYS}\n{_READY}"
    # setpriv: a test process that is killed takes the machine with it.
    holder = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "unshare", *namespaces, "sh", "-c", script],
        stdout=subprocess.PIPE,
        text=True,
    )
    machine: Machine | None = None
    try:
        assert holder.stdout is not None
        _await_ready(name, holder.stdout)
        children = Path(f"/proc/{holder.pid}/task/{holder.pid}/children").read_text().split()
        machine = Machine(name=name, pid=int(children[0]))
        yield machine
    finally:
        holder.kill()
        holder.wait()
        for daemon in machine.daemons if machine else ():
            # Its process is gone with the machine; nsenter itself may still be stopped, because
            # it stops when its child is stopped.
            daemon.kill()
            daemon.wait(timeout=deadline_s(MOMENT_S))


def _await_ready(name: str, output: IO[str]) -> None:
    said = output.readline()
    assert said == "ready\n", f"machine {name} did not come up; it said {said!r}"
