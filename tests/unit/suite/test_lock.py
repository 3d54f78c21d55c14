"""One run of the suite at a time, and a run that was killed holds nobody up."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.suite import lock
from tests.suite.lock import only_run

ROOT = Path(__file__).parents[3]
HOLD = """
import subprocess, sys
from pathlib import Path
from tests.suite.lock import only_run
with only_run(print, Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "60"], stdout=subprocess.DEVNULL, close_fds=False)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(file: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process that holds the lock, and a child that it has started."""
    argv = [sys.executable, "-c", HOLD, str(file)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(argv, cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        child = int(process.stdout.readline())
        try:
            yield process, child
        finally:
            process.kill()
            os.kill(child, 9)


def test_a_second_run_says_once_for_whom_it_waits_and_then_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    said: list[str] = []
    ended: list[str] = []
    with holder(file) as (process, _):

        def end() -> None:
            ended.append("the first")
            assert process.stdin is not None
            process.stdin.close()

        def say(text: str) -> None:
            said.append(text)
            threading.Timer(0.2, end).start()

        with only_run(say, file):
            assert ended == ["the first"]
    assert len(said) == 1
    start = f"waiting for another run of the tests: process {process.pid} in {ROOT}, since 2"
    assert said[0].startswith(start)


def test_a_killed_run_frees_the_lock_while_its_children_live(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with holder(file) as (process, child):
        process.kill()
        process.wait()
        with only_run(pytest.fail, file):
            os.kill(child, 0)


def test_everybody_can_lock_the_file_whoever_made_it(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    before = os.umask(0o077)
    try:
        with only_run(pytest.fail, file):
            assert file.stat().st_mode & 0o777 == 0o666
    finally:
        os.umask(before)
    with only_run(pytest.fail, file):  # a file that is there
        pass


def test_a_file_that_cannot_be_written_is_a_lock_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lock"
    file.touch()
    really = os.open

    def only_reading(path: Path, flags: int, mode: int = 0o777) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR):
            raise PermissionError
        return really(path, flags, mode)

    monkeypatch.setattr(os, "open", only_reading)
    said: list[str] = []
    with only_run(pytest.fail, file):
        monkeypatch.undo()
        code = "from tests.suite.lock import *; from pathlib import Path; import sys\n"
        code += "with only_run(lambda text: sys.exit(text), Path(sys.argv[1])): pass"
        second = [sys.executable, "-c", code, str(file)]
        done = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, check=False)
        said.append(done.stderr.strip())
    assert said == ["waiting for another run of the tests"]


def test_a_closed_file_fails_rather_than_being_asked_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path, flags: int, mode: int = 0o777) -> int:
        del path, flags, mode
        raise PermissionError("closed")

    monkeypatch.setattr(os, "open", closed)
    with pytest.raises(PermissionError, match="closed"), only_run(pytest.fail, tmp_path / "lock"):
        pass


def test_all_users_come_to_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    monkeypatch.setattr(lock, "FOLDERS", (first, second))
    assert lock._place() == second / lock.NAME
    first.mkdir()
    assert lock._place() == first / lock.NAME
    monkeypatch.setattr(os, "access", lambda *_: False)  # as for a user where root alone may write
    assert lock._place() == second / lock.NAME
    (first / lock.NAME).touch()
    assert lock._place() == first / lock.NAME
