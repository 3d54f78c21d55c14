"""Checks: what must answer once a service is configured."""

from __future__ import annotations

import time

from .system import ApplyError, run, tail

CHECK_INTERVAL_S = 0.2


def await_check(command: str, within_s: float) -> None:
    """Wait until a shell command succeeds; says what it said last when it does not."""
    deadline = time.monotonic() + within_s
    while True:
        left = deadline - time.monotonic()
        status, output = run(["/bin/sh", "-c", command], timeout_s=max(1.0, min(left, 30.0)))
        if status == 0:
            return
        if time.monotonic() >= deadline:
            raise ApplyError(
                f"expected to succeed within {within_s:.0f} s: `{command}`;"
                f" it ended last with {status}: {tail(output, 8)}"
            )
        time.sleep(CHECK_INTERVAL_S)
