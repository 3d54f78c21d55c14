"""One rig and one deployed lab for the module's tests; each test leaves it whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.rig_stack import rig_up
from tests.support.rig_lab import RigLab
from tests.support.rig_module import clean_rig

STACK = os.environ.get("HALAB_TEST_RIG", "test-rig-lab")
"""One rig, shared by the modules. Another name lets two runs of these tests share a machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs root and namespaces."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.rig)


@pytest.fixture(scope="session")
def rig_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """Ten machines and the stack file for them; nothing is deployed yet."""
    with clean_rig(STACK, tmp_path_factory):
        rig_up(STACK, {"topology": "full", "timers": "fast"})
        yield RigLab(STACK, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def lab(rig_lab: RigLab) -> RigLab:
    """The deployed lab."""
    rig_lab.up().ok()
    return rig_lab


@pytest.fixture
def whole(lab: RigLab) -> Iterator[RigLab]:
    """The deployed lab, whole before the test and put right after it."""
    lab.await_whole()
    yield lab
    lab.put_right()
