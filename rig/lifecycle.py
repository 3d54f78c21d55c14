"""Making, changing and removing rigs."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from images.spec import tree_spec
from images.tree import build_tree
from rig import boot, disk, network, processes, state, uplink
from rig.fencing import service as fence_service
from rig.host import inspect_host, raise_limits
from rig.model import CIDR, RELEASE, Machine, Rig, RigError, merge
from rig.wait import wait_for_ssh

_log = logging.getLogger("rig")

#: Seconds; ten machines boot in about 6.5 on two cores, a busy host needs more.
BOOT_DEADLINE = 90.0
#: Seconds that nspawn gets to clean up after its machine has ended.
_NSPAWN_GRACE = 1.0


def up(
    wanted: Rig, *, authorized_keys: str, deadline: float = BOOT_DEADLINE, fencing: bool = False
) -> Rig:
    """Make every machine of `wanted` that is not there, start every one that is off, and return
    when all answer SSH. `fencing`: with a fence service, also in later calls."""
    host = inspect_host()
    raise_limits()
    with state.locked(wanted.name):
        existing = state.find(wanted.name)
        rig = merge(existing, wanted) if existing else wanted
        # On disk before anything exists in the kernel: `down` finds also a half-made rig.
        state.save(rig)
        network.create(rig)
        uplink.ensure(rig, state.home(rig.name))
        for machine in rig.machines:
            if not machine.identity:
                rig = rig.with_machine(_installed(rig, machine, authorized_keys))
        state.save(rig)
        off = [m for m in rig.machines if not _supervisor(rig, m.name)]
        started = {m.name: _launch(rig, m, host) for m in off}
        expected = {m.name: m for m in [*off, *_reachable(rig)]}
        _wait(rig, expected.values(), started, deadline)
        if fencing or fence_service.wanted(rig.name):
            fence_service.ensure(rig)
    return rig


def power_on(name: str, machine: str, *, deadline: float = BOOT_DEADLINE) -> None:
    """Start a machine that is off, and return when it answers SSH."""
    rig, started = _started(name, machine)
    _wait(rig, [rig.machine(machine)], started, deadline)


def start(name: str, machine: str, *, patience: float | None = None) -> None:
    """Start a machine that is off, and return when it has power: long before it answers SSH."""
    _started(name, machine, patience)


def power_off(name: str, machine: str, *, patience: float | None = None) -> None:
    """Take a machine's power: its link goes first, so that no dying process says farewell.

    It is off when this returns. `patience`: seconds to wait for another change of the rig.
    """
    rig = state.load(name)
    rig.machine(machine)
    with state.locked(name, patience=patience):
        _kill(rig, machine)
        if (left := power(rig, machine)) != "off":
            raise RigError(f"{machine} should be off but is {left}")


def reinstall(
    name: str, machine: str, *, authorized_keys: str, deadline: float = BOOT_DEADLINE
) -> Rig:
    """A machine with an empty disk and a new identity, at the same address and host key."""
    host = inspect_host()
    with state.locked(name):
        rig = state.load(name)
        member = rig.machine(machine)
        _kill(rig, machine)
        rig = rig.with_machine(_installed(rig, member, authorized_keys))
        state.save(rig)
        started = {machine: _launch(rig, rig.machine(machine), host)}
        _wait(rig, [member], started, deadline)
    return rig


def freeze(name: str, machine: str) -> None:
    """Pause a machine as a hypervisor does: no process runs, and nothing answers for it."""
    rig, leader = _running(name, machine)
    network.set_link(rig, machine, "silent")
    processes.freeze(leader)


def thaw(name: str, machine: str) -> None:
    """Let a frozen machine go on."""
    rig, leader = _running(name, machine)
    processes.thaw(leader)
    if network.links(rig.namespace).get(machine) == "silent":
        network.set_link(rig, machine, "up")


def cut(name: str, machine: str, *, keep_carrier: bool = False) -> None:
    """Cut a machine's link; see `network.set_link` for the two ways."""
    rig = state.load(name)
    rig.machine(machine)
    network.set_link(rig, machine, "silent" if keep_carrier else "down")


def join(name: str, machine: str) -> None:
    """Give a machine its link back."""
    rig = state.load(name)
    rig.machine(machine)
    network.set_link(rig, machine, "up")


def status(rig: Rig) -> dict[str, tuple[str, str]]:
    """For each machine its power (on, frozen, booting, off) and its link (up, silent, down)."""
    links = network.links(rig.namespace)
    return {m.name: (power(rig, m.name), links.get(m.name, "down")) for m in rig.machines}


def power(rig: Rig, machine: str) -> str:
    """A machine's power: on, frozen, booting, off."""
    leader = processes.leader(rig.machine_namespace(machine))
    if leader is None:
        return "booting" if _supervisor(rig, machine) else "off"
    return "frozen" if processes.is_frozen(leader) else "on"


def down(name: str) -> bool:
    """Remove all of a rig, also one that was left half-made or damaged; False if nothing was."""
    with state.locked(name):
        # Not read from the state file, which may be damaged: only names are needed.
        rig = Rig(name=name, cidr=CIDR, release=RELEASE)
        folder = state.home(name)
        # Before the machines: nobody is to start one of them again.
        fence_service.stop(name)
        homes = folder / "machines"
        machines = {p.name for p in homes.iterdir()} if homes.is_dir() else set()
        namespaces = network.namespace_names()
        running = {machine for ns in namespaces if (machine := rig.machine_in(ns))}
        machines |= running
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(lambda machine: _kill(rig, machine), sorted(machines)))
        uplink.remove(folder)
        if left := [p for p in processes.namespace_members(rig.namespace) if p != os.getpid()]:
            # Started by `enter`: somebody's shell or a running program, not ours to end.
            _log.warning("still running in the network of rig %s: processes %s", name, left)
        network.delete_namespace(rig.namespace)
        for cgroup in boot.own_cgroups(rig, inspect_host()):
            _remove_cgroup(cgroup)
            # The parent is shared by all rigs: the last one takes it away.
            with suppress(OSError):
                cgroup.parent.rmdir()
        existed = folder.exists() or bool(running) or rig.namespace in namespaces
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            raise RigError(f"could not remove {folder}: see what still uses it with `fuser -vm`")
    state.lock_file(name).unlink(missing_ok=True)
    return existed


