"""The quorum device: who votes, by which certificates it and the members know each other."""

from __future__ import annotations

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12

from components.pacemaker import quorum
from components.pacemaker.corosync import corosync_conf
from components.pacemaker.plans import member_plan
from components.timers import TIMERS
from lab.quorum_keys import quorum_keys
from tests.unit.pacemaker.samples import an_args, settings_with

TWO = settings_with(members=["db1", "db2"], quorumDevice="app1")
KEYS = quorum_keys("ha-lab-demo")


def opened(name: str) -> pkcs12.PKCS12KeyAndCertificates:
    return pkcs12.load_pkcs12(base64.b64decode(KEYS[name]), quorum.P12_PASSWORD.encode())


@pytest.mark.parametrize(
    ("name", "nickname", "subject"),
    [
        ("device", b"QNetd Cert", "CN=Qnetd Server"),
        ("members", b"Cluster Cert", "CN=ha-lab-demo"),
    ],
)
def test_each_side_has_the_name_that_the_other_asks_for(
    name: str, nickname: bytes, subject: str
) -> None:
    """Corosync compares the cluster's with its own name: another cluster's certificate is none."""
    pair, authority = opened(name), x509.load_pem_x509_certificate(KEYS["ca"].encode())

    assert pair.cert is not None
    assert pair.cert.friendly_name == nickname
    assert pair.cert.certificate.subject.rfc4514_string() == subject
    pair.cert.certificate.verify_directly_issued_by(authority)


def test_the_device_takes_members_with_a_certificate_alone() -> None:
    (drop_in,) = quorum.device_plan(an_args(TWO)).files

    assert "-s req -c on" in drop_in.content
    assert "tls: required" in corosync_conf(an_args(TWO))


@pytest.mark.parametrize("timers", TIMERS)
def test_its_vote_is_waited_for_no_longer_than_the_timers_allow(timers: str) -> None:
    text = corosync_conf(an_args({**TWO, "timers": timers}))
    own = TIMERS[timers].corosync

    assert f"timeout: {3 * own.token_ms}\n" in text
    assert f"sync_timeout: {9 * own.token_ms}\n" in text


def test_members_ask_it_only_after_they_have_all_read_of_it() -> None:
    """The daemon ends where Corosync knows of no device, and a start that fails ends `up`."""
    args = an_args(TWO)
    of_member = {unit.name: unit.running for unit in member_plan(args, args.bootstrap).units}

    assert quorum.MEMBER_UNIT not in of_member
    assert [unit.name for unit in quorum.member_plan().units] == [quorum.MEMBER_UNIT]
    assert "two_node" not in corosync_conf(args)


def test_keys_are_for_root_alone() -> None:
    plan = quorum.member_keys_plan(ca=KEYS["ca"], pair=KEYS["members"])

    assert {f.mode for f in plan.files if f.path.startswith(quorum.FOLDER)} == {0o600}


@pytest.mark.skipif(
    not shutil.which("certutil"), reason="needs certutil (apt-get install libnss3-tools)"
)
def test_nss_takes_the_keys(tmp_path: Path) -> None:
    plan = quorum.member_keys_plan(ca=KEYS["ca"], pair=KEYS["members"])
    for file in plan.files:
        (tmp_path / Path(file.path).name).write_text(file.content)
    words = [*(str(tmp_path / name) for name in ("db", "ca.pem", "keys.p12.base64")), "root"]
    subprocess.run(["bash", tmp_path / "quorum-keys", *words], check=True)

    listed = subprocess.run(
        ["certutil", "-L", "-d", tmp_path / "db"], check=True, capture_output=True, text=True
    ).stdout
    assert "Cluster Cert" in listed
    assert "QNet CA" in listed
