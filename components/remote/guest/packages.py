"""Packages: installed where they are missing, without starting a daemon."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from .system import Json, distribution_family, must, run, say

POLICY = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# Written by ha-lab while it installs packages.\nexit 101\n"
APT = (
    "apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold"
    " -o Acquire::Retries=3"
)
APT_STRICT = ("-o", "APT::Update::Error-Mode=any")
"""Without it, apt takes lists that cannot be fetched for a warning and ends with 0."""


def ensure_packages(by_family: Json) -> list[str]:
    """Install what is missing with the distribution's package manager."""
    family = distribution_family()
    wanted = by_family[family]
    there = installed(family, wanted)
    missing = [name for name in wanted if name not in there]
    if POLICY.exists() and is_own_policy():
        POLICY.unlink()  # of a run that was killed: no service would start at any installation
    if missing:
        say(f"installing {', '.join(missing)}")
        with services_do_not_start():
            install(family, missing)
    return missing


def installed(family: str, packages: Sequence[str]) -> list[str]:
    """Which of these packages are there, asked with one command: each is a fork."""
    if not packages:
        return []
    if family == "redhat":
        return [name for name in packages if run(["rpm", "-q", "--quiet", name])[0] == 0]
    _, output = run(["dpkg-query", "-W", "-f=${db:Status-Status} ${Package}\\n", *packages])
    lines = (line.split() for line in output.splitlines())
    return [words[1] for words in lines if len(words) == 2 and words[0] == "installed"]


def install(family: str, packages: list[str]) -> None:
    if family == "redhat":
        must(["dnf", "-q", "-y", "install", *packages], "installing packages")
        return
    command = [*APT.split(), "--no-install-recommends", "install", *packages]
    if run(command)[0] != 0:  # most often: the package lists were never fetched, or are old
        run(["dpkg", "--configure", "-a"])  # an installation that was cut off
        must([*APT.split(), *APT_STRICT, "update"], "fetching the package lists")
        must(command, "installing packages")


def is_own_policy() -> bool:
    return POLICY.read_text(errors="replace") == POLICY_TEXT


@contextlib.contextmanager
def services_do_not_start() -> Iterator[None]:
    """Debian starts a daemon when its package is installed, with a configuration nobody chose."""
    if POLICY.exists() and not is_own_policy():
        yield
        return
    POLICY.write_text(POLICY_TEXT)
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()
