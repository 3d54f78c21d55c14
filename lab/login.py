"""How to log in to a machine: the lab's key, the machine's pinned host key, from where.

What a finished lab says of itself is taken; where `up` failed, what its stack plans: that is when
one wants to look.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.prepare import read_secrets
from lab.pulumi_cli import STATE, PulumiCli, write_private
from lab.secrets import parse
from lab.stack_file import load_stack
from lab.terminal import note

SSH_PORT = 22


def login_argv(cli: PulumiCli, machine: str, command: Sequence[str]) -> list[str]:
    """The ssh command for this machine. Raises LabError where the lab or the machine is not there.

    The key is written where only its owner reads it, as ssh wants it in a file.
    """
    outputs = cli.outputs(secrets=True)
    if "machines" not in outputs:
        # Here, because most logins do without it, and Pulumi's SDK comes with it.
        from lab.planned import planned

        outputs = planned(*load_stack(cli.stack), parse(read_secrets(cli)), stack=cli.stack)
        note(f"stack {cli.stack} is not completely up: this is the machine as its plan has it")
    target = find_machine(outputs["machines"], machine, stack=cli.stack)
    key = STATE / f"{cli.stack}.key"
    write_private(key, outputs["credentials"]["sshPrivateKey"])
    known = STATE / f"{cli.stack}.known_hosts"
    text = known_hosts(outputs["machines"], outputs["credentials"]["hostKeys"])
    known.write_text(text, encoding="utf-8")
    return [*cli.prefix, *ssh_words(key, known, target), *command]


def find_machine(machines: Mapping[str, Any], name: str, *, stack: str) -> Mapping[str, Any]:
    """The machine's output. Raises LabError that names the nearest, or all."""
    if name not in machines:
        near = difflib.get_close_matches(name, machines, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(machines))}"
        msg = f"there is no machine {name!r} in stack {stack}; {hint}"
        raise LabError(msg)
    found: Mapping[str, Any] = machines[name]
    return found


def known_hosts(machines: Mapping[str, Any], keys: Mapping[str, str]) -> str:
    """The pinned host keys, a line for each machine, as ssh reads them."""
    lines = []
    for name, machine in sorted(machines.items()):
        address, port = machine["address"], machine["port"]
        host = address if port == SSH_PORT else f"[{address}]:{port}"
        lines.append(f"{host} {keys[name]}\n")
    return "".join(lines)


def ssh_words(key: Path, known: Path, target: Mapping[str, Any]) -> list[str]:
    """ssh with this key alone and no host key but the pinned one."""
    options = [
        "IdentitiesOnly=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={known}",
        "LogLevel=ERROR",
    ]
    words = ["ssh", "-i", str(key), "-p", str(target["port"])]
    for option in options:
        words += ["-o", option]
    return [*words, f"{target['user']}@{target['address']}"]
