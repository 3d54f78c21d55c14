"""A preview for people: Pulumi's diff without the lines that stay as they are.

Plans are structured (`components.remote.spec`), so Pulumi shows which line of which file changes,
but prints every unchanged line around it too. The filter is pure; running Pulumi is `show_preview`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator

from lab.pulumi_cli import PulumiCli
from lab.terminal import out

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CHANGE = re.compile(r"^\s*(~|\+\+|--|\+-|-\+|\+|-)\s")
_URN = re.compile(r"^\s*\[urn=.*::(?P<name>[^:\]]+)\]$")
_HEADER = re.compile(r"\((create|update|delete|replace|create-replacement|delete-replaced)\)$")
_END = ("Resources:", "Diagnostics:", "Outputs:", "error:", "warning:")
"""From such a line on everything is shown: the summary, and whatever went wrong."""


def changes_only(lines: Iterable[str]) -> Iterator[str]:
    """The lines that say a change, each resource with its name, and the end of the preview."""
    header, ended = "", False
    for line in lines:
        plain = _COLOUR.sub("", line).rstrip()
        ended = ended or plain.lstrip().startswith(_END)
        urn = _URN.match(plain)
        if ended:
            yield line
        elif urn and header:
            yield f"{header}  {urn['name']}"
            header = ""
        elif _HEADER.search(plain):
            header = line.rstrip()
        elif _CHANGE.match(plain):
            yield line


def show_preview(cli: PulumiCli) -> int:
    """Print the changes as they come; the exit status is Pulumi's."""
    colour = "always" if out.is_terminal else "never"
    with subprocess.Popen(
        cli.argv("preview", "--diff", "--color", colour),
        cwd=cli.folder,
        env=cli.environ(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it was opened as a pipe
        for line in changes_only(text.rstrip("\n") for text in process.stdout):
            print(line, flush=True)  # noqa: T201 - with Pulumi's own colours
    return process.returncode
