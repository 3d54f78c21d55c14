"""Commands, messages, errors and waiting: what every part of the tool uses."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

COMMAND_TIMEOUT_S = 60.0
GLUSTER_TIMEOUT_S = 20.0
POLL_S = 0.25
KILLED_WITHIN_S = 2.0
NOTE = "note: "
LOCK = Path("/run/ha-lab-storage.lock")


class ToolError(Exception):
    """What was found, what was expected, what to do."""


class GlusterError(ToolError):
    """Gluster refused; its own words are in `said`."""

    def __init__(self, words: Sequence[str], said: str) -> None:
        super().__init__(f"`gluster {shlex.join(words)}` failed: {said}")
        self.said = said


def note(text: str) -> None:
    """A line for the user, who reads it beside the machine's name."""
    print(f"{NOTE}{text}", flush=True)


def say(text: str) -> None:
    """A line of progress."""
    print(text, flush=True)


def run(argv: Sequence[str], *, timeout_s: float = COMMAND_TIMEOUT_S) -> tuple[int, str]:
    """Exit status and output (both streams) of a command; it ends with its children in time."""
    try:
        process = subprocess.Popen(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise ToolError(f"{argv[0]} is not installed") from None
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in a file system: left behind
            process.communicate(timeout=KILLED_WITHIN_S)
        return 124, f"no answer within {timeout_s:g} s"
    return process.returncode, output.strip()


def must(argv: Sequence[str], *, timeout_s: float = COMMAND_TIMEOUT_S) -> str:
    """The output of a command that has to succeed."""
    status, output = run(argv, timeout_s=timeout_s)
    if status != 0:
        raise ToolError(f"`{shlex.join(argv)}` ended with {status}: {output[-1500:]}")
    return output


def gluster(*words: str, timeout_s: float = GLUSTER_TIMEOUT_S) -> str:
    """What Gluster's command says. Raises GlusterError."""
    status, output = run(["gluster", "--mode=script", *words], timeout_s=timeout_s)
    if status != 0:
        raise GlusterError(words, output[-1500:])
    return output


def gluster_xml(*words: str, timeout_s: float = GLUSTER_TIMEOUT_S) -> ET.Element:
    """The same as XML, which says of itself whether it is a success. Raises GlusterError."""
    status, output = run(["gluster", "--mode=script", *words, "--xml"], timeout_s=timeout_s)
    try:
        root = ET.fromstring(output[output.index("<") :])
    except (ValueError, ET.ParseError):
        raise GlusterError(words, output[-1500:] or f"status {status}") from None
    if root.findtext("opRet", "0") != "0":
        raise GlusterError(words, root.findtext("opErrstr") or "it does not say why")
    return root


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Looks for what must be healed take locks in Gluster: one of them at a time."""
    with LOCK.open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def wait_until(condition: Callable[[], str], *, within_s: float) -> None:
    """Wait until nothing is missing. Raises ToolError with what was missing last."""
    deadline = time.monotonic() + within_s
    while True:
        try:
            missing = condition()
        except GlusterError as error:
            missing = str(error)
        if not missing:
            return
        if time.monotonic() >= deadline:
            raise ToolError(f"after {within_s:g} s: {missing}")
        time.sleep(POLL_S)


def complain(error: Exception) -> int:
    """Say why something was not possible; the exit status for it."""
    print(f"storage-tool: {error}", file=sys.stderr, flush=True)
    return 1