def enter_argv(name: str, machine: str | None, command: Sequence[str]) -> list[str]:
    """The command that runs `command` in the rig's network namespace, or as root in a machine."""
    if machine is None:
        return ["ip", "netns", "exec", state.load(name).namespace, *command]
    _, leader = _running(name, machine)
    spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root"]
    clean = [
        "env",
        "-i",
        "--chdir=/root",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME=/root",
        "LANG=C.UTF-8",
        f"TERM={os.environ.get('TERM', 'dumb')}",
    ]
    return ["nsenter", f"--target={leader}", *spaces, "--", *clean, *command]


def _installed(rig: Rig, machine: Machine, keys: str) -> Machine:
    tree = build_tree(tree_spec(rig.release, "bare" if machine.bare else "golden")) / "root"
    home = state.machine_home(rig, machine.name)
    home.mkdir(parents=True, exist_ok=True)
    host_key = disk.make_host_key(home)
    disk.make_disk(machine, home, tree, keys)
    return replace(machine, identity=str(uuid.uuid4()), host_key=host_key, tree=str(tree))


def _launch(rig: Rig, machine: Machine, host: boot.Host) -> subprocess.Popen[bytes]:
    # The tree of its installation, also after the packages of newer trees have changed.
    if not (machine.tree and Path(machine.tree).is_dir()):
        raise RigError(
            f"{machine.name}: its root tree {machine.tree} is gone from the cache; "
            f"make its disk anew: python -m rig reinstall {machine.name}"
        )
    home = state.machine_home(rig, machine.name)
    script = home / "run.sh"
    text = boot.run_script(rig, machine, home, Path(machine.tree), host)
    script.write_text(text, encoding="utf-8")
    with (home / "console.log").open("ab") as log:
        return subprocess.Popen(
            boot.launch_argv(rig, machine, script, host),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _started(
    name: str, machine: str, patience: float | None = None
) -> tuple[Rig, dict[str, subprocess.Popen[bytes]]]:
    """Start a machine unless it runs. The rig is free again while it boots, so that another
    machine's power can be cut meanwhile, or this one's."""
    rig = state.load(name)
    member = rig.machine(machine)
    with state.locked(name, patience=patience):
        if _supervisor(rig, machine):
            return rig, {}
        process = _launch(rig, member, inspect_host())
        # Who has the lock next must find it, or would take a booting machine for one that is off.
        processes.wait_until(
            lambda: bool(_supervisor(rig, machine)) or process.poll() is not None,
            deadline=10,
            what=f"the supervisor of {machine}",
        )
    return rig, {machine: process}


def _wait(
    rig: Rig,
    machines: Iterable[Machine],
    started: Mapping[str, subprocess.Popen[bytes]],
    deadline: float,
) -> None:
    def ended(name: str) -> bool:
        return name in started and started[name].poll() is not None

    wait_for_ssh(rig, list(machines), deadline=deadline, ended=ended)


def _kill(rig: Rig, machine: str) -> None:
    """End a machine at once and remove what it had in the kernel; its disk stays."""
    namespace = rig.machine_namespace(machine)
    record = state.machine_home(rig, machine) / "supervisor.pid"
    network.unplug(rig, machine)
    if supervisor := _supervisor(rig, machine):
        processes.send(supervisor, signal.SIGKILL)
    begun = time.monotonic()

    def gone() -> bool:
        inside = processes.namespace_members(namespace)
        # The kernel ends the whole tree with process 1, and nspawn then cleans up and ends.
        leader = processes.leader(namespace)
        doomed = [leader] if leader else inside
        outside = processes.recorded_session(record)
        if not leader and time.monotonic() - begun > _NSPAWN_GRACE:
            doomed = [*doomed, *outside]
        for pid in doomed:
            processes.send(pid, signal.SIGKILL)
        return not inside and not outside

    processes.wait_until(gone, deadline=20, what=f"the processes of {machine} to end")
    record.unlink(missing_ok=True)
    network.delete_namespace(namespace)
    for cgroup in boot.own_cgroups(rig, inspect_host(), machine):
        _remove_cgroup(cgroup)


def _supervisor(rig: Rig, machine: str) -> int | None:
    return processes.recorded_process(state.machine_home(rig, machine) / "supervisor.pid")


def _running(name: str, machine: str) -> tuple[Rig, int]:
    rig = state.load(name)
    rig.machine(machine)
    leader = processes.leader(rig.machine_namespace(machine))
    if leader is None:
        raise RigError(f"machine {machine!r} is off; start it: python -m rig power-on {machine}")
    return rig, leader


def _reachable(rig: Rig) -> list[Machine]:
    """The machines that are on and that nobody froze or cut."""
    now = status(rig)
    return [m for m in rig.machines if now[m.name] == ("on", "up")]


def _remove_cgroup(path: Path) -> None:
    if path.is_dir():
        for folder in sorted(path.rglob("*"), key=lambda p: len(p.parts), reverse=True):
            if folder.is_dir():
                folder.rmdir()
        path.rmdir()
