"""Read an HTTP/1.1 answer as it comes in, piece by piece. Pure: it knows of no socket.

Of the body only its end is of interest: the connection is free again then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LONGEST_HEAD = 65536
"""Bytes of status line and headers."""
BODILESS = (204, 304)


class BrokenAnswerError(Exception):
    """This is no answer, or not all of it; the text says it in a few words."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    """By their names in lower case."""
    keeps_open: bool
    """Whether the connection may carry another request."""


class AnswerReader:
    """Takes the bytes of one answer."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._answer: Answer | None = None
        """Its head, once that was read."""
        self._left: int | None = 0
        """Bytes of the body (of the present chunk) that are to come; None: until the end."""
        self._is_chunked = False

    def feed(self, data: bytes) -> Answer | None:
        """The answer once it is complete. Raises BrokenAnswerError."""
        self._held += data
        while self._answer is None:
            if not self._read_head():
                return None
        return self._answer if self._body_ended() else None

    def end(self) -> Answer:
        """The connection was closed. Raises BrokenAnswerError unless that ends the answer."""
        if self._answer is not None and self._left is None:
            return self._answer
        where = "in the middle of the answer" if self._answer or self._held else "without an answer"
        msg = f"closed {where}"
        raise BrokenAnswerError(msg)

    def _read_head(self) -> bool:
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            if len(self._held) > LONGEST_HEAD:
                msg = f"an answer whose head is longer than {LONGEST_HEAD} bytes"
                raise BrokenAnswerError(msg)
            return False
        status, version, headers = _head(bytes(self._held[:end]))
        del self._held[: end + 4]
        if 100 <= status < 200:
            return True
        self._expect_body(status, headers)
        asked_to_close = "close" in headers.get("connection", "").lower()
        keeps_open = version == "HTTP/1.1" and not asked_to_close and self._left is not None
        self._answer = Answer(status, headers, keeps_open)
        return True

    def _expect_body(self, status: int, headers: Mapping[str, str]) -> None:
        if status in BODILESS:
            return
        self._is_chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length")
        if self._is_chunked:
            return
        if length is not None and not length.isdigit():
            msg = f"an answer of the length {length[:20]!r}"
            raise BrokenAnswerError(msg)
        self._left = None if length is None else int(length)

    def _body_ended(self) -> bool:
        if self._left is None:
            self._held.clear()
            return False
        while True:
            taken = min(self._left, len(self._held))
            del self._held[:taken]
            self._left -= taken
            if self._left or not self._is_chunked:
                return self._left == 0
            if not self._next_chunk():
                return not self._is_chunked

    def _next_chunk(self) -> bool:
        """Read the line of the next chunk; False: it is not there yet, or was the last."""
        end = self._held.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._held[:end])
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            msg = f"a chunk of the length {line[:20]!r}"
            raise BrokenAnswerError(msg) from None
        if size == 0:
            return self._read_trailer(end)
        del self._held[: end + 2]
        self._left = size + 2
        return True

    def _read_trailer(self, size_line: int) -> bool:
        """After the last chunk: header lines, mostly none, up to an empty one."""
        end = self._held.find(b"\r\n\r\n", size_line)
        if end >= 0:
            self._held.clear()
            self._is_chunked = False
        return False


def _head(text: bytes) -> tuple[int, str, dict[str, str]]:
    """Status, version, and headers by their names in lower case."""
    lines = text.decode("latin-1").split("\r\n")
    words = lines[0].split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        msg = f"no HTTP answer but {lines[0][:40]!r}"
        raise BrokenAnswerError(msg)
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(words[1]), words[0], headers
