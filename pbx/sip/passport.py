"""Who is allowed to show a number, signed: PASSporT (RFC 8225) with the claims of SHAKEN (RFC 8588) in an Identity
header (RFC 8224). The signature is made by whoever holds the key."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

Attestation = Literal["A", "B", "C"]
"""The caller is ours and so is the number; the caller alone; neither (ATIS-1000074 §5.2.3)."""


@dataclass(frozen=True, slots=True)
class Signer:
    """`sign` returns the 64 octets of an ES256 signature (RFC 7518 §3.4)."""

    sign: Callable[[bytes], bytes]
    certificate_url: Callable[[], str]
    """Where whoever verifies finds the certificate."""
    origin: str
    """A UUID for the part of the provider's network calls begin in."""


@dataclass(frozen=True, slots=True)
class Passport:
    attest: Attestation
    orig: str
    """Digits of the number shown, with country code."""
    dest: str
    iat: int
    """POSIX seconds."""


def identity(passport: Passport, signer: Signer) -> str:
    """Return the value of an Identity header."""
    url = signer.certificate_url()
    header = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": url}
    claims = {
        "attest": passport.attest,
        "dest": {"tn": [passport.dest]},
        "iat": passport.iat,
        "orig": {"tn": passport.orig},
        "origid": signer.origin,
    }
    signed = f"{_encoded(_canonical(header))}.{_encoded(_canonical(claims))}"
    token = f"{signed}.{_encoded(signer.sign(signed.encode()))}"
    return f"{token};info=<{url}>;alg=ES256;ppt=shaken"


def opened(value: str) -> tuple[bytes, bytes, dict[str, Any]]:
    """Return of an Identity header what was signed, the signature and the claims; ValueError when it is none."""
    token = value.partition(";")[0].strip()
    header, claims, signature = token.split(".")
    read = json.loads(_decoded(claims))
    if not isinstance(read, dict):
        raise ValueError("claims are an object")
    return f"{header}.{claims}".encode(), _decoded(signature), read


def _canonical(claims: dict[str, Any]) -> bytes:
    """Keys in order, nothing between (RFC 8225 §9)."""
    return json.dumps(claims, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
