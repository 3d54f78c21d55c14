"""PostgreSQL on the rig, failed over by the cluster: nothing is lost, and never two primaries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proof.database.failover_scenarios import *  # noqa: F403 - the scenarios are this module's tests
from tests.proof.database.failover_scenarios import deployed
from tests.support.rig_failover import RigFailover
from tests.support.sql_engines import POSTGRESQL, SqlEngine

STACK = "test-failover"


@pytest.fixture(scope="module")
def engine() -> SqlEngine:
    return POSTGRESQL


@pytest.fixture(scope="module")
def lab(engine: SqlEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigFailover]:
    yield from deployed(STACK, engine, tmp_path_factory)
