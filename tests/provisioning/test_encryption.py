"""Encrypted files: what leaves here the `openssl` program reads, and a phone gets its key before it needs it."""

from __future__ import annotations

import re
import subprocess
from datetime import timedelta

import pytest

from provisioning_server.encryption import encrypted
from provisioning_server.reasons import reasons
from provisioning_server.respond import unused
from provisioning_server.rotation import rotated
from tests.conftest import need
from tests.provisioning.provisioned import FAMILIES, POLY, YEALINK, Counter, first, served, small_domain, with_device

KEY = "0123456789abcdef0123456789abcdef"
ON = {"provisioning.encrypt": True}
FORMS = {
    "openssl-md5": ["-aes-256-cbc", "-md", "md5", "-k", "{key}"],
    "openssl-sha256": ["-aes-256-cbc", "-md", "sha256", "-k", "{key}"],
    "yealink": ["-aes-128-ecb", "-K", "{hex}"],
}
KINDS = {
    "grandstream/gxp": ("GXP2135", r"<P1359>(\w+)</P1359>"),
    "grandstream/ht8xx": ("HT802", r"<P1359>(\w+)</P1359>"),
    "cisco/spa": ("SPA504G", r"<Profile_Rule>\[--key (\w+)\]"),
    "cisco/mpp": ("6841", r"<Profile_Rule>\[--key (\w+)\]"),
    "yealink/t4x_t5x": ("T46S", r"aes_key_16\.mac = (\w+)"),
}


def decrypted(form: str, body: bytes, key: str) -> bytes:
    """What the openssl program makes of it."""
    told = [part.format(key=key, hex=key[:16].encode().hex()) for part in FORMS[form]]
    return subprocess.run(
        [need("openssl"), "enc", "-d", *told], input=body, capture_output=True, check=True, timeout=30
    ).stdout


@pytest.mark.interop
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 20_000])
def test_openssl_reads_what_is_encrypted_here(form, size):
    body = bytes(n % 251 for n in range(size))
    assert decrypted(form, encrypted(form, body, KEY), KEY) == body


@pytest.mark.parametrize("form", FORMS)
def test_the_same_file_has_the_same_bytes_and_another_key_others(form):
    assert encrypted(form, b"x" * 100, KEY) == encrypted(form, b"x" * 100, KEY)
    assert encrypted(form, b"x" * 100, KEY) != encrypted(form, b"x" * 100, KEY[::-1])


def desk(family: str, model: str) -> tuple[Counter, str]:
    rule = next(rule for rule in FAMILIES.by_id[family].files if rule.sensitive)
    domain = with_device(small_domain(), "101", family=family, model=model, settings=ON)
    return Counter(domain), FAMILIES.by_id[family].name_of(rule, YEALINK, model)


@pytest.mark.interop
@pytest.mark.parametrize("family", KINDS)
def test_the_first_file_tells_the_key_by_which_the_next_one_is_read(family):
    model, told = KINDS[family]
    it, name = desk(family, model)
    plain = it.ask(name, first(YEALINK))
    key = re.search(told, plain.body.decode())[1]
    again = it.ask(name, it.steady(YEALINK))
    form = next(rule.encrypt for rule in FAMILIES.by_id[family].files if rule.sensitive)
    assert again.body != plain.body
    assert decrypted(form, again.body, key) == plain.body
    assert served(again).reason.endswith(", encrypted")


def test_an_encrypted_file_is_another_one_for_caches_and_the_same_for_whoever_asks_what_a_phone_holds():
    it, name = desk("yealink/t4x_t5x", "T46S")
    plain, hidden = it.ask(name, first(YEALINK)), it.ask(name, it.steady(YEALINK))
    assert plain.etag != hidden.etag
    assert it.ask(name, it.steady(YEALINK), if_none_match=hidden.etag).status == 304
    assert served(plain).sha256 == served(hidden).sha256


def test_a_phone_that_holds_the_former_credentials_gets_its_new_ones_by_the_former_key():
    it, name = desk("grandstream/gxp", "GXP2135")
    held, key = it.steady(YEALINK), it.office.ledger.file_key(YEALINK, first(YEALINK))
    until = it.now.wall + timedelta(days=1)
    it.directory = rotated(it.directory, FAMILIES, YEALINK, lambda count: "b" * count, until)
    body = decrypted("openssl-md5", it.ask(name, held).body, key)
    assert it.office.ledger.file_key(YEALINK, "b" * 32).encode() in body


def test_only_the_file_with_the_password_is_encrypted():
    it, _ = desk("yealink/t4x_t5x", "T46S")
    assert it.ask(f"{YEALINK}.boot", it.steady(YEALINK)).body.startswith(b"#!version")
    assert it.ask("y000000000066.cfg", it.steady(YEALINK)).body.startswith(b"#!version")


def test_nothing_is_encrypted_unless_a_layer_says_so():
    it = Counter()
    it.own(YEALINK)
    assert it.own(YEALINK, it.steady(YEALINK)).body.startswith(b"#!version")


def test_a_family_whose_encryption_is_not_known_is_served_plainly_and_says_so():
    it = Counter(with_device(small_domain(), "102", settings=ON))
    it.own(POLY)
    assert it.own(POLY, it.steady(POLY)).body.startswith(b"<?xml")
    poly = it.directory.devices_by_id["102"]
    assert unused(it.office, it.directory, poly, it.now) == ["provisioning.encrypt"]


def test_the_key_is_shown_to_nobody():
    it, _ = desk("grandstream/gxp", "GXP2135")
    told = reasons(it.office, it.directory, it.directory.devices_by_id["101"], it.now)
    assert it.office.ledger.file_key(YEALINK, first(YEALINK)) not in str(told)
