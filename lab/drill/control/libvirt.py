"""Power, links and freezing of virtual machines, through virsh."""

from __future__ import annotations

from lab.drill.control.blocking import to_end
from lab.drill.control.ready import await_answer
from lab.drill.model import Ability
from lab.libvirt_host.virsh import Virsh, set_links
from lab.machines import Machines

OFF, PAUSED = "shut off", "paused"


class LibvirtControl:
    """The domains `<prefix>-<machine>` of one stack."""

    name = "libvirt"
    abilities = frozenset(Ability)

    def __init__(self, virsh: Virsh, *, prefix: str, machines: Machines) -> None:
        self._virsh = virsh
        self._prefix = prefix
        self._machines = machines

    async def power_off(self, machine: str) -> None:
        if await self._state(machine) != OFF:
            await self._run("destroy", machine)

    async def power_on(self, machine: str) -> None:
        state = await self._state(machine)
        if state == OFF:
            await self._run("start", machine)
        elif state == PAUSED:
            await self._run("resume", machine)
        await await_answer(self._machines, machine)

    async def cut(self, machine: str) -> None:
        await self._set_links(machine, "down")

    async def join(self, machine: str) -> None:
        # A machine that is off gets its link with its power.
        if await self.is_on(machine):
            await self._set_links(machine, "up")

    async def freeze(self, machine: str) -> None:
        if await self._state(machine) != PAUSED:
            await self._run("suspend", machine)

    async def thaw(self, machine: str) -> None:
        if await self._state(machine) == PAUSED:
            await self._run("resume", machine)

    async def is_on(self, machine: str) -> bool:
        return await self._state(machine) != OFF

    async def _set_links(self, machine: str, state: str) -> None:
        await to_end(set_links, self._virsh, self._domain(machine), state)

    async def _state(self, machine: str) -> str:
        return (await self._run("domstate", machine)).strip()

    async def _run(self, command: str, machine: str, *words: str) -> str:
        return await to_end(self._virsh, command, self._domain(machine), *words)

    def _domain(self, machine: str) -> str:
        return f"{self._prefix}-{machine}"
