"""Results are built once and never seen half-made."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from images.cache import build_once, locked, prune
from tests.support.waiting import MOMENT_S, wait_until


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "ha-lab"


def test_the_second_call_and_a_call_at_the_same_time_do_not_build() -> None:
    entered, go_on = threading.Event(), threading.Event()
    builds: list[Path] = []

    def build(work: Path) -> None:
        builds.append(work)
        entered.set()
        assert go_on.wait(10)

    threads = [threading.Thread(target=build_once, args=("x", "1", build)) for _ in range(3)]
    for thread in threads:
        thread.start()
    assert entered.wait(10)
    go_on.set()
    for thread in threads:
        thread.join(10)
    build_once("x", "1", build)
    assert len(builds) == 1


def test_who_waits_for_another_says_so_once_and_who_does_not_says_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def build(work: Path) -> None:
        with pytest.raises(AssertionError, match="it waits"), locked(lock_of(work), must_wait):
            pass

    build_once("x", "1", build)
    assert "waiting" not in capsys.readouterr().err
    entered, go_on = threading.Event(), threading.Event()

    def slow(work: Path) -> None:
        del work
        entered.set()
        assert go_on.wait(10)

    first, second = (threading.Thread(target=build_once, args=("x", "2", slow)) for _ in range(2))
    first.start()
    assert entered.wait(10)
    second.start()
    said = wait_until("it says that it waits", lambda: capsys.readouterr().err, usual_s=MOMENT_S)
    go_on.set()
    for thread in (first, second):
        thread.join(10)
    assert said == "images: waiting for another process that builds x-2 ...\n"


def lock_of(work: Path) -> Path:
    return work.parent / ".x-1.lock"


def must_wait() -> None:
    raise AssertionError("it waits")


def test_a_failed_build_leaves_no_result_and_its_rest_goes_with_the_next(cache: Path) -> None:
    def fail(work: Path) -> None:
        (work / "half").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        build_once("x", "1", fail)
    result = build_once("x", "1", lambda work: (work / "whole").touch())
    assert sorted(p.name for p in result.iterdir()) == ["done", "whole"]
    assert [p.name for p in (cache / "images").glob(".x-1.build-*")] == []


def test_prune_keeps_what_was_used_lately_and_what_a_rig_stands_on(cache: Path) -> None:
    folders = {name: build_once("tree", name, lambda _: None) for name in ("old", "used", "new")}
    for name in ("old", "used"):
        os.utime(folders[name] / "done", (0, 0))
    (cache / "rig/r").mkdir(parents=True)
    (cache / "rig/r/rig.json").write_text(f'{{"tree": "{folders["used"]}/root"}}')
    assert prune(days=1) == [folders["old"]]
    assert not folders["old"].exists()
    assert folders["used"].exists()
    assert folders["new"].exists()
