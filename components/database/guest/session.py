"""A conversation with a running server through its own command line client.

The client is started once and asked again and again: a question costs less than a millisecond,
where a client for each would cost a fork and a login. It goes with the server, and is made again.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
import time
from collections.abc import Sequence
from typing import IO

DONE = "-- ha-lab: end of answer --"
LIMIT = 1 << 20
"""Bytes of one answer."""


class SilentError(Exception):
    """The server did not answer; why, in a few words."""


class Session:
    """One client process; one question at a time, from any thread."""

    def __init__(self, argv: Sequence[str], end: str) -> None:
        """`end`: what makes the client write a line that says DONE."""
        self._argv = argv
        self._end = end
        self._lock = threading.Lock()
        self._client: subprocess.Popen[bytes] | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a client; the server may be gone all the same."""
        return self._client is not None

    def ask(self, sql: str, *, within_s: float) -> str:
        """What the server says to this statement. Raises SilentError."""
        deadline = time.monotonic() + within_s
        if not self._lock.acquire(timeout=within_s):
            raise SilentError("still busy with the question before")
        try:
            return self._ask(sql, deadline)
        except (OSError, SilentError) as error:
            self._hang_up()
            raise SilentError(str(error)) from None
        finally:
            self._lock.release()

    def close(self) -> None:
        """End the client."""
        with self._lock:
            self._hang_up()

    def _ask(self, sql: str, deadline: float) -> str:
        client = self._client or self._call()
        question, output = client.stdin, client.stdout
        if question is None or output is None:
            raise SilentError("the client has no pipes")
        question.write(f"{sql}\n{self._end}\n".encode())
        question.flush()
        answer = b""
        marker = f"{DONE}\n".encode()
        while not answer.endswith(marker):
            answer += more(output, deadline, answer)
        return answer[: -len(marker)].decode("utf-8", "replace").strip()

    def _call(self) -> subprocess.Popen[bytes]:
        self._client = subprocess.Popen(
            self._argv,
            cwd="/",
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        return self._client

    def _hang_up(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        client.kill()
        for stream in (client.stdin, client.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        client.wait()


def more(output: IO[bytes], deadline: float, so_far: bytes) -> bytes:
    """The next part of an answer. Raises SilentError where none comes, or no end."""
    left = deadline - time.monotonic()
    ready, _, _ = select.select([output], [], [], max(0.0, left))
    if not ready:
        raise SilentError("no answer in time")
    part = os.read(output.fileno(), 65536)
    if not part or len(so_far) > LIMIT:
        said = so_far.decode("utf-8", "replace").strip().splitlines()
        raise SilentError(said[-1] if said else "the client ended")
    return part
