"""What the tool decides about disks and mounts, on this machine's own file systems."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from components.storage.guest import disk, mounts, system
from components.storage.guest.system import GlusterError, ToolError, gluster_xml, wait_until

Run = Callable[..., tuple[int, str]]


def config(brick_dir: Path, **values: Any) -> dict[str, Any]:
    own = {"device": None, "label": "ha-lab-brick", "allow_root_file_system": False}
    return {**own, "brick_dir": str(brick_dir), "volumes": ["gv0"], **values}


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A file that is taken for a block device."""
    path = tmp_path / "vdb"
    path.touch()
    monkeypatch.setattr(Path, "is_block_device", lambda _path: True)
    return str(path)


def says(monkeypatch: pytest.MonkeyPatch, status: int, output: str) -> None:
    monkeypatch.setattr(disk, "run", lambda *_words, **_options: (status, output))


def test_the_root_file_system_is_refused_unless_it_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(disk, "is_on_root", lambda _directory: True)
    with pytest.raises(ToolError, match=r"storage\.allowRootFileSystem"):
        disk.check(config(tmp_path))
    disk.check(config(tmp_path, allow_root_file_system=True))


def test_a_directory_that_is_not_there_yet_is_on_the_file_system_above_it() -> None:
    assert disk.is_on_root(Path("/no/such/directory"))
    assert not disk.is_on_root(Path("/proc/no-such-directory"))


@pytest.mark.parametrize(
    ("status", "output", "found"),
    [
        (2, "", "empty"),
        (0, "TYPE=xfs\nLABEL=ha-lab-brick", "ours"),
    ],
)
def test_an_empty_disk_and_our_own_are_taken(
    monkeypatch: pytest.MonkeyPatch, device: str, status: int, output: str, found: str
) -> None:
    says(monkeypatch, status, output)
    assert disk.must_be_usable(device, "ha-lab-brick", Path("/nowhere")) == found


@pytest.mark.parametrize(
    ("status", "output", "what"),
    [
        (0, "TYPE=ext4\nLABEL=data", "ext4"),
        (0, "TYPE=xfs\nLABEL=other", "xfs"),
        (0, "PTTYPE=gpt", "gpt"),
        (8, "", "cannot name"),
    ],
)
def test_a_disk_with_anything_on_it_is_refused(
    monkeypatch: pytest.MonkeyPatch, device: str, status: int, output: str, what: str
) -> None:
    says(monkeypatch, status, output)
    with pytest.raises(ToolError, match=what):
        disk.must_be_usable(device, "ha-lab-brick", Path("/nowhere"))


def test_a_disk_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="there is no disk"):
        disk.check(config(tmp_path, device="/dev/no-such-disk"))


def test_what_is_mounted_is_read_and_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "mounts"
    table.write_text("gluster1:/gv0 /mnt/gluster fuse.glusterfs rw 0 0\n")
    monkeypatch.setattr(mounts, "MOUNTS", table)
    assert mounts.is_mounted("/mnt/gluster")
    assert not mounts.is_mounted("/mnt")


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (["/usr/sbin/glusterfs", "--volfile-id=/gv0", "/mnt/gluster"], True),
        (["/usr/sbin/glusterfs", "--volfile-id=/gv1", "/mnt/other"], False),
        (["/bin/ls", "/mnt/gluster"], False),
    ],
)
def test_the_client_of_a_mount_is_a_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: list[str], found: bool
) -> None:
    process = tmp_path / "17"
    process.mkdir()
    (process / "cmdline").write_bytes("\0".join([*command, ""]).encode())
    monkeypatch.setattr(mounts, "PROCESSES", tmp_path)
    assert mounts.has_client("/mnt/gluster") is found


@pytest.mark.parametrize(
    ("mounted", "alive", "remounts"),
    [(True, True, False), (True, False, True), (False, False, True)],
)
def test_only_what_is_not_served_is_mounted_again(
    monkeypatch: pytest.MonkeyPatch, mounted: bool, alive: bool, remounts: bool
) -> None:
    done: list[str] = []

    def run(words: list[str], **_options: object) -> tuple[int, str]:
        done.append(" ".join(words))
        return 0, ""

    monkeypatch.setattr(mounts, "is_mounted", lambda _directory: mounted)
    monkeypatch.setattr(mounts, "has_client", lambda _directory: alive)
    monkeypatch.setattr(mounts, "must", lambda _words: "mnt-gluster.mount")
    monkeypatch.setattr(mounts, "run", run)
    mounts.mend("/mnt/gluster")
    assert ("systemctl start mnt-gluster.mount" in done) is remounts
    assert ("umount --lazy /mnt/gluster" in done) is (mounted and remounts)


def test_a_command_that_hangs_is_ended_with_its_children() -> None:
    status, output = system.run(["sh", "-c", "sleep 60 & sleep 60"], timeout_s=0.2)
    assert (status, output) == (124, "no answer within 0.2 s")
    left = subprocess.run(["pgrep", "-fx", "sleep 60.25"], check=False, capture_output=True)
    assert left.stdout == b""


def test_glusters_own_words_are_in_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "<cliOutput><opRet>-1</opRet><opErrstr>Another transaction</opErrstr></cliOutput>"
    monkeypatch.setattr(system, "run", lambda *_words, **_options: (1, text))
    with pytest.raises(GlusterError, match="Another transaction"):
        gluster_xml("volume", "status")


def test_waiting_ends_with_what_was_missing() -> None:
    with pytest.raises(ToolError, match="after 0 s: gluster2 is away"):
        wait_until(lambda: "gluster2 is away", within_s=0)
