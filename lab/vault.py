"""Secrets at rest: passwords, tokens and PINs of the configuration are sealed before the store writes them.

Who copies the database alone has none of them: the key is made of the installation's secret, which lies in a file of
its own that can be kept elsewhere (`store.secret`). AES-256-GCM (NIST SP 800-38D).
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEALED = "sealed:1:"
_NONCE = 12
_KEPT = 65_536


class CannotUnseal(ValueError):
    """Sealed by another installation, or damaged."""


class Vault:
    """Seals and opens with the key of one installation."""

    def __init__(self, secret: bytes) -> None:
        kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"switchroom secrets at rest")
        self._cipher = AESGCM(kdf.derive(secret))
        # what has not changed is not sealed anew, and looks the same: a saved configuration differs where it differs
        self.seal = lru_cache(_KEPT)(self._sealed)

    def _sealed(self, text: str) -> str:
        """Return the sealed text; an empty one stays empty."""
        if not text:
            return text
        nonce = secrets.token_bytes(_NONCE)
        return SEALED + urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, text.encode(), None)).decode()

    def unseal(self, text: str) -> str:
        """Return what was sealed; what is not sealed is returned as it is. CannotUnseal."""
        if not text.startswith(SEALED):
            return text  # written before secrets were sealed
        try:
            whole = urlsafe_b64decode(text.removeprefix(SEALED))
            return self._cipher.decrypt(whole[:_NONCE], whole[_NONCE:], None).decode()
        except (ValueError, InvalidTag):
            raise CannotUnseal("a secret was sealed with another installation's secret, or is damaged") from None
