"""What is left of a run of drills: the reports, wherever they can be written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.drill.session import Done, Options, write_reports
from lab.errors import LabError


def test_reports_are_written_though_their_folder_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    write_reports(folder, Done(), Options())
    assert json.loads((folder / "report.json").read_text())["verdicts"] == []
    assert {path.suffix for path in folder.iterdir()} == {".html", ".json", ".md"}


def test_where_they_cannot_be_written_it_says_so(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.touch()
    with pytest.raises(LabError, match=r"cannot write the reports to .*file"):
        write_reports(taken, Done(), Options())
