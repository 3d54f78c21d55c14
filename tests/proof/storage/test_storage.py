"""GlusterFS on the rig: what was acknowledged is there whatever is lost, and a new server heals."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lab.rig_stack import administrator_key, rig_up
from lab.stack_file import read_config
from rig import lifecycle
from tests.support.requests import get, request
from tests.support.rig_lab import RigLab
from tests.support.rig_module import deployed_rig
from tests.support.waiting import WHOLE_S, wait_until

STACK = "test-storage"
SERVERS = ("gluster1", "gluster2", "gluster3")
BRICK = "/data/gv0/brick"
MOUNT = "/mnt/gluster"
ARBITER_MOUNT = "/mnt/arbiter"
NEW_SERVERS = ("gluster4", "gluster5", "gluster6")
COUNTS = {"loadBalancer": 1, "app": 2, "database": 0, "storage": 3}
SETTINGS: dict[str, Any] = {
    "topology": "full",
    "timers": "relaxed",
    "machines": {"counts": COUNTS},
    "cluster": {"enabled": False},
    "storage": {"enabled": True, "allowRootFileSystem": True},
}
FAULTS = (
    "brick-killed",
    "storage-server-power-off",
    "storage-server-cut",
    "storage-majority-lost",
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RigLab]:
    """Three storage machines, two clients and a load balancer, deployed."""
    with deployed_rig(RigLab, STACK, SETTINGS, tmp_path_factory) as lab:
        yield lab


def await_whole_storage(lab: RigLab) -> None:
    """Every brick is up and nothing is left to heal."""
    wait_until(
        "the storage is whole",
        lambda: lab.lab("storage", "status", STACK).status == 0,
        usual_s=WHOLE_S,
        every_s=1,
    )


def put(lab: RigLab, path: str, data: bytes) -> int:
    return request("PUT", lab.url(path), namespace=lab.namespace, content=data).status_code


def test_a_file_put_through_one_client_is_read_on_every_other(lab: RigLab) -> None:
    data = os.urandom(300_000)
    assert put(lab, "/uploads/a.bin", data) == 201
    assert get(lab.url("/uploads/a.bin"), namespace=lab.namespace).content == data
    expected = hashlib.sha256(data).hexdigest()
    for machine, path in (
        ("app1", f"{MOUNT}/uploads/a.bin"),
        ("app2", f"{MOUNT}/uploads/a.bin"),
        *((server, f"{BRICK}/uploads/a.bin") for server in SERVERS),
    ):
        assert lab.run(machine, "sha256sum", path).split()[0] == expected, machine


def test_a_second_preview_finds_nothing_to_do(lab: RigLab) -> None:
    lab.preview_clean().ok()


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_acknowledged_is_lost(lab: RigLab, fault: str, tmp_path: Path) -> None:
    await_whole_storage(lab)
    done = lab.lab("drill", STACK, "--fault", fault, "--report", str(tmp_path))
    (verdict,) = json.loads((tmp_path / "report.json").read_text())["verdicts"]
    assert done.status == 0, json.dumps(verdict["sentences"], indent=1)
    writes = verdict["writes"]["file"]
    assert writes["acknowledged"] > 0
    assert (writes["lost"], writes["unattempted"]) == (0, 0)
    if fault == "storage-majority-lost":
        assert writes["unknown"] > 0, "without a majority nothing is acknowledged"


def test_a_mount_whose_client_was_killed_comes_back(lab: RigLab) -> None:
    lab.shell("app1", "pkill -KILL -x glusterfs")
    wait_until(
        "the volume is mounted again",
        lambda: lab.try_run("app1", "ls", f"{MOUNT}/uploads").returncode == 0,
        usual_s=WHOLE_S,
    )


def test_a_client_that_boots_has_its_volume(lab: RigLab) -> None:
    lab.power_off("app2")
    lab.power_on("app2")
    wait_until(
        "the volume is mounted after the boot",
        lambda: lab.try_run("app2", "ls", f"{MOUNT}/uploads").returncode == 0,
        usual_s=WHOLE_S,
    )


def test_a_server_installed_anew_is_filled_again(lab: RigLab) -> None:
    await_whole_storage(lab)
    _, public = administrator_key(STACK)
    lifecycle.reinstall(STACK, "gluster2", authorized_keys=public)
    lab.write_hosts()
    assert "lab storage replace" in lab.up().ok().text
    assert "gluster2 is no member" in lab.lab("storage", "status", STACK).text
    lab.lab("storage", "replace", STACK, "gluster2").ok()

    def same() -> bool:
        sums = [
            lab.try_run(server, "sha256sum", f"{BRICK}/uploads/a.bin").stdout.split()[0]
            for server in SERVERS
        ]
        return len(set(sums)) == 1

    wait_until("its copy is the others'", same, usual_s=WHOLE_S)
    await_whole_storage(lab)
    lab.preview_clean().ok()


def test_an_arbiter_keeps_names_and_a_vote_but_no_data(lab: RigLab) -> None:
    volumes = {"gv0": {}, "gv1": {"arbiter": True, "mount": ARBITER_MOUNT}}
    lab.change("storage", {**SETTINGS["storage"], "volumes": volumes})
    lab.up().ok()
    lab.shell("app1", f"head -c 100000 /dev/urandom >{ARBITER_MOUNT}/big")
    sizes = [
        lab.run(server, "stat", "--format=%s", "/data/gv1/brick/big").strip() for server in SERVERS
    ]
    assert sizes == ["100000", "100000", "0"]

    # One copy and the vote are a majority.
    lab.power_off("gluster1")
    lab.shell("app1", f"echo more >>{ARBITER_MOUNT}/big && sync {ARBITER_MOUNT}/big")
    lab.power_on("gluster1")
    await_whole_storage(lab)
    assert lab.run("gluster1", "stat", "--format=%s", "/data/gv1/brick/big").strip() == "100005"
    lab.preview_clean().ok()


def test_three_more_servers_make_every_volume_larger(lab: RigLab) -> None:
    files = {f"grown-{number}": os.urandom(1000) for number in range(30)}
    for name, data in files.items():
        assert put(lab, f"/uploads/{name}", data) == 201
    lab.change("machines", {**read_config(STACK)["machines"], "counts": {**COUNTS, "storage": 6}})
    rig_up(STACK, {})
    lab.up().ok()
    for volume in ("gv0", "gv1"):
        assert len(bricks_of(lab, volume)) == 6

    def spread() -> object:
        """Files are moved in the background; an empty one only says where the file is."""
        find = f"find {BRICK}/uploads -type f -size +0 -printf '%f\\n'"
        new = [set(lab.shell(s, find).split()) & set(files) for s in NEW_SERVERS]
        return new[0] and new[0] == new[1] == new[2]

    wait_until("files are on the new bricks", spread, usual_s=WHOLE_S, every_s=1)
    for name, data in files.items():
        assert get(lab.url(f"/uploads/{name}"), namespace=lab.namespace).content == data
    await_whole_storage(lab)
    lab.preview_clean().ok()


def bricks_of(lab: RigLab, volume: str) -> list[str]:
    text = lab.run("gluster1", "gluster", "volume", "info", volume)
    return [line for line in text.splitlines() if line.startswith("Brick") and ":/" in line]
