"""The stack configuration as Pulumi hands it to the program, as plain data."""

from __future__ import annotations

import json
from collections.abc import Mapping

UNSET_NUMBER = -1
"""Pulumi.yaml's default of `number`: an integer has to be given there, this one means none."""


def plain_config(values: Mapping[str, str], *, project: str) -> dict[str, object]:
    """Settings by their plain names, from Pulumi's flat `project:key` -> text.

    Pulumi gives numbers, booleans and objects as JSON text. Keys of other packages and the secrets
    are left out; unknown keys stay, for the settings to complain about (Pulumi itself accepts them
    silently).
    """
    prefix = f"{project}:"
    own = {key.removeprefix(prefix): text for key, text in values.items() if key.startswith(prefix)}
    own.pop("secrets", None)
    data = {key: _value(text) for key, text in sorted(own.items())}
    if data.get("number") == UNSET_NUMBER:
        del data["number"]
    return data


def _value(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:  # a plain word, such as a topology's name
        return text
    return value
