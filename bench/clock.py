"""Run a command to its end and say how long it took."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError

LONGEST_S = 1800


@dataclass(frozen=True, slots=True)
class Timed:
    """How long a command took and what it printed."""

    seconds: float
    text: str
    begin_s: float
    end_s: float
    """Both on the monotonic clock."""


def timed(argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str] | None = None) -> Timed:
    """Run it. Raises BenchError with the end of its output where it fails."""
    begin = time.monotonic()
    done = subprocess.run(
        argv,
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )
    end = time.monotonic()
    if done.returncode != 0:
        msg = f"`{' '.join(argv)}` ended with {done.returncode}:\n{done.stdout[-4000:]}"
        raise BenchError(msg)
    return Timed(end - begin, done.stdout, begin, end)
