"""Who does what right now: the VIP's owner, what a load balancer sees, the app server to break."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass

from components.load_balancer.engine import ENGINES
from components.load_balancer.from_settings import DEFAULT_BACKEND
from components.load_balancer.nginx import LOOK_PATH
from lab.drill.model import Victims
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.drill.tiers.guests import guest_program
from lab.errors import LabError

STEADY_LOOKS = 4
"""Looks in a row that must agree: one may hit the moment between two owners."""
LOOK_PAUSE_S = 0.05
OWNER_WITHIN_S = 60.0
"""An emulated machine takes seconds to let somebody in."""
LOOK_TIMEOUT_S = 8.0
"""For a look at one machine; one that is off costs as much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSeen:
    """One server of a back end, as a load balancer sees it."""

    backend: str
    name: str
    status: str
    """`UP`, `DOWN`, `UP 1/3`, `MAINT`, `no check`..."""
    is_backup: bool
    port: str

    @property
    def is_up(self) -> bool:
        return self.status.startswith("UP") or self.status == "no check"


def engine_unit(target: Target) -> str:
    """The unit of the lab's load balancer program, without `.service`."""
    return ENGINES[target.engine].unit_name.removesuffix(".service")


async def vip_owner(scene: Scene) -> Victims:
    """The one load balancer that has the VIP, the same in several looks. Raises LabError."""
    balancers = scene.target.with_role("load_balancer")
    deadline = asyncio.get_running_loop().time() + OWNER_WITHIN_S
    looks: list[tuple[str, ...]] = []
    while True:
        looks.append(await owners(scene, balancers))
        last = looks[-STEADY_LOOKS:]
        if len(last) == STEADY_LOOKS and len(set(last)) == 1 and len(last[0]) == 1:
            return last[0]
        if asyncio.get_running_loop().time() >= deadline:
            seen = ", ".join(looks[-1]) or "none"
            msg = (
                f"no load balancer owned the VIP {scene.target.vip} alone for {STEADY_LOOKS} looks "
                f"in a row within {OWNER_WITHIN_S:g} s; last seen with it: {seen}"
            )
            raise LabError(msg)
        await asyncio.sleep(LOOK_PAUSE_S)


async def owners(scene: Scene, balancers: Iterable[str]) -> tuple[str, ...]:
    """Those that say that they have the VIP; one that does not answer cannot say so."""

    async def has(balancer: str) -> bool:
        try:
            return await has_vip(scene, balancer)
        except LabError:
            return False

    names = tuple(balancers)
    answers = await asyncio.gather(*(has(name) for name in names))
    return tuple(name for name, answer in zip(names, answers, strict=True) if answer)


async def has_vip(scene: Scene, balancer: str) -> bool:
    """Whether the VIP is on an interface of this machine. Raises LabError."""
    done = await scene.machines.run(balancer, "ip -j -4 addr show", timeout_s=LOOK_TIMEOUT_S)
    return scene.target.vip in addresses(done.ok())


def addresses(links: str) -> set[str]:
    """The addresses in the JSON of `ip -j addr`."""
    return {address["local"] for link in json.loads(links) for address in link["addr_info"]}


async def servers_seen(scene: Scene, balancer: str) -> tuple[ServerSeen, ...]:
    """The servers of every back end, as this load balancer sees them. Raises LabError.

    nginx keeps what it knows for itself: there it is whether they accept connections from it.
    """
    if scene.target.engine == "nginx":
        return parse_looks((await scene.machines.run(balancer, LOOK_PATH)).ok())
    done = await scene.machines.run(balancer, "python3 -", stdin=guest_program("show_stat.py"))
    return parse_stat(done.ok())


def parse_stat(text: str) -> tuple[ServerSeen, ...]:
    """The servers in HAProxy's `show stat`."""
    rows = csv.DictReader(text.lstrip("# ").splitlines())
    return tuple(
        ServerSeen(
            backend=row["pxname"],
            name=row["svname"],
            status=row["status"],
            is_backup=row["bck"] == "1",
            port=row["addr"].rpartition(":")[2],
        )
        for row in rows
        if row["svname"] not in ("FRONTEND", "BACKEND")
    )


def parse_looks(text: str) -> tuple[ServerSeen, ...]:
    """The servers in the lines of `nginx-lb-servers`."""
    return tuple(
        ServerSeen(
            backend=row["backend"],
            name=row["name"],
            status=row["status"],
            is_backup=row["backup"],
            port=str(row["port"]),
        )
        for row in map(json.loads, text.splitlines())
    )


async def app_server(scene: Scene) -> Victims:
    """The app server to break: one that gets requests, and not the only one. Raises LabError."""
    owner = (await vip_owner(scene))[0]
    seen = await servers_seen(scene, owner)
    return (choose_app(seen, owner=owner, balancers=scene.target.with_role("load_balancer")),)


def choose_app(seen: Iterable[ServerSeen], *, owner: str, balancers: Iterable[str]) -> str:
    """The first app server in use that does nothing for the VIP, or at least does not own it."""
    servers = [server for server in seen if server.backend == DEFAULT_BACKEND and server.is_up]
    used = sorted(server.name for server in servers if not server.is_backup)
    possible = [name for name in used if name != owner]
    if len(servers) < 2 or not possible:
        up = ", ".join(sorted(server.name for server in servers)) or "none"
        msg = f"no app server can be spared: up are {up}, and the VIP is on {owner}"
        raise LabError(msg)
    apart = [name for name in possible if name not in set(balancers)]
    return (apart or possible)[0]


async def main_servers(scene: Scene) -> tuple[ServerSeen, ...]:
    """The main back end, as the first load balancer knows it that answers. Raises LabError."""
    silent: list[str] = []
    for balancer in scene.target.with_role("load_balancer"):
        try:
            seen = await servers_seen(scene, balancer)
        except LabError as error:
            silent.append(str(error))
            continue
        return tuple(server for server in seen if server.backend == DEFAULT_BACKEND)
    msg = f"no load balancer says which app servers there are: {'; '.join(silent) or 'none here'}"
    raise LabError(msg)


async def app_port(scene: Scene, app: str) -> str:
    """Where the load balancers send this app server's requests. Raises LabError."""
    for server in await main_servers(scene):
        if server.name == app:
            return server.port
    msg = f"the load balancers send no requests to {app}: it is no server of {DEFAULT_BACKEND}"
    raise LabError(msg)
