"""What the last run set up for this clone, so that the next one knows that nothing is missing."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from toolchain import environment, paths, store, ways
from toolchain.environment import Toolchain

ENV = paths.LOCAL / "env"
_STAMP = paths.LOCAL / "stamp.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """A finished set-up."""

    key: str
    """What it was made from."""
    summary: list[str]
    """How each part came here, for people."""
    toolchain: Toolchain

    def holds(self) -> bool:
        """Whether it is still what this clone needs, and still there."""
        home = self.toolchain.pulumi_home
        needed = [*self.toolchain.path, *([home] if home else []), paths.CLONE / ".venv", ENV]
        return self.key == inputs() and all(path.exists() for path in needed)


def inputs() -> str:
    """What a set-up depends on."""
    patterns = (
        "*.py",
        "checksums.txt",
        "*/go.mod",
        "*/go.sum",
        "*-plugin/**/*.go",
        "*-plugin/**/*.sh",
    )
    sources = [file for pattern in patterns for file in paths.SOURCES.glob(pattern)]
    words = (sys.version, str(paths.cache()), os.environ.get(ways.FORCE, ""), str(paths.CLONE))
    return store.content_key([paths.LOCK_FILE, *sources], *words)


def load() -> Stamp | None:
    """The stamp of the last run; None if there is none that can be read."""
    try:
        known = json.loads(_STAMP.read_text())
        toolchain = Toolchain(
            path=tuple(Path(directory) for directory in known["path"]),
            pulumi_home=Path(known["pulumi_home"]) if known["pulumi_home"] else None,
            user_home=Path(known["user_home"]),
            state=paths.STATE,
        )
        return Stamp(key=known["key"], summary=known["summary"], toolchain=toolchain)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def save(stamp: Stamp) -> None:
    """Write the stamp, the file to source and the directory of the local backend."""
    (paths.STATE / "backend").mkdir(parents=True, exist_ok=True)
    paths.STATE.chmod(0o700)
    paths.LOCAL.mkdir(exist_ok=True)
    home = stamp.toolchain.pulumi_home
    content = {
        "key": stamp.key,
        "summary": stamp.summary,
        "path": [str(directory) for directory in stamp.toolchain.path],
        "pulumi_home": str(home) if home else None,
        "user_home": str(stamp.toolchain.user_home),
    }
    _replace(ENV, environment.shell(stamp.toolchain))
    _replace(_STAMP, json.dumps(content, indent=1))


def _replace(file: Path, text: str) -> None:
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(file)
