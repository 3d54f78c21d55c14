"""Readiness: what a machine must have ended before anything is applied."""

from __future__ import annotations

import json
import time
from pathlib import Path

from .system import ApplyError, run, say

OLDEST_SANE_CLOCK = 1767225600
"""2026-01-01: a machine that believes in an earlier day has no clock; TLS and databases mind."""


def await_ready(timeout_s: float) -> None:
    """Wait for the end of cloud-init and check the clock; says what it waits for."""
    if Path("/usr/bin/cloud-init").exists() and Path("/run/cloud-init").exists():
        await_cloud_init(timeout_s)
    now = time.time()
    if now < OLDEST_SANE_CLOCK:
        said = f"the clock says {time.ctime(now)}; expected today"
        raise ApplyError(f"{said}: set it, or enable chrony")


def await_cloud_init(timeout_s: float) -> None:
    """Status 0 is success, 2 success with warnings (since 23.4); anything else is shown."""
    say("waiting for cloud-init")
    status, output = run(["cloud-init", "status", "--wait"], timeout_s=timeout_s)
    if status == 2:
        say(f"cloud-init ended with warnings:\n{cloud_init_errors()}")
    elif status != 0:
        raise ApplyError(
            f"cloud-init: {output.strip('.')} (status {status})\n{cloud_init_errors()}"
        )


def cloud_init_errors() -> str:
    """The errors that cloud-init recorded, one a line."""
    try:
        result = json.loads(Path("/run/cloud-init/result.json").read_text())["v1"]
    except (OSError, ValueError, KeyError):
        return "(no result recorded; see /var/log/cloud-init.log)"
    errors = [*result.get("errors", ()), *result.get("recoverable_errors", {}).get("WARNING", ())]
    return "\n".join(str(error) for error in errors) or "(see /var/log/cloud-init.log)"
