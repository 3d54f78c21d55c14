"""The drill's tests: what it predicts and judges is about the timers of a healthy lab."""

from __future__ import annotations

import pytest

# Once more, for these timers: a lab that the session has already is not made anew for others.
from tests.proof.conftest import lab, rig_lab  # noqa: F401 - fixtures


@pytest.fixture(scope="session")
def timers() -> str:
    """The set of timers of the lab."""
    return "standard"
