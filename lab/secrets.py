"""Make the secrets of a stack: SSH keys, host keys, passwords, the TLS certificate.

Pure but for randomness: `complete` adds what a lab of this topology lacks and leaves the rest as it
is, so that running it again changes nothing. Reading them in the program is `components.secrets`.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import secrets
from collections.abc import Iterable

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from components.topology import Topology
from lab.errors import LabError
from lab.quorum_keys import quorum_keys

PASSWORD_BYTES = 24
CLUSTER_KEY_BYTES = 256
FENCE_KEY_BYTES = 32
PASSWORDS = ("hacluster", "postgresqlReplication", "mariadbReplication", "application", "stats")
KINDS = 3
"""Raised with each further kind of secret, so that stacks that are set up already get it too."""
CERTIFICATE_DAYS = 825
"""The longest life that browsers accept for a certificate of a private authority."""

SecretSet = dict[str, dict[str, str]]
"""group -> name -> secret; what is public of a pair is beside it under `<name>.pub` or `public`."""


def parse(text: str) -> SecretSet:
    """The secrets of a configuration value; an empty text is an empty set. Raises LabError."""
    try:
        loaded: SecretSet = json.loads(text) if text.strip() else {}
    except ValueError:  # its text would show what stands there
        msg = (
            "the stack's secrets cannot be read: `ha-lab:secrets` was written by hand. Remove it"
            " (`pulumi config rm ha-lab:secrets`), and new ones are made; machines that have the"
            " old ones are then made anew"
        )
        raise LabError(msg) from None
    return loaded


def complete(known: SecretSet, topology: Topology) -> SecretSet:
    """The known secrets and all that this topology needs beside them."""
    result = {group: dict(entries) for group, entries in known.items()}
    if not {"private", "public"} <= set(result.get("ssh", {})):
        private, public = key_pair()
        result["ssh"] = {"private": private, "public": public}
    _add_host_keys(result.setdefault("hostKeys", {}), (m.name for m in topology.machines))
    passwords = result.setdefault("passwords", {})
    for name in PASSWORDS:
        passwords.setdefault(name, secrets.token_urlsafe(PASSWORD_BYTES))
    result.setdefault("cluster", {}).setdefault("authkey", cluster_key())
    result.setdefault("fencing", {}).setdefault("key", secrets.token_hex(FENCE_KEY_BYTES))
    if result.get("quorum", {}).get("subject") != topology.prefix:
        result["quorum"] = quorum_keys(topology.prefix)
    tls = result.setdefault("tls", {})
    subject = certificate_subject(topology)
    if tls.get("subject") != subject or "pem" not in tls:
        tls.update(subject=subject, pem=self_signed_certificate(topology))
    return result


def _add_host_keys(keys: dict[str, str], machines: Iterable[str]) -> None:
    for name in machines:
        if not {name, f"{name}.pub"} <= set(keys):
            keys[name], keys[f"{name}.pub"] = key_pair()


def key_pair() -> tuple[str, str]:
    """An Ed25519 pair: OpenSSH private key file, and public line `type base64`."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return private, public


def cluster_key() -> str:
    """The key of Corosync's traffic, as text; corosync-keygen makes 256 bytes too."""
    return base64.b64encode(secrets.token_bytes(CLUSTER_KEY_BYTES)).decode()


def certificate_subject(topology: Topology) -> str:
    """For what the certificate is made: when this changes, a new one is."""
    return f"{topology.prefix}.{topology.domain} {topology.vip}"


def self_signed_certificate(topology: Topology) -> str:
    """PEM of certificate and key for the VIP, as HAProxy wants it: both in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, str(topology.vip))])
    now = datetime.datetime.now(datetime.UTC)
    hosts = [f"{topology.prefix}.{topology.domain}", "localhost"]
    alternatives: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
    alternatives.append(x509.IPAddress(ipaddress.ip_address(str(topology.vip))))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return (certificate.public_bytes(Encoding.PEM) + private).decode()
