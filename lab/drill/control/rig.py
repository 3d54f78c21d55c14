"""Power, links and freezing of the rig's machines."""

from __future__ import annotations

from collections.abc import Callable

from lab.drill.control.blocking import to_end
from lab.drill.model import Ability
from lab.errors import LabError
from rig import lifecycle, state
from rig.model import RigError


class RigControl:
    """The machines of one rig on this host."""

    name = "rig"
    abilities = frozenset(Ability)

    def __init__(self, rig: str) -> None:
        self._rig = rig

    async def power_off(self, machine: str) -> None:
        await self._call(lifecycle.power_off, machine)

    async def power_on(self, machine: str) -> None:
        await self._call(lifecycle.power_on, machine)

    async def cut(self, machine: str) -> None:
        """The machine loses carrier, as a virtual machine does whose link libvirt takes down."""
        await self._call(lifecycle.cut, machine)

    async def join(self, machine: str) -> None:
        # A machine that is off has no link; it gets one with its power.
        if await self.is_on(machine):
            await self._call(lifecycle.join, machine)

    async def freeze(self, machine: str) -> None:
        await self._call(lifecycle.freeze, machine)

    async def thaw(self, machine: str) -> None:
        if await self.is_on(machine):
            await self._call(lifecycle.thaw, machine)

    async def is_on(self, machine: str) -> bool:
        return await to_end(self._power, machine) != "off"

    def _power(self, machine: str) -> str:
        power = lifecycle.status(state.load(self._rig)).get(machine)
        if power is None:
            msg = f"rig {self._rig} has no machine {machine!r}"
            raise LabError(msg)
        return power[0]

    async def _call(self, function: Callable[[str, str], None], machine: str) -> None:
        try:
            await to_end(function, self._rig, machine)
        except (RigError, OSError) as error:
            action = function.__name__.replace("_", " ")
            msg = f"{action} of {machine} in rig {self._rig} failed: {error}"
            raise LabError(msg) from None
