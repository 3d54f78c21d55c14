"""Decisions, without doing anything: which ways to try, and whether what is installed will do."""

from __future__ import annotations

import re
from enum import StrEnum

from toolchain import versions
from toolchain.errors import SetupError

FORCE = "HALAB_TOOLCHAIN"


class Way(StrEnum):
    """How a machine gets a program."""

    INSTALLED = "installed"
    OFFICIAL = "official"
    SOURCE = "source"


def ways(forced: str | None) -> tuple[Way, ...]:
    """The ways to try, in order; only one if HALAB_TOOLCHAIN forces it."""
    if not forced:
        return tuple(Way)
    try:
        return (Way(forced),)
    except ValueError:
        known = ", ".join(Way)
        raise SetupError(f"{FORCE}={forced}: expected one of {known}, or nothing") from None


def parse_version(text: str) -> tuple[int, int, int] | None:
    """The version in a line like "v3.259.0" or "3.260.0-alpha.1+dirty"; None if there is none."""
    match = re.search(r"(\d+)\.(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None


def unsuitable_cli(version_line: str, has_python_host: bool) -> str | None:
    """Why an installed Pulumi will not do; None if it will."""
    version = parse_version(version_line)
    if version is None:
        return f"its version {version_line.strip()!r} is not understood"
    if version < versions.PULUMI_AT_LEAST or version[0] != versions.PULUMI_AT_LEAST[0]:
        oldest = ".".join(map(str, versions.PULUMI_AT_LEAST))
        return f"it is {version_line.strip()}, and {oldest} or a newer version 3 is needed"
    if not has_python_host:
        return "it lacks pulumi-language-python, so it cannot run Python programs"
    return None


def too_old_go(found: str, needed: str) -> bool:
    """Whether a Go like "go1.24.3" cannot build a module that needs "1.25.11"."""
    return _go(found) < _go(needed)


def _go(text: str) -> tuple[int, ...]:
    match = re.search(r"(\d+(?:\.\d+)*)", text)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def refusals(what: str, reasons: dict[Way, str]) -> SetupError:
    """The error when no way was open: every reason, and that a way can be forced."""
    lines = "\n".join(f"  {way}: {reason}" for way, reason in reasons.items())
    return SetupError(f"cannot get {what}:\n{lines}")
