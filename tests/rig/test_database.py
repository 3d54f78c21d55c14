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


def test_a_lost_primary_is_replaced_and_no_acknowledged_write_is_lost(healed: WholeLab) -> None:
    """Of either engine, which usually have it on the same machine. Nor are there ever two."""
    for machine in dict.fromkeys([healed.primary(engine) for engine in ENGINES]):
        lose(healed, machine)


def lose(lab: WholeLab, lost: str) -> None:
    """Cut the power of a machine with databases while both engines are written to."""
    with ExitStack() as block:
        samples = {e: block.enter_context(lab.sampling(e)) for e in ENGINES}
        writers = {e: block.enter_context(lab.writer(e, f"without_{lost}")) for e in ENGINES}
        lab.power_off(lost)
        moment = time.monotonic()
        for engine in ENGINES:
            await_writes(writers[engine], moment)
        lab.heal_cluster(*ENGINES)
    for engine in ENGINES:
        assert writers[engine].lost == set(), engine
        two = [roles for roles in samples[engine] if list(roles.values()).count("primary") > 1]
        assert two == [], engine
        assert {m for m, role in lab.roles(engine).items() if role == "replica"} == {lost}, engine


def await_writes(writer: Writer, moment: float) -> None:
    """A write that was begun after this moment is acknowledged."""
    wait_until(
        f"{writer.access.engine.name} is written to again",
        lambda: writer.has_written_since(moment),
        usual_s=WHOLE_S,
    )
