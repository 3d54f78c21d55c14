"""What an image is made of, as plain values: packages, options, content hash. No I/O but reading
this folder's own files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
RELEASES = ("bookworm", "trixie")
Flavour = Literal["golden", "bare"]

#: Raised by hand when a change of the builder's code changes what it builds.
FORMAT = 1

_BARE_MARK = "[bare]"
_DROPPED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*")
_KEPT = ("/usr/share/doc/*/copyright", "/usr/share/locale/locale.alias")


class ImageError(Exception):
    """A problem to show to the user as it is: what was found, expected, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeSpec:
    """A root tree: `packages` by name, `pins` (name -> exact version) when a given list is used."""

    release: str
    flavour: Flavour
    packages: tuple[str, ...]
    pins: tuple[tuple[str, str], ...] = ()

    def mmdebstrap_options(self) -> list[str]:
        """The options that decide the content; sources and hooks are added by the builder."""
        return [
            "--mode=root",
            "--format=directory",
            "--variant=minbase",
            f"--include={','.join(self.packages)}",
            *(f"--dpkgopt=path-exclude={path}" for path in _DROPPED),
            *(f"--dpkgopt=path-include={path}" for path in _KEPT),
        ]

    def preferences(self) -> str:
        """apt preferences that hold every pinned package at its exact version."""
        return "\n".join(
            f"Package: {name}\nPin: version {version}\nPin-Priority: 1001\n"
            for name, version in self.pins
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpec:
    """A bootable disk: `size_gib` is virtual (sparse), `kernel_args` are added to the console's."""

    tree: TreeSpec
    size_gib: int = 4
    kernel_args: tuple[str, ...] = ()


def tree_spec(release: str, flavour: Flavour = "golden", snapshot: str = "") -> TreeSpec:
    """The tree of `release`; `snapshot` is the text of a `packages.lock` to reproduce."""
    if release not in RELEASES:
        raise ImageError(f"unknown release {release!r}: expected one of {', '.join(RELEASES)}")
    text = (HERE / "packages.txt").read_text(encoding="utf-8")
    return TreeSpec(
        release=release,
        flavour=flavour,
        packages=parse_packages(text, bare_only=flavour == "bare"),
        pins=parse_lock(snapshot),
    )


def parse_packages(text: str, *, bare_only: bool = False) -> tuple[str, ...]:
    """Package names of `packages.txt`; a group ends at an empty line."""
    names: list[str] = []
    for group in text.split("\n\n"):
        lines = [line.strip() for line in group.splitlines()]
        is_bare = any(
            line.startswith("#") and line[1:].strip().startswith(_BARE_MARK) for line in lines
        )
        if is_bare or not bare_only:
            names += [line for line in lines if line and not line.startswith("#")]
    return tuple(names)


def parse_lock(text: str) -> tuple[tuple[str, str], ...]:
    """The (name, version) pairs of a `packages.lock`: one `name=version` a line."""
    pins: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, separator, version = line.partition("=")
        if not (name and separator and version):
            raise ImageError(f"package list, line {number}: {line!r} is not NAME=VERSION")
        pins.append((name, version))
    return tuple(pins)


def different_pins(pins: tuple[tuple[str, str], ...], installed: dict[str, str]) -> list[str]:
    """Pinned packages that were not installed at their version, as readable lines."""
    return [
        f"{name}: wanted {version}, got {installed.get(name, 'nothing')}"
        for name, version in pins
        if installed.get(name) != version
    ]


def tree_key(spec: TreeSpec) -> str:
    """Content hash of a tree: its options, pins and every file copied into it."""
    digest = hashlib.sha256()
    parts = [FORMAT, spec.release, spec.flavour, spec.mmdebstrap_options(), spec.pins]
    digest.update(json.dumps(parts).encode())
    copied = [path for path in sorted((HERE / "rootfs").rglob("*")) if path.is_file()]
    for path in [HERE / "finish.sh", *copied]:
        digest.update(str(path.relative_to(HERE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def disk_key(spec: DiskSpec) -> str:
    """Content hash of a disk: its tree's, its size and its kernel arguments."""
    parts = [FORMAT, tree_key(spec.tree), spec.size_gib, spec.kernel_args]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
