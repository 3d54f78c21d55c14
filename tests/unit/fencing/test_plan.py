"""What members are given: agents, keys, watchdogs, and the command that proves it works."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from components.fencing.devices import fencing_devices, watchdog
from components.fencing.plan import check_command, fencing_plan, key_plan
from components.files import ServicePlan
from tests.unit.fencing.labs import OWN, RIG, VIRTUAL, lab
from tests.unit.settings.samples import problems, with_value

CHECK = Path(__file__).parents[3] / "components/fencing/templates/check-fencing"


def plan(data: dict[str, Any], **changes: object) -> ServicePlan:
    settings, topology, members = lab(data, **changes)
    return fencing_plan(fencing_devices(settings, topology, members), watchdog(settings))


def content(plan: ServicePlan, path: str) -> str:
    return next(file.content for file in plan.files if file.path == path)


def test_a_virtual_member_gets_the_agents_package_and_asks_for_every_member() -> None:
    made = plan(VIRTUAL)
    assert made.packages["debian"] == ("fence-virt",)
    plugs = "ha-lab-demo-node1 ha-lab-demo-node2 ha-lab-demo-node3"
    script = "/usr/local/lib/ha-lab/check-fencing"
    assert made.checks == (f"{script} fence_virt /etc/ha-lab/fencing/fence-xvm list {plugs}",)
    assert content(made, "/etc/ha-lab/fencing/fence-xvm").splitlines()[1:] == [
        "ipaddr=10.16.1.1",
        "ipport=1229",
        "key_file=/etc/cluster/fence_xvm.key",
    ]


def test_a_member_in_a_rig_gets_the_agent_itself() -> None:
    made = plan(RIG)
    agent = next(file for file in made.files if file.path == "/usr/sbin/fence_halab_rig")
    assert agent.mode == 0o755
    assert agent.content.startswith("#!/usr/bin/env python3\n")
    assert "fence_halab_rig /etc/ha-lab/fencing/fence-rig list node1 node2 node3" in made.checks[0]


def test_the_rigs_agent_runs_with_the_oldest_python_and_its_library_alone() -> None:
    tree = ast.parse(content(plan(RIG), "/usr/sbin/fence_halab_rig"), feature_version=(3, 9))
    modules = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert modules <= {
        "__future__",
        "argparse",
        "hmac",
        "json",
        "secrets",
        "socket",
        "sys",
        "typing",
        "xml.sax.saxutils",
    }


def test_devices_of_the_user_are_asked_for_their_status() -> None:
    made = plan(OWN)
    assert made.packages["debian"] == ("fence-agents",)
    assert made.checks == (check_command(fencing_devices(*lab(OWN))[0]),)
    assert made.checks[0].endswith("fence_ipmilan /etc/ha-lab/fencing/ipmi status 1 2 3")


def test_options_are_for_root_alone_because_they_tell_where_the_device_is() -> None:
    for data in (VIRTUAL, RIG, OWN):
        files = [file for file in plan(data).files if file.path.startswith("/etc/ha-lab/fencing/")]
        assert [file.mode for file in files] == [0o600]


@pytest.mark.parametrize(
    ("agent", "path"),
    [
        ("fence_virt", "/etc/cluster/fence_xvm.key"),
        ("fence_halab_rig", "/etc/cluster/fence_halab_rig.key"),
    ],
)
def test_the_key_is_for_root_alone_and_in_no_other_file(agent: str, path: str) -> None:
    (file,) = key_plan(agent, "the-key").files
    assert (file.path, file.content, file.mode) == (path, "the-key\n", 0o600)


class TestWatchdog:
    """SBD, where it is switched on and where it is not."""

    def test_it_is_off_unless_asked_for_and_what_was_there_goes(self) -> None:
        made = plan(VIRTUAL)
        assert "sbd" not in made.packages["debian"]
        assert [(unit.name, unit.running) for unit in made.units] == [("sbd.service", False)]
        on = plan(VIRTUAL, cluster__fencing__watchdog=True)
        assert set(made.absent) == {file.path for file in on.files} - {f.path for f in made.files}

    def test_it_is_configured_for_sbd_and_pacemaker_alike(self) -> None:
        made = plan(VIRTUAL, cluster__fencing__watchdog=True)
        assert "sbd" in made.packages["debian"]
        assert "SBD_WATCHDOG_TIMEOUT=5" in content(made, "/etc/ha-lab/sbd.conf").splitlines()
        assert "SBD_DEVICE" not in content(made, "/etc/ha-lab/sbd.conf")
        for unit in ("sbd", "pacemaker"):
            drop_in = content(made, f"/etc/systemd/system/{unit}.service.d/ha-lab-sbd.conf")
            assert "EnvironmentFile=/etc/ha-lab/sbd.conf" in drop_in

    def test_it_is_enabled_but_started_by_the_cluster_alone(self) -> None:
        made = plan(VIRTUAL, cluster__fencing__watchdog=True)
        assert made.units == (), "systemd refuses to start sbd.service by itself"
        assert any("systemctl enable --quiet sbd.service" in (f.then or "") for f in made.files)
        assert made.checks[-1] == "test -c /dev/watchdog"


class TestCheck:
    """`check-fencing`, with agents that answer what a test wants."""

    def run(self, folder: Path, agent: str, how: str, *plugs: str) -> tuple[int, str]:
        script = folder / "agent"
        script.write_text(f"#!/bin/bash\nasked=$(cat)\n{agent}\n")
        script.chmod(0o755)
        options = folder / "options"
        options.write_text("# a comment\nip=10.0.0.1\n")
        done = subprocess.run(
            ["bash", str(CHECK), str(script), str(options), how, *plugs],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
        return done.returncode, done.stderr

    @pytest.mark.parametrize(
        "listed", ["m1,\nm2,alias", "m1   44179d3f on\nm2   1ce02c4b off", "m1\nm2", "m2\nm1\tx"]
    )
    def test_every_plug_has_to_be_listed_by_its_whole_name(
        self, tmp_path: Path, listed: str
    ) -> None:
        agent = f"printf '{listed}'"
        assert self.run(tmp_path, agent, "list", "m1", "m2") == (0, "")
        status, said = self.run(tmp_path, agent, "list", "m1", "m")
        assert status == 1
        assert "may not fence m from here" in said

    def test_an_agent_that_cannot_list_has_no_answer(self, tmp_path: Path) -> None:
        status, said = self.run(tmp_path, "echo no route; exit 1", "list", "m1")
        assert status == 1
        assert "no route" in said
        assert "`lab setup` starts it" in said

    @pytest.mark.parametrize("power", [0, 2])
    def test_on_and_off_are_both_an_answer_about_a_status(self, tmp_path: Path, power: int) -> None:
        agent = f"[[ $asked == *plug=m1* && $asked == *action=status* ]] && exit {power}; exit 1"
        assert self.run(tmp_path, agent, "status", "m1") == (0, "")
        status, said = self.run(tmp_path, agent, "status", "m1", "m2")
        assert status == 1
        assert "cannot say whether m2 is on" in said

    def test_the_agent_is_told_the_options_and_no_more(self, tmp_path: Path) -> None:
        agent = f'printf "%s" "$asked" >{tmp_path}/asked; printf m1'
        assert self.run(tmp_path, agent, "list", "m1")[0] == 0
        asked = (tmp_path / "asked").read_text().splitlines()
        assert asked == ["# a comment", "ip=10.0.0.1", "action=list"]


def test_a_password_cannot_come_into_the_options() -> None:
    own = with_value(OWN, "cluster.fencing.devices.ipmi.parameters", {"passwd": "x"})
    assert problems(own)
