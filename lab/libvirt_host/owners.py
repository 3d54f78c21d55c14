"""Which clone's state made the things of a name in libvirt: told before they are made.

Two clones may have a stack of one name, and libvirt knows names alone. So `up` writes down, for
this host, from which state it makes them; without that, what a state does not know is foreign.
"""

from __future__ import annotations

from pathlib import Path

from components.machines.host_facts import cache_dir
from components.whole_file import write_whole


def owner_of(prefix: str) -> str | None:
    """The Pulumi backend from which the things of this name were made; None: nobody said."""
    try:
        return _file(prefix).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def claim(prefix: str, owner: str) -> None:
    """Say that what is called so from now on is made from this backend."""
    if owner_of(prefix) != owner:
        write_whole(_file(prefix), f"{owner}\n")


def _file(prefix: str) -> Path:
    return cache_dir() / "libvirt" / "owners" / prefix
