"""One conversation with a machine about an address of its own; see `guest/address.py`.

What it says has the time of its own clock. It is mapped to ours, and held back while that is in
doubt: at the beginning, and when a word comes far later than its time says. That may be a slow
network, or a machine that was paused and whose clock stood still; asking the clock again decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import asyncssh

from lab.drill.probes.guest_clock import GuestClock
from lab.machines import as_root

SCRIPT = Path(__file__).parent / "guest" / "address.py"
REPEAT_S = 0.1
"""So often a machine says it again."""
QUESTIONS, MOST_QUESTIONS = 5, 15
"""So many questions for its clock settle a doubt; more, until the answer is good enough."""
GOOD_ENOUGH_S = 0.003
SOON_S, LATER_S = 0.02, 0.2
"""Between two questions while there is a doubt, and otherwise."""
LATE_S = 0.25
"""A word that comes later than this after its own time is doubted."""
FUTURE_S = 0.002
MOST_HELD = 1000

Hear = Callable[[float, bool], None]
"""Takes a moment of ours and whether the machine had the address then."""
Say = Callable[[str], None]
"""Takes a sentence worth noting."""


def command_for(address: str) -> str:
    """The command line that runs the script on a machine."""
    source = SCRIPT.read_text(encoding="utf-8")
    return as_root(f"exec python3 -c {shlex.quote(source)} {shlex.quote(address)} {REPEAT_S}")


class AddressSession:
    """Asks one machine over one connection, until that breaks."""

    def __init__(self, hear: Hear, note: Say) -> None:
        self._hear = hear
        self._note = note
        self._clock = GuestClock()
        self._asked: dict[int, float] = {}
        """Questions for the clock without an answer: number -> when."""
        self._held: list[tuple[float, bool]] = []
        """Words that are in doubt, with their machine's time."""
        self._doubted_at: float | None = float("-inf")
        """Since when its clock is in doubt; None: it is known."""
        self._answers = 0
        """To questions that were asked since then."""
        self._may_ask = asyncio.Event()
        self._hurry = asyncio.Event()
        self.heard_at = float("-inf")
        """When the machine said something last."""

    async def run(self, connection: asyncssh.SSHClientConnection, address: str) -> str:
        """Listen until it ends; returns what the machine complained of, if it did."""
        process = await connection.create_process(command_for(address), encoding="utf-8")
        asking = asyncio.create_task(self._ask(process.stdin))
        try:
            async for line in process.stdout:
                self.take(json.loads(line), time.monotonic())
            return str(await process.stderr.read()).strip()
        finally:
            asking.cancel()
            connection.abort()

    async def _ask(self, questions: asyncssh.SSHWriter[str]) -> None:
        """One question after the other, from the machine's first word on: one that waits for the
        script to start, or behind another one, would say little of the clock."""
        for number in count():
            await self._may_ask.wait()
            pause = LATER_S if self._doubted_at is None else SOON_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause)
            self._hurry.clear()
            self.asked(number, time.monotonic())
            self._may_ask.clear()
            with contextlib.suppress(OSError):  # the connection is gone: the reader sees it too
                questions.write(f"{number}\n")

    def asked(self, number: int, now: float) -> None:
        """A question for its clock goes out."""
        self._asked[number] = now

    def take(self, word: dict[str, Any], now: float) -> None:
        """One line of the machine, that arrived now."""
        if not self._asked:
            self._may_ask.set()
        self.heard_at = now
        said = float(word["t"])
        if "pong" in word:
            self._answered(int(word["pong"]), said, now)
            return
        has = bool(word["has"])
        if self._doubted_at is None and self._is_doubtful(said, now):
            self._doubt(now)
        if self._doubted_at is not None:
            self._held.append((said, has))
            del self._held[:-MOST_HELD]
            return
        self._clock.came(said=said, arrived=now)
        self._hear(self._clock.ours(said), has)

    def _is_doubtful(self, said: float, now: float) -> bool:
        late = now - self._clock.ours(said)
        return not -self._clock.uncertainty_s - FUTURE_S <= late <= LATE_S

    def _doubt(self, now: float) -> None:
        self._doubted_at, self._answers = now, 0
        self._hurry.set()

    def _answered(self, number: int, said: float, now: float) -> None:
        asked = self._asked.pop(number)
        self._may_ask.set()
        moved = self._clock.heard(asked=asked, said=said, arrived=now)
        if moved:
            self._note(f"its clock moved by {-moved:.3f} s against ours")
            self._doubt(asked)
        if self._doubted_at is not None and asked >= self._doubted_at:
            self._answers += 1
            is_good = self._clock.uncertainty_s <= GOOD_ENOUGH_S
            if self._answers >= (QUESTIONS if is_good else MOST_QUESTIONS):
                self._settle()

    def _settle(self) -> None:
        """The clock is known: tell what was held back."""
        ahead, unsure = 0.0 - self._clock.offset_s, self._clock.uncertainty_s
        self._note(f"its clock is {ahead:.6f} s ahead of ours, give or take {unsure:.6f} s")
        self._doubted_at = None
        held, self._held = self._held, []
        for said, has in held:
            self._hear(self._clock.ours(said), has)
