"""The rig of one bench or test module: not there before, not there after."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rig import lifecycle
from tests.support.lab import LabUnderTest


@contextmanager
def own_rig(stack: str, home: Path) -> Iterator[LabUnderTest]:
    """Neither rig nor stack of this name when the block begins and, whatever happens, after it.

    Gives the stack, not yet made; `home` is where its state is kept.
    """
    alone = LabUnderTest(stack, home)
    _forget(alone)
    try:
        yield alone
    finally:
        _forget(alone)


def _forget(alone: LabUnderTest) -> None:
    lifecycle.down(alone.stack)
    alone.forget()
