"""The first way: what the machine already has."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from toolchain import paths, ways
from toolchain.errors import UnavailableError
from toolchain.versions import Plugin


def user_home() -> Path:
    """The user's own PULUMI_HOME; one that this project made does not count."""
    chosen = os.environ.get("PULUMI_HOME")
    if chosen and paths.cache() not in Path(chosen).parents:
        return Path(chosen)
    return Path.home() / ".pulumi"


def cli() -> Path:
    """The directory of an installed Pulumi that will do. Otherwise UnavailableError."""
    pulumi = shutil.which("pulumi", path=_search_path())
    if pulumi is None:
        raise UnavailableError("no pulumi on PATH or in ~/.pulumi/bin")
    directory = Path(pulumi).parent
    version = _version(pulumi)
    host = (Path(pulumi).resolve().parent / "pulumi-language-python").exists() or shutil.which(
        "pulumi-language-python", path=_search_path()
    )
    if reason := ways.unsuitable_cli(version, bool(host)):
        raise UnavailableError(f"{pulumi} will not do: {reason}")
    return directory


def plugin(wanted: Plugin) -> Path:
    """The directory of an installed plugin of the wanted version. Otherwise UnavailableError.

    It looks where `pulumi plugin ls` does, without starting Pulumi.
    """
    directory = user_home() / "plugins" / wanted.directory
    if not os.access(directory / wanted.executable, os.X_OK):
        raise UnavailableError(f"no {directory.name} in {directory.parent}")
    if directory.with_name(directory.name + ".partial").exists():
        raise UnavailableError(f"{directory} was not installed completely")
    return directory


def _search_path() -> str:
    """PATH without what this project made, and with the place where Pulumi's installer puts it."""
    parts = [Path(part) for part in os.environ.get("PATH", os.defpath).split(":") if part]
    cache = paths.cache()
    foreign = [str(part) for part in parts if cache not in part.parents]
    return ":".join([*foreign, str(Path.home() / ".pulumi" / "bin")])


def _version(pulumi: str) -> str:
    try:
        result = subprocess.run(
            [pulumi, "version"],
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"`{pulumi} version` does not work: {error}") from None
    return result.stdout.strip()
