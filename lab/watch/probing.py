"""Run a drill's probe for as long as the view lasts, again when it died."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lab.drill.model import Emit, Probe
from lab.drill.scene import Scene
from lab.errors import LabError

AGAIN_S = 1.0
Trouble = Callable[[str, str], None]
"""Called with the probe's name and why it died."""


async def keep_probing(probe: Probe, scene: Scene, emit: Emit, trouble: Trouble) -> None:
    """Until cancelled. A probe that dies is named, and starts again a second later."""
    while True:
        try:
            await probe.run(scene, emit, asyncio.Event())
        except (LabError, OSError) as error:
            trouble(probe.name, str(error))
        await asyncio.sleep(AGAIN_S)
