"""The text that starts a machine, read as a shell reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from rig.boot import Host, launch_argv, network_commands, nspawn_argv, own_cgroups, run_script
from rig.model import plan

RIG = plan(name="t", cidr="10.88.0.0/24", release="bookworm", machines=["lb1"])
LB1 = RIG.machine("lb1")
PLAIN = Host(cgroups=(Path("/cg/pids"), Path("/cg/systemd")), unified=False, systemd=False)
MANAGED = Host(cgroups=(), unified=True, systemd=True)


def test_the_script_is_valid_shell_whatever_the_folder_is_called(tmp_path: Path) -> None:
    script = run_script(RIG, LB1, tmp_path / "a 'b", Path("/trees/x"), PLAIN)
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)


def test_a_machine_cannot_turn_the_clock_or_load_modules() -> None:
    argv = nspawn_argv(RIG, LB1, Path("/r"), PLAIN)
    assert "--drop-capability=CAP_SYS_TIME,CAP_SYS_MODULE" in argv


def test_bookworm_follows_the_hosts_cgroup_version_and_trixie_has_only_the_second() -> None:
    trixie = plan(name="t", cidr="10.88.0.0/24", release="trixie", machines=["lb1"])
    assert nspawn_argv(RIG, LB1, Path("/r"), PLAIN)[-1].endswith("=0")
    assert nspawn_argv(RIG, LB1, Path("/r"), MANAGED)[-1].endswith("=1")
    assert nspawn_argv(trixie, LB1, Path("/r"), PLAIN)[-1].endswith("=1")


def test_under_systemd_a_machine_runs_in_a_scope_of_its_own() -> None:
    argv = launch_argv(RIG, LB1, Path("/run.sh"), MANAGED)
    assert argv[0] == "systemd-run"
    assert "--unit=ha-lab-rig-t.lb1.scope" in argv
    assert launch_argv(RIG, LB1, Path("/run.sh"), PLAIN) == ["sh", "/run.sh"]


def test_without_systemd_each_machine_has_cgroups_of_its_own() -> None:
    script = run_script(RIG, LB1, Path("/h"), Path("/t"), PLAIN)
    for folder in own_cgroups(RIG, PLAIN, "lb1"):
        assert f"mkdir -p {folder} && echo $$ >{folder}/cgroup.procs" in script


def test_the_machine_has_its_address_before_it_boots() -> None:
    commands = network_commands(RIG, LB1)
    assert "-n ha-lab-rig-t.lb1 address add 10.88.0.11/24 dev eth0" in commands
    assert "-n ha-lab-rig-t.lb1 route add default via 10.88.0.1" in commands
