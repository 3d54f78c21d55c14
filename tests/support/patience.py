"""How slow this machine is at the moment, as a factor that stretches every deadline of the tests.

A fixed piece of work is timed against what it takes on a quiet two-core machine. It has what tests
wait for most: programs that start, and computing; and it is done on every processor at once, for
seconds, so that others who want them are felt. Measured once for a run; processes that the run
starts take the value over.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cache

VARIABLE = "HALAB_PATIENCE"
REFERENCE_S = 3.2
"""What the piece of work takes on a quiet two-core machine of 2024 without KVM."""
LARGEST = 10.0
"""More than this is no slow machine but a broken one."""
WORK = """
import subprocess, sys
for _ in range(60):
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
total = 0
for number in range(15_000_000):
    total += number & 1
"""


def patience() -> float:
    """The factor of this run, from 1 (as fast as the reference or faster) to `LARGEST`."""
    return given(os.environ) or measured()


def given(environment: Mapping[str, str]) -> float | None:
    """The factor that the run which started this process measured; None where it did not."""
    text = environment.get(VARIABLE, "")
    return bounded(float(text)) if text else None


@cache
def measured() -> float:
    """Do the piece of work now."""
    return bounded(timed() / REFERENCE_S)


def bounded(factor: float) -> float:
    """A fast machine shortens no deadline."""
    return min(max(factor, 1.0), LARGEST)


def timed(work: str = WORK) -> float:
    """Seconds until every processor that this process may use has done its piece of work."""
    begin = time.monotonic()
    argv = [sys.executable, "-I", "-S", "-c", work]
    workers = [subprocess.Popen(argv) for _ in os.sched_getaffinity(0)]
    statuses = [worker.wait() for worker in workers]
    if any(statuses):
        msg = f"the work that measures the patience failed, by processor: {statuses}"
        raise RuntimeError(msg)
    return time.monotonic() - begin
