"""The same program on machines with nothing installed: packages come from the distribution."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.rig_stack import rig_up
from tests.support.rig_lab import RigLab
from tests.support.rig_module import clean_rig

STACK = "test-rig-bare"
COUNTS = {"loadBalancer": 1, "app": 1, "database": 0, "storage": 0}


@pytest.fixture(scope="module")
def bare_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """One load balancer and one app server, both bare."""
    with clean_rig(STACK, tmp_path_factory):
        settings = {"topology": "full", "timers": "relaxed", "machines": {"counts": COUNTS}}
        rig_up(STACK, settings, bare=("lb1", "app1"))
        yield RigLab(STACK, tmp_path_factory.mktemp("state"))


def test_packages_are_installed_where_they_are_missing(bare_lab: RigLab) -> None:
    missing = bare_lab.try_run("lb1", "dpkg-query", "-W", "haproxy")
    assert missing.returncode != 0, "the machine is bare before"
    text = bare_lab.up().ok().text
    assert "installing" in text
    assert bare_lab.ask().machine == "app1"
    bare_lab.preview_clean().ok()
    assert bare_lab.try_run("lb1", "test", "-e", "/usr/sbin/policy-rc.d").returncode != 0
