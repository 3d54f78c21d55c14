"""What a person types while something else is going on; nothing where nobody can type."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from lab.exercise.progress import Ending

KEYS = {"s": Ending.SKIP, "q": Ending.QUIT}
"""In French too: `sauter`, `quitter`."""
POLL_S = 0.05


class Keyboard:
    """Whole lines of a terminal; use it within `reading`. Without a terminal it is silent."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdin
        self._lines: deque[str] = deque()
        self._rest = ""
        self.is_there = self._stream is not None and self._stream.isatty()
        self.words: list[str] = []
        """What was typed and is no key: notes of the person."""

    @contextmanager
    def reading(self) -> Iterator[Keyboard]:
        """Take up lines for the length of the block; needs a running event loop."""
        loop = asyncio.get_running_loop()
        if self.is_there:
            loop.add_reader(self._stream.fileno(), self._read)
        try:
            yield self
        finally:
            if self.is_there:
                loop.remove_reader(self._stream.fileno())

    def _read(self) -> None:
        data = os.read(self._stream.fileno(), 4096)
        if not data:
            # End of input (Ctrl-D): nobody types any more.
            asyncio.get_running_loop().remove_reader(self._stream.fileno())
            self.is_there = False
        *lines, self._rest = (self._rest + data.decode(errors="replace")).split("\n")
        self._lines.extend(line.strip() for line in lines)

    def key(self) -> str:
        """The key that was typed since the last call; empty: none. Other words become notes."""
        while self._lines:
            line = self._lines.popleft()
            if line.lower() in KEYS:
                return KEYS[line.lower()]
            if line:
                self.words.append(line)
        return ""

    def notes(self) -> str:
        """What was typed since the last call, as one line."""
        said, self.words = " ".join(self.words), []
        return said

    async def line(self, *, within_s: float) -> str:
        """The next line; empty where nobody types one in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while self.is_there and not self._lines and loop.time() < deadline:
            await asyncio.sleep(POLL_S)
        return self._lines.popleft() if self._lines else ""
