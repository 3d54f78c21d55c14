"""Building root trees with mmdebstrap."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from images.cache import build_once
from images.sources import carried_apt_options, host_sources, mirror_lines
from images.spec import HERE, ImageError, TreeSpec, different_pins, tree_key

_SNAPSHOT = "etc/apt/preferences.d/ha-lab-snapshot"


def build_tree(spec: TreeSpec, mirrors: Sequence[str] = ()) -> Path:
    """The folder with `root/` (the tree) and `packages.lock`; built now if it is not cached."""
    return build_once("tree", tree_key(spec), lambda work: _build(spec, mirrors, work))


def require_root(tools: Sequence[tuple[str, str]]) -> None:
    """Raise ImageError unless this runs as root and every (command, package) is there."""
    missing = [package for command, package in tools if shutil.which(command) is None]
    if missing:
        names = " ".join(sorted(set(missing)))
        raise ImageError(f"missing programs; install them with: apt-get install -y {names}")
    if os.geteuid() != 0:
        raise ImageError("building an image writes files of many owners: run it as root (sudo -E)")


def _build(spec: TreeSpec, mirrors: Sequence[str], work: Path) -> None:
    require_root([("mmdebstrap", "mmdebstrap")])
    lines = mirror_lines(mirrors, spec.release) or host_sources(spec.release)
    root = work / "root"
    staged = _stage(spec, work / "staged")
    command = [
        "mmdebstrap",
        *spec.mmdebstrap_options(),
        *(f"--aptopt={line.rstrip(';')}" for line in carried_apt_options()),
        f"--essential-hook=sync-in {shlex.quote(str(staged))} /",
        f"--customize-hook={HERE / 'finish.sh'}",
        spec.release,
        str(root),
        *lines,
    ]
    run_logged(command, work / "build.log", what=f"building the {spec.release} tree")
    shutil.rmtree(staged)
    installed = _installed(root)
    if wrong := different_pins(spec.pins, installed):
        raise ImageError(
            "the mirror no longer serves these versions of the package list:\n  "
            + "\n  ".join(wrong[:20])
            + "\nuse a mirror that keeps old versions (--mirror), or build without --snapshot"
        )
    lock = "".join(f"{name}={version}\n" for name, version in sorted(installed.items()))
    (work / "packages.lock").write_text(lock, encoding="utf-8")


def _stage(spec: TreeSpec, staged: Path) -> Path:
    """A copy of rootfs/ that root owns, whatever user cloned the repository."""
    # The bare tree stands for a machine nobody has prepared: nothing is copied into it.
    if spec.flavour == "golden":
        shutil.copytree(HERE / "rootfs", staged)
    else:
        staged.mkdir()
    if spec.pins:
        (staged / _SNAPSHOT).parent.mkdir(parents=True)
        (staged / _SNAPSHOT).write_text(spec.preferences(), encoding="utf-8")
    for path in [staged, *staged.rglob("*")]:
        os.chown(path, 0, 0)
        path.chmod(0o755 if path.is_dir() else 0o644)
    return staged


def _installed(root: Path) -> dict[str, str]:
    listing = subprocess.run(
        [
            "dpkg-query",
            f"--admindir={root}/var/lib/dpkg",
            "--show",
            "--showformat=${Package}=${Version}\n",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return dict(line.split("=", 1) for line in listing.splitlines())


def run_logged(command: Sequence[str], log: Path, *, what: str) -> None:
    """Run a long command with its output in `log`; ImageError with the log's end if it fails."""
    with log.open("a", encoding="utf-8") as handle:
        status = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=handle, stderr=subprocess.STDOUT
        ).returncode
    if status:
        tail = "\n  ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
        raise ImageError(f"{what} failed with status {status}; the end of its log:\n  {tail}")
