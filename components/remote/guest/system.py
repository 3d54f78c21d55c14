"""Commands, messages and errors: what every part of the applier uses."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

COMMAND_TIMEOUT_S = 600
NOTE = "note: "
QUIET = {
    "LC_ALL": "C",
    "DEBIAN_FRONTEND": "noninteractive",
    # Enabling a unit that has an init script too runs update-rc.d for it, a second of Perl on an
    # emulated machine; no init script is used here.
    "SYSTEMCTL_SKIP_SYSV": "1",
}

Json = dict[str, Any]


class ApplyError(Exception):
    """The specification cannot be carried out; the text says what was found and expected."""


def say(text: str) -> None:
    """One line of progress; Pulumi shows it beside the machine's name."""
    with contextlib.suppress(OSError):  # nobody listens any more: no reason to stop half-way
        print(text, file=sys.stderr, flush=True)


def tell_notes(output: str) -> None:
    """Say what a command has for the user: its lines that begin with `note: `."""
    for line in output.splitlines():
        if line.startswith(NOTE):
            say(line)


def run(argv: Sequence[str], timeout_s: float = COMMAND_TIMEOUT_S) -> tuple[int, str]:
    """Exit status and output (both streams) of a command; never waits on a terminal."""
    env = {**os.environ, **QUIET}
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
    except FileNotFoundError:
        return 127, f"{argv[0]}: not found"
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        # With its children: one that lives on would keep the pipe open.
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return 124, f"no answer within {timeout_s:.0f} s"
    return process.returncode, output.decode("utf-8", "replace").strip()


def must(argv: Sequence[str], what: str) -> str:
    """Run a command that has to succeed."""
    status, output = run(argv)
    if status != 0:
        raise ApplyError(
            f"{what} failed: `{shlex.join(argv)}` ended with {status}:\n{tail(output)}"
        )
    return output


def tail(text: str, lines: int = 25) -> str:
    return "\n".join(text.splitlines()[-lines:])


def distribution_family() -> str:
    """`debian` or `redhat`, by the package manager that is there."""
    if Path("/usr/bin/dpkg-query").exists():
        return "debian"
    if Path("/usr/bin/rpm").exists():
        return "redhat"
    raise ApplyError("expected a Debian or Red Hat family system (dpkg or rpm); found neither")
