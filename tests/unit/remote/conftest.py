"""A fresh guest for each test of the applier."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.remote.guest import Guest, make_guest


@pytest.fixture
def guest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Guest:
    return make_guest(tmp_path, monkeypatch, capsys)
