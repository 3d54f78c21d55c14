"""Files: written beside the old one, validated, swapped in, and put back on failure."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shlex
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from .system import ApplyError, Json, must, run, tail, tell_notes


class Files:
    """The files of a specification: staged, validated, swapped in, and put back on failure."""

    def __init__(self, pending: Sequence[str] = ()) -> None:
        self._pending = pending
        self._undo: list[Callable[[], None]] = []
        self.changed: list[str] = []

    def put(self, spec: Json) -> None:
        """Bring one file to its specified content, mode and owner."""
        path = Path(spec["path"])
        content = "\n".join(spec["lines"]).encode()
        mode = int(spec["mode"], 8)
        owner, group = user_id(spec["owner"]), group_id(spec["group"])
        if path.is_file() and path.read_bytes() == content:
            self._access(path, mode, owner, group)
            if spec["path"] not in self._pending:
                return
        else:
            self._swap(path, content, (mode, owner, group), spec["validate"])
        if spec["then"]:
            tell_notes(must(["/bin/sh", "-c", spec["then"]], f"taking over {path}"))

    def _swap(
        self, path: Path, content: bytes, access: tuple[int, int, int], validator: str | None
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = stage(path, content, *access)
        try:
            validate(validator, staged, path, content if not access[0] & 0o077 else b"")
            undo = how_to_restore(path)
            staged.replace(path)
        finally:
            if staged.exists():
                staged.unlink()
        self._did(path, undo)

    def _access(self, path: Path, mode: int, owner: int, group: int) -> None:
        found = path.stat()
        if (found.st_mode & 0o7777, found.st_uid, found.st_gid) != (mode, owner, group):
            undo = how_to_restore(path)
            os.chown(path, owner, group)
            path.chmod(mode)
            self._did(path, undo)

    def remove(self, name: str) -> None:
        path = Path(name)
        if os.path.lexists(path):
            undo = how_to_restore(path)
            path.unlink()
            self._did(path, undo)

    def _did(self, path: Path, undo: Callable[[], None]) -> None:
        self._undo.append(undo)
        self.changed.append(str(path))

    def put_back(self) -> None:
        """Give every changed file its old content and owner; remove those that were new."""
        for undo in reversed(self._undo):
            undo()


def how_to_restore(path: Path) -> Callable[[], None]:
    """What makes this path again what it is now."""
    if path.is_symlink():
        target = path.readlink()

        def link_again() -> None:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            path.symlink_to(target)

        return link_again
    if not path.exists():
        return path.unlink
    content, found = path.read_bytes(), path.stat()
    mode = found.st_mode & 0o7777

    def write_again() -> None:
        stage(path, content, mode, found.st_uid, found.st_gid).replace(path)

    return write_again


def stage(path: Path, content: bytes, mode: int, owner: int, group: int) -> Path:
    """A file with this content beside its destination, so that the swap is one rename."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            os.fchown(out.fileno(), owner, group)
            os.fchmod(out.fileno(), mode)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        Path(name).unlink()
        raise
    return Path(name)


def validate(command: str | None, staged: Path, path: Path, secret: bytes) -> None:
    """Ask the validator; of a `secret` content it may repeat no line."""
    if not command:
        return
    status, output = run(["/bin/sh", "-c", command.replace("{staged}", shlex.quote(str(staged)))])
    if status != 0:
        shown = tail(without_lines(output.replace(str(staged), str(path)), secret.decode()))
        checker = command.replace("{staged}", str(path))
        raise ApplyError(f"{path} was refused by `{checker}`; the old one is kept:\n{shown}")


def without_lines(output: str, secret: str) -> str:
    """The output with the number of a secret's line in place of its text."""
    for number, line in enumerate(secret.splitlines(), start=1):
        if len(line.strip()) >= 6:
            output = output.replace(line.strip(), f"(line {number})")
    return output


def user_id(name: str) -> int:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ApplyError(f"there is no user {name!r}; its package should have made it") from None


def group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ApplyError(f"there is no group {name!r}; its package should have made it") from None
