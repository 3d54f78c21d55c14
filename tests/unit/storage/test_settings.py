"""From settings to the storage's args, and what the settings must not contradict."""

from __future__ import annotations

from typing import Any

import pytest

from components.outputs import storage_output
from components.settings.load import SettingsError, load_settings
from components.storage.from_settings import storage_args
from components.storage.options import volume_options
from components.topology import plan


def settings(**storage: Any) -> dict[str, Any]:
    return {"number": 1, "topology": "full", "storage": {"enabled": True, **storage}}


def problems(data: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(SettingsError) as error:
        load_settings(data, stack="demo")
    return {problem.path: problem.message for problem in error.value.problems}


def test_the_courses_volume_is_the_default_and_off() -> None:
    loaded = load_settings({"number": 1, "topology": "full"}, stack="demo")
    assert storage_args(loaded, plan(loaded, stack="demo")) is None
    loaded = load_settings(settings(), stack="demo")
    topology = plan(loaded, stack="demo")
    args = storage_args(loaded, topology)
    assert args is not None
    assert args.brick(args.volumes[0]) == "/data/gv0/brick"
    assert args.device == "/dev/vdb"
    assert [topology.machine(n).data_disk_gib for n in ("gluster1", "app1")] == [4, 0]


def test_the_timers_and_the_users_options_are_the_volumes() -> None:
    loaded = load_settings(
        {**settings(volumes={"gv0": {"options": {"auth.allow": "*"}}}), "timers": "fast"},
        stack="demo",
    )
    args = storage_args(loaded, plan(loaded, stack="demo"))
    assert args is not None
    options = volume_options(args, args.volumes[0])
    assert options["network.ping-timeout"] == options["client.tcp-user-timeout"] == "5"
    assert options["cluster.quorum-type"] == "auto"
    assert options["auth.allow"] == "*"


def test_the_output_names_volume_mount_and_servers() -> None:
    loaded = load_settings(settings(), stack="demo")
    found = storage_output(loaded, plan(loaded, stack="demo"))["storage"]
    assert isinstance(found, dict)
    assert found["volume"] == "gv0"
    assert found["servers"] == ["gluster1", "gluster2", "gluster3"]
    assert found["mount"] == (
        "mount -t glusterfs -o _netdev,backup-volfile-servers=gluster2:gluster3 "
        "gluster1:/gv0 /mnt/gluster"
    )
    assert found["uploads"] == "https://10.16.1.100/uploads/"


@pytest.mark.parametrize(
    ("storage", "path", "said"),
    [
        ({"volumes": {"gv0": {"replica": 4}}}, "storage.volumes.gv0.replica", "multiple of 4"),
        ({"volumes": {"gv0": {"replica": 2}}}, "storage.volumes.gv0.replica", "3 or more"),
        ({"volumes": {}}, "storage.volumes", "is empty"),
        ({"uploads": "gv1"}, "storage.uploads", "did you mean 'gv0'?"),
        (
            {"volumes": {"gv0": {"clients": ["app9"]}}, "uploads": ""},
            "storage.volumes.gv0.clients.0",
            "no machine",
        ),
        ({"volumes": {"gv0": {"clients": ["app1"]}}}, "storage.uploads", "app2, app3"),
        (
            {"volumes": {"gv0": {}, "gv1": {"mount": "/mnt/gluster/b"}}},
            "storage.volumes.gv1.mount",
            "in one another",
        ),
        ({"brickDir": "/mnt"}, "storage.volumes.gv0.mount", "bricks'"),
        ({"device": "vdb"}, "storage.device", "a block device such as /dev/vdb"),
    ],
)
def test_what_is_contradictory_is_said(storage: dict[str, Any], path: str, said: str) -> None:
    assert said in problems(settings(**storage))[path]


def test_a_lab_without_storage_machines_cannot_have_volumes() -> None:
    data = settings()
    data["machines"] = {"counts": {"storage": 0}}
    assert "there are 0" in problems(data)["storage.volumes.gv0.replica"]


def test_an_arbiter_is_the_third_of_three() -> None:
    data = settings(volumes={"gv0": {"replica": 5, "arbiter": True}})
    data["machines"] = {"counts": {"storage": 5}}
    assert "set replica to 3" in problems(data)["storage.volumes.gv0.arbiter"]
