"""Wait for a condition, never for a time; say what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(what: str, probe: Callable[[], T], *, within_s: float, every_s: float = 0.05) -> T:
    """The first truthy answer of `probe`. Fails with the last answer (or exception) at the end."""
    deadline = time.monotonic() + within_s
    while True:
        last: object
        try:
            answer = probe()
            if answer:
                return answer
            last = answer
        except Exception as error:  # noqa: BLE001 - a probe of a broken system may fail in any way
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what}: not within {within_s} s; last seen: {last!r}")
        time.sleep(every_s)
