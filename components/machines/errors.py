"""Errors of the machine layer: for people, without a traceback."""

from __future__ import annotations

import pulumi


class MachinesError(pulumi.RunError):
    """Machines cannot be planned: what was found, what was expected, what to do."""
