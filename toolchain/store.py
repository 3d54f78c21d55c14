"""The cache: directories named after the content they were made from, made once, by one process."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain import paths
from toolchain.progress import Progress

_COMPLETE = ".complete"


def content_key(files: Iterable[Path], *words: str) -> str:
    """A name for what is made from these files and words; it changes when any of them does."""
    digest = hashlib.sha256()
    for word in words:
        digest.update(word.encode() + b"\0")
    for file in sorted(files):
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@contextmanager
def locked(name: str, progress: Progress) -> Iterator[None]:
    """Hold the machine-wide lock `name`; the system frees it even if this process is killed."""
    path = paths.cache() / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.tell(f"waiting for another process that makes {name} ...")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def is_complete(directory: Path) -> bool:
    """Whether `ensure` has finished this directory."""
    return (directory / _COMPLETE).exists()


def ensure(directory: Path, make: Callable[[Path, Progress], None], progress: Progress) -> Path:
    """Give the directory, made by `make` if it is not there yet.

    `make` gets the final path, empty: some things (a virtual environment) cannot be moved. The mark
    of completeness comes last, so what a killed process left half-made is made again.
    """
    if is_complete(directory):
        return directory
    with locked(directory.name, progress):
        if not is_complete(directory):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
            try:
                make(directory, progress)
            except BaseException:
                shutil.rmtree(directory, ignore_errors=True)
                raise
            (directory / _COMPLETE).touch()
    return directory
