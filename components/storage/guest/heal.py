"""Healing: what is different on the copies, asked for and begun."""

from __future__ import annotations

from . import parse
from .system import GlusterError, alone, gluster, gluster_xml, wait_until

TIMEOUT_S = 60.0
BUSY_S = 30.0
"""Just after a server has come back its daemon for healing refuses to be told."""


def heals(name: str) -> tuple[parse.Heal, ...]:
    """What must be healed on each brick of a volume."""
    with alone():
        words = ("volume", "heal", name, "info", "summary")
        return parse.heals(gluster_xml(*words, timeout_s=TIMEOUT_S))


def start(name: str, *, full: bool) -> None:
    """Begin now; `full`: look at every file, not only at those that are known to differ."""

    def refused() -> str:
        try:
            gluster("volume", "heal", name, *(["full"] if full else []), timeout_s=TIMEOUT_S)
        except GlusterError as error:
            return str(error)
        return ""

    wait_until(refused, within_s=BUSY_S)
