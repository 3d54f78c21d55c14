"""The environment that toolchain/run gives to a command, and .toolchain/env to a shell."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from toolchain import environment
from toolchain.environment import Toolchain

OURS = {
    "PATH": "/c l/venv/bin:/c l/pulumi:/usr/bin:/bin",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PULUMI_HOME": "/c l/home",
    "PULUMI_BACKEND_URL": "file:///clo ne/.state/backend",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "/clo ne/.state/passphrase",
}
SYSTEM = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def toolchain() -> Toolchain:
    """A toolchain in places whose names need quoting."""
    return Toolchain(
        path=(Path("/c l/venv/bin"), Path("/c l/pulumi")),
        pulumi_home=Path("/c l/home"),
        user_home=Path("/home/me/.pulumi"),
        state=Path("/clo ne/.state"),
    )


CASES = {
    "nothing chosen": ({}, OURS),
    "bytecode is kept": ({"PYTHONDONTWRITEBYTECODE": "1"}, OURS),
    "an empty choice is none": ({"PULUMI_BACKEND_URL": ""}, OURS),
    "their backend keeps their login": (
        {"PULUMI_BACKEND_URL": "s3://theirs"},
        {
            **OURS,
            "PULUMI_BACKEND_URL": "s3://theirs",
            "PULUMI_CREDENTIALS_PATH": "/home/me/.pulumi",
        },
    ),
    "their place for logins": (
        {"PULUMI_BACKEND_URL": "s3://theirs", "PULUMI_CREDENTIALS_PATH": "/theirs"},
        {**OURS, "PULUMI_BACKEND_URL": "s3://theirs", "PULUMI_CREDENTIALS_PATH": "/theirs"},
    ),
    "their passphrase": (
        {"PULUMI_CONFIG_PASSPHRASE": ""},
        {
            **{key: value for key, value in OURS.items() if "PASSPHRASE" not in key},
            "PULUMI_CONFIG_PASSPHRASE": "",
        },
    ),
    "their passphrase file": (
        {"PULUMI_CONFIG_PASSPHRASE_FILE": "/theirs"},
        {**OURS, "PULUMI_CONFIG_PASSPHRASE_FILE": "/theirs"},
    ),
    "applied twice": ({**OURS}, OURS),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_user_has_chosen_is_kept(toolchain: Toolchain, case: str) -> None:
    chosen, expected = CASES[case]
    assert environment.apply(toolchain, {**SYSTEM, **chosen}) == expected


@pytest.mark.parametrize("case", [case for case in CASES if case != "applied twice"])
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_shell_file_does_the_same(
    toolchain: Toolchain, tmp_path: Path, case: str, shell: str
) -> None:
    chosen, expected = CASES[case]
    (tmp_path / "env").write_text(environment.shell(toolchain))
    script = f"set -eu; . {shlex.quote(str(tmp_path / 'env'))}; /usr/bin/env"
    result = subprocess.run(
        [f"/bin/{shell}", "-c", script], env={**SYSTEM, **chosen}, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    shown = dict(line.split("=", 1) for line in result.stdout.splitlines())
    ours = ("PATH", "PULUMI", "PIP_", "PYTHON")
    assert {key: shown[key] for key in shown if key.startswith(ours)} == expected


def test_without_a_home_of_its_own_the_users_is_left_alone(toolchain: Toolchain) -> None:
    plain = Toolchain(
        path=toolchain.path, pulumi_home=None, user_home=toolchain.user_home, state=toolchain.state
    )
    assert "PULUMI_HOME" not in environment.apply(plain, SYSTEM)
    assert "PULUMI_HOME" not in environment.shell(plain)
