"""toolchain/setup and toolchain/run, called as a user does."""

from __future__ import annotations

import os
import subprocess

from toolchain import paths


def _call(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd="/", env={**os.environ, **environ}, capture_output=True, text=True
    )


def test_setup_refuses_an_unknown_component_and_names_the_known_ones() -> None:
    result = _call(str(paths.SOURCES / "setup"), "pluto")
    assert result.returncode == 2
    assert "pluto" in result.stderr
    assert "system-libvirt" in result.stderr


def test_setup_refuses_an_unknown_way() -> None:
    result = _call(str(paths.SOURCES / "setup"), HALAB_TOOLCHAIN="sauce")
    assert result.returncode == 1
    assert "installed, official, source" in result.stderr
    assert "Traceback" not in result.stderr


def test_run_leaves_output_and_exit_status_to_the_command() -> None:
    result = _call(str(paths.SOURCES / "run"), "sh", "-c", "pulumi version; exit 5")
    assert result.returncode == 5
    assert result.stdout.startswith("v3.")


def test_run_says_that_a_command_does_not_exist() -> None:
    result = _call(str(paths.SOURCES / "run"), "no-such-command")
    assert result.returncode == 127
    assert "no-such-command" in result.stderr


def test_a_second_call_makes_nothing() -> None:
    """Whatever is made is said, and how long it took."""
    _call(str(paths.SOURCES / "setup"))
    again = _call(str(paths.SOURCES / "setup"), "--quiet")
    assert (again.returncode, again.stderr) == (0, "")
