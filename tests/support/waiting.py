"""Wait for a condition, never for a time; say what was seen last.

Every deadline of the tests is made here. It is a bound on hope and no measurement: ten times what
is usual on a quiet machine, times the run's patience. How long something takes is for the bench and
the drill to say.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from tests.support.patience import patience

T = TypeVar("T")

HOPE = 10
"""So many times what is usual may it take."""

# What is usual, in seconds, with `relaxed` timers.
MOMENT_S = 1.0
"""A daemon answers, a process starts or ends, a check sees a server, a page is served."""
TAKEOVER_S = 5.0
"""A failure is found and the VIP, the page or the route is elsewhere."""
BOOT_S = 8.0
"""A machine of the rig boots, and its daemons do their work."""
WHOLE_S = 15.0
"""A fenced member is back, a replica follows, a brick is healed, every audit passes."""
COLD_START_S = 30.0
"""A whole cluster starts from nothing; Pacemaker alone waits twenty seconds for a leader."""
FORGOTTEN_S = 70.0
"""Ten minutes at most: so long Pacemaker remembers an action that failed on a busy machine."""
DRILL_S = 30.0
"""A drill breaks something, watches, undoes it and audits; or an exercise has its next step."""
EMULATED_S = 20.0
"""An emulated virtual machine does what a real one does in a moment."""
EMULATED_BOOT_S = 180.0
"""An emulated virtual machine boots and ends cloud-init, two others beside it."""


def deadline_s(usual_s: float) -> float:
    """Seconds that something may take at most which usually takes `usual_s`."""
    return usual_s * HOPE * patience()


def wait_until(what: str, probe: Callable[[], T], *, usual_s: float, every_s: float = 0.2) -> T:
    """The first truthy answer of `probe`. Fails with the last answer (or exception) at the end.

    `usual_s`: what it takes on a quiet machine, one of the constants of this module.
    """
    within_s = deadline_s(usual_s)
    end = time.monotonic() + within_s
    while True:
        last: object
        try:
            answer = probe()
            if answer:
                return answer
            last = answer
        except Exception as error:  # noqa: BLE001 - a probe of a broken system may fail in any way
            last = error
        if time.monotonic() >= end:
            raise AssertionError(f"{what}: not within {within_s:.0f} s; last seen: {last!r}")
        time.sleep(every_s)
