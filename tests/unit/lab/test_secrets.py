"""The secrets of a stack: made once, completed when the lab grows, never made again for nothing."""

from __future__ import annotations

import copy
import datetime
from ipaddress import IPv4Address
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
    load_ssh_public_key,
)

from components.settings.load import load_settings
from components.topology import Topology, plan
from lab.errors import LabError
from lab.secrets import PASSWORDS, complete, key_pair, parse


def lab(stack: str = "demo", **settings: Any) -> Topology:
    return plan(load_settings({"number": 1, **settings}, stack=stack), stack=stack)


def certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_a_new_stack_gets_every_secret_that_its_machines_need() -> None:
    made = complete({}, lab(topology="full"))
    machines = [machine.name for machine in lab(topology="full").machines]

    assert set(made) == {"ssh", "hostKeys", "passwords", "cluster", "fencing", "quorum", "tls"}
    assert set(made["hostKeys"]) == {*machines, *(f"{name}.pub" for name in machines)}
    assert set(made["passwords"]) == set(PASSWORDS)
    assert all(len(password) >= 32 for password in made["passwords"].values())
    assert len(set(made["passwords"].values())) == len(PASSWORDS)
    assert bytes.fromhex(made["fencing"]["key"]), "fence agents want at least 32 characters"
    assert len(made["fencing"]["key"]) == 64


def test_completing_what_is_complete_changes_nothing() -> None:
    made = complete({}, lab())

    assert complete(made, lab()) == made


def test_what_is_given_is_not_changed() -> None:
    given: dict[str, dict[str, str]] = {"passwords": {"stats": "kept"}}
    before = copy.deepcopy(given)
    made = complete(given, lab())

    assert given == before
    assert made["passwords"]["stats"] == "kept"


def test_new_machines_get_keys_and_the_others_keep_theirs() -> None:
    small = lab(topology="full", machines={"counts": {"app": 1}})
    large = lab(topology="full", machines={"counts": {"app": 3}})
    before = complete({}, small)
    after = complete(before, large)

    assert {"app2", "app2.pub", "app3", "app3.pub"} == set(after["hostKeys"]) - set(
        before["hostKeys"]
    )
    assert before["hostKeys"].items() <= after["hostKeys"].items()
    assert {group: after[group] for group in ("ssh", "passwords", "tls")} == {
        group: before[group] for group in ("ssh", "passwords", "tls")
    }


@pytest.mark.parametrize(
    ("group", "name"),
    [("ssh", "public"), ("ssh", "private"), ("hostKeys", "node1.pub"), ("tls", "pem")],
)
def test_half_of_a_pair_is_made_again_whole(group: str, name: str) -> None:
    made = complete({}, lab())
    broken = copy.deepcopy(made)
    del broken[group][name]

    repaired = complete(broken, lab())

    assert set(repaired[group]) == set(made[group])
    assert repaired[group][name] != made[group][name]


def test_a_key_pair_is_one_in_the_forms_that_ssh_reads() -> None:
    private, public = key_pair()
    key = load_ssh_private_key(private.encode(), password=None)
    line = load_ssh_public_key(public.encode())

    assert public.split()[0] == "ssh-ed25519"
    assert len(public.split()) == 2, "host keys are compared as text, without a comment"
    assert key.public_key().public_bytes_raw() == line.public_bytes_raw()  # type: ignore[union-attr]


class TestCertificate:
    """What the https front end shows when the user supplies nothing."""

    def test_it_is_valid_for_the_vip_and_the_labs_name_now_and_for_long(self) -> None:
        pem = complete({}, lab())["tls"]["pem"]
        names = certificate(pem).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        now = datetime.datetime.now(datetime.UTC)

        assert names.value.get_values_for_type(x509.IPAddress) == [IPv4Address("10.16.1.100")]
        assert "ha-lab-demo.lab.internal" in names.value.get_values_for_type(x509.DNSName)
        assert certificate(pem).not_valid_before_utc < now
        assert certificate(pem).not_valid_after_utc > now + datetime.timedelta(days=365)

    def test_its_private_key_is_in_the_same_file_after_it(self) -> None:
        pem = complete({}, lab())["tls"]["pem"]
        key = load_pem_private_key(pem.encode(), password=None)

        assert pem.index("BEGIN CERTIFICATE") < pem.index("BEGIN PRIVATE KEY")
        assert certificate(pem).public_key() == key.public_key()

    def test_clients_can_trust_it_as_an_authority_of_its_own(self) -> None:
        made = certificate(complete({}, lab())["tls"]["pem"])
        made.verify_directly_issued_by(made)
        constraints = made.extensions.get_extension_for_class(x509.BasicConstraints)

        assert constraints.value.ca is True

    @pytest.mark.parametrize(
        "change", [{"vip": "10.16.1.200"}, {"domain": "school.test"}, {"cidr": "10.7.0.0/24"}]
    )
    def test_it_is_made_again_when_it_would_not_fit_any_more(self, change: dict[str, str]) -> None:
        before = complete({}, lab())
        after = complete(before, lab(network=change))

        assert after["tls"]["pem"] != before["tls"]["pem"]
        assert after["hostKeys"] == before["hostKeys"]

    def test_it_is_kept_when_something_else_changes(self) -> None:
        before = complete({}, lab())

        assert complete(before, lab(timers="fast"))["tls"] == before["tls"]


class TestParse:
    """Reading them back."""

    @pytest.mark.parametrize("text", ["", "  \n"])
    def test_no_text_is_no_secrets(self, text: str) -> None:
        assert parse(text) == {}

    def test_text_by_somebody_else_is_refused_and_not_shown(self) -> None:
        with pytest.raises(LabError, match="cannot be read") as caught:
            parse("my-password hunter2")

        assert "hunter2" not in str(caught.value)
        assert "pulumi config rm ha-lab:secrets" in str(caught.value)
