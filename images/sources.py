"""Where packages come from: the machine's own apt sources, turned into one-line entries.

No mirror is named in this repository. On a host that is not Debian, and without `--mirror`,
mmdebstrap's own default is used.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

_APT = Path("/etc/apt")
#: Host settings that a fetch may need: proxies, and the checks a frozen mirror cannot pass.
_CARRIED = (
    "Acquire::http",
    "Acquire::https",
    "Acquire::Check-",
    "Acquire::ForceIP",
    "Acquire::Retries",
)


def host_sources(release: str) -> list[str]:
    """`deb` lines for `release` from the host's sources; empty where the host is not Debian.

    A host of another Debian release serves as well: the codename is replaced in its entries.
    """
    host = _host_codename()
    if host is None:
        return []
    entries: list[str] = []
    for path in sorted([*_APT.glob("sources.list"), *_APT.glob("sources.list.d/*")]):
        if path.suffix == ".sources":
            entries += deb822_entries(path.read_text(encoding="utf-8"))
        elif path.suffix == ".list":
            entries += one_line_entries(path.read_text(encoding="utf-8"))
    return for_release(entries, host=host, release=release)


def mirror_lines(mirrors: Iterable[str], release: str) -> list[str]:
    """`deb` lines of `--mirror` options: each a URL or a complete `deb` line."""
    return [m if m.startswith("deb ") else f"deb {m} {release} main" for m in mirrors]


def for_release(entries: Iterable[str], *, host: str, release: str) -> list[str]:
    """The Debian entries among `entries` (suite HOST, HOST-updates, ...), for `release`."""
    found: list[str] = []
    for entry in entries:
        words = entry.split()
        end = next((i for i, w in enumerate(words) if w.endswith("]")), 0)
        suite = words[end + 2]
        if suite.split("-")[0] == host and not suite.endswith("-backports"):
            words[end + 2] = suite.replace(host, release, 1)
            found.append(" ".join(words))
    return list(dict.fromkeys(found))


def one_line_entries(text: str) -> list[str]:
    """`deb` entries of a one-line-style sources file."""
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line.startswith(("deb ", "deb\t"))]


def deb822_entries(text: str) -> list[str]:
    """`deb` entries of a deb822 sources file, one for each URI and suite."""
    entries: list[str] = []
    for fields in _stanzas(text):
        if "deb" not in fields.get("types", "").split() or fields.get("enabled") == "no":
            continue
        key = fields.get("signed-by", "")
        # A key written into the file itself cannot be said on one line; apt's keyrings serve.
        option = f"[signed-by={key}] " if key.startswith("/") else ""
        components = fields.get("components", "")
        entries += [
            f"deb {option}{uri} {suite} {components}".strip()
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
        ]
    return entries


def _stanzas(text: str) -> Iterator[dict[str, str]]:
    for block in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():
                fields[name] = f"{fields.get(name, '')} {line.strip()}".strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.strip().lower()
                fields[name] = value.strip()
        if fields:
            yield fields


def carried_apt_options() -> list[str]:
    """The host's own apt settings that a build needs, as apt.conf lines."""
    try:
        dump = subprocess.run(
            ["apt-config", "dump"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    return [line for line in dump.splitlines() if line.startswith(_CARRIED) and '""' not in line]


def _host_codename() -> str | None:
    try:
        text = Path("/etc/os-release").read_text(encoding="utf-8")
    except OSError:
        return None
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    if values.get("ID", "").strip('"') != "debian":
        return None
    return values.get("VERSION_CODENAME", "").strip('"') or None
