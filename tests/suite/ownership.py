"""Whose a thing on this machine is, by its name. No I/O.

`test-...` is reserved for the stacks and rigs of tests. The names that are made of it are not all
as clear: a user's stack `test` has a domain `ha-lab-test-node1`, which is not a test's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rig.model import is_name

RESERVED = "test-"
PREFIX = "ha-lab-"
"""What the libvirt names of every stack begin with."""
RIG_PREFIX = "ha-lab-rig-"
"""What the network namespaces of every rig begin with."""
HELPERS = ("ha-lab-test-", "halab-test-")
"""What the network namespaces begin with that tests make beside rigs."""

REPORTS = (".state", "suite")
"""The end of the folder in which a run of the suite lets its parts write their reports."""

Machines = Mapping[str, frozenset[str]]
"""By rig, its machines."""


def is_tests(stack: str) -> bool:
    """Whether a stack or rig of this name is made by tests alone."""
    return stack.startswith(RESERVED) and stack != RESERVED


def stack_of(prefix: str) -> str | None:
    """The test's stack whose network, pool, directory or fence daemon has this name."""
    stack = prefix.removeprefix(PREFIX)
    return stack if prefix.startswith(PREFIX) and is_tests(stack) else None


def stack_of_domain(domain: str) -> str | None:
    """The test's stack that has this domain. No name of a virtual machine has a hyphen."""
    return stack_of(domain.rpartition("-")[0])


# -- rigs -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RigTraces:
    """What there is of rigs, whoever made them."""

    folders: Machines = field(default_factory=dict)
    cgroups: Machines = field(default_factory=dict)
    scripts: Machines = field(default_factory=dict)
    """Of supervisors that run."""
    namespaces: Collection[str] = ()
    """Names of all network namespaces, other people's too."""


def rigs_of_tests(traces: RigTraces) -> dict[str, frozenset[str]]:
    """The rigs of tests that have left something, with their machines."""
    return {
        rig: frozenset(machines)
        for rig, machines in sorted(_all_rigs(traces).items())
        if is_tests(rig) and is_name(rig)
    }


def _all_rigs(traces: RigTraces) -> dict[str, set[str]]:
    """Every rig. A namespace is its own, or that of a machine behind a point."""
    known: dict[str, set[str]] = {}
    for seen in (traces.folders, traces.cgroups, traces.scripts):
        for rig, machines in seen.items():
            known.setdefault(rig, set()).update(machines)
    for namespace in traces.namespaces:
        if namespace.startswith(RIG_PREFIX):
            rig, _, machine = namespace.removeprefix(RIG_PREFIX).partition(".")
            known.setdefault(rig, set()).update([machine] if machine else ())
    return known


def rig_of_script(argv: Sequence[str], rigs: Path) -> tuple[str, str | None] | None:
    """Rig and machine whose supervisor this command line is; no machine: of its fence service."""
    if len(argv) != 2 or Path(argv[0]).name != "sh":
        return None
    match Path(argv[1]).parts[len(rigs.parts) :]:
        case (rig, "machines", machine, "run.sh") if argv[1].startswith(f"{rigs}/"):
            return rig, machine
        case (rig, "fencing", "run.sh") if argv[1].startswith(f"{rigs}/"):
            return rig, None
    return None


def rig_of_fence_service(argv: Sequence[str]) -> str | None:
    """The rig whose fence service this command line is."""
    words = _module_words(argv, "rig")
    return _option(words, "--name") if words[:1] == ["fence-service"] else None


# -- commands -------------------------------------------------------------------------------------


def is_command_of_tests(argv: Sequence[str]) -> bool:
    """Whether this is a part of a run of the suite, or a command, `lab`, `rig` or `pulumi`, that
    works on a test's stack or rig."""
    if words := _module_words(argv, "pytest"):
        return Path(_option(words, "--report-log") or "").parent.parts[-2:] == REPORTS
    if Path(argv[0]).name == "pulumi":
        return is_tests(_option(argv, "--stack") or "")
    if words := _module_words(argv, "rig"):
        return is_tests(_option(words, "--name") or "") and words[0] != "fence-service"
    # The stack stands behind the words of the command, and options behind it.
    words = _module_words(argv, "lab")
    options = [number for number, word in enumerate(words) if word.startswith("-")]
    return any(is_tests(word) for word in words[: min(options, default=len(words))])


def _module_words(argv: Sequence[str], module: str) -> list[str]:
    """The words behind `python -m MODULE`, without a command that is run by it."""
    words = list(argv)
    if not Path(words[0]).name.startswith("python") or "-m" not in words:
        return []
    behind = words[words.index("-m") + 1 :]
    if behind[:1] != [module]:
        return []
    return behind[1 : behind.index("--") if "--" in behind else len(behind)]


def _option(words: Sequence[str], option: str) -> str | None:
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == option:
            return following
        if word.startswith(f"{option}="):
            return word.removeprefix(f"{option}=")
    return None


# -- libvirt --------------------------------------------------------------------------------------


def domain_of_emulator(argv: Sequence[str]) -> str | None:
    """The domain of an emulator that libvirt started: `-name guest=DOMAIN,...`."""
    if not Path(argv[0]).name.startswith("qemu-system-"):
        return None
    name = _option(argv, "-name") or ""
    return name.partition(",")[0].removeprefix("guest=") or None


def network_of_dnsmasq(argv: Sequence[str]) -> str | None:
    """The network of a dnsmasq that libvirt started: `--conf-file=.../NETWORK.conf`."""
    if Path(argv[0]).name != "dnsmasq":
        return None
    file = Path(_option(argv, "--conf-file") or "")
    return file.stem if file.suffix == ".conf" and file.parent.name == "dnsmasq" else None


def files_of_networks(names: Iterable[str], bridges: Collection[str]) -> list[str]:
    """Those among the names of dnsmasq's files that belong to tests' networks.

    libvirt names most by the network and some by its bridge, of which only `bridges` are known.
    """
    return sorted(
        name for name in names if stack_of(name) is not None or name.rpartition(".")[0] in bridges
    )


# -- mounts ---------------------------------------------------------------------------------------


def mounts_below(mountinfo: str, folder: Path) -> list[str]:
    """Mount points in a folder, deepest first, of a /proc/PID/mountinfo."""
    points = [_unescaped(line.split()[4]) for line in mountinfo.splitlines()]
    return sorted((p for p in points if p.startswith(f"{folder}{os.sep}")), key=len, reverse=True)


def _unescaped(point: str) -> str:
    """The kernel writes blanks in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)
