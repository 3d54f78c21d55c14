"""The role of each machine of a replicated service, asked of the machine itself again and again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from lab.drill.events import AnyEvent, RoleSeen
from lab.drill.probes.numbered import pace

INTERVAL_S = 0.05
TIMEOUT_S = 0.2
"""An answer that takes longer says too little about when it was true."""


@dataclass(kw_only=True)
class RoleSamples:
    """Asks every machine in each interval; one that is still being asked is left out.

    The moment of a role is the middle of question and answer.
    """

    probe: str
    service: str
    looks: Mapping[str, Callable[[], Awaitable[str]]]
    """By machine: asks for its role, `primary` or `replica`; raises ConnectionRefusedError where
    nobody listens (`down`), anything else where it is not known. Cancelled after `timeout_s`."""
    emit: Callable[[AnyEvent], None]
    interval_s: float = INTERVAL_S
    timeout_s: float = TIMEOUT_S
    _asking: dict[str, asyncio.Task[None]] = field(default_factory=dict, init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set."""
        try:
            async for _ in pace(self.interval_s, stop):
                for machine in self.looks:
                    if machine not in self._asking or self._asking[machine].done():
                        self._asking[machine] = asyncio.create_task(self._ask(machine))
        finally:
            for task in self._asking.values():
                task.cancel()
            await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, machine: str) -> None:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(self.timeout_s):
                role = await self.looks[machine]()
        except ConnectionRefusedError:
            role = "down"
        except Exception:  # noqa: BLE001 - whatever a driver raises, nothing is known
            role = "unknown"
        event = RoleSeen(
            t=(begun + time.monotonic()) / 2,
            service=self.service,
            machine=machine,
            role=role,
            probe=self.probe,
        )
        self.emit(event)
