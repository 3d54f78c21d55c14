"""When the lab's fence key is asked of Pulumi, and when it is known to be where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import fencing
from lab.fencing import Mark


@pytest.fixture
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mark:
    monkeypatch.setattr(fencing, "STATE", tmp_path)
    (tmp_path / "demo.setup").write_text("secrets, first")
    (tmp_path / "key").write_text("the key")
    return Mark("demo", tmp_path / "key")


def test_at_first_the_key_has_to_be_asked_for(mark: Mark) -> None:
    assert not mark.holds()
    mark.set()
    assert mark.holds()


@pytest.mark.parametrize("changed", ["demo.setup", "key"])
def test_it_is_asked_for_again_when_the_secrets_or_the_key_on_the_host_changed(
    mark: Mark, tmp_path: Path, changed: str
) -> None:
    mark.set()
    (tmp_path / changed).write_text("something else")
    assert not mark.holds()


def test_it_is_asked_for_again_when_the_host_has_lost_it(mark: Mark, tmp_path: Path) -> None:
    mark.set()
    (tmp_path / "key").unlink()
    assert not mark.holds()


def test_the_key_itself_is_not_written_into_the_mark(mark: Mark, tmp_path: Path) -> None:
    mark.set()
    assert "the key" not in (tmp_path / "demo.fencing").read_text()
