"""Machines and power switches that only write down what they are asked for, in one journal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from lab.drill.control import Control
from lab.drill.model import Ability
from lab.drill.scene import Scene
from lab.drill.target import Target, target_from
from lab.errors import LabError
from lab.machines import Machines, Result

T = TypeVar("T")
Answer = str | int | LabError
"""Standard output of a success, the status of a failure, or a machine that does not answer."""
BOOT = "/proc/sys/kernel/random/boot_id"
VIP = "10.16.1.100"
LAYOUTS: Mapping[str, Mapping[str, list[str]]] = {
    "full": {
        "lb1": ["load_balancer"],
        "lb2": ["load_balancer"],
        "app1": ["app"],
        "app2": ["app"],
        "app3": ["app"],
    },
    "compact": {
        "node1": ["load_balancer", "app"],
        "node2": ["load_balancer", "app"],
        "node3": ["app"],
    },
}


def a_target(
    layout: str = "full",
    *,
    provider: str = "existing",
    timers: str = "fast",
    slow_ms: int = 250,
    engine: str = "haproxy",
) -> Target:
    machines = {
        name: {"address": f"10.16.1.{number}", "roles": roles, "user": "lab", "port": 22}
        for number, (name, roles) in enumerate(LAYOUTS[layout].items(), 11)
    }
    outputs: dict[str, Any] = {
        "version": 1,
        "stack": "demo",
        "provider": provider,
        "prefix": "ha-lab-demo",
        "libvirtUri": "qemu+ssh://server/system",
        "vip": VIP,
        "urls": {"https": f"https://{VIP}/"},
        "machines": machines,
        "timers": {"name": timers},
        "drill": {"allowed": True, "slowMs": slow_ms},
        "loadBalancer": {"engine": engine},
        "credentials": {"sshPrivateKey": "not a key", "hostKeys": {}},
    }
    return target_from(outputs, stack="demo")


@dataclass
class FakeMachines:
    """Answers by what a command contains; everything else succeeds and says nothing."""

    journal: list[str]
    answers: list[tuple[str, str, Answer | Callable[[], Answer]]] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    """Standard inputs, by the first line of the command."""

    def says(self, machine: str, needle: str, answer: Answer | Callable[[], Answer]) -> None:
        """The newest answer that fits is given; an empty machine means each."""
        self.answers.insert(0, (machine, needle, answer))

    def forget(self, *machines: str) -> None:
        self.journal += [f"forget {machine}" for machine in machines]

    async def run(
        self, machine: str, script: str, *, timeout_s: float = 30.0, stdin: str = ""
    ) -> Result:
        del timeout_s
        self.journal.append(f"{machine}: {script}")
        self.inputs[script.splitlines()[0]] = stdin
        for who, needle, answer in self.answers:
            if who in ("", machine) and (needle in script or needle in stdin):
                return self._result(machine, answer() if callable(answer) else answer)
        return Result(machine, 0, "", "")

    @staticmethod
    def _result(machine: str, answer: Answer) -> Result:
        if isinstance(answer, LabError):
            raise answer
        if isinstance(answer, int):
            return Result(machine, answer, "", f"status {answer}")
        return Result(machine, 0, answer, "")


@dataclass
class FakeControl:
    """Can do everything; says nothing."""

    journal: list[str]
    name: str = "rig"
    abilities: frozenset[Ability] = frozenset(Ability)
    off: set[str] = field(default_factory=set)
    breaks: str = ""
    """The action that fails half-way: it has its effect, and raises."""

    async def _did(self, action: str, machine: str) -> None:
        self.journal.append(f"{action} {machine}")
        if action == self.breaks:
            msg = f"{action} of {machine} was interrupted"
            raise LabError(msg)

    async def power_off(self, machine: str) -> None:
        self.off.add(machine)
        await self._did("power_off", machine)

    async def power_on(self, machine: str) -> None:
        self.off.discard(machine)
        await self._did("power_on", machine)

    async def cut(self, machine: str) -> None:
        await self._did("cut", machine)

    async def join(self, machine: str) -> None:
        await self._did("join", machine)

    async def freeze(self, machine: str) -> None:
        await self._did("freeze", machine)

    async def thaw(self, machine: str) -> None:
        await self._did("thaw", machine)

    async def is_on(self, machine: str) -> bool:
        return machine not in self.off


@dataclass
class Fakes:
    """A scene, and what was done in it."""

    target: Target
    journal: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machines = FakeMachines(self.journal)
        self.machines.says("", BOOT, "boot-1\n")
        self.control = FakeControl(self.journal)
        self.scene = Scene(
            target=self.target,
            machines=cast(Machines, self.machines),
            control=cast(Control, self.control),
            namespace=None,
        )

    def done(self) -> list[str]:
        """The journal without looks at whether a machine answers; scripts by their first line."""
        lines = [entry.splitlines()[0] for entry in self.journal]
        return [line for line in lines if BOOT not in line and not line.startswith("forget")]

    def owns(self, *owners: str) -> None:
        """Who says from now on that it has the VIP."""
        for name in self.target.with_role("load_balancer"):
            held = VIP if name in owners else "10.16.1.99"
            self.machines.says(name, "addr show", f'[{{"addr_info": [{{"local": "{held}"}}]}}]')


def finish(awaitable: Awaitable[T]) -> T:
    """Run it in a loop of its own."""

    async def main() -> T:
        return await awaitable

    return asyncio.run(main())


def stat(*servers: tuple[str, str, str, str]) -> str:
    """HAProxy's `show stat` of these servers: back end, name, status, `backup` or nothing."""
    rows = [
        "# pxname,svname,status,act,bck,addr,",
        "http_front,FRONTEND,OPEN,,,,",
    ]
    for number, (backend, name, status, backup) in enumerate(servers, 21):
        waits = "1" if backup else "0"
        rows.append(f"{backend},{name},{status},1,{waits},10.16.1.{number}:8080,")
    return "\n".join([*rows, "http_back,BACKEND,UP,2,1,,", ""])
