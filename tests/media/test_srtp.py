"""SRTP: the numbers of RFC 3711, and what a guard lets in and out."""

from __future__ import annotations

import base64
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from pbx.media import rtcp, rtp
from pbx.media.engine import SrtpKeys
from pbx.media.sdp import SUITES
from pbx.media.srtp import Guard

MASTER = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE41390EC675AD498AFEEBB6960B3AABE6")
"""Key and salt of RFC 3711 §B.3; below what it derives from them."""
CIPHER = bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087")
SALT = bytes.fromhex("30CBBC08863D8C85D49DB34A9AE1")
AUTH = bytes.fromhex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4")
OTHER = bytes(range(30))


def keys(suite: str = SUITES[0], ours: bytes = MASTER, theirs: bytes = OTHER) -> SrtpKeys:
    return SrtpKeys(suite, base64.b64encode(ours).decode(), base64.b64encode(theirs).decode())


def pair(suite: str = SUITES[0]) -> tuple[Guard, Guard]:
    return Guard(keys(suite)), Guard(keys(suite, OTHER, MASTER))


def by_the_book(packet: bytes, roll_over: int, tag: int) -> bytes:
    """Encrypt as RFC 3711 §4.1.1 and §4.2 say, with the session keys of §B.3."""
    header, payload = packet[:12], packet[12:]
    index = roll_over << 16 | int.from_bytes(header[2:4], "big")
    start = int.from_bytes(SALT, "big") << 16 ^ int.from_bytes(header[8:12], "big") << 64 ^ index << 16
    stream = Cipher(algorithms.AES(CIPHER), modes.CTR(start.to_bytes(16, "big"))).encryptor()
    sealed = header + stream.update(payload)
    return sealed + hmac.digest(AUTH, sealed + roll_over.to_bytes(4, "big"), "sha1")[:tag]


@pytest.mark.parametrize(("suite", "tag"), [(SUITES[0], 10), (SUITES[1], 4)])
def test_a_packet_is_sealed_as_the_standard_says(suite, tag):
    guard = Guard(keys(suite))
    packet = rtp.pack(15, 0x1234, 0xDECAFBAD, 0xCAFEBABE, b"\xab" * 16)
    assert guard.sealed(packet) == by_the_book(packet, 0, tag)
    if tag == 10:
        assert by_the_book(packet, 0, tag)[12:28].hex() == "4e55dc4ce79978d88ca4d215949d2402", (
            "as in libsrtp's own test"
        )


def test_numbers_that_wrap_roll_over():
    one, two = pair()
    for sequence in (65534, 65535, 65536, 65537):
        packet = rtp.pack(0, sequence, 0, 7, b"sound")
        sealed = one.sealed(packet)
        assert sealed == by_the_book(packet, sequence >> 16, 10)
        assert two.opened(sealed) == packet


def test_what_was_tampered_with_or_sent_again_does_not_open():
    one, two = pair()
    sealed = one.sealed(rtp.pack(0, 1, 0, 7, bytes(160)))
    assert two.opened(sealed[:-1] + bytes([sealed[-1] ^ 1])) is None
    assert two.opened(sealed) is not None
    assert two.opened(sealed) is None, "a replay"
    assert one.opened(one.sealed(rtp.pack(0, 2, 0, 7, bytes(160)))) is None, "our own key does not open"


def test_reports_are_guarded_too():
    one, two = pair()
    report = rtcp.pack([rtcp.Report(7, ())])
    sealed = one.sealed_report(report)
    assert sealed[8:] != report[8:]
    assert two.opened_report(sealed) == report
    assert two.opened_report(sealed) is None


@given(st.binary(max_size=1600))
def test_rubbish_does_not_open_and_does_not_raise(data):
    _, two = pair()
    assert two.opened(data) is None
    assert two.opened_report(data) is None
