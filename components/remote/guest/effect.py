"""In effect, not only written: whether a running unit has taken its files up.

A daemon may answer a reload with status 0, refuse the new configuration and serve on with the old
one. So it is asked itself, by a command that its service gives.
"""

from __future__ import annotations

import time

from .system import ApplyError, Json, distribution_family, run, tail

ASK_INTERVAL_S = 0.1
ASK_TIMEOUT_S = 30.0
NO_ANSWER = "it does not say what it runs with"


def why_not_in_effect(command: str | None) -> str | None:
    """What the unit runs with instead of its files; None where it runs with them."""
    if not command:
        return None
    status, output = run(["/bin/sh", "-c", command], timeout_s=ASK_TIMEOUT_S)
    return None if status == 0 else tail(output, 8) or NO_ANSWER


def await_effect(unit: Json, within_s: float, since: float) -> None:
    """Wait until the unit runs with its files. ApplyError, with what it said since then (seconds of
    the wall clock), where it does not."""
    problem = lasting_problem(unit.get("in_effect"), within_s)
    if problem is None:
        return
    name = unit["name"][distribution_family()]
    asked = ["journalctl", "-u", name, f"--since=@{int(since)}", "-n", "15", "--no-pager"]
    _, log = run([*asked, "-o", "cat"])
    raise ApplyError(
        f"{name} runs, but not with the files that were written: {problem}\n"
        f"What it said meanwhile:\n{tail(log, 15)}"
    )


def lasting_problem(command: str | None, within_s: float) -> str | None:
    """What is still not in effect at the end of this time."""
    deadline = time.monotonic() + within_s
    while (problem := why_not_in_effect(command)) and time.monotonic() < deadline:
        time.sleep(ASK_INTERVAL_S)
    return problem
