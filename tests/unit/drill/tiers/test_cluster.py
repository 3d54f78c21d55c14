"""The cluster's audits: each passes on a whole cluster, and says what is wrong with another."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.drill.model import Finding
from lab.drill.scene import Scene
from lab.drill.target import target_from
from lab.drill.tiers import cluster, cluster_audits
from lab.errors import LabError
from lab.machines import Result
from tests.unit.drill.world import outputs

VIP = "10.16.1.101"
WHOLE = """<pacemaker-result>
  <summary><current_dc with_quorum="true"/>
    <cluster_options stonith-enabled="true" maintenance-mode="false"/></summary>
  <nodes><node name="db1" online="true" is_dc="true"/><node name="db2" online="true"/></nodes>
  <resources>
    <resource id="vip" role="Started" active="true"><node name="db1"/></resource>
  </resources>
  <failures/>
</pacemaker-result>"""


class Members:
    """db1 and db2: what they say to each question; an error is one that does not answer."""

    def __init__(self, **said: str | None) -> None:
        self.crm = WHOLE
        self.by_hand: dict[str, list[str]] = {"kept": [], "changed": []}
        self.said: dict[str, str | None] = {"db1": f"2: eth0 inet {VIP}/24", "db2": "", **said}
        self.off: set[str] = set()

    async def run(self, machine: str, script: str, **_: object) -> Result:
        if self.said[machine] is None:
            raise LabError(f"{machine} did not answer")
        if script.startswith("crm_mon"):
            return Result(machine, 0, self.crm, "")
        if script == cluster_audits.BY_HAND:
            return Result(machine, 0, json.dumps(self.by_hand), "")
        return Result(machine, 0, self.said[machine] or "", "")

    async def is_on(self, machine: str) -> bool:
        return machine not in self.off

    @property
    def scene(self) -> Scene:
        own: dict[str, Any] = {**outputs(), "cluster": {"vip": VIP, "members": ["db1", "db2"]}}
        target = target_from(own, stack="demo")
        return cast(Scene, SimpleNamespace(target=target, machines=self, control=self))


def found_by(check: Callable[[Scene], Awaitable[Finding]], scene: Scene) -> Finding:
    async def asked() -> Finding:
        return await check(scene)

    return asyncio.run(asked())


def test_a_whole_cluster_passes_every_audit() -> None:
    scene = Members().scene

    for audit in cluster.TIER.audits:
        assert found_by(audit.check, scene).outcome == "pass", audit.name


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('with_quorum="true"', 'with_quorum="false"', "there is no majority"),
        ('name="db2" online="true"', 'name="db2" online="false"', "db2 is offline"),
        ('name="db2" online="true"', 'name="db2" online="true" standby="true"', "db2 is standby"),
        ('maintenance-mode="false"', 'maintenance-mode="true"', "the cluster is in maintenance"),
        ('active="true"', 'active="false"', "vip does not run"),
        (
            "<failures/>",
            '<failures><failure op_key="vip_start_0" node="db1" exitreason="no"/></failures>',
            "failed: vip_start_0 on db1: no",
        ),
    ],
)
def test_what_is_wrong_with_a_cluster_is_said(old: str, new: str, said: str) -> None:
    members = Members()
    assert old in WHOLE
    members.crm = WHOLE.replace(old, new)

    found = found_by(cluster_audits.whole, members.scene)

    assert (found.outcome, found.detail) == ("fail", said)


def test_another_member_is_asked_where_the_first_does_not_answer() -> None:
    assert found_by(cluster_audits.whole, Members(db1=None).scene).outcome == "pass"
    with pytest.raises(LabError, match="no member says"):
        found_by(cluster_audits.whole, Members(db1=None, db2=None).scene)


@pytest.mark.parametrize(
    ("db1", "db2", "off", "outcome"),
    [
        (VIP, VIP, "", "fail"),
        ("", "", "", "fail"),
        (VIP, None, "", "unknown"),
        (VIP, None, "db2", "pass"),
        (VIP, "", "", "pass"),
    ],
)
def test_one_member_has_the_vip(db1: str, db2: str | None, off: str, outcome: str) -> None:
    members = Members(db1=db1, db2=db2)
    members.off = {off}

    assert found_by(cluster_audits.one_owner, members.scene).outcome == outcome


def test_what_was_done_by_hand_is_a_finding() -> None:
    members = Members()
    members.by_hand = {"kept": ["db2 is in standby"], "changed": ["vip was changed"]}

    found = found_by(cluster_audits.as_set, members.scene)

    assert found.outcome == "fail"
    assert found.detail == "db2 is in standby; vip was changed, by hand"


def test_a_lab_without_a_cluster_has_none_of_it() -> None:
    assert not cluster.TIER.is_present(target_from(outputs(), stack="demo"))
    assert cluster.TIER.is_present(Members().scene.target)
