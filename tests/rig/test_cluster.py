"""The Pacemaker cluster of the whole lab: one owner, and another one when that is lost."""

from __future__ import annotations

from tests.support.rig_failover import MEMBERS
from tests.support.rig_whole import WholeLab


def test_vip_and_web_server_are_together_on_one_member_as_pcs_says(lab: WholeLab) -> None:
    owner = lab.cluster_owner()
    for resource in ("vip", "webserver"):
        asked = ("crm_resource", "--locate", "--quiet", "-r", resource)
        assert lab.run("gluster1", *asked).strip() == owner
    text = lab.run("db1", "pcs", "cluster", "status", timeout_s=120)
    assert all(f"{member}: Online" in text for member in MEMBERS), text


def test_a_member_that_is_lost_is_fenced_and_its_resources_go_elsewhere(healed: WholeLab) -> None:
    """And they stay there when it is back."""
    owner = healed.cluster_owner()
    healed.power_off(owner)
    taken_over = healed.cluster_owner(other_than=owner)
    history = healed.run(taken_over, "stonith_admin", "--history", owner)
    assert f"reboot of {owner} successful" in history, "it was fenced before"
    healed.power_on(owner)
    healed.await_members()
    assert healed.cluster_owner() == taken_over
