"""Rigs of tests: found by whatever is left of them, and removed."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from images.spec import ImageError
from rig import lifecycle, state
from rig.model import RigError
from rig.network import namespace_names
from rig.processes import namespace_members
from tests.suite.ownership import (
    HELPERS,
    RIG_PREFIX,
    Machines,
    RigTraces,
    is_tests,
    mounts_below,
    rig_of_fence_service,
    rig_of_script,
    rigs_of_tests,
)
from tests.suite.processes import Process, Say, end, running

NAMESPACES = Path("/run/netns")
CGROUPS = Path("/sys/fs/cgroup")
NSPAWN = Path("/run/systemd/nspawn/propagate")
"""systemd-nspawn leaves a directory there for each container that was killed."""
LOCK_WITHIN_S = 10.0
"""Who holds a rig's lock longer was ended before, or is nobody that the sweep may end."""


def sweep_rigs(say: Say) -> list[str]:
    """Remove every rig of tests; a line for each that is gone."""
    found = rigs_of_tests(rig_traces(running()))
    removed = []
    for rig, machines in found.items():
        if _remove(rig, machines, say):
            count = len(machines)
            removed.append(f"rig {rig}: {count} machine{'' if count == 1 else 's'}")
    for lock in state.rigs_root().glob(".*.lock"):
        if is_tests(lock.name.removeprefix(".").removesuffix(".lock")):
            lock.unlink(missing_ok=True)
    return removed


def sweep_namespaces(say: Say) -> list[str]:
    """Remove the network namespaces that tests made beside rigs, and end who is in them."""
    names = [name for name in namespace_names() if name.startswith(HELPERS)]
    for name in names:
        end(namespace_members(name), say)
        _delete_namespace(name)
    return [f"namespace {name}" for name in names]


def rig_traces(processes: Iterable[Process]) -> RigTraces:
    """What there is of rigs on this machine."""
    folders = {name: _names(state.home(name) / "machines") for name in state.names()}
    scripts: defaultdict[str, set[str]] = defaultdict(set)
    for process in processes:
        script = rig_of_script(process.argv, state.rigs_root())
        if script is not None:
            scripts[script[0]].update({script[1]} if script[1] else ())
        elif rig := rig_of_fence_service(process.argv):
            scripts[rig].update()
    return RigTraces(
        folders=folders,
        cgroups=_cgroups_by_rig(),
        scripts={rig: frozenset(machines) for rig, machines in scripts.items()},
        namespaces=namespace_names(),
    )


def _cgroups_by_rig() -> Machines:
    machines: defaultdict[str, set[str]] = defaultdict(set)
    for folder in _cgroup_folders("*"):
        machines[folder.name] |= _names(folder)
    return {rig: frozenset(names) for rig, names in machines.items()}


def _cgroup_folders(rig: str) -> Iterator[Path]:
    """The cgroups of a rig: in each hierarchy, or in the only one."""
    for pattern in (f"ha-lab-rig/{rig}", f"*/ha-lab-rig/{rig}"):
        yield from (path for path in CGROUPS.glob(pattern) if path.is_dir())


def _names(folder: Path) -> frozenset[str]:
    """Names of the folders in a folder."""
    if not folder.is_dir():
        return frozenset()
    return frozenset(path.name for path in folder.iterdir() if path.is_dir())


# -- removing -------------------------------------------------------------------------------------


def _remove(rig: str, machines: Iterable[str], say: Say) -> bool:
    """Remove a rig, also where its own tool cannot find all of it; says why where it is left."""
    _end_fence_service(rig, say)
    # Commands that the test ran in the rig's network; the machines have namespaces of their own.
    end(namespace_members(f"{RIG_PREFIX}{rig}"), say)
    for name in _names_without_namespace(rig):
        _delete_namespace(name)
    for point in mounts_below(Path("/proc/self/mountinfo").read_text(), state.home(rig)):
        subprocess.run(["umount", "--lazy", point], check=False, capture_output=True)
    try:
        with state.locked(rig, patience=LOCK_WITHIN_S):
            pass
        if problem := _why_not_down(rig):
            say(f"rig {rig}: {problem}; once more, when its processes are ended")
            end(_supervisors(rig), say)
            lifecycle.down(rig)
    except (RigError, ImageError, OSError) as problem:
        say(f"rig {rig} cannot be removed: {problem}")
        return False
    end(_supervisors(rig), say)
    for machine in machines:
        with suppress(OSError):  # it is not there, or another container of this name has it
            (NSPAWN / f"{rig}.{machine}").rmdir()
    return True


def _why_not_down(rig: str) -> str | None:
    """Take the rig down; None where that worked."""
    try:
        lifecycle.down(rig)
    except (RigError, OSError) as problem:
        return str(problem)
    return None


def _end_fence_service(rig: str, say: Say) -> None:
    """By its command lines: its record is gone where the rig's folder is."""
    processes = running()
    scripts = [p.pid for p in processes if rig_of_script(p.argv, state.rigs_root()) == (rig, None)]
    end(scripts, say)  # first, or it would start the service again
    end([p.pid for p in processes if rig_of_fence_service(p.argv) == rig], say)


def _supervisors(rig: str) -> set[int]:
    """The machines' supervisors, and all that is in the rig's cgroups."""
    scripts = ((p.pid, rig_of_script(p.argv, state.rigs_root())) for p in running())
    found = {pid for pid, script in scripts if script is not None and script[0] == rig}
    for folder in _cgroup_folders(rig):
        for file in folder.rglob("cgroup.procs"):
            with suppress(OSError):  # the cgroup is gone meanwhile
                found |= {int(pid) for pid in file.read_text().split()}
    return found


def _names_without_namespace(rig: str) -> list[str]:
    """Names whose maker was killed before there was a namespace behind them."""
    own = f"{RIG_PREFIX}{rig}"
    names = [name for name in namespace_names() if name.partition(".")[0] == own]
    here = NAMESPACES.stat().st_dev if names else 0
    return [name for name in names if (NAMESPACES / name).stat().st_dev == here]


def _delete_namespace(name: str) -> None:
    subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True)
