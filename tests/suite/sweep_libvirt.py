"""Virtual machines, networks and pools of tests, and what is left of them outside of libvirt.

Definitions are read from the disk, so that libvirt is asked, and if need be started, only where
there is something of a test's to remove.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from components.machines.names import IMAGES
from components.settings.load import load_settings
from components.topology import bridge_name, plan
from lab.errors import LabError
from lab.libvirt_host.daemon import (
    CONFIGURATION,
    NAMESPACE,
    RUNTIME,
    SYSTEM_URI,
    LibvirtHost,
    ensure_libvirtd,
)
from lab.libvirt_host.fencing import FenceDaemon
from rig.model import RigError
from rig.network import links
from tests.suite.known_to_libvirt import KINDS, Kind, Virsh, pool_folders, remove_all
from tests.suite.ownership import (
    domain_of_emulator,
    files_of_networks,
    network_of_dnsmasq,
    stack_of,
    stack_of_domain,
)
from tests.suite.processes import Process, Say, end, running


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the daemons keep what they know."""

    configurations: tuple[Path, ...]
    state: Path
    images: Path
    dnsmasq: Path
    qemu: Path
    fencing: Path


HERE = Places(
    configurations=(CONFIGURATION, Path("/etc/libvirt")),
    state=Path("/run/libvirt"),
    images=Path(IMAGES),
    dnsmasq=Path("/var/lib/libvirt/dnsmasq"),
    qemu=Path("/var/lib/libvirt/qemu"),
    fencing=RUNTIME / "fencing",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What is done to the machine. Nothing else here touches more than files of `Places`, so that
    tests of this module cannot touch the machine on which they run."""

    processes: Callable[[], list[Process]]
    end: Callable[[Iterable[int], Say], None]
    libvirt: Callable[[], Virsh]
    """Started where it does not run. Raises LabError."""
    stop_fencing: Callable[[str], None]
    """Of a stack."""
    delete_bridge: Callable[[str], bool]
    """Whether there was one."""


def sweep_libvirt(say: Say) -> list[str]:
    """Remove what tests left in libvirt and around it; a line for each thing."""
    hands = Hands(
        processes=running,
        end=end,
        libvirt=lambda: ensure_libvirtd().virsh,
        stop_fencing=_stop_fencing,
        delete_bridge=_delete_bridge,
    )
    return clean(HERE, hands, say)


def clean(where: Places, hands: Hands, say: Say) -> list[str]:
    """As `sweep_libvirt`, somewhere."""
    stacks = _stacks(where, hands.processes())
    removed = _end_fence_daemons(where, hands)
    folders = [*where.images.glob("ha-lab-*")]
    if _definitions(where):
        try:
            virsh = hands.libvirt()
        except LabError as problem:
            say(f"what tests left in libvirt stays: {problem}")
            return removed
        folders += pool_folders(virsh)
        removed += remove_all(virsh, say)
    removed += _end_processes(hands, say)
    bridges = {bridge_name(stack) for stack in stacks}
    removed += [f"bridge {bridge}" for bridge in sorted(bridges) if hands.delete_bridge(bridge)]
    removed += _remove_paths(own_folders(folders), say)
    removed += _remove_paths(_own_files(where, bridges), say)
    if left := _definitions(where):
        say(f"libvirt still has {', '.join(left)}: another daemon than the running one knows them")
    return removed


# -- looking --------------------------------------------------------------------------------------


def _definitions(places: Places) -> list[str]:
    """What is defined or runs of tests, as the disk has it: `domain ha-lab-test-...`."""
    return sorted({f"{kind.name} {name}" for kind, name in _defined(places)})


def _defined(places: Places) -> Iterator[tuple[Kind, str]]:
    for kind in KINDS:
        configured, active = kind.folders
        for folder in [root / configured for root in places.configurations] + [
            places.state / active
        ]:
            names = [file.stem for file in folder.glob("*.xml")]
            yield from ((kind, name) for name in names if kind.owner(name) is not None)


def _stacks(places: Places, processes: Iterable[Process]) -> set[str]:
    """Stacks of tests that have left anything in libvirt."""
    found = {kind.owner(name) for kind, name in _defined(places)}
    for process in processes:
        found.add(stack_of_domain(domain_of_emulator(process.argv) or ""))
        found.add(stack_of(network_of_dnsmasq(process.argv) or ""))
    found |= {stack_of(path.name) for path in places.images.glob("*")}
    found |= {stack_of(file.stem) for file in places.dnsmasq.glob("*.conf")}
    return {stack for stack in found if stack is not None}


# -- beside libvirt -------------------------------------------------------------------------------


def _end_fence_daemons(places: Places, hands: Hands) -> list[str]:
    """Stop the fence_virtd of each test's stack, and remove its key."""
    removed = []
    for folder in sorted(places.fencing.glob("ha-lab-*")):
        if stack := stack_of(folder.name):
            hands.stop_fencing(stack)
            (folder.parent / f".{folder.name}.lock").unlink(missing_ok=True)
            removed.append(f"fence daemon of {stack}")
    return removed


def _stop_fencing(stack: str) -> None:
    topology = plan(load_settings({}, stack=stack), stack=stack)
    FenceDaemon(host=LibvirtHost(uri=SYSTEM_URI), topology=topology).stop()


def _end_processes(hands: Hands, say: Say) -> list[str]:
    """End the emulators and dnsmasq that libvirt has forgotten."""
    named = {process.pid: _owned_by_daemon(process.argv) for process in hands.processes()}
    own = {pid: name for pid, name in named.items() if name is not None}
    hands.end(own, say)
    return [f"process {pid}: {name}" for pid, name in sorted(own.items())]


def _owned_by_daemon(argv: Sequence[str]) -> str | None:
    domain, network = domain_of_emulator(argv), network_of_dnsmasq(argv)
    if domain is not None and stack_of_domain(domain):
        return f"emulator of {domain}"
    return f"dnsmasq of {network}" if network is not None and stack_of(network) else None


def _delete_bridge(bridge: str) -> bool:
    """Delete it where the project's daemons or the system's have made it."""
    found: list[list[str]] = []
    with suppress(RigError):  # the name of the namespace is there and none behind it
        found += [["ip", "-n", NAMESPACE]] if bridge in links(NAMESPACE) else []
    found += [["ip"]] if Path("/sys/class/net", bridge).exists() else []
    commands = [[*ip, "link", "delete", bridge] for ip in found]
    done = [subprocess.run(words, check=False, capture_output=True) for words in commands]
    return any(one.returncode == 0 for one in done)


def own_folders(folders: Iterable[Path]) -> list[Path]:
    """The directories that a test's pool made for itself: they have the pool's name."""
    own = {folder for folder in folders if stack_of(folder.name) and not folder.is_symlink()}
    return sorted(folder for folder in own if folder.is_dir())


def _own_files(places: Places, bridges: set[str]) -> list[Path]:
    names = [path.name for path in places.dnsmasq.glob("*")]
    found = [places.dnsmasq / name for name in files_of_networks(names, bridges)]
    for folder, ending in (("nvram", "_VARS.fd"), ("save", ".save"), ("snapshot", "")):
        paths = sorted((places.qemu / folder).glob(f"ha-lab-*{ending}"))
        found += [path for path in paths if stack_of_domain(path.name.removesuffix(ending))]
    return found


def _remove_paths(paths: Iterable[Path], say: Say) -> list[str]:
    removed = []
    for path in paths:
        is_folder = path.is_dir()
        try:
            if is_folder:
                shutil.rmtree(path)
            else:
                path.unlink()
        except OSError as problem:
            say(f"{path} cannot be removed: {problem}")
        else:
            removed.append(f"{'directory' if is_folder else 'file'} {path}")
    return removed


def why_unreadable(places: Places = HERE) -> str | None:
    """Why it cannot be seen whether tests left something; None where it can be."""
    closed = [str(root / "qemu") for root in places.configurations if _is_closed(root / "qemu")]
    return f"{', '.join(closed)} cannot be read without root" if closed else None


def _is_closed(folder: Path) -> bool:
    try:
        return folder.is_dir() and not os.access(folder, os.R_OK | os.X_OK)
    except PermissionError:
        return True
