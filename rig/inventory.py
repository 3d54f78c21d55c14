"""Addresses of machines from a file or from the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from rig.model import RigError


def read(path: Path) -> dict[str, str]:
    """Name -> address of an inventory file: a list of mappings with `name` and `address`; other
    keys (roles, say) are somebody else's."""
    try:
        data: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise RigError(f"{path}: {problem}") from None
    if isinstance(data, dict):
        data = data.get("machines")
    if not isinstance(data, list):
        raise RigError(f"{path}: expected a list of machines, or a mapping with the key `machines`")
    return dict(_entry(path, number, item) for number, item in enumerate(data, start=1))


def _entry(path: Path, number: int, item: object) -> tuple[str, str]:
    name = item.get("name") if isinstance(item, dict) else None
    address = item.get("address") if isinstance(item, dict) else None
    if not (isinstance(name, str) and isinstance(address, str)):
        raise RigError(f"{path}, machine {number}: expected name and address, found {item!r}")
    return name, address


def parse_addresses(options: Sequence[str]) -> dict[str, str]:
    """Name -> address of `--address NAME=IP` options."""
    pairs: dict[str, str] = {}
    for option in options:
        name, separator, address = option.partition("=")
        if not separator:
            raise RigError(f"--address {option!r}: expected NAME=IP")
        pairs[name] = address
    return pairs
