"""Jinja2 as every service uses it: strict, and deterministic.

An undefined name is an error, because an empty value in a daemon's configuration most often means
something quite different from what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HEADER = "Written by ha-lab; changes made here are lost at the next `pulumi up`."


class Templates:
    """The templates of one directory."""

    def __init__(self, directory: Path) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(directory),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - daemons' files, not HTML; the args are checked instead
        )

    def render(self, name: str, values: Mapping[str, object]) -> str:
        """The text of template `name` with these values and `header`, the notice to the reader."""
        return self._environment.get_template(name).render({"header": HEADER, **values})
