"""A clone of its own: the `lab` command sees no other stack and no other state."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import prepare, pulumi_cli, stack_file


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stacks, state = tmp_path / "stacks", tmp_path / ".state"
    stacks.mkdir()
    monkeypatch.setattr(stack_file, "ROOT", tmp_path)
    monkeypatch.setattr(stack_file, "STACKS", stacks)
    monkeypatch.setattr(pulumi_cli, "ROOT", tmp_path)
    monkeypatch.setattr(pulumi_cli, "STATE", state)
    monkeypatch.setattr(pulumi_cli, "PASSPHRASE", state / "passphrase")
    monkeypatch.setattr(prepare, "STATE", state)
    return tmp_path


@pytest.fixture
def write_stack(clone: Path) -> object:
    def write(name: str, text: str) -> Path:
        path = clone / "stacks" / f"Pulumi.{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
