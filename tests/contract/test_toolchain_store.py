"""The cache: made once, whole or not at all; and the logs of what failed."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from toolchain import store
from toolchain.errors import SetupError
from toolchain.progress import Progress, run_logged

QUIET = Progress(quiet=True)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_the_key_depends_on_content_and_words(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("a")
    key = store.content_key([file], "x")
    assert store.content_key([file], "x") == key
    assert store.content_key([file], "y") != key
    assert store.content_key([file], "x", "") != key
    file.write_text("b")
    assert store.content_key([file], "x") != key


def test_a_directory_is_made_once_even_by_many_at_once(tmp_path: Path) -> None:
    made: list[str] = []
    together = threading.Barrier(4)

    def make(into: Path, _: Progress) -> None:
        made.append("made")
        (into / "file").write_text("whole")

    def ensure() -> None:
        together.wait()
        store.ensure(tmp_path / "it", make, QUIET)
        assert (tmp_path / "it" / "file").read_text() == "whole"

    threads = [threading.Thread(target=ensure) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["made"]


def test_what_was_left_half_made_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    (tmp_path / "it" / "half").touch()
    store.ensure(tmp_path / "it", lambda into, _: (into / "file").touch(), QUIET)
    assert not (tmp_path / "it" / "half").exists()
    assert (tmp_path / "it" / "file").exists()


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail(into: Path, _: Progress) -> None:
        (into / "half").touch()
        raise SetupError("no")

    with pytest.raises(SetupError):
        store.ensure(tmp_path / "it", fail, QUIET)
    assert not (tmp_path / "it").exists()


def test_a_failed_command_shows_the_end_of_its_log_and_where_the_rest_is(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "it.log"
    script = "for i in range(100): print('line', i)\nraise SystemExit(3)"
    with pytest.raises(SetupError) as caught:
        run_logged([sys.executable, "-c", script], log=log, hint="Try this.")
    text = str(caught.value)
    assert "exit status 3" in text
    assert str(log) in text
    assert "line 99" in text
    assert "line 50" not in text
    assert text.endswith("Try this.")
    assert "line 50" in log.read_text()
