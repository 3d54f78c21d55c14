"""The disk image of a stack's virtual machines: which local file, and its checksum.

Downloading and building are the host preparation's work; here a file is found and named. The
checksum is part of the base volume's name: a changed image is never mistaken for the old one.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from components.machines.errors import MachinesError
from components.machines.host_facts import HostFacts, cache_dir
from components.settings.models import ImageSettings, Settings
from components.whole_file import write_whole

VERSION_DIGITS = 16
"""Hexadecimal digits of the SHA-512 in a base volume's name."""
UNKNOWN_VERSION = "not-there-yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImage:
    """A disk image on this host."""

    path: str
    version: str
    """Start of its SHA-512."""


def find_image(settings: Settings, facts: HostFacts, *, planning: bool) -> LocalImage:
    """The stack's image. Raises MachinesError where it is not on this host.

    A preview (`planning`) goes on without the file: pull requests are previewed on machines that
    have no image.
    """
    chosen = settings.libvirt.image
    path = image_path(chosen, facts)
    if path is not None and path.is_file():
        return LocalImage(path=str(path), version=sha512(path)[:VERSION_DIGITS])
    if planning:
        return LocalImage(path=str(path or "golden.qcow2"), version=UNKNOWN_VERSION)
    raise MachinesError(_why_missing(chosen, path))


def image_path(chosen: ImageSettings, facts: HostFacts) -> Path | None:
    """Where the image is, or will be; None: the golden image, which nobody has built yet."""
    if chosen.path is not None:
        return Path(chosen.path).expanduser()
    if chosen.url is not None and chosen.sha512 is not None:
        return download_path(chosen.url, chosen.sha512)
    return Path(facts.golden_image) if facts.golden_image else None


def download_path(url: str, checksum: str) -> Path:
    """Where a downloaded image is kept: another checksum is another file."""
    name = PurePosixPath(urlsplit(url).path).name or "image"
    return cache_dir() / "downloads" / f"{checksum[:VERSION_DIGITS]}-{name}"


def sha512(path: Path) -> str:
    """The file's SHA-512, remembered in the cache for as long as size and time stay the same."""
    status = path.stat()
    key = f"{path.resolve()}:{status.st_size}:{status.st_mtime_ns}"
    memory = cache_dir() / "libvirt" / "checksums.json"
    try:
        known: dict[str, str] = json.loads(memory.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        known = {}
    if key not in known:
        with path.open("rb") as file:
            known[key] = hashlib.file_digest(file, "sha512").hexdigest()
        write_whole(memory, json.dumps(known, indent=1) + "\n")
    return known[key]


def _why_missing(chosen: ImageSettings, path: Path | None) -> str:
    if chosen.path is not None:
        return f"libvirt.image.path: there is no file {path}; correct the path or remove it"
    if chosen.url is not None:
        return (
            f"the image {chosen.url} has not been downloaded to this host yet;"
            " `lab setup` does it (`make up` too)"
        )
    where = f"{path} is gone" if path else "it has not been built on this host"
    return f"the golden image is missing: {where}; `make image` builds it, or set libvirt.image"
