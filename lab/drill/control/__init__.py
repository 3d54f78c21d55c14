"""Power, links and freezing of machines: through libvirt, the rig, or SSH alone."""

from __future__ import annotations

from typing import Protocol

from lab.drill.model import Ability


class Control(Protocol):
    """What can be done to a machine from outside. Every call may be repeated without harm.

    Each raises LabError that says what was tried and what was answered.
    """

    @property
    def name(self) -> str:
        """`libvirt`, `rig` or `existing`."""

    @property
    def abilities(self) -> frozenset[Ability]: ...

    async def power_off(self, machine: str) -> None:
        """Take its power away, as a pulled plug does: no process says farewell."""

    async def power_on(self, machine: str) -> None:
        """Start it; returns when it answers over SSH."""

    async def cut(self, machine: str) -> None:
        """Cut its network link."""

    async def join(self, machine: str) -> None:
        """Give it its link back."""

    async def freeze(self, machine: str) -> None:
        """Pause all of it, as a stalled hypervisor does."""

    async def thaw(self, machine: str) -> None:
        """Let it go on."""

    async def is_on(self, machine: str) -> bool:
        """Whether it has power."""
