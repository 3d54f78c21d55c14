"""fence_virtd's configuration, byte by byte, and what its own program makes of it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from components.fencing.virtd import virtd_conf
from tests.unit.fencing.labs import VIRTUAL, lab
from tests.unit.settings.samples import FULL, with_value

GOLDEN = Path(__file__).parent / "golden"
KEY_FILE = "/run/ha-lab/fencing/ha-lab-demo/key"
CASES = {"compact": VIRTUAL, "full": with_value(FULL, "cluster.enabled", True)}


@pytest.mark.parametrize("name", CASES)
def test_every_byte_is_the_one_that_was_reviewed(name: str) -> None:
    _, topology, _ = lab(CASES[name])
    conf = virtd_conf(topology, uri="qemu:///system", key_file=KEY_FILE)
    golden = GOLDEN / f"fence_virt-{name}.conf"
    if os.environ.get("HALAB_UPDATE_GOLDEN") == "1":
        golden.write_text(conf, encoding="utf-8")
    assert conf == golden.read_text(encoding="utf-8")


def test_a_lab_without_members_gets_no_daemon_because_it_would_have_no_group() -> None:
    _, topology, _ = lab(VIRTUAL)
    bare = replace(topology, machines=())
    with pytest.raises(ValueError, match="no cluster members"):
        virtd_conf(bare, uri="qemu:///system", key_file=KEY_FILE)


def test_who_may_ask_and_what_may_be_fenced_are_the_members_and_no_others() -> None:
    _, topology, members = lab(CASES["full"])
    conf = virtd_conf(topology, uri="qemu:///system", key_file=KEY_FILE)
    values = [line.split('"')[1] for line in conf.splitlines() if line.strip().startswith("ip =")]
    assert values == [str(member.address) for member in members]
    for machine in topology.machines:
        is_member = machine in members
        assert (f'uuid = "ha-lab-demo-{machine.name}"' in conf) is is_member
