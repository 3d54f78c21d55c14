"""Clusters of which every rendered byte is kept, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from components.files import ServicePlan
from components.pacemaker.plans import check_plan, member_plan
from tests.unit.pacemaker.samples import an_args, settings_with
from tests.unit.pacemaker.test_cib import EVERYTHING

FENCED = {"fencing": {"kind": "auto"}}
"""The host fences, as with virtual machines."""


def _member(**changes: Any) -> Callable[[], ServicePlan]:
    def plan() -> ServicePlan:
        args = an_args(settings_with(**changes))
        return member_plan(args, args.bootstrap)

    return plan


def _resources(**changes: Any) -> Callable[[], ServicePlan]:
    return lambda: check_plan(an_args(settings_with(**changes)))


def _databases() -> Callable[[], ServicePlan]:
    """The cluster also fails the databases over."""
    chosen = {"postgresql": {"enabled": True, "failover": "pacemaker"}}
    return lambda: check_plan(an_args({**settings_with(**FENCED), "database": chosen}))


MEMBER_FILES = ("corosync.conf", "ha-lab.conf", "index.html")
PACEMAKER_PLANS: Mapping[str, tuple[Callable[[], ServicePlan], tuple[str, ...]]] = {
    "pacemaker/member": (_member(), MEMBER_FILES),
    "pacemaker/two-members": (_member(members=["db1", "db2"], twoNode=True), ("corosync.conf",)),
    "pacemaker/quorum-device": (
        _member(members=["db1", "db2"], quorumDevice="app1"),
        ("corosync.conf",),
    ),
    "pacemaker/resources": (_resources(**FENCED), ("resources.xml",)),
    "pacemaker/databases": (_databases(), ("resources.xml", "database")),
    "pacemaker/everything": (_resources(**EVERYTHING), ("resources.xml",)),
}
"""By name of the golden directory: the plan, and last names of the files that are kept."""
