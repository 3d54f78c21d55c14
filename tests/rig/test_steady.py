"""The whole course on ten machines, as `lab up` has left it: every tier is there and answers."""

from __future__ import annotations

from lab.show import tier_endpoints
from tests.support.rig_whole import WholeLab


def test_every_tier_is_whole(lab: WholeLab) -> None:
    lab.await_all_tiers()


def test_a_second_up_changes_nothing(lab: WholeLab) -> None:
    lab.preview_clean().ok()
    text = lab.up().ok().text
    assert "unchanged" in text
    assert not any(word in text for word in (" created", " updated", " replaced")), text


def test_the_outputs_say_where_the_lab_answers(lab: WholeLab) -> None:
    outputs = lab.outputs()
    assert outputs["vip"] == str(lab.topology.vip)
    assert outputs["urls"]["https"] == f"https://{lab.topology.vip}/"
    assert set(outputs["machines"]) == {machine.name for machine in lab.topology.machines}
    assert "credentials" not in outputs, "secrets are not printed"
    shown = lab.lab("outputs", lab.stack).ok().text
    endpoints = dict(tier_endpoints(outputs))
    for name in ("cluster", "postgresql write", "mariadb read", "uploads", "volume"):
        assert name in shown
        assert endpoints[name].split()[0] in shown


def test_no_private_key_or_password_is_readable_by_everybody(lab: WholeLab) -> None:
    """Keys are found by what is in them, passwords by their names."""
    keys = "grep -rlI -e 'PRIVATE KEY-----' /etc /root /home"
    passwords = "find /etc/ha-lab /var/lib/ha-lab -name '*password*'"
    found = f"{{ {keys}; {passwords}; }} 2>/dev/null | xargs -r stat -c '%a %n'"
    modes = {m.name: lab.shell(m.name, found).splitlines() for m in lab.topology.machines}
    assert [(m, line) for m, lines in modes.items() for line in lines if line[2] != "0"] == []
    assert any("site.pem" in line for line in modes["lb1"]), "it saw too little"
    assert any("password" in line for line in modes["db1"]), "it saw too little"


def test_every_endpoint_answers_through_the_vip(lab: WholeLab) -> None:
    outputs = lab.outputs()
    assert lab.request("GET", outputs["cluster"]["publicUrl"]).status_code == 200
    assert lab.request("POST", outputs["urls"]["visits"]).json()["visits"] == 1
    assert lab.put_file("seen.txt", b"whole") == 201
    assert lab.get_file("seen.txt") == b"whole"
