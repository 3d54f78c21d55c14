"""The two ways in which setting up can fail."""

from __future__ import annotations


class SetupError(Exception):
    """Setting up cannot go on. The text tells the user what was found, expected, and what to do."""

    def __init__(self, text: str, exit_code: int = 1) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class UnavailableError(Exception):
    """One way of getting a thing is not open here; the text says why, and the next way is tried."""
