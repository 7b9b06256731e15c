"""How firmwares read a file that is encrypted by the key a former one has told them.

Written without a look at the server's side: AES-256 as the `openssl enc` program has it (`Salted__`, eight octets of
salt, key and vector derived by its digest), and Yealink's AES-128 in ECB.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from lab.phones.family import BootFailed

_SALTED = b"Salted__"
_BLOCK = 16


def by_openssl(digest: str, body: bytes, key: str) -> bytes:
    """Return the text of `openssl enc -aes-256-cbc -md DIGEST`; what is not salted is no such file, and is as it is."""
    if not body.startswith(_SALTED):
        return body
    salt, derived, last = body[8:16], b"", b""
    while len(derived) < 48:
        last = hashlib.new(digest, last + _needed(key) + salt, usedforsecurity=False).digest()
        derived += last
    return _unpadded(Cipher(algorithms.AES(derived[:32]), modes.CBC(derived[32:48])), body[16:])


def by_yealink(body: bytes, key: str) -> bytes:
    """A file that begins as every configuration does is a plain one."""
    if body.startswith(b"#!version") or len(body) % _BLOCK:
        return body
    return _unpadded(Cipher(algorithms.AES(_needed(key)[:16]), modes.ECB()), body)


def _needed(key: str) -> bytes:
    if not key:
        raise BootFailed("Config bad", "the file is encrypted, and nothing has told the phone a key")
    return key.encode()


def _unpadded(cipher: Cipher[modes.CBC] | Cipher[modes.ECB], body: bytes) -> bytes:
    if not body or len(body) % _BLOCK:
        raise BootFailed("Config bad", "the file is encrypted, and cut off")
    decryptor = cipher.decryptor()
    text = decryptor.update(body) + decryptor.finalize()
    padding = text[-1]
    if not 1 <= padding <= _BLOCK or text[-padding:] != bytes([padding]) * padding:
        raise BootFailed("Config bad", "the file is encrypted by another key")
    return text[:-padding]
