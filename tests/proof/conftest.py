"""The long suite: one folder for each tier, on the same machines as the gate's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.rig_stack import rig_up
from tests.libvirt.conftest import (  # noqa: F401 - fixtures
    golden,
    hollow,
    libvirt_host,
    make_lab,
)
from tests.rig.conftest import whole  # noqa: F401 - a fixture
from tests.support.rig_command import make_rig, private_key  # noqa: F401 - fixtures
from tests.support.rig_lab import RigLab
from tests.support.rig_module import clean_rig

STACK = "test-rig-lab"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What each needs is seen from the fixtures that it asks for."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            on_vms = "libvirt_host" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.libvirt if on_vms else pytest.mark.rig)


@pytest.fixture(scope="session")
def timers() -> str:
    """The set of timers of the lab: nothing that is stated here depends on how fast it is."""
    return "relaxed"


@pytest.fixture(scope="session")
def rig_lab(timers: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """Ten machines and the stack file for the pair and its app servers; nothing is deployed yet."""
    with clean_rig(STACK, tmp_path_factory):
        rig_up(STACK, {"topology": "full", "timers": timers})
        yield RigLab(STACK, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session")
def lab(rig_lab: RigLab) -> RigLab:
    """The deployed lab."""
    rig_lab.up().ok()
    return rig_lab
