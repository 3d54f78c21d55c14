"""Who has the VIP, as the wire says."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.drill.events import AnyEvent, Note, Owner, ProbeState
from lab.drill.model import Emit
from lab.drill.probes.process import ProberCommand, run_prober
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.errors import LabError

INTERVAL_S = 0.01
SILENCE_S = 5.0
"""The prober says something every 100 ms, also where nobody answers."""
DRAIN_S = 1.0
ASK_WITHIN_S = 5.0
CAP_NET_RAW = 13
WIRE = "arp"
"""The source of its events, whatever the probe is called."""
STATUS = Path("/proc/self/status")


@dataclass(frozen=True, kw_only=True)
class ArpProbe:
    """Asks for the VIP's MAC address in each interval; every answer counts."""

    name: str = WIRE
    interval_s: float = INTERVAL_S
    is_session: bool = False
    address: Callable[[Target], str] = lambda target: target.vip
    role: str = "load_balancer"
    """Of the machines that may have the address."""
    vip: str = ""
    """Name of the VIP in its events; empty for the load balancers'."""

    def why_not(self, _target: Target) -> str | None:
        if may_open_raw_sockets(STATUS.read_text(encoding="ascii")):
            return None
        return "asking the wire needs root (CAP_NET_RAW); run the drill with sudo to have it"

    async def run(self, scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        address = self.address(scene.target)
        route = await asyncio.to_thread(route_to, address, scene.namespace)
        device, reason = device_of(route)
        if reason is not None:
            emit(ProbeState(t=time.monotonic(), probe=self.name, state="absent", detail=reason))
            # Not a return: a drill waits for the first word of every probe that has not ended so.
            raise LabError(reason)
        command = ProberCommand(
            name=self.name,
            arguments=("arp",),
            settings={
                "device": device,
                "address": address,
                "names": await self._names(scene, emit),
            },
            interval_s=self.interval_s,
            drain_s=DRAIN_S,
            silence_s=SILENCE_S,
        )

        def named(event: AnyEvent) -> None:
            of_vip = {"source": WIRE, "vip": self.vip}
            emit(event.model_copy(update=of_vip) if isinstance(event, Owner) else event)

        await run_prober(command, namespace=scene.namespace, emit=named, stop=stop)

    async def _names(self, scene: Scene, emit: Emit) -> dict[str, str]:
        """By MAC address: the machine that has it. One that does not answer is left out."""

        async def ask(machine: str) -> dict[str, str]:
            try:
                said = await scene.machines.run(machine, "ip -j link", timeout_s=ASK_WITHIN_S)
                return dict.fromkeys(macs_of(said.ok()), machine)
            except LabError as error:
                text = f"answers of {machine} go by their MAC address: {error}"
                emit(Note(t=time.monotonic(), source=self.name, text=text))
                return {}

        machines = scene.target.with_role(self.role)
        found = await asyncio.gather(*(ask(machine) for machine in machines))
        return {mac: machine for of_one in found for mac, machine in of_one.items()}


def may_open_raw_sockets(status: str) -> bool:
    """Whether a process with this /proc/PID/status may."""
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> CAP_NET_RAW & 1)
    return False


def macs_of(links: str) -> list[str]:
    """The MAC addresses in the output of `ip -j link`."""
    ethernet = [link for link in json.loads(links) if link.get("link_type") == "ether"]
    return [str(link["address"]) for link in ethernet]


def route_to(address: str, namespace: str | None) -> Mapping[str, Any]:
    """How an address is reached, in the words of iproute2. Raises LabError."""
    place = () if namespace is None else ("-n", namespace)
    argv = ["ip", *place, "-j", "route", "get", address]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        msg = f"there is no route to {address}: {done.stderr.strip()}"
        raise LabError(msg)
    route: Mapping[str, Any] = json.loads(done.stdout)[0]
    return route


def device_of(route: Mapping[str, Any]) -> tuple[str, str | None]:
    """The interface behind which the address is, and why it cannot be asked for there, if so."""
    device = str(route.get("dev", ""))
    if "gateway" in route:
        via = f"{route.get('dst')} is behind the router {route['gateway']}"
        return device, f"{via}: who answers for it on its own wire is not seen from here"
    if device in ("", "lo") or route.get("type") == "local":
        return device, f"{route.get('dst')} is an address of this host itself"
    return device, None
