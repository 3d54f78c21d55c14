"""Settings as YAML gives them: valid ones to start from, and how to change one value."""

from __future__ import annotations

import copy
from typing import Any

from components.settings.load import SettingsError, load_settings

STACK = "demo"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDiMvpsV4Sr2j4wzoMlDJzBjiDv5Y1U0XhJ8mJqkzYkD"
FULL: dict[str, Any] = {"number": 1, "topology": "full"}
EXISTING: dict[str, Any] = {
    "number": 9,
    "machines": {
        "provider": "existing",
        "networkNamespace": "a-rig",
        "hosts": {
            f"node{i}": {"address": f"10.16.9.{10 + i}", "hostKey": HOST_KEY} for i in (1, 2, 3)
        },
    },
}


def with_value(base: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy of settings in which the value at `a.b.c` is another one."""
    changed = copy.deepcopy(base)
    *sections, last = path.split(".")
    node = changed
    for section in sections:
        node = node.setdefault(section, {})
    node[last] = value
    return changed


def problems(data: object, *, stack: str = STACK) -> list[str]:
    """What is wrong with these settings, a line each; empty when they are accepted."""
    try:
        load_settings(data, stack=stack)
    except SettingsError as error:
        return [str(problem) for problem in error.problems]
    return []
