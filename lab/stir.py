"""The provider's key for numbers shown outside, made of the installation's secret, and its certificate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from pbx.sip.passport import Signer

CERTIFICATE = "/stir.pem"
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the curve P-256 (FIPS 186-5)."""
_DAYS = 3650


def key_of(secret: bytes) -> ec.EllipticCurvePrivateKey:
    number = int.from_bytes(sha256(b"stir/" + secret).digest()) % (_ORDER - 1) + 1
    return ec.derive_private_key(number, ec.SECP256R1())


def signer_of(secret: bytes, certificate_url: Callable[[], str]) -> Signer:
    """Return who signs; the same octets get the same signature (RFC 6979), so that a virtual run is repeatable."""
    key = key_of(secret)
    how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)

    def sign(octets: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(octets, how))
        return r.to_bytes(32) + s.to_bytes(32)

    return Signer(sign, certificate_url, str(UUID(bytes=sha256(b"origin/" + secret).digest()[:16], version=4)))


def certificate_of(secret: bytes, provider: str, now: datetime) -> bytes:
    """Return the certificate whose key signs, PEM. The lab is its own authority: nobody has given it numbers."""
    key, name = key_of(secret), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"SHAKEN {provider}"[:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(sha256(b"serial/" + secret).digest()[:16]))
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)
