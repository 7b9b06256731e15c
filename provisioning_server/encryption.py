"""Configuration files as phones can decrypt them: only forms that were compared with the `openssl` program.

`openssl-md5`, `openssl-sha256`: what `openssl enc -aes-256-cbc -md … -k KEY` writes (Grandstream, Cisco): `Salted__`,
the salt, AES in CBC; key and vector from EVP_BytesToKey. `yealink`: AES-128 in ECB by a key of 16 characters, as
Yealink's tool has it: it hides a file from who looks at the wire, and equal blocks show. The salt is made of key and
text, so that the same file has the same bytes. What other makers do is not done here.
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

_BLOCK_BITS = 128


def encrypted(form: str, body: bytes, key: str) -> bytes:
    """Return the file in that form; KeyError for one that is none."""
    padder = PKCS7(_BLOCK_BITS).padder()
    padded = padder.update(body) + padder.finalize()
    if form == "yealink":
        return _ciphered(Cipher(algorithms.AES(key[:16].encode()), modes.ECB()), padded)
    digest = {"openssl-md5": "md5", "openssl-sha256": "sha256"}[form]
    salt = hmac.new(key.encode(), body, hashlib.sha256).digest()[:8]
    derived = _bytes_to_key(digest, key.encode(), salt, 48)
    return b"Salted__" + salt + _ciphered(Cipher(algorithms.AES(derived[:32]), modes.CBC(derived[32:])), padded)


def _ciphered(cipher: Cipher[modes.ECB] | Cipher[modes.CBC], padded: bytes) -> bytes:
    encryptor = cipher.encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def _bytes_to_key(digest: str, password: bytes, salt: bytes, length: int) -> bytes:
    """EVP_BytesToKey with one iteration, which is what `openssl enc` does without `-pbkdf2`."""
    found = last = b""
    while len(found) < length:
        last = hashlib.new(digest, last + password + salt, usedforsecurity=False).digest()
        found += last
    return found[:length]
