"""Commands, messages, errors and waiting: what every part of the tool uses."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

COMMAND_TIMEOUT_S = 180
"""An emulated member took a minute for `pcs host auth`, which asks all of them."""
POLL_S = 0.2
NOTE = "note: "


class ToolError(Exception):
    """What was found, what was expected, what to do."""


def note(text: str) -> None:
    """A line for the user, who reads it beside the machine's name."""
    print(f"{NOTE}{text}", flush=True)


def run(
    argv: Sequence[str], *, stdin: str = "", timeout_s: float = COMMAND_TIMEOUT_S
) -> subprocess.CompletedProcess[str]:
    """A command's result, whatever it is. Raises ToolError where it is not there or too slow."""
    try:
        return subprocess.run(
            list(argv),
            input=stdin,
            text=True,
            capture_output=True,
            timeout=timeout_s,
            check=False,
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise ToolError(f"{argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"`{shlex.join(argv)}` gave no answer in {timeout_s:.0f} s") from None


def must(argv: Sequence[str], *, stdin: str = "", timeout_s: float = COMMAND_TIMEOUT_S) -> str:
    """The output of a command that has to succeed."""
    done = run(argv, stdin=stdin, timeout_s=timeout_s)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip())[-1500:]
        raise ToolError(f"`{shlex.join(argv)}` ended with {done.returncode}: {said}")
    return done.stdout


def status() -> ET.Element | None:
    """The cluster as `crm_mon` sees it; None while it cannot be asked."""
    done = run(["crm_mon", "--one-shot", "--output-as", "xml"])
    if done.returncode != 0:
        return None
    try:
        return ET.fromstring(done.stdout)
    except ET.ParseError:
        return None


def wait_until(condition: Callable[[], str], *, within_s: float) -> None:
    """Wait until nothing is missing. Raises ToolError with what was missing last."""
    deadline = time.monotonic() + within_s
    while missing := condition():
        if time.monotonic() >= deadline:
            raise ToolError(f"after {within_s:.0f} s: {missing}")
        time.sleep(POLL_S)


def complain(error: Exception) -> int:
    """Say why something was not possible; the exit status for it."""
    print(f"cluster-tool: {error}", file=sys.stderr, flush=True)
    return 1
