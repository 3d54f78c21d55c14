"""A machine nobody has prepared: packages come from the registry, and only it gets there."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Callable
from urllib.error import HTTPError, URLError

import pytest

from tests.support.rig_command import CIDR, RigCommand

pytestmark = pytest.mark.rig


def registry_answers() -> bool:
    """Whether this host's own apt sources can be reached."""
    listing = subprocess.run(
        ["apt-get", "--print-uris", "update"], capture_output=True, text=True, check=False
    ).stdout
    url = next((word.strip("'") for word in listing.split() if word.startswith("'http")), "")
    if not url:
        return False
    try:
        with urllib.request.urlopen(url, timeout=10):  # noqa: S310
            return True
    except HTTPError:
        return True
    except (URLError, OSError):
        return False


@pytest.fixture(scope="module")
def rig(make_rig: Callable[[str], RigCommand]) -> RigCommand:
    if not registry_answers():
        pytest.skip("this host's apt sources do not answer: give it a way to a package registry")
    command = make_rig("bare")
    command.up("--machines", "baked", "--bare", "plain", "--cidr", CIDR)
    return command


def test_a_bare_machine_has_no_ha_package_until_apt_installs_it(rig: RigCommand) -> None:
    assert rig.run("exec", "plain", "--", "which", "haproxy").returncode == 1
    script = "apt-get update -q && apt-get install -q -y --no-install-recommends haproxy"
    done = rig.run("exec", "plain", "--", "sh", "-c", script)
    assert done.returncode == 0, done.stderr
    # As on any Debian, what is installed starts.
    assert rig.inside("plain", "systemctl is-active haproxy").strip() == "active"


def test_only_a_bare_machine_has_a_way_out(rig: RigCommand) -> None:
    resolver = "100.64.93.3"
    script = f"exec 3<>/dev/tcp/{resolver}/53"
    for machine, expected in (("plain", True), ("baked", False)):
        done = rig.run("exec", machine, "--", "timeout", "5", "bash", "-c", script)
        assert (done.returncode == 0) is expected, f"{machine}: {done.stderr}"


def test_reinstalling_makes_it_bare_again(rig: RigCommand) -> None:
    rig("reinstall", "plain", "--authorized-key", f"{rig.key}.pub")
    assert rig.run("exec", "plain", "--", "which", "haproxy").returncode == 1
    assert rig.ssh("plain", "sudo -n id -u").stdout == "0\n"
