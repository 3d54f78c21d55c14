"""Waiting until a machine answers over SSH, which says what was seen last."""

from __future__ import annotations

import asyncio

from lab.errors import LabError
from lab.machines import Machines

ANSWER_WITHIN_S = 600.0
"""An emulated machine boots in one to eight minutes, depending on how many do at once."""
ASK_TIMEOUT_S = 5.0
PAUSE_S = 0.2
BOOT_ID = "cat /proc/sys/kernel/random/boot_id"


async def await_answer(
    machines: Machines, machine: str, *, within_s: float = ANSWER_WITHIN_S, other_than: str = ""
) -> str:
    """The machine's boot id, once it answers with one `other_than` this. Raises LabError.

    Connections from before are dropped: to a machine that was cut off they only cost time.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        machines.forget(machine)
        try:
            boot = (await machines.run(machine, BOOT_ID, timeout_s=ASK_TIMEOUT_S)).ok().strip()
        except LabError as error:
            seen = str(error)
        else:
            if boot != other_than:
                return boot
            seen = f"it still runs its boot {boot}"
        if loop.time() >= deadline:
            msg = f"{machine} did not come back within {within_s:g} s; last seen: {seen}"
            raise LabError(msg)
        await asyncio.sleep(PAUSE_S)
