"""Errors that are meant for people: one message, no traceback."""

from __future__ import annotations


class LabError(Exception):
    """What was found, what was expected, what to do. `exit_status` is the command's."""

    exit_status = 2
