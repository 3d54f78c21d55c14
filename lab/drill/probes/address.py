"""Who has the VIP, as each machine says of itself."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import asyncssh

from lab.drill.events import Note, Owner
from lab.drill.model import Emit
from lab.drill.probes.address_session import REPEAT_S, AddressSession
from lab.drill.scene import Scene
from lab.drill.target import Target
from lab.netns import inside

RETRY_S = 0.5
"""So often a machine that says nothing is tried anew, and so long it may take to be found."""
SILENT_S = 1.0
"""A machine that has said nothing for so long is tried beside the old connection: when it returns,
the kernel may try that one again only seconds later."""
FIRST_WORD_S = 15.0
"""Within this time a new connection says something, or is given up; emulated machines are slow."""
MOST_SESSIONS = 4


@dataclass(frozen=True, kw_only=True)
class AddressProbe:
    """Every machine that may have the address tells each change at once, and its state each 100 ms.

    A machine that is off says nothing, which is no word about the address.
    """

    name: str = "address"
    interval_s: float = REPEAT_S
    is_session: bool = False
    address: Callable[[Target], str] = lambda target: target.vip
    role: str = "load_balancer"
    vip: str = ""
    """Name of the VIP in its events; empty for the load balancers'."""

    def why_not(self, target: Target) -> str | None:
        return None if target.with_role(self.role) else f"no machine has the role {self.role}"

    async def run(self, scene: Scene, emit: Emit, stop: asyncio.Event) -> None:
        machines = [
            _Machine(self, scene, machine, emit) for machine in scene.target.with_role(self.role)
        ]
        watching = [asyncio.create_task(machine.watch()) for machine in machines]
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({stopping, *watching}, return_when=asyncio.FIRST_COMPLETED)
            for task in watching:
                if task.done():
                    task.result()
        finally:
            await _end(stopping, *watching)


class _Machine:
    """Keeps a conversation with one machine going."""

    def __init__(self, probe: AddressProbe, scene: Scene, name: str, emit: Emit) -> None:
        self._probe = probe
        self._scene = scene
        self._name = name
        self._emit = emit
        self._sessions: dict[asyncio.Task[None], AddressSession] = {}
        self._begun_at = float("-inf")
        self._complained = ""

    async def watch(self) -> None:
        """Begin a conversation whenever there is none, until this is cancelled."""
        try:
            while True:
                for task in [task for task in self._sessions if task.done()]:
                    del self._sessions[task]
                    if not task.cancelled():
                        task.result()
                if self._needs_another(time.monotonic()) and await self._is_there():
                    self._begin()
                await asyncio.sleep(RETRY_S)
        finally:
            await _end(*self._sessions)

    def _needs_another(self, now: float) -> bool:
        heard_at = max((s.heard_at for s in self._sessions.values()), default=float("-inf"))
        if now - heard_at <= SILENT_S:
            return False
        newest = list(self._sessions.values())[-1:]
        waits = any(session.heard_at == float("-inf") for session in newest)
        return not waits or now - self._begun_at > FIRST_WORD_S

    def _begin(self) -> None:
        if len(self._sessions) >= MOST_SESSIONS:
            next(iter(self._sessions)).cancel()
        session = AddressSession(self._hear, self._note)
        self._begun_at = time.monotonic()
        self._sessions[asyncio.create_task(self._talk(session))] = session

    async def _talk(self, session: AddressSession) -> None:
        """One conversation to its end; that a machine goes away is no error here."""
        complaint = ""
        try:
            connection = await self._scene.machines.connect(self._name)
            complaint = await session.run(connection, self._probe.address(self._scene.target))
        except (OSError, asyncssh.Error, TimeoutError):
            pass  # it is gone, and is tried again
        except (ValueError, KeyError) as error:
            complaint = f"it said what makes no sense: {type(error).__name__}: {error}"
        if complaint and complaint != self._complained:
            self._complained = complaint
            self._note(f"the conversation ended: {complaint[-500:]}")

    async def _is_there(self) -> bool:
        """Whether something listens where SSH should; found out quickly, unlike by SSH."""
        login = self._scene.target.machines[self._name]
        with inside(self._scene.namespace):
            knock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        with knock, contextlib.suppress(OSError, TimeoutError):
            knock.setblocking(False)
            async with asyncio.timeout(RETRY_S):
                address = (login.address, login.port)
                await asyncio.get_running_loop().sock_connect(knock, address)
            return True
        return False

    def _hear(self, t: float, has: bool) -> None:
        owners = (self._name,) if has else ()
        probe = self._probe
        event = Owner(t=t, source=self._name, owners=owners, probe=probe.name, vip=probe.vip)
        self._emit(event)

    def _note(self, text: str) -> None:
        self._emit(Note(t=time.monotonic(), source=self._probe.name, text=f"{self._name}: {text}"))


async def _end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel them, and wait until they are over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
