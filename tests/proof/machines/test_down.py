"""Removing a rig leaves nothing, whatever happened before."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from images.cache import cache_root
from rig.processes import wait_until
from tests.support.rig_command import CIDR, ROOT, RigCommand

pytestmark = pytest.mark.rig


@dataclass(frozen=True, slots=True)
class Traces:
    """What of a rig can be seen on the host. Looked for by its name everywhere, so that other
    rigs may come and go meanwhile."""

    processes: tuple[str, ...]
    namespaces: tuple[str, ...]
    mounts: tuple[str, ...]
    cgroups: tuple[str, ...]
    files: tuple[str, ...]


def traces(name: str) -> Traces:
    namespace, folder = f"ha-lab-rig-{name}", str(cache_root() / "rig" / name)
    mine = (namespace, folder)
    processes = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and entry.name != str(os.getpid()):
            try:
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if any(word in line for word in mine):
                processes.append(line)
    runtime = Path("/run/systemd/nspawn/propagate")
    lock = cache_root() / "rig" / f".{name}.lock"
    candidates = [Path(folder), lock, *(runtime.glob(f"{name}.*") if runtime.is_dir() else ())]
    groups = [p for p in Path("/sys/fs/cgroup").glob("**/ha-lab-rig/*") if p.name == name]
    spaces = (path.name for path in Path("/run/netns").iterdir())
    listed = [space for space in spaces if space.partition(".")[0] == namespace]
    mounts = Path("/proc/self/mounts").read_text().splitlines()
    return Traces(
        processes=tuple(processes),
        namespaces=tuple(listed),
        mounts=tuple(m for m in mounts if any(word in m for word in mine)),
        cgroups=tuple(map(str, groups)),
        files=tuple(str(p) for p in candidates if p.exists()),
    )


NOTHING = Traces((), (), (), (), ())


def host_links() -> set[str]:
    done = subprocess.run(["ip", "-json", "link"], capture_output=True, text=True, check=True)
    return {link["ifname"] for link in json.loads(done.stdout)}


def test_down_leaves_nothing_and_can_be_repeated(make_rig: Callable[[str], RigCommand]) -> None:
    rig = make_rig("gone")
    links = host_links()
    rig.up("--machines", "m1,m2,m3", "--cidr", CIDR)
    rig("freeze", "m2")
    rig("cut", "m3")
    before = traces(rig.name)
    assert before.processes
    assert before.namespaces
    assert before.files
    assert not [mount for mount in before.mounts if mount.startswith("overlay")]
    rig("down")
    assert traces(rig.name) == NOTHING
    assert host_links() == links
    assert "nothing to remove" in rig.run("down").stderr
    assert traces(rig.name) == NOTHING


@pytest.mark.parametrize("sign", ["rig.json", "machines/m1/run.sh", "machines/m3/supervisor.pid"])
def test_down_removes_what_a_killed_up_had_made(
    make_rig: Callable[[str], RigCommand], sign: str
) -> None:
    rig = make_rig("half")
    up = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "rig",
            "up",
            "--name",
            rig.name,
            "--machines",
            "m1,m2,m3",
            "--cidr",
            CIDR,
            "--authorized-key",
            f"{rig.key}.pub",
        ],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    path = cache_root() / "rig" / rig.name / sign
    wait_until(path.exists, deadline=30, what=f"{sign} to appear")
    up.send_signal(signal.SIGKILL)
    up.wait()
    rig("down")
    assert traces(rig.name) == NOTHING


def test_up_completes_what_a_killed_up_had_made(make_rig: Callable[[str], RigCommand]) -> None:
    rig = make_rig("resumed")
    arguments = ["--machines", "m1,m2", "--cidr", CIDR, "--authorized-key", f"{rig.key}.pub"]
    up = subprocess.Popen(
        [sys.executable, "-m", "rig", "up", "--name", rig.name, *arguments],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    path = cache_root() / "rig" / rig.name / "machines/m1/upper"
    wait_until(path.exists, deadline=30, what="the first disk")
    up.send_signal(signal.SIGKILL)
    up.wait()
    rig("up", *arguments)
    assert rig.ssh("m1", "hostname").stdout == "m1\n"
    assert rig.ssh("m2", "hostname").stdout == "m2\n"


def test_down_removes_a_rig_whose_state_file_is_damaged_and_supervisor_dead(
    make_rig: Callable[[str], RigCommand],
) -> None:
    rig = make_rig("broken")
    rig.up("--machines", "m1", "--cidr", CIDR)
    folder = cache_root() / "rig" / rig.name
    supervisor = int((folder / "machines/m1/supervisor.pid").read_text().split()[0])
    os.kill(supervisor, signal.SIGKILL)
    (folder / "rig.json").write_text("{")
    assert "damaged" in rig.run("list").stderr
    rig("down")
    assert traces(rig.name) == NOTHING


def test_two_rigs_do_not_see_each_other_whatever_their_names_and_networks(
    make_rig: Callable[[str], RigCommand],
) -> None:
    first, second = make_rig("left-two"), make_rig("left")
    first.up("--machines", "m1,only", "--cidr", CIDR)
    second.up("--machines", "m1", "--cidr", CIDR)
    assert first.machine("m1")["host_key"] != second.machine("m1")["host_key"]
    second("down")
    assert traces(second.name) == NOTHING
    assert first.ssh("only", "hostname").stdout == "only\n"
