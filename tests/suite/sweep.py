"""Remove what earlier runs of the tests left on this machine that were ended hard.

A fixture removes what it made when its tests are over; nobody does it after a `kill -9` or a loss
of power. Only what has a test's name is removed (see `ownership`): a user's rigs and labs stay,
also when they are half dead. Call it while `lock.only_run` is held, or it removes what another run
uses.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from images.spec import ImageError
from lab.errors import LabError
from lab.pulumi_cli import STATE
from lab.stack_file import STACKS
from rig.model import RigError
from rig.network import namespace_names
from tests.suite.ownership import HELPERS, is_command_of_tests, rigs_of_tests
from tests.suite.processes import Process, Say, end, running, with_descendants
from tests.suite.sweep_libvirt import sweep_libvirt, why_unreadable
from tests.suite.sweep_rigs import rig_traces, sweep_namespaces, sweep_rigs

PROBLEMS = (OSError, RigError, ImageError, LabError, subprocess.SubprocessError, ValueError)
SHOWN_WORDS = 8
"""Of a command line."""


def sweep(say: Say) -> list[str]:
    """Remove it; a line for each thing that is gone. What could not be removed is said."""
    steps: list[Callable[[Say], list[str]]] = [_end_commands]
    if os.geteuid() == 0:
        # Callers of a lab's fence daemon have a port on its bridge: libvirt's things go later.
        steps += [sweep_rigs, sweep_namespaces, sweep_libvirt]
    else:
        _say_what_needs_root(say)
    steps.append(_remove_files)
    removed = []
    for step in steps:
        try:
            removed += step(say)
        except PROBLEMS as problem:
            say(f"the clean-up of earlier tests goes on after: {problem}")
    return removed


def _end_commands(say: Say) -> list[str]:
    """First of all: a command that goes on without its test would make things again."""
    processes = running()
    own = [process for process in processes if is_command_of_tests(process.argv)]
    end([process.pid for process in with_descendants(own, processes)], say)
    return [_line(process) for process in own if process.pid != os.getpid()]


def _line(process: Process) -> str:
    words = process.argv[:SHOWN_WORDS]
    return f"process {process.pid}: {' '.join((Path(words[0]).name, *words[1:]))}"


def _remove_files(say: Say) -> list[str]:
    """Stack files of tests in this clone, and what set-up and drills remember of them."""
    del say
    return remove_files(STACKS, STATE)


def remove_files(stacks: Path, state: Path) -> list[str]:
    """Those of `stacks` and `state` that are tests'."""
    found = [*stacks.glob("Pulumi.test-*.yaml"), *state.glob("test-*")]
    found += [path for kind in ("drills", "exercises") for path in state.glob(f"{kind}/test-*")]
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return [f"file {path.relative_to(stacks.parent)}" for path in sorted(found)]


def _say_what_needs_root(say: Say) -> None:
    """What can be seen without being root, and that it stays."""
    seen = [f"rig {rig}" for rig in rigs_of_tests(rig_traces(running()))]
    seen += [f"namespace {name}" for name in namespace_names() if name.startswith(HELPERS)]
    for thing in seen:
        say(f"{thing} was left by tests and can be removed by root alone")
    if problem := why_unreadable():
        say(f"libvirt is not looked at: {problem}")
