"""Small types of settings; where a value is not accepted, they say what was expected."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

HOST_KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
)


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """A check that the whole text matches; `expected` says it to people, with an example."""
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            msg = f"expected {expected}"
            raise ValueError(msg)
        return value

    return check


check_machine_name = matching(
    r"[a-z]([a-z0-9-]{0,18}[a-z0-9])?",
    "a machine name: lower-case letters, digits, hyphens, at most 20, e.g. app1",
)
"""A host name: it becomes a DNS label, a libvirt domain and a Pacemaker node."""


def check_sha512(value: str) -> str:
    """128 hexadecimal digits."""
    if not re.fullmatch(r"[0-9a-fA-F]{128}", value):
        msg = f"expected a SHA-512 of 128 hexadecimal digits, not of {len(value)} characters"
        raise ValueError(msg)
    return value.lower()


def check_host_key(value: str) -> str:
    """One line of a public key file: type, base64 blob that names the same type, comment."""
    parts = value.split()
    try:
        blob = base64.b64decode(parts[1], validate=True)
        inner = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode("ascii")
        matches = inner == parts[0] and inner in HOST_KEY_TYPES
    except (IndexError, ValueError, binascii.Error):
        matches = False
    if not matches:
        msg = "expected a public SSH host key, `ssh-ed25519 AAAA...`, as `ssh-keyscan` prints it"
        raise ValueError(msg)
    return " ".join(parts[:2])


def check_unit_name(value: str) -> str:
    """A systemd unit; `.service` may be left out."""
    expected = "a systemd unit such as myapp or myapp.service"
    matching(r"[A-Za-z0-9_][A-Za-z0-9@._-]*", expected)(value)
    if "." in value and not value.endswith((".service", ".socket", ".target")):
        msg = f"expected {expected}; write {value}.service if the dot is part of its name"
        raise ValueError(msg)
    return value


def no_bool(value: object) -> object:
    """YAML's yes/no/true are booleans, which Python would take for 1 and 0."""
    if isinstance(value, bool):
        msg = "expected a whole number"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports ValueError only
    return value


def address_text(value: object) -> object:
    """An address is text; a bare number would be taken for one too (5 is 0.0.0.5)."""
    if not isinstance(value, str | IPv4Address):
        msg = "expected an IPv4 address such as 10.16.1.100"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports ValueError only
    return value


def strict_network(value: object) -> object:
    """A network without host bits: 10.0.0.5/24 is most often a typing error."""
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str):
        msg = "expected an IPv4 network such as 10.16.1.0/24"
        raise ValueError(msg)  # noqa: TRY004 - pydantic reports ValueError only
    try:
        return IPv4Network(value)
    except ValueError:
        try:
            fix = IPv4Network(value, strict=False)
        except ValueError:
            msg = "expected an IPv4 network such as 10.16.1.0/24"
        else:
            msg = f"has host bits set; did you mean {fix}?"
        raise ValueError(msg) from None


def number_from_key(value: object) -> object:
    """Keys of JSON objects are text: an HTTP status as a key reaches us as "503"."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{3}", value) else value


Integer = Annotated[int, BeforeValidator(no_bool)]
MachineName = Annotated[str, AfterValidator(check_machine_name)]
ConfigName = Annotated[
    str,
    AfterValidator(
        matching(
            r"(?!(or|and|if|unless)$)[a-z][a-z0-9_]{0,31}",
            "lower-case letters, digits, underscores, at most 32, no word of HAProxy's conditions,"
            " e.g. api_back",
        )
    ),
]
"""Name of an ACL or of a back end, one word of HAProxy's configuration."""
UrlPath = Annotated[
    str, AfterValidator(matching(r"/[A-Za-z0-9._~/-]*", "a URL path such as /health"))
]
PathEnd = Annotated[
    str, AfterValidator(matching(r"[A-Za-z0-9._/][A-Za-z0-9._/-]*", "an ending such as .png"))
]
Address = Annotated[IPv4Address, BeforeValidator(address_text)]
Network = Annotated[IPv4Network, BeforeValidator(strict_network)]
Port = Annotated[Integer, Field(ge=1, le=65535)]
Weight = Annotated[Integer, Field(ge=0, le=256)]
ErrorCode = Annotated[Literal[400, 403, 408, 500, 502, 503, 504], BeforeValidator(number_from_key)]
Algorithm = Literal["roundrobin", "leastconn", "source", "uri"]
PackageName = Annotated[
    str, AfterValidator(matching(r"[a-z0-9][a-z0-9+.-]*", "a package name such as myapp"))
]
UnitName = Annotated[str, AfterValidator(check_unit_name)]
UserName = Annotated[
    str, AfterValidator(matching(r"[a-z_][a-z0-9_-]{0,31}", "a Linux user name such as lab"))
]
InterfaceName = Annotated[
    str,
    AfterValidator(
        matching(r"[a-zA-Z][a-zA-Z0-9._-]{0,14}", "a Linux interface name such as eth0")
    ),
]
DomainName = Annotated[
    str,
    AfterValidator(
        matching(
            r"(?=.{1,190}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*",
            "a domain name in lower case such as lab.internal",
        )
    ),
]
NamespaceName = Annotated[
    str,
    AfterValidator(matching(r"[A-Za-z0-9][A-Za-z0-9._-]*", "a network namespace such as ha-lab")),
]
FaultName = Annotated[
    str,
    AfterValidator(
        matching(r"[a-z][a-z0-9-]{0,40}[a-z0-9]", "the name of a fault such as vip-owner-power-off")
    ),
]
HttpUrl = Annotated[
    str, AfterValidator(matching(r"https?://[!-~]+", "a URL that begins with https:// or http://"))
]
LibvirtUri = Annotated[
    str,
    AfterValidator(matching(r"[a-z+]+://[!-~]*", "a libvirt URI such as qemu:///system")),
]
FileName = Annotated[
    str,
    AfterValidator(matching(r"(~/|(?!~))[^\x00-\x1f]+", "the name of a file, such as ~/site.pem")),
]
"""A file of this host; `~` is the home directory, other relative names begin at the clone."""
