"""The long suite: one folder for each tier, on the same machines as the gate's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.libvirt.conftest import (  # noqa: F401 - fixtures
    golden,
    hollow,
    libvirt_host,
    make_lab,
)
from tests.rig.conftest import lab, rig_lab, whole  # noqa: F401 - fixtures
from tests.rig_tool.conftest import make_rig, private_key  # noqa: F401 - fixtures


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What each needs is seen from the fixtures that it asks for."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            on_vms = "libvirt_host" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.libvirt if on_vms else pytest.mark.rig)
