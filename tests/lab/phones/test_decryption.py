"""Encrypted files as phones read them, written by the `openssl` program and not by our server."""

from __future__ import annotations

import subprocess

import pytest

from lab.phones.decryption import by_openssl, by_yealink
from lab.phones.family import BootFailed
from tests.conftest import need

KEY = "0123456789abcdef0123456789abcdef"
TEXT = b"#!version:1.0.0.1\naccount.1.enable = 1\n"


def openssl(*options: str) -> bytes:
    command = [need("openssl"), "enc", *options]
    return subprocess.run(command, input=TEXT, capture_output=True, check=True).stdout


@pytest.mark.parametrize("digest", ["md5", "sha256"])
def test_a_phone_reads_what_the_openssl_program_writes(digest):
    body = openssl("-aes-256-cbc", "-md", digest, "-k", KEY)
    assert by_openssl(digest, body, KEY) == TEXT


def test_a_yealink_reads_aes_128_by_the_first_sixteen_characters():
    body = openssl("-aes-128-ecb", "-K", KEY[:16].encode().hex())
    assert by_yealink(body, KEY[:16]) == TEXT


def test_a_plain_file_is_read_whether_there_is_a_key_or_not():
    assert (by_openssl("md5", TEXT, KEY), by_yealink(TEXT, KEY), by_yealink(TEXT, "")) == (TEXT, TEXT, TEXT)


@pytest.mark.parametrize(("key", "cut", "why"), [("", 0, "told the phone a key"), ("f" * 32, 0, "another key"),
                                                 (KEY, 1, "cut off")])  # fmt: skip
def test_a_file_that_cannot_be_opened_ends_the_boot_with_the_reason(key, cut, why):
    body = by_openssl_written()
    with pytest.raises(BootFailed, match=why):
        by_openssl("md5", body[: len(body) - cut], key)


def by_openssl_written() -> bytes:
    """With a salt that makes the wrong key's padding wrong, too; a salt that is given is not written by OpenSSL 3."""
    salt = bytes(range(8))
    body = openssl("-aes-256-cbc", "-md", "md5", "-k", KEY, "-S", salt.hex())
    return body if body.startswith(b"Salted__") else b"Salted__" + salt + body
