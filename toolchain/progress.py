"""Telling the user what happens, with times for what takes long."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from toolchain.errors import SetupError

_STILL = 20.0
"""Seconds between the lines that say that a long step still runs."""
_LAST_LINES = 15
"""Lines of a failed step's log that are shown."""


class Progress:
    """Writes to standard error, so that `toolchain/run` leaves standard output to its command."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def note(self, text: str) -> None:
        """Say something that only the curious want to know."""
        if not self._quiet:
            self.tell(text)

    def tell(self, text: str) -> None:
        """Say something that the user must know."""
        sys.stderr.write(f"toolchain: {text}\n")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Announce a long step, show that it is alive, and say how long it took."""
        start = time.monotonic()
        ended = threading.Event()

        def still() -> None:
            while not ended.wait(_STILL):
                self.tell(f"{title}: still at it after {elapsed(start)}")

        self.tell(f"{title} ...")
        threading.Thread(target=still, daemon=True).start()
        try:
            yield
        finally:
            ended.set()
        self.tell(f"{title}: done in {elapsed(start)}")


def elapsed(start: float) -> str:
    """The time since `start` (of time.monotonic), for people."""
    seconds = time.monotonic() - start
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds // 60)} min {int(seconds % 60)} s"


def run_logged(
    command: Sequence[str],
    *,
    log: Path,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    hint: str = "",
) -> None:
    """Run a command with its output in `log`. If it fails, the log stays and its end is shown."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        result = subprocess.run(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    if result.returncode == 0:
        return
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LAST_LINES:]
    tail = "\n".join(f"    {line}" for line in lines)
    raise SetupError(
        f"`{command[0]} {command[1]}` failed with exit status {result.returncode}. "
        f"The log {log} ends:\n{tail}" + (f"\n{hint}" if hint else "")
    )
