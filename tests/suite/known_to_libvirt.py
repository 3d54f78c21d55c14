"""What libvirt knows of tests, removed through libvirt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from xml.etree import ElementTree as ET

from lab.errors import LabError
from tests.suite.ownership import stack_of, stack_of_domain
from tests.suite.processes import Say

Owner = Callable[[str], str | None]
"""The test's stack that has a thing of this name."""


class Virsh(Protocol):
    """What is asked of libvirt."""

    def __call__(self, *words: str) -> str: ...

    def names(self, *words: str) -> list[str]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of things that libvirt keeps, and how one of them is removed."""

    name: str
    owner: Owner
    folders: tuple[str, str]
    """With a file for each of them: below the configuration, and below the state of what runs."""
    listing: tuple[str, ...]
    removal: tuple[tuple[str, ...], ...]
    """Commands, each to be followed by the name."""


KINDS = (
    Kind(
        name="domain",
        owner=stack_of_domain,
        folders=("qemu", "qemu"),
        listing=("list", "--all", "--name"),
        removal=(
            ("destroy",),
            ("undefine", "--nvram", "--snapshots-metadata", "--managed-save", "--domain"),
        ),
    ),
    Kind(
        name="pool",
        owner=stack_of,
        folders=("storage", "storage"),
        listing=("pool-list", "--all", "--name"),
        removal=(("pool-destroy",), ("pool-undefine",)),
    ),
    Kind(
        name="network",
        owner=stack_of,
        folders=("qemu/networks", "network"),
        listing=("net-list", "--all", "--name"),
        removal=(("net-destroy",), ("net-undefine",)),
    ),
)
"""In the order in which they can be removed: machines use pools and networks."""


def pool_folders(virsh: Virsh) -> list[Path]:
    """The directories of tests' pools."""
    names = [name for name in virsh.names("pool-list", "--all", "--name") if stack_of(name)]
    # libvirt's own XML, from a root-owned socket.
    found = [ET.fromstring(virsh("pool-dumpxml", n)).findtext("target/path") for n in names]
    return [Path(path) for path in found if path]


def remove_all(virsh: Virsh, say: Say) -> list[str]:
    """Everything of tests that libvirt knows; says what it would not remove."""
    removed = []
    for kind in KINDS:
        own = [name for name in virsh.names(*kind.listing) if kind.owner(name) is not None]
        said = {name: _tried(virsh, kind.removal, name) for name in own}
        left = set(virsh.names(*kind.listing))
        removed += [f"libvirt {kind.name} {name}" for name in own if name not in left]
        for name in own:
            if name in left:
                say(f"libvirt {kind.name} {name} cannot be removed: {said[name]}")
    return removed


def _tried(virsh: Virsh, commands: Sequence[Sequence[str]], name: str) -> str:
    """What was said against the commands: what does not run cannot be stopped, what is gone with
    its end cannot be undefined. Whether the thing is there afterwards is what counts."""
    said = ""
    for words in commands:
        try:
            virsh(*words, name)
        except LabError as problem:
            said = str(problem)
    return said
