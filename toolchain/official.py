"""The second way: the official release, pinned by version, verified by SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import json
import platform
import tarfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from toolchain import paths, versions
from toolchain.errors import SetupError, UnavailableError
from toolchain.versions import Plugin

_CONNECT = 3.0
"""Seconds until a site that does not answer counts as unreachable."""
_READ = 60.0
"""Seconds without a byte after which a download has failed."""
_REMEMBER = 3600.0
"""Seconds for which an unreachable site is not asked again."""
_PROBE = "https://github.com/pulumi/pulumi/releases"


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """An archive, and the file that its publisher keeps the checksums in."""

    archive: str
    checksums: str

    @property
    def file(self) -> str:
        """The archive's file name."""
        return self.archive.rsplit("/", 1)[1]


def cli_release() -> Release:
    """The CLI's archive comes from its download site, the checksums from the source repository."""
    arch = {"amd64": "x64"}.get(_architecture(), _architecture())
    version = versions.PULUMI
    return Release(
        archive=f"https://get.pulumi.com/releases/sdk/pulumi-v{version}-linux-{arch}.tar.gz",
        checksums=f"https://github.com/pulumi/pulumi/releases/download/v{version}"
        f"/pulumi-{version}-checksums.txt",
    )


def plugin_release(plugin: Plugin) -> Release:
    """A plugin's archive comes from the download site, the checksums from its repository."""
    file = f"{plugin.executable}-v{plugin.version}-linux-{_architecture()}.tar.gz"
    base = f"https://github.com/pulumi/pulumi-{plugin.name}/releases/download/v{plugin.version}"
    return Release(
        archive=f"https://get.pulumi.com/releases/plugins/{file}",
        checksums=f"{base}/pulumi-{plugin.name}_{plugin.version}_checksums.txt",
    )


def fetch(release: Release, into: Path) -> None:
    """Download, verify and unpack a release. UnavailableError if the site cannot be reached."""
    archive = into / release.file
    try:
        expected = checksum(release)
        _download(release.archive, archive)
    except (OSError, urllib.error.URLError) as error:
        raise UnavailableError(f"{release.archive}: {error}") from None
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != expected:
        raise SetupError(
            f"{release.archive} has SHA-256 {found}, but {expected} was expected. Nothing of it "
            "was used. Try again; if it stays so, the download is tampered with or was republished "
            "(HALAB_TOOLCHAIN=source builds from source instead)."
        )
    with tarfile.open(archive) as content:
        content.extractall(into, filter="data")
    archive.unlink()


def checksum(release: Release) -> str:
    """The SHA-256 to expect: the one in checksums.txt beside this file, else the published one."""
    pinned = find_checksum((paths.SOURCES / "checksums.txt").read_text(), release.file)
    if pinned:
        return pinned
    with _open(release.checksums) as answer:
        published = find_checksum(answer.read().decode(), release.file)
    if published is None:
        raise UnavailableError(f"{release.checksums} does not list {release.file}")
    return published


def find_checksum(text: str, file: str) -> str | None:
    """The checksum of `file` in the output format of sha256sum."""
    for line in text.splitlines():
        parts = line.split()
        if len(parts) == 2 and parts[1].lstrip("*") == file and len(parts[0]) == 64:
            return parts[0].lower()
    return None


def require_reachable() -> None:
    """Raise UnavailableError, at once if that was found out within the last hour."""
    memory = paths.cache() / "unreachable.json"
    if reason := remembered(memory, time.time()):
        raise UnavailableError(f"{reason} (less than an hour ago)")
    if reason := _probe():
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps({"time": time.time(), "reason": reason}))
        raise UnavailableError(reason)
    memory.unlink(missing_ok=True)


def remembered(memory: Path, now: float) -> str | None:
    """The reason in the file `memory`, if it is not older than an hour."""
    try:
        known = json.loads(memory.read_text())
        if 0 <= now - float(known["time"]) < _REMEMBER:
            return str(known["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _probe() -> str | None:
    """Why the site does not answer; None if it does. A thread: resolving names has no timeout."""
    outcome: list[str | None] = []

    def ask() -> None:
        try:
            request = urllib.request.Request(_PROBE, method="HEAD")
            with urllib.request.urlopen(request, timeout=_CONNECT):  # noqa: S310 (a constant)
                outcome.append(None)
        except (OSError, urllib.error.URLError) as error:
            outcome.append(f"cannot reach github.com: {getattr(error, 'reason', error)}")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(_CONNECT)
    return outcome[0] if outcome else f"no answer from github.com in {_CONNECT:.0f} s"


def _open(url: str) -> http.client.HTTPResponse:
    answer: http.client.HTTPResponse = urllib.request.urlopen(url, timeout=_READ)  # noqa: S310 (ours)
    return answer


def _download(url: str, target: Path) -> None:
    with _open(url) as answer, target.open("wb") as file:
        while block := answer.read(1 << 20):
            file.write(block)


def _architecture() -> str:
    machine = platform.machine()
    known = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    if machine not in known:
        raise UnavailableError(f"there is no release for {machine}")
    return known[machine]
