"""`lab unlock`: take a stack's lock away from a Pulumi that is no more."""

from __future__ import annotations

from collections.abc import Callable

from lab.errors import LabError
from lab.locks import Lock, advice, current_backend, locks_of
from lab.pulumi_cli import PulumiCli

Ask = Callable[[str], bool]


def unlock(stack: str, *, ask: Ask) -> list[Lock]:
    """Remove the locks of one stack that `ask` agrees to; returns those that are gone.

    Raises LabError, and removes nothing, where the process of a lock is running on this host.
    """
    locks = locks_of(current_backend(PulumiCli(stack=stack).environ()), stack)
    if any(lock.holder == "lives" for lock in locks):
        raise LabError(advice(stack, locks))
    agreed = [lock for lock in locks if ask(str(lock))]
    for lock in agreed:
        lock.path.unlink(missing_ok=True)
    return agreed
