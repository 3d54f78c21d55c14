"""The replicated databases of the whole lab: nothing acknowledged is lost with the primary."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from tests.support.rig_whole import ENGINES, WholeLab
from tests.support.sql import Writer
from tests.support.waiting import WHOLE_S, wait_until


@pytest.mark.parametrize("engine", ENGINES)
def test_writes_go_to_the_primary_and_reads_to_its_replica(lab: WholeLab, engine: str) -> None:
    lab.await_certified(engine)
    access = lab.access(engine)
    access.ask("CREATE TABLE steady AS SELECT 1 AS n")
    assert access.ask("SELECT n FROM steady") == [(1,)]
    reading = lab.access(engine, "read")
    wait_until(
        "the replica has the row",
        lambda: reading.ask("SELECT n FROM steady") == [(1,)],
        usual_s=WHOLE_S,
    )
    assert reading.ask(reading.engine.is_replica)[0][0], "reads do not burden the primary"


@pytest.mark.parametrize("engine", ENGINES)
def test_a_lost_primary_is_replaced_and_no_acknowledged_write_is_lost(
    healed: WholeLab, engine: str
) -> None:
    """Nor are there ever two primaries."""
    healed.await_certified(engine)
    old, new = healed.primary(engine), healed.replica(engine)
    with ExitStack() as block:
        samples = block.enter_context(healed.sampling(engine))
        writer: Writer = block.enter_context(healed.writer(engine, "lost"))
        healed.power_off(old)
        moment = time.monotonic()
        wait_until("writes again", lambda: writer.has_written_since(moment), usual_s=WHOLE_S)
        healed.heal_cluster(engine)
    assert writer.lost == set()
    assert [roles for roles in samples if list(roles.values()).count("primary") > 1] == []
    assert healed.roles(engine) == {new: "primary", old: "replica"}
