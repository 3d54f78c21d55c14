"""The baseline of a machine: what it must never take away."""

from __future__ import annotations

import pytest

from components.baseline.plan import baseline_plan
from components.firewall_rules import sources
from components.settings.load import load_settings
from components.topology import plan


def sshd_of(user: str) -> str:
    """The lines of sshd's own file on a machine whose administrator is this one."""
    lab = plan(load_settings({"topology": "full"}, stack="t"), stack="t")
    machine = lab.machines[0]
    whole = baseline_plan(machine, lab, user=user, rules=(), sources=sources(lab), firewall=True)
    (file,) = (file for file in whole.files if file.path.startswith("/etc/ssh/"))
    return file.content


@pytest.mark.parametrize(
    ("user", "expected"), [("lab", "no"), ("root", "prohibit-password"), ("rooted", "no")]
)
def test_the_administrator_is_not_locked_out(user: str, expected: str) -> None:
    assert f"\nPermitRootLogin {expected}\n" in sshd_of(user)
    assert "\nPasswordAuthentication no\n" in sshd_of(user)
