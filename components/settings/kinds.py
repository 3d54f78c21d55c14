"""Small types of settings: functions that accept a value or say what was expected."""

from __future__ import annotations

import base64
import binascii
import re
from ipaddress import IPv4Network

_NAME = re.compile(r"^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$")


def check_machine_name(value: str) -> str:
    """A host name: it becomes a DNS label, a libvirt domain and a Pacemaker node."""
    if not _NAME.match(value):
        msg = "expected a machine name: lower-case letters, digits, hyphens, at most 20, e.g. app1"
        raise ValueError(msg)
    return value


def check_sha512(value: str) -> str:
    """128 hexadecimal digits."""
    if not re.fullmatch(r"[0-9a-fA-F]{128}", value):
        msg = f"expected a SHA-512 of 128 hexadecimal digits, got {len(value)} characters"
        raise ValueError(msg)
    return value.lower()


def check_host_key(value: str) -> str:
    """One line of a public key file: type, base64 blob that names the same type, comment."""
    parts = value.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
        inner = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii")
        matches = inner == parts[0]
    except (IndexError, ValueError, binascii.Error):
        matches = False
    if not matches:
        msg = "expected a public SSH host key, `ssh-ed25519 AAAA...`, as `ssh-keyscan` prints it"
        raise ValueError(msg)
    return " ".join(parts[:2])


def no_bool(value: object) -> object:
    """YAML's yes/no/true are booleans, which Python would take for 1 and 0."""
    if isinstance(value, bool):
        msg = "expected an integer, got a boolean"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports ValueError only
    return value


def strict_network(value: object) -> object:
    """A network without host bits: 10.0.0.5/24 is most often a typing error."""
    if isinstance(value, IPv4Network) or not isinstance(value, str):
        return value
    try:
        return IPv4Network(value)
    except ValueError as error:
        try:
            fix = IPv4Network(value, strict=False)
        except ValueError:
            msg = f"expected an IPv4 network such as 10.16.1.0/24 ({error})"
        else:
            msg = f"has host bits set; did you mean {fix}?"
        raise ValueError(msg) from None


def number_from_key(value: object) -> object:
    """Keys of JSON objects are text: an HTTP status as a key reaches us as "503"."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value
