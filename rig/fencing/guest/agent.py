#!/usr/bin/env python3
"""Fence agent for machines of a rig: asks the rig's fence service to cut or give power.

One file, standard library alone, Python 3.9 or later: it is installed as /usr/sbin/fence_halab_rig
on cluster members. As every fence agent it reads `name=value` lines from standard input, or options
when it is given any. Exit status 0: done (or: the machine has power), 2: `status` of a machine
without power, 1: everything else, with the reason on standard error.

The protocol: one JSON object a line. The service greets with a nonce; the request is signed over
both sides' nonces, so it is good for one connection; the answer is signed too, because an answer
that somebody else gives would let a cluster start what still runs.
"""

from __future__ import annotations

import argparse
import hmac
import json
import secrets
import socket
import sys
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

VERSION = 1
PORT = 1229
KEY_FILE = "/etc/cluster/fence_halab_rig.key"
TIMEOUT_S = 25
MAX_LINE = 65536
"""Bytes of a line from the service; the longest is the list of all machines."""
POWER_ACTIONS = ("on", "off", "reboot", "status")
DONE, FAILED, IS_OFF = 0, 1, 2


class FenceError(Exception):
    """Why the action was not done."""


class Parameter(NamedTuple):
    """One parameter of the agent."""

    name: str
    kind: str
    default: str | None
    about: str
    required: bool = False


PARAMETERS = (
    Parameter(
        "action",
        "string",
        "reboot",
        "on, off, reboot, status, monitor, list, list-status, validate-all, metadata",
    ),
    Parameter("plug", "string", None, "Machine of the rig, by its name", required=True),
    Parameter("ip", "string", None, "Address of the fence service: the rig's gateway", True),
    Parameter("ipport", "integer", str(PORT), "TCP port of the fence service"),
    Parameter("key_file", "string", KEY_FILE, "File with the rig's fence key"),
    Parameter(
        "timeout", "second", str(TIMEOUT_S), "Seconds to wait for each answer of the service"
    ),
)
ALIASES = {"port": "plug", "ipaddr": "ip", "option": "action"}
"""Names that older configurations use."""
ACTIONS = (
    *POWER_ACTIONS,
    "monitor",
    "list",
    "list-status",
    "validate-all",
    "metadata",
)
ABOUT = (
    "Cuts and gives the power of machines of a ha-lab rig, through the fence service on its host."
    " Machines are called by their names, which are also the names of the cluster's nodes."
    " As with fence_virt, reboot does not power on a machine that is off."
)


def main() -> int:
    """Run the action that standard input or the command line asks for."""
    options = parse_arguments(sys.argv[1:]) if sys.argv[1:] else parse_lines(sys.stdin.read())
    try:
        return run(options)
    except FenceError as problem:
        print(f"fence_halab_rig: {problem}", file=sys.stderr)
        return FAILED


def parse_lines(text: str) -> dict[str, str]:
    """The options of `name=value` lines; unknown ones (nodename, say) are passed over."""
    options: dict[str, str] = {}
    for line in text.splitlines():
        name, separator, value = line.strip().partition("=")
        if separator and not name.startswith("#"):
            options[ALIASES.get(name.strip(), name.strip())] = value.strip()
    return options


def parse_arguments(words: list[str]) -> dict[str, str]:
    """The options of a command line."""
    parser = argparse.ArgumentParser(prog="fence_halab_rig", description=ABOUT)
    for parameter in PARAMETERS:
        short = {"action": ["-o"], "plug": ["-n"], "ip": ["-a"]}.get(parameter.name, [])
        about = parameter.about + (f" [{parameter.default}]" if parameter.default else "")
        parser.add_argument(*short, f"--{parameter.name.replace('_', '-')}", help=about)
    given = vars(parser.parse_args(words))
    return {name: value for name, value in given.items() if value is not None}


def run(options: dict[str, str]) -> int:
    """Do the action; returns the exit status. Raises FenceError."""
    values = {parameter.name: parameter.default for parameter in PARAMETERS}
    values.update(options)
    action = values["action"] or "reboot"
    if action not in ACTIONS:
        raise FenceError(f"unknown action {action!r}; known: {', '.join(ACTIONS)}")
    if action == "metadata":
        print(metadata())
        return DONE
    for name in ("ip", *(("plug",) if action in POWER_ACTIONS else ())):
        if not values[name]:
            raise FenceError(f"the parameter {name!r} is missing")
    key = read_key(values["key_file"] or KEY_FILE)
    port = number(values["ipport"], "ipport", 65535)
    timeout = number(values["timeout"], "timeout", 3600)
    if action == "validate-all":
        return DONE
    asked = action if action in POWER_ACTIONS else "list"
    plug = (values["plug"] or "") if action in POWER_ACTIONS else ""
    answer = ask((str(values["ip"]), port), key, asked, plug, timeout_s=timeout)
    if action in ("list", "list-status"):
        for machine, power in sorted(answer["machines"].items()):
            print(f"{machine}," + (f",{power}" if action == "list-status" else ""))
    if action == "status":
        print(f"Status: {str(answer['power']).upper()}")
        return IS_OFF if answer["power"] == "off" else DONE
    return DONE


