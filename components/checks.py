"""Checks of single values. Each raises ValueError with what was found, expected, and what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,62}")
URL_PATH = re.compile(r"/[A-Za-z0-9._~/%-]*")


def must_be_port(what: str, port: int) -> None:
    """A port number, 1-65535."""
    if not 1 <= port <= 65535:
        raise ValueError(f"port {port} of {what} is outside 1-65535")


def must_be_name(what: str, name: str) -> None:
    """A name that every daemon's configuration takes as one word."""
    must_match(
        NAME,
        f"{what} name",
        name,
        "a letter, then letters, digits, hyphens, dots, underscores (63 at most)",
    )


def must_match(pattern: re.Pattern[str], what: str, value: str, expected: str) -> None:
    """The whole value matches; a line break in it would begin a line of a configuration."""
    if not pattern.fullmatch(value):
        raise ValueError(f"{what} {value!r}: expected {expected}")


def must_be_one_of(what: str, value: object, allowed: Collection[object], where: str) -> None:
    """One of the allowed values."""
    if value not in allowed:
        choices = ", ".join(str(choice) for choice in allowed)
        raise ValueError(f"{what} {value!r} of {where} does not exist; use one of: {choices}")


def must_be_unique(what: str, values: Iterable[object]) -> None:
    """No value twice."""
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value} appears twice; rename or remove one")
        seen.add(value)
