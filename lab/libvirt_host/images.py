"""The disk image of a stack: downloaded and verified, or built, or simply there."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx

from components.machines.host_facts import HostFacts
from components.machines.image import download_path, image_path
from components.settings.models import ImageSettings
from images.cache import locked
from lab.errors import LabError

Say = Callable[[str], None]
ATTEMPTS = 5
"""Each goes on where the one before stopped."""
TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudImage:
    """An official cloud image: where it is, and where its publisher lists the checksums."""

    url: str
    checksums: str


_DEBIAN = "https://cloud.debian.org/images/cloud"
_UBUNTU = "https://cloud-images.ubuntu.com/releases"
_ROCKY = "https://dl.rockylinux.org/pub/rocky/9/images/x86_64"
CLOUD_IMAGES = {
    "debian-12": CloudImage(
        url=f"{_DEBIAN}/bookworm/latest/debian-12-genericcloud-amd64.qcow2",
        checksums=f"{_DEBIAN}/bookworm/latest/SHA512SUMS",
    ),
    "debian-13": CloudImage(
        url=f"{_DEBIAN}/trixie/latest/debian-13-genericcloud-amd64.qcow2",
        checksums=f"{_DEBIAN}/trixie/latest/SHA512SUMS",
    ),
    "ubuntu-22.04": CloudImage(
        url=f"{_UBUNTU}/22.04/release/ubuntu-22.04-server-cloudimg-amd64.img",
        checksums=f"{_UBUNTU}/22.04/release/SHA256SUMS",
    ),
    "ubuntu-24.04": CloudImage(
        url=f"{_UBUNTU}/24.04/release/ubuntu-24.04-server-cloudimg-amd64.img",
        checksums=f"{_UBUNTU}/24.04/release/SHA256SUMS",
    ),
    "rocky-9": CloudImage(
        url=f"{_ROCKY}/Rocky-9-GenericCloud-Base.latest.x86_64.qcow2",
        checksums=f"{_ROCKY}/Rocky-9-GenericCloud-Base.latest.x86_64.qcow2.CHECKSUM",
    ),
}
"""By name. Publishers move these addresses to newer images: a stack pins one by its SHA-512."""


def ensure_image(chosen: ImageSettings, say: Say, *, emulation: bool) -> Path:
    """The image file of a stack, downloaded or built where it is not there yet.

    Raises LabError. `emulation`: build the golden image for hosts without KVM.
    """
    if chosen.url is not None and chosen.sha512 is not None:
        return download(chosen.url, chosen.sha512, say)
    if chosen.path is not None:
        path = image_path(chosen, HostFacts())
        if path is None or not path.is_file():
            msg = f"libvirt.image.path: there is no file {path}; correct the path or remove it"
            raise LabError(msg)
        return path
    return golden_image(emulation=emulation)


def golden_image(*, emulation: bool) -> Path:
    """Build the golden image, or find it in the cache; building says what it does on stderr."""
    command = [sys.executable, "-m", "images", "qcow2", *(["--emulation"] if emulation else [])]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=False)
    path = Path(done.stdout.strip() or "/nonexistent")
    if done.returncode != 0 or not path.is_file():
        msg = (
            "the golden image could not be built (see above); libvirt.image can name a cloud image"
        )
        raise LabError(msg)
    return path


def download(url: str, sha512: str, say: Say) -> Path:
    """The verified file in the cache. An interrupted download goes on where it stopped.

    Raises LabError when the server fails, or when the file is not the one that was pinned.
    """
    path = download_path(url, sha512)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Several labs may come up at once; the first one downloads for all of them.
    lock = path.with_name(f"{path.name}.lock")
    with locked(lock, lambda: say(f"waiting for another lab, which downloads {url}")):
        return path if path.is_file() else _download(url, sha512, path, say)


def _download(url: str, sha512: str, path: Path, say: Say) -> Path:
    part = path.with_name(f"{path.name}.part")
    say(f"downloading {url}")
    _fetch(url, part)
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha512").hexdigest()
    if found != sha512:
        part.unlink()
        msg = (
            f"{url} is not the image that the stack pins: its SHA-512 is {found},"
            f" expected {sha512}. The file was removed; publishers replace images:"
            " check the publisher's list and set libvirt.image.sha512"
        )
        raise LabError(msg)
    part.replace(path)
    return path


def _fetch(url: str, part: Path) -> None:
    problem = ""
    for _ in range(ATTEMPTS):
        try:
            if _fetch_rest(url, part):
                return
            problem = "the connection ended early"
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            msg = f"cannot download {url}: the server answers {status}"
            raise LabError(msg) from None
        except httpx.HTTPError as error:
            problem = str(error) or type(error).__name__
    msg = f"cannot download {url}: {problem}. What is there is kept; try again to go on"
    raise LabError(msg)


def _fetch_rest(url: str, part: Path) -> bool:
    """Append what is missing; whether the file is complete. A server without ranges starts anew."""
    size = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={size}-"} if size else {}
    with httpx.stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=TIMEOUT_S
    ) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return True  # nothing is missing; the checksum decides
        answer.raise_for_status()
        resumed = answer.status_code == httpx.codes.PARTIAL_CONTENT
        expected = answer.headers.get("Content-Length")
        with part.open("ab" if resumed else "wb") as file:
            start = file.tell()
            for chunk in answer.iter_raw():
                file.write(chunk)
            return expected is None or file.tell() - start == int(expected)
