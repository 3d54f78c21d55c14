"""Breaking machines that exist, with SSH alone: a crash that reboots, a link that is dropped.

There is nobody to turn such a machine on again, and nothing that could freeze it: a power failure
is a crash from which it reboots by itself, at once.
"""

from __future__ import annotations

from pathlib import Path

from lab.drill.control.blocking import uninterrupted
from lab.drill.control.ready import ASK_TIMEOUT_S, BOOT_ID, await_answer
from lab.drill.model import Ability
from lab.errors import LabError
from lab.machines import Machines

CUT_AT_MOST_S = 300
"""The machine joins by itself after this, whatever became of the one who cut it."""
_SCRIPTS = Path(__file__).parent / "guest"
_CRASH = (_SCRIPTS / "crash.sh").read_text(encoding="utf-8")
_CUT = (_SCRIPTS / "cut.sh").read_text(encoding="utf-8")
_JOIN = "systemctl stop ha-lab-drill-cut.service 2>/dev/null || true"


class SshControl:
    """Machines of which nothing is known but how to log in."""

    name = "existing"
    abilities = frozenset({Ability.POWER, Ability.LINK})

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        self._crashed: dict[str, str] = {}
        """By machine, the boot that was ended."""

    async def power_off(self, machine: str) -> None:
        """Crash it: no process ends, nothing is written back. It reboots by itself."""
        if machine in self._crashed:
            return
        boot = (await self._machines.run(machine, BOOT_ID)).ok().strip()
        self._crashed[machine] = boot
        try:
            (await uninterrupted(self._machines.run(machine, "bash -s", stdin=_CRASH))).ok()
        except LabError:
            del self._crashed[machine]
            raise
        self._machines.forget(machine)

    async def power_on(self, machine: str) -> None:
        """Wait until it has rebooted."""
        crashed = self._crashed.get(machine, "")
        await await_answer(self._machines, machine, other_than=crashed)
        self._crashed.pop(machine, None)

    async def cut(self, machine: str) -> None:
        """Drop all that comes and goes but this SSH, as a switch that died behind the link."""
        cut = self._machines.run(machine, f"bash -s {CUT_AT_MOST_S}", stdin=_CUT)
        (await uninterrupted(cut)).ok()

    async def join(self, machine: str) -> None:
        (await self._machines.run(machine, _JOIN)).ok()

    async def freeze(self, machine: str) -> None:
        msg = f"{machine} is reached by SSH alone, and nothing there can freeze a whole machine"
        raise LabError(msg)

    async def thaw(self, machine: str) -> None:
        """Nothing to do: it cannot be frozen."""

    async def is_on(self, machine: str) -> bool:
        """Whether it answers; one that crashed does again once it has rebooted."""
        try:
            done = await self._machines.run(machine, "true", timeout_s=ASK_TIMEOUT_S)
        except LabError:
            return False
        return done.status == 0
