"""Asking the storage's servers and mending them, over SSH; every look has an end."""

from __future__ import annotations

import asyncio
import difflib
import shlex
from collections.abc import Callable

from components.storage.plans import TOOL
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.errors import LabError
from lab.storage.state import StorageState, storage_state

LOOK_TIMEOUT_S = 9.0
ACT_TIMEOUT_S = 300.0
POLL_S = 1.0
Say = Callable[[str], None]


def servers_of(target: Target) -> tuple[str, ...]:
    """Names of the servers. Raises LabError where the lab has no storage."""
    servers = tuple(target.storage.get("servers", ()))
    if not servers:
        msg = (
            f"stack {target.stack} has no shared storage; set `ha-lab:storage: {{enabled: true}}` "
            f"in its file and run `make up STACK={target.stack}`"
        )
        raise LabError(msg)
    return servers


async def tool(scene: Scene, server: str, *words: str, timeout_s: float = LOOK_TIMEOUT_S) -> str:
    """What the storage's program on a server says. Raises LabError."""
    done = await scene.machines.run(server, shlex.join([TOOL, *words]), timeout_s=timeout_s)
    return done.ok()


async def look(scene: Scene, *, but: str = "") -> StorageState:
    """The storage as the first server sees it that answers and is in the pool; `but`: not asked.

    Raises LabError where none does.
    """
    servers = servers_of(scene.target)
    reasons = []
    for server in servers:
        if server == but:
            continue
        try:
            status = await tool(scene, server, "status")
            healing = await tool(scene, server, "healing")
        except LabError as error:
            reasons.append(str(error))
            continue
        state = storage_state(status, healing, asked=server, servers=servers)
        if state.bricks:
            return state
        reasons.append(f"{server} knows of no volume: it was installed anew")
    msg = "no server says how the storage is:\n  " + "\n  ".join(reasons)
    raise LabError(msg)


async def heal(scene: Scene, say: Say, *, full: bool, within_s: float) -> StorageState:
    """Begin to heal every volume and wait until nothing differs. Raises LabError at the end."""
    state = await look(scene)
    for volume in dict.fromkeys(brick.volume for brick in state.bricks):
        words = ["heal", volume, *(["--full"] if full else [])]
        await tool(scene, state.asked, *words, timeout_s=ACT_TIMEOUT_S)
        say(f"healing {volume}")
    return await await_healed(scene, say, within_s=within_s)


async def await_healed(scene: Scene, say: Say, *, within_s: float) -> StorageState:
    """Until every brick is up and no entry differs; says when that changes. Raises LabError."""
    loop = asyncio.get_running_loop()
    deadline, said = loop.time() + within_s, ""
    while True:
        state = await look(scene)
        if state.is_well:
            return state
        now = "; ".join(state.problems)
        if now != said:
            say(now)
            said = now
        if "split-brain" in now or loop.time() >= deadline:
            msg = f"the storage is not whole: {now}"
            raise LabError(msg)
        await asyncio.sleep(POLL_S)


async def replace(scene: Scene, server: str, say: Say, *, within_s: float) -> StorageState:
    """Give a server that was installed anew, or whose disk was, its place and its files again.

    Raises LabError where another copy is down: this one could have the only one left.
    """
    must_be_known(server, servers_of(scene.target))
    state = await look(scene, but=server)
    others = [b for b in state.bricks if b.server != server and not b.online]
    if others:
        down = ", ".join(brick.name for brick in others)
        msg = f"{down} is down too, and may have what no other copy has: bring it back first"
        raise LabError(msg)
    if not state.identities[server]:
        msg = f"the pool does not know {server}; `make up STACK={scene.target.stack}` adds it"
        raise LabError(msg)
    say(f"{server} takes its place in the pool again, as {state.asked} remembers it")
    known = {name: identity for name, identity in state.identities.items() if identity}
    friends = [f"{name}={known[name]}" for name in known if name != server]
    await tool(scene, server, "adopt", known[server], *friends, timeout_s=ACT_TIMEOUT_S)
    for line in (await tool(scene, server, "replace", timeout_s=ACT_TIMEOUT_S)).splitlines():
        say(line.removeprefix("note: "))
    return await await_healed(scene, say, within_s=within_s)


def must_be_known(server: str, servers: tuple[str, ...]) -> None:
    """Raises LabError with the nearest name, or all."""
    if server in servers:
        return
    near = difflib.get_close_matches(server, servers, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(servers)}"
    msg = f"there is no storage server {server!r}; {hint}"
    raise LabError(msg)
