"""Locks: whose they are, which go unasked, and what is said of the others."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import unlock as unlocking
from lab.errors import LabError
from lab.locks import LOCKS, advice, locks_of, remove_stale_locks
from lab.pulumi_cli import PulumiCli
from lab.stack_file import PROJECT

GONE = 2**22 + 1
"""No process can have this number."""
Held = Callable[..., Path]


@pytest.fixture
def pulumi(tmp_path: Path) -> Iterator[int]:
    """The number of a process that is called as Pulumi is."""
    program = tmp_path / "pulumi"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen([program, "60"]) as process:
        while (
            not Path(f"/proc/{process.pid}/stat")
            .read_text("utf-8")
            .startswith(f"{process.pid} (pulumi)")
        ):
            time.sleep(0.01)
        yield process.pid
        process.kill()


@pytest.fixture
def backend(tmp_path: Path) -> str:
    return f"file://{tmp_path}"


@pytest.fixture
def held(tmp_path: Path) -> Held:
    """Makes lock files of a stack."""

    def make(stack: str, pid: int = GONE, *, host: str = "", text: str | None = None) -> Path:
        folder = tmp_path / LOCKS / PROJECT / stack
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{len(list(folder.iterdir()))}.json"
        content = {
            "pid": pid,
            "username": "root",
            "hostname": host or socket.gethostname(),
            "timestamp": "2026-11-28T17:00:00.1+00:00",
        }
        path.write_text(json.dumps(content) if text is None else text, encoding="utf-8")
        return path

    return make


def test_only_the_lock_of_a_dead_process_of_this_host_goes_unasked(
    held: Held, backend: str, pulumi: int
) -> None:
    dead = held("a")
    others = [held("a", pulumi), held("a", host="elsewhere"), held("a", text=""), held("a-b")]
    assert remove_stale_locks(backend, "a") == [dead]
    assert not dead.exists()
    assert all(path.exists() for path in others)


def test_a_process_that_only_has_the_number_is_not_pulumi(held: Held, backend: str) -> None:
    lock = held("a", os.getpid())
    assert remove_stale_locks(backend, "a") == [lock]


def test_who_holds_a_stack_is_said_with_the_command_as_it_is_typed(
    held: Held, backend: str, pulumi: int
) -> None:
    held("a", 12, host="elsewhere")
    said = advice("a", locks_of(backend, "a"))
    assert "process 12 of root@elsewhere is on another host" in said
    assert "locked since 2026-11-28 17:00:00" in said
    assert said.endswith("`lab unlock a`")

    held("a", pulumi)
    said = advice("a", locks_of(backend, "a"))
    assert f"process {pulumi} of root@{socket.gethostname()} is running" in said
    assert "unlock" not in said, "it would take the lock from a run that goes on"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}', "null"])
def test_a_damaged_lock_is_named_with_its_path(held: Held, backend: str, text: str) -> None:
    path = held("a", text=text)
    said = advice("a", locks_of(backend, "a"))
    assert f"{path} is empty or damaged" in said
    assert said.endswith("`lab unlock a`")


def test_no_lock_and_no_file_backend_need_no_advice(held: Held, backend: str) -> None:
    held("a")
    assert advice("b", locks_of(backend, "b")) == ""
    assert locks_of("s3://bucket", "a") == []


class TestUnlock:
    """The locks of one stack, and only those."""

    @pytest.fixture(autouse=True)
    def _in_this_backend(self, backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(PulumiCli, "environ", lambda _: {"PULUMI_BACKEND_URL": backend})

    def test_those_that_are_agreed_to_go(self, held: Held) -> None:
        away, damaged, other = held("a", host="elsewhere"), held("a", text=""), held("a-b", text="")
        removed = unlocking.unlock("a", ask=lambda lock: "damaged" in lock)
        assert [lock.path for lock in removed] == [damaged]
        assert away.exists()
        assert other.exists()

    def test_nothing_is_removed_while_a_process_holds_one(self, held: Held, pulumi: int) -> None:
        both = held("a", text=""), held("a", pulumi)
        with pytest.raises(LabError, match="is running"):
            unlocking.unlock("a", ask=lambda _: True)
        assert all(path.exists() for path in both)
