"""Results in the cache: built once, atomically, under the hash of what decides their content."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_root() -> Path:
    """`$XDG_CACHE_HOME/ha-lab`, by default under ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ha-lab"


def build_once(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """The folder of `key`, made by `build(empty folder)` unless it is there already.

    A half-made result is never seen: it is made beside its place and renamed. Two callers at once
    build once; the leftovers of a build that was killed are removed by the next one.
    """
    root = cache_root() / "images"
    final = root / f"{kind}-{key}"
    if (final / "done").exists():
        (final / "done").touch()
        return final
    root.mkdir(parents=True, exist_ok=True)

    def say_it_waits() -> None:
        sys.stderr.write(f"images: waiting for another process that builds {kind}-{key} ...\n")

    with locked(root / f".{kind}-{key}.lock", say_it_waits):
        if (final / "done").exists():
            return final
        for stale in root.glob(f".{kind}-{key}.build-*"):
            shutil.rmtree(stale)
        work = Path(tempfile.mkdtemp(prefix=f".{kind}-{key}.build-", dir=root))
        # mkdtemp makes it 0700, and a tree's own root folder must be readable by its users.
        work.chmod(0o755)
        build(work)
        (work / "done").touch()
        if final.exists():
            shutil.rmtree(final)
        work.rename(final)
    return final


def prune(days: float) -> list[Path]:
    """Remove results that nothing asked for in `days`, but no tree under a rig's disk."""
    root, rigs = cache_root() / "images", cache_root() / "rig"
    in_use = "".join(path.read_text(encoding="utf-8") for path in rigs.glob("*/rig.json"))
    oldest = time.time() - days * 24 * 3600
    removed: list[Path] = []
    for done in root.glob("*/done"):
        folder = done.parent
        if done.stat().st_mtime < oldest and str(folder) not in in_use:
            # Without its stamp first: a removal that is interrupted leaves no half result.
            done.unlink()
            shutil.rmtree(folder)
            removed.append(folder)
    return removed


@contextmanager
def locked(path: Path, say_it_waits: Callable[[], None]) -> Iterator[None]:
    """Hold a lock of this machine; the system frees it even if this process is killed.

    Another process may need minutes for what it does under it, so waiting is said once.
    """
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say_it_waits()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
