"""What a pull request changes in the labs: previews of two clones, compared, as a comment.

A preview needs a libvirt daemon to talk to but no hypervisor: the stacks are previewed on libvirt's
`test:///default`. Nothing is deployed, so every preview of a stack is the whole of it; what the
pull request changes is what differs between the preview of its base and its own.

    toolchain/run python .github/preview.py --base ../base --out comment.md demo full
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

CLONE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CLONE))

from lab import secrets  # noqa: E402
from lab.stack_file import PROJECT, load_stack, path_of  # noqa: E402

MARK = "<!-- ha-lab preview -->"
"""How the workflow finds the comment that it wrote before."""
SHOWN_LINES = 60
"""Of one resource's difference; a comment has at most 65536 characters."""
SHOWN_CHARACTERS = 60_000

Plan = dict[str, dict[str, Any]]
"""By resource, its inputs."""


class PreviewError(Exception):
    """A preview failed; the text is what Pulumi said."""


def preview(clone: Path, stack: str, secret_text: str) -> Plan:
    """What a clone would make of its stack. Raises PreviewError."""
    with tempfile.TemporaryDirectory(prefix="ha-lab-preview-") as folder:
        home = Path(folder)
        (home / "backend").mkdir()
        file = home / f"Pulumi.{stack}.yaml"
        content = yaml.safe_load((clone / path_of(stack).relative_to(CLONE)).read_text())
        # A dictionary of its own: the stack file may give the key no value at all.
        key = f"{PROJECT}:libvirt"
        content["config"][key] = {**(content["config"].get(key) or {}), "uri": "test:///default"}
        file.write_text(yaml.safe_dump(content))
        env = {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{home}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "nothing is kept",
        }

        def pulumi(*words: str, at: Path = clone, stdin: str = "") -> str:
            argv = ["pulumi", *words, "--stack", stack, "--non-interactive"]
            done = subprocess.run(
                argv, cwd=at, env=env, input=stdin, text=True, capture_output=True, check=False
            )
            if done.returncode != 0:
                raise PreviewError((done.stdout + done.stderr).strip())
            return done.stdout

        own = ("--config-file", str(file))
        # Making a stack writes into its project's stack file: not into the clone's.
        (home / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        pulumi("stack", "init", at=home)
        pulumi("config", "set", "--secret", f"{PROJECT}:secrets", *own, stdin=secret_text)
        return plan_of(json.loads(pulumi("preview", "--json", *own)))


def plan_of(document: Mapping[str, Any]) -> Plan:
    """The resources of `pulumi preview --json`. Pure."""
    return {
        step["urn"].split("::", 2)[2]: step["newState"].get("inputs", {})
        for step in document["steps"]
    }


def compare(before: Plan, after: Plan) -> str:
    """Markdown of what differs; empty when nothing does. Pure."""
    parts = []
    for name in sorted({*before, *after}):
        if name not in before:
            parts.append(f"- **new** `{name}`")
        elif name not in after:
            parts.append(f"- **gone** `{name}`")
        elif before[name] != after[name]:
            parts.append(f"- **changed** `{name}`\n{_difference(before[name], after[name])}")
    return "\n".join(parts)


def _difference(before: object, after: object) -> str:
    """The changed lines of one resource's inputs."""
    lines = list(difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=1))[2:]
    shown = lines[:SHOWN_LINES]
    if len(lines) > len(shown):
        shown.append(f"... {len(lines) - len(shown)} lines more")
    return "\n".join(["  ```diff", *(f"  {line}" for line in shown), "  ```"])


def _lines(value: object) -> list[str]:
    # What a command gets on standard input is a text of many lines: shown as such.
    return (
        json.dumps(value, indent=1, sort_keys=True)
        .replace("\\n", "\n")
        .replace('\\"', '"')
        .splitlines()
    )


def lend_environment(base: Path) -> None:
    """Pulumi looks for the program's Python environment in its clone; the base has none."""
    theirs = base / ".venv"
    if not theirs.exists():
        theirs.symlink_to((CLONE / ".venv").resolve())


def section(base: Path, stack: str) -> tuple[str, bool]:
    """The comment's part for one stack, and whether its own preview worked."""
    text = json.dumps(secrets.complete({}, load_stack(stack)[1]))
    try:
        after = preview(CLONE, stack, text)
    except PreviewError as error:
        return f"### {stack}: the preview fails\n```\n{str(error)[-4000:]}\n```", False
    try:
        before = preview(base, stack, text)
    except (PreviewError, OSError) as error:
        said = str(error).splitlines()[-1:] or [""]
        return f"### {stack}: {len(after)} resources; no preview of the base ({said[0]})", True
    changes = compare(before, after)
    title = f"### {stack}: {len(after)} resources, "
    return title + ("changed:\n" + changes if changes else "no changes"), True


def main() -> int:
    """Write the comment; status 1 where a stack of this clone cannot be previewed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="clone of the base branch")
    parser.add_argument("--out", type=Path, required=True, help="where the Markdown goes")
    parser.add_argument("stacks", nargs="+")
    options = parser.parse_args()
    lend_environment(options.base)
    sections = [section(options.base.resolve(), stack) for stack in options.stacks]
    body = "\n\n".join([MARK, "## What this changes in the labs", *(text for text, _ in sections)])
    options.out.write_text(body[:SHOWN_CHARACTERS] + "\n", encoding="utf-8")
    return 0 if all(worked for _, worked in sections) else 1


if __name__ == "__main__":
    sys.exit(main())
