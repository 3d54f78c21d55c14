"""Histories are read back as they were written; a wrong file is told apart from a cut one."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.drill.events import AnyEvent, Header, Limits, Note, Owner, Request
from lab.drill.history import HistoryWriter, read_history
from lab.errors import LabError

HEADER = Header(
    t=1.0,
    stack="demo",
    provider="rig",
    timers="fast",
    fault="none",
    tier="load_balancer",
    run=1,
    seed=0,
    wall="2026-11-23T18:00:00.000+00:00",
    victims=(),
    predicted=None,
    limits=Limits(outage_s=0, slow_s=0.25),
    probes={"http": 0.01},
)
EVENTS: list[AnyEvent] = [
    HEADER,
    Request(t=1.5, probe="http", took_s=0.002, outcome="ok", status=200, server="app1"),
    Owner(t=1.6, source="arp", owners=("lb1",)),
    Note(t=1.7, source="clock", text="the wall clock jumped"),
]


def written(folder: Path) -> Path:
    path = folder / "new" / "history.jsonl"
    writer = HistoryWriter(path)
    for event in EVENTS:
        writer.append(event)
    writer.close()
    return path


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert read_history(written(tmp_path)) == EVENTS


def test_a_history_is_never_overwritten(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="another folder"):
        HistoryWriter(written(tmp_path))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="another folder"):
        HistoryWriter(tmp_path / "file" / "history.jsonl")


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(path.read_text()[:-10])
    assert read_history(path) == EVENTS[:-1]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"kind": "owner"}'], "line 1"),
        (["no json"], "line 1"),
        ([], "header"),
        ([EVENTS[1].model_dump_json()], "header"),
        ([HEADER.model_dump_json()] * 2, "header"),
        ([HEADER.model_copy(update={"version": 99}).model_dump_json()], "version 99"),
    ],
)
def test_what_is_no_history_is_refused_with_its_place(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(LabError, match=said):
        read_history(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="cannot read the history"):
        read_history(tmp_path / "nothing")
