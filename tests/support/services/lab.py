"""The pair, three app servers and a client on one segment, with the real daemons."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from components.app_server import AppServerArgs, app_server_plan
from components.load_balancer import LoadBalancerArgs, load_balancer_plan
from components.load_balancer.haproxy import CONFIG_PATH, SAVE_STATE_PATH
from tests.golden.cases import VIP
from tests.support.services.certificate import SITE_PEM
from tests.support.services.machines import Machine, segment, wait_for
from tests.support.waiting import TAKEOVER_S, deadline_s

PAIR = ("lb1", "lb2")
APPS = ("app1", "app2", "app3")
ADDRESSES = {
    "lb1": "10.16.1.11/24",
    "lb2": "10.16.1.12/24",
    "app1": "10.16.1.21/24",
    "app2": "10.16.1.22/24",
    "app3": "10.16.1.23/24",
    "client": "10.16.1.50/24",
}
NOTIFY_LOG = "/var/log/keepalived-notify.log"
_CLIENT = (Path(__file__).parent / "client.py").read_text()


@dataclass(kw_only=True)
class Lab:
    machines: dict[str, Machine]
    args: LoadBalancerArgs
    pids: dict[tuple[str, str], int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    def owners(self) -> list[str]:
        return [name for name in PAIR if self[name].owns(str(VIP))]

    def owner(self) -> str:
        """The one owner, once there is exactly one."""
        wait_for("exactly one owner of the VIP", lambda: len(self.owners()) == 1)
        return self.owners()[0]

    def other(self) -> str:
        owner = self.owner()
        return next(name for name in PAIR if name != owner)

    def start_haproxy(self, name: str) -> None:
        self[name].start("haproxy", "-Ws", "-f", CONFIG_PATH, "-p", "/run/haproxy.pid")
        wait_for("HAProxy answers", lambda: self.is_alive(name))

    def is_alive(self, name: str) -> bool:
        """Whether keepalived's own check succeeds."""
        return self[name].succeeds(
            "/usr/local/lib/ha-lab/check-http", *["127.0.0.1", "8405", "/alive"]
        )

    def start_keepalived(self, name: str) -> None:
        self[name].start("keepalived", "--dont-fork", "--log-console", "--log-detail")

    def signal(self, name: str, signal: str, pid_file: str) -> None:
        self[name].run("sh", "-c", f"kill -{signal} $(cat {pid_file})")

    def kill_haproxy(self, name: str) -> None:
        """End every process of HAProxy on this machine (it has a process table of its own)."""
        self[name].run("killall", "-KILL", "haproxy")

    def apply(self, args: LoadBalancerArgs) -> None:
        """New settings, taken up as the units' reload does it."""
        self.args = args
        for peer in args.peers:
            machine = self[peer.name]
            machine.apply(load_balancer_plan(args, peer))
            self.reload_haproxy(peer.name)
            self.signal(peer.name, "HUP", "/run/keepalived.pid")

    def reload_haproxy(self, name: str) -> None:
        """What the unit does at a reload, and until the new process listens."""
        self[name].run(SAVE_STATE_PATH)
        before = self.workers(name)
        self.signal(name, "USR2", "/run/haproxy.pid")
        wait_for("a new worker", lambda: not self.workers(name) <= before)

    def workers(self, name: str) -> set[str]:
        """The processes that listen on the VIP."""
        listening = self[name].run("ss", "-Hltnp", f"src {VIP}")
        return {word for line in listening.splitlines() for word in line.split()[5:]}

    def servers_up(self, name: str, backend: str = "http_back") -> set[str]:
        """The servers that this load balancer takes for up."""
        status = self[name].get("http://127.0.0.1:8404/stats;csv", "-o", "-")
        rows = [line.split(",") for line in status.splitlines() if line.startswith(f"{backend},")]
        return {row[1] for row in rows if row[17].startswith("UP") and row[1] != "BACKEND"}

    def get(self, path: str, *options: str) -> str:
        """Status, headers and body of a GET by the client through the VIP."""
        return self["client"].get(f"https://{VIP}{path}", *options)

    def servers_of(self, requests: int, path: str = "/") -> list[str]:
        """Which servers answer so many requests."""
        answers = [self.get(path) for _ in range(requests)]
        return [header(answer, "x-served-by") for answer in answers]

    def _await_requests(self, count: int) -> None:
        def enough() -> bool:
            done = self["client"].run("cat", "/run/history.count", check=False)
            return done.isdigit() and int(done) >= count

        wait_for(f"{count} requests", enough)

    @contextmanager
    def traffic(self) -> Iterator[list[dict[str, object]]]:
        """GETs through the VIP, each on a connection of its own, until the block ends.

        The list is filled when it ends: status (0 for an error), seconds, server.
        """
        history: list[dict[str, object]] = []
        client = self["client"]
        client.run("rm", "-f", "/run/stop", "/run/history", "/run/history.count")
        daemon = client.start("python3", "-c", _CLIENT, str(VIP), "/run/stop", "/run/history")
        self._await_requests(5)
        yield history
        self._await_requests(30)
        client.run("touch", "/run/stop")
        # It may be in the middle of a request that nobody answers.
        daemon.wait(timeout=deadline_s(TAKEOVER_S))
        history += json.loads(client.read("/run/history"))


def header(answer: str, name: str) -> str:
    """A header of curl's output, or an empty string."""
    for line in answer.splitlines():
        key, _, value = line.partition(":")
        if key.lower() == name:
            return value.strip()
    return ""


def status(answer: str) -> str:
    return answer.split()[1] if answer.startswith("HTTP/") else answer


@contextmanager
def running_lab(args: LoadBalancerArgs, apps: Sequence[str] = APPS) -> Iterator[Lab]:
    with segment(ADDRESSES) as machines:
        lab = Lab(machines=machines, args=args)
        for name in apps:
            lab[name].apply(app_server_plan(AppServerArgs(name=name)))
            lab[name].start("nginx", "-g", "daemon off;")
        for peer in args.peers:
            lab[peer.name].put(SITE_PEM)
            lab[peer.name].apply(load_balancer_plan(args, peer))
            lab.start_haproxy(peer.name)
            lab.start_keepalived(peer.name)
        lab.owner()
        yield lab
