"""Certificates of a quorum device and of the cluster that asks it; each knows the other by them.

The names in them are fixed by Corosync: the device is `Qnetd Server`, the cluster its own name.
"""

from __future__ import annotations

import base64
import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from components.pacemaker.quorum import P12_PASSWORD

DAYS = 3650
"""Nothing renews them while the lab is up."""
Pair = tuple[ec.EllipticCurvePrivateKey, x509.Certificate]


def quorum_keys(cluster: str) -> dict[str, str]:
    """`ca`: PEM; `device` and `members`: key and certificate as PKCS 12 in base64."""
    authority = _made("QNet CA", None)
    device = _made("Qnetd Server", authority)
    members = _made(cluster, authority)
    return {
        "subject": cluster,
        "ca": authority[1].public_bytes(Encoding.PEM).decode(),
        "device": _packed("QNetd Cert", device, authority),
        "members": _packed("Cluster Cert", members, authority),
    }


def _made(name: str, authority: Pair | None) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    signer = authority[0] if authority else key
    issuer = authority[1].subject if authority else subject
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .sign(signer, hashes.SHA256())
    )
    return key, certificate


def _packed(nickname: str, pair: Pair, authority: Pair) -> str:
    """As NSS imports it: under this nickname the daemons look for it."""
    data = pkcs12.serialize_key_and_certificates(
        nickname.encode(),
        pair[0],
        pair[1],
        [authority[1]],
        # The file is root's alone and in the stack's secrets; NSS wants a password all the same.
        BestAvailableEncryption(P12_PASSWORD.encode()),
    )
    return base64.encodebytes(data).decode()
