"""The comment that a pull request gets: what differs between two previews."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".github" / "preview.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("preview_comment", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_same_plan_is_no_change(script: ModuleType) -> None:
    plan = {"vm": {"memory": 512}}
    assert script.compare(plan, dict(plan)) == ""


def test_new_gone_and_changed_resources_are_named(script: ModuleType) -> None:
    text = script.compare({"old": {}, "vm": {"memory": 512}}, {"new": {}, "vm": {"memory": 640}})
    assert "**new** `new`" in text
    assert "**gone** `old`" in text
    assert '"memory": 512' in text
    assert "640" in text


def test_a_changed_line_of_a_commands_input_is_shown_alone(script: ModuleType) -> None:
    before = {"lb": {"stdin": "maxconn 100\nmode http\nretries 3\noption a\noption b"}}
    after = {"lb": {"stdin": "maxconn 200\nmode http\nretries 3\noption a\noption b"}}
    text = script.compare(before, after)
    assert "maxconn 100" in text
    assert "maxconn 200" in text
    assert "option b" not in text


def test_a_very_long_difference_is_cut(script: ModuleType) -> None:
    before = {"lb": {"stdin": "\n".join(f"a{n}" for n in range(500))}}
    after = {"lb": {"stdin": "\n".join(f"b{n}" for n in range(500))}}
    text = script.compare(before, after)
    assert "lines more" in text
    assert len(text.splitlines()) < 80
