"""One rig with every tier on it, deployed once; what breaks something puts it right again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.rig_module import clean_rig
from tests.support.rig_whole import WholeLab

STACK = "test-rig-lab"
ORDER = ("test_steady", "test_lb", "test_cluster", "test_database", "test_storage", "test_end")
"""A lab is looked at, used, broken, changed and destroyed in this order."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs root and namespaces, and has its place in the life of the lab."""
    here = Path(__file__).parent
    own = [item for item in items if here in item.path.parents]
    for item in own:
        item.add_marker(pytest.mark.rig)
    places = [index for index, item in enumerate(items) if here in item.path.parents]
    own.sort(key=lambda item: ORDER.index(item.path.stem))
    for index, item in zip(places, own, strict=True):
        items[index] = item


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeLab]:
    """Ten machines with every tier, deployed as a user does it."""
    with clean_rig(STACK, tmp_path_factory) as before:
        before.lab("rig", "up", "--name", STACK, "--tiers", "all").ok()
        lab = WholeLab(STACK, tmp_path_factory.mktemp("state"))
        lab.change("timers", "relaxed")
        lab.up().ok()
        yield lab


@pytest.fixture
def whole(lab: WholeLab) -> Iterator[WholeLab]:
    """The deployed lab; its load balancers and app servers are whole before and after the test."""
    lab.await_whole()
    yield lab
    lab.put_right()


@pytest.fixture
def healed(lab: WholeLab) -> Iterator[WholeLab]:
    """The deployed lab; every tier is whole before the test and put right after it."""
    yield lab
    lab.heal_all()
