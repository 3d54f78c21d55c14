"""The component `python`: the packages of requirements.lock, every one verified by its hash."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from toolchain import paths, store
from toolchain.errors import SetupError
from toolchain.progress import Progress, run_logged


def ensure_venv(progress: Progress) -> Path:
    """The virtual environment for the lock file and this Python, and `.venv` pointing to it."""
    words = (platform.python_version(), platform.machine(), os.path.realpath(sys.executable))
    directory = paths.cache() / f"venv-{store.content_key([paths.LOCK_FILE], *words)}"
    store.ensure(directory, _install, progress)
    _point(paths.CLONE / ".venv", directory)
    return directory


def _install(into: Path, progress: Progress) -> None:
    log = paths.cache() / "logs" / f"venv-{time.strftime('%Y%m%d-%H%M%S')}.log"
    with progress.step("installing the Python packages of requirements.lock"):
        result = subprocess.run(
            [sys.executable, "-m", "venv", str(into)], capture_output=True, text=True
        )
        if result.returncode:
            raise SetupError(
                "this Python cannot make virtual environments; on Debian and Ubuntu: "
                f"apt-get install python3-venv\n{(result.stdout + result.stderr).strip()}"
            )
        pip = [str(into / "bin" / "python"), "-m", "pip", "install", "--require-hashes"]
        quiet = ["--disable-pip-version-check", "--no-input", "--quiet"]
        run_logged([*pip, *quiet, "-r", str(paths.LOCK_FILE)], log=log)
    log.unlink()


def _point(link: Path, target: Path) -> None:
    """Make `link` point to `target` in one step: a command in another shell never misses it."""
    if link.is_symlink() and link.readlink() == target:
        return
    if link.exists() and not link.is_symlink():
        raise SetupError(
            f"{link} is a directory that toolchain/setup did not make; it needs that name for a "
            "link to the shared environment. Move it away or delete it, then try again."
        )
    fresh = link.with_name(f".venv.{os.getpid()}")
    fresh.symlink_to(target)
    fresh.replace(link)
