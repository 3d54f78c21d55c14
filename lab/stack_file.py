"""Stack files: where they are, which there are, what they configure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable
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
SEALED = re.compile(r"^(encryptionsalt:|\s+secure:)", re.MULTILINE)
"""Lines that only the passphrase of a stack opens."""


def path_of(stack: str) -> Path:
    return STACKS / f"Pulumi.{stack}.yaml"


def known_stacks() -> list[str]:
    """Names of all stacks that have a file."""
    names = (path.name.removeprefix("Pulumi.") for path in STACKS.glob("Pulumi.*.yaml"))
    return sorted(name.removesuffix(".yaml") for name in names)


def files_with_secrets() -> list[Path]:
    """Stack files that hold secrets, or the salt of a passphrase."""
    files = sorted(STACKS.glob("Pulumi.*.yaml"))
    return [path for path in files if SEALED.search(path.read_text("utf-8", errors="replace"))]


class _StrictLoader(yaml.SafeLoader):
    """YAML in which no key is given twice: the later one would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen and isinstance(key_node, yaml.ScalarNode) and key != "<<":
                problem = f"{key!r} is given twice; keep one"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            if isinstance(key_node, yaml.ScalarNode):
                seen.add(key)
        return super().construct_mapping(node, deep=deep)


def read_config(stack: str) -> dict[str, Any]:
    """The project's keys of a stack file, without the secrets. Raises LabError."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", stack):
        msg = f"{stack!r} is no name of a stack: letters, digits, _ . - only, such as demo"
        raise LabError(msg)
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
        text = path.read_text(encoding="utf-8")
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        msg = f"{path.relative_to(ROOT)} is not valid YAML: {error}"
        raise LabError(msg) from None
    config = content.get("config") if isinstance(content, dict) else content
    if config is not None and not isinstance(config, dict):
        msg = f"{path.relative_to(ROOT)}: expected `config:` with keys `{PROJECT}:...` below it"
        raise LabError(msg)
    return own_keys(config or {})


def own_keys(config: dict[Any, Any]) -> dict[str, Any]:
    """Settings by their plain names; other packages' keys and the secrets left out."""
    prefix = f"{PROJECT}:"
    own = {
        key.removeprefix(prefix): value
        for key, value in config.items()
        if isinstance(key, str) and key.startswith(prefix)
    }
    own.pop("secrets", None)
    return own


def load_stack(stack: str) -> tuple[Settings, Topology]:
    """Settings and topology of a stack. Raises LabError or SettingsError."""
    settings = load_settings(read_config(stack), stack=stack)
    return settings, plan(settings, stack=stack)
