"""The variables with which this clone's Pulumi and Python run, and a shell file that sets them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BACKEND = "PULUMI_BACKEND_URL"
PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105 (a name)
PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"  # noqa: S105 (a name)
CREDENTIALS = "PULUMI_CREDENTIALS_PATH"
FIXED = {
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    # Pulumi's language host runs `pip list` at every start; pip would look for its own successor.
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}
UNSET = "PYTHONDONTWRITEBYTECODE"
"""Container images set it; every `lab` and every `pulumi` would then compile the whole program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """What was set up for a clone."""

    path: tuple[Path, ...]
    """Directories to put before PATH, the most important first."""
    pulumi_home: Path | None
    """PULUMI_HOME with the plugins; None if the user's own has them all."""
    user_home: Path
    """The user's own PULUMI_HOME, where a login is remembered."""
    state: Path
    """The clone's directory for the local backend and the passphrase."""

    @property
    def backend(self) -> str:
        """The URL of the clone's own backend."""
        return f"file://{self.state}/backend"

    @property
    def passphrase_file(self) -> Path:
        """Where `lab setup` puts the passphrase of the clone's stacks."""
        return self.state / "passphrase"


def apply(toolchain: Toolchain, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a command: `environ`, changed. What the user has chosen is kept."""
    result = dict(environ)
    ours = [str(directory) for directory in toolchain.path]
    others = [part for part in environ.get("PATH", "").split(":") if part and part not in ours]
    result["PATH"] = ":".join([*ours, *others])
    result |= FIXED
    result.pop(UNSET, None)
    if toolchain.pulumi_home:
        result["PULUMI_HOME"] = str(toolchain.pulumi_home)
        if environ.get(BACKEND) not in (None, "", toolchain.backend):
            # Their backend may need their login, which PULUMI_HOME would hide.
            _default(result, CREDENTIALS, toolchain.user_home)
    _default(result, BACKEND, toolchain.backend)
    if PASSPHRASE not in environ:
        _default(result, PASSPHRASE_FILE, toolchain.passphrase_file)
    return result


def _default(environ: dict[str, str], name: str, value: object) -> None:
    if not environ.get(name):
        environ[name] = str(value)


def shell(toolchain: Toolchain) -> str:
    """A file to source in a POSIX shell, with the same effect as `apply`."""
    q = shlex.quote
    ours = ":".join(str(directory) for directory in toolchain.path)
    lines = [
        "# Written by toolchain/setup; source it, or use toolchain/run. Do not edit.",
        f'export PATH={q(ours)}:"$PATH"',
        *(f"export {name}={q(value)}" for name, value in FIXED.items()),
        f"unset {UNSET}",
    ]
    if toolchain.pulumi_home:
        lines += [
            f"export PULUMI_HOME={q(str(toolchain.pulumi_home))}",
            f'if [ -n "${{{BACKEND}:-}}" ] && [ "${BACKEND}" != {q(toolchain.backend)} ]; then',
            f'  [ -n "${{{CREDENTIALS}:-}}" ] ||',
            f"    export {CREDENTIALS}={q(str(toolchain.user_home))}",
            "fi",
        ]
    lines += [
        f'[ -n "${{{BACKEND}:-}}" ] || export {BACKEND}={q(toolchain.backend)}',
        f'[ -n "${{{PASSPHRASE}+set}}" ] || [ -n "${{{PASSPHRASE_FILE}:-}}" ] ||',
        f"  export {PASSPHRASE_FILE}={q(str(toolchain.passphrase_file))}",
    ]
    return "\n".join(lines) + "\n"
