"""What docs/drill.md says of the faults of the tiers, and its worked example."""

from __future__ import annotations

import re
import types

import pytest

from components.timers import timers_named
from lab.drill.model import Fault, Tier
from lab.drill.target import Target, target_from
from lab.drill.tiers import app_server, cluster, database, load_balancer
from lab.stack_file import ROOT
from tests.unit.drill.world import outputs

TEXT = (ROOT / "docs" / "drill.md").read_text(encoding="utf-8")
TIMERS = ("course", "relaxed", "standard", "fast")
ROW = re.compile(r"^\| `([a-z-]+)` \|" + r" ([0-9.]+) \|" * len(TIMERS), re.MULTILINE)
FAULTS = [
    *load_balancer.TIER.faults,
    *app_server.TIER.faults,
    *cluster.TIER.faults,
    # The engines' are alike.
    *database.TIERS[0].faults,
]
FENCED = {"vip": "10.16.1.101", "members": ["db1", "db2", "gluster1"], "fencing": "rig"}


def existing() -> Target:
    """A lab on existing machines, none of which has two roles: three members that fence, databases
    that fail over by hand."""
    engine = {"failover": "manual", "synchronous": True}
    databases = {tier.name: engine for tier in database.TIERS}
    return target_from({**outputs(), "cluster": FENCED, "database": databases}, stack="demo")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_predictions_in_the_table_are_those_of_the_timers(fault: Fault) -> None:
    table = {name: seconds for name, *seconds in ROW.findall(TEXT)}
    predicted = [fault.predict(timers_named(name), existing()).seconds for name in TIMERS]
    assert table.get(fault.name) == [f"{seconds:g}" for seconds in predicted], (
        "docs/drill.md, section Faults"
    )


def test_the_table_names_no_fault_that_is_gone() -> None:
    assert {name for name, *_ in ROW.findall(TEXT)} == {fault.name for fault in FAULTS}


def test_the_worked_example_is_a_whole_tier() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    module = types.ModuleType("clock")
    exec(compile(code, "docs/drill.md", "exec"), module.__dict__)  # noqa: S102 - our own text
    tier: Tier = module.TIER
    assert tier.is_present(existing())
    assert [fault.name for fault in tier.faults] == ["clock-stopped"]
    assert [audit.name for audit in tier.audits] == ["clocks-kept"]
    assert tier.faults[0].predict(timers_named("fast"), existing()).seconds == 0