def ask(
    address: tuple[str, int], key: bytes, action: str, machine: str, *, timeout_s: float
) -> dict[str, Any]:
    """The service's answer to one request. Raises FenceError, also for somebody else's answer."""
    try:
        with socket.create_connection(address, timeout=timeout_s) as connection:
            return exchange(connection, key, action, machine)
    except OSError as problem:
        where = f"{address[0]}:{address[1]}"
        raise FenceError(f"no answer from the fence service at {where}: {problem}") from None
    except (ValueError, KeyError, TypeError) as problem:
        raise FenceError(f"the fence service's answer makes no sense: {problem!r}") from None


def exchange(connection: socket.socket, key: bytes, action: str, machine: str) -> dict[str, Any]:
    """One request and its answer over an open connection."""
    with connection.makefile("rb") as lines:
        greeting = received(lines.readline(MAX_LINE))
        if greeting["version"] != VERSION:
            raise FenceError(f"the fence service speaks version {greeting['version']!r}")
        nonces = (str(greeting["nonce"]), secrets.token_hex(32))
        request = {
            "action": action,
            "machine": machine,
            "nonce": nonces[1],
            "mac": sign(key, "request", *nonces, action, machine),
        }
        connection.sendall(json.dumps(request).encode() + b"\n")
        reply = received(lines.readline(MAX_LINE))
    body = str(reply["body"])
    if not hmac.compare_digest(str(reply["mac"]), sign(key, "answer", *nonces, body)):
        raise FenceError("the answer is not from the rig's fence service, or its key is another")
    answer: dict[str, Any] = json.loads(body)
    if answer["error"]:
        raise FenceError(str(answer["error"]))
    return answer


def received(line: bytes) -> dict[str, Any]:
    """A line of the service. Raises FenceError where it refuses."""
    if not line.endswith(b"\n"):
        raise FenceError("the fence service closed the connection")
    message: dict[str, Any] = json.loads(line)
    if "refused" in message:
        raise FenceError(f"the fence service refused: {message['refused']}")
    return message


def sign(key: bytes, *parts: str) -> str:
    """The signature over these parts; their lengths are in it, so none can flow into another."""
    text = "".join(f"{len(part.encode())}:{part}" for part in parts)
    return hmac.new(key, text.encode(), "sha256").hexdigest()


def read_key(path: str) -> bytes:
    """The key in a file. Raises FenceError; a short or empty key is none."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            key = file.read(4096).strip()
    except OSError as problem:
        raise FenceError(f"cannot read the fence key {path}: {problem.strerror}") from None
    if len(key) < 32:
        raise FenceError(f"{path} holds no fence key: expected at least 32 characters")
    return key


def number(text: str | None, name: str, highest: int) -> int:
    """A number from 1 to `highest`. Raises FenceError."""
    if not (text and text.isdigit() and 1 <= int(text) <= highest):
        raise FenceError(f"{name}={text!r}: expected a number from 1 to {highest}")
    return int(text)


def metadata() -> str:
    """What pcs and Pacemaker want to know of an agent."""
    lines = [
        '<?xml version="1.0" ?>',
        '<resource-agent name="fence_halab_rig" shortdesc="Fence agent for machines of a rig">',
        f"<longdesc>{escape(ABOUT)}</longdesc>",
        "<vendor-url></vendor-url>",
        "<parameters>",
    ]
    for parameter in PARAMETERS:
        default = f" default={quoteattr(parameter.default)}" if parameter.default else ""
        required = "1" if parameter.required else "0"
        option = quoteattr(f"--{parameter.name.replace('_', '-')}=[value]")
        lines += [
            f'\t<parameter name="{parameter.name}" unique="0" required="{required}">',
            f"\t\t<getopt mixed={option} />",
            f'\t\t<content type="{parameter.kind}"{default} />',
            f'\t\t<shortdesc lang="en">{escape(parameter.about)}</shortdesc>',
            "\t</parameter>",
        ]
    lines += ["</parameters>", "<actions>"]
    lines += [f'\t<action name="{action}" />' for action in ACTIONS]
    return "\n".join([*lines, "</actions>", "</resource-agent>"])


if __name__ == "__main__":
    sys.exit(main())
