"""Stack files: where they are, which there are, what they configure."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import yaml

from components.settings.load import load_settings
from components.settings.models import Settings
from components.topology import Topology, plan
from lab.errors import LabError

ROOT = Path(__file__).resolve().parent.parent
"""The clone: where Pulumi.yaml is."""
PROJECT = "ha-lab"
STACKS = ROOT / "stacks"


def path_of(stack: str) -> Path:
    return STACKS / f"Pulumi.{stack}.yaml"


def known_stacks() -> list[str]:
    """Names of all stacks that have a file."""
    names = (path.name.removeprefix("Pulumi.") for path in STACKS.glob("Pulumi.*.yaml"))
    return sorted(name.removesuffix(".yaml") for name in names)


def read_config(stack: str) -> dict[str, Any]:
    """The project's keys of a stack file, without the secrets. Raises LabError."""
    path = path_of(stack)
    if not path.exists():
        near = difflib.get_close_matches(stack, known_stacks(), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        msg = f"there is no stack file {path.relative_to(ROOT)}.{hint}" + (
            " `make rig` writes the one of the rig."
            if stack.startswith("rig")
            else " Copy stacks/example.yaml to it and keep what you change."
        )
        raise LabError(msg)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        msg = f"{path.relative_to(ROOT)} is not valid YAML: {error}"
        raise LabError(msg) from None
    config = content.get("config") if isinstance(content, dict) else None
    return own_keys(config if isinstance(config, dict) else {})


def own_keys(config: dict[str, Any]) -> dict[str, Any]:
    """Settings by their plain names; other packages' keys and the secrets left out."""
    prefix = f"{PROJECT}:"
    own = {key.removeprefix(prefix): value for key, value in config.items() if prefix in key}
    own.pop("secrets", None)
    return own


def load_stack(stack: str) -> tuple[Settings, Topology]:
    """Settings and topology of a stack. Raises LabError or SettingsError."""
    settings = load_settings(read_config(stack), stack=stack)
    return settings, plan(settings, stack=stack)
