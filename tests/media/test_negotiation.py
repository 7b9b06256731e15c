"""Offer and answer of two parties, with their policies of encryption (RFC 3264, RFC 4568)."""

from __future__ import annotations

from itertools import count, product

import pytest

from pbx.media.engine import MediaAddress
from pbx.media.negotiation import Negotiation
from pbx.media.sdp import SUITES, BadSdp

HERE, THERE = MediaAddress("192.0.2.10", 16_384), MediaAddress("192.0.2.20", 30_000)
ENCRYPTED = {("yes", "yes"), ("yes", "opportunistic"), ("opportunistic", "yes"), ("opportunistic", "opportunistic")}
REFUSED = {("yes", "no"), ("no", "yes")}
_NUMBERS = count()


def party(policy: str) -> Negotiation:
    return Negotiation(policy, lambda digits: f"{next(_NUMBERS):0{digits}x}")  # type: ignore[arg-type]


@pytest.mark.parametrize(("offering", "answering"), list(product(("no", "opportunistic", "yes"), repeat=2)))
def test_two_policies_meet(offering, answering):
    one, two = party(offering), party(answering)
    if (offering, answering) in REFUSED:
        offer = one.offer(HERE)
        with pytest.raises(BadSdp) as refused:
            two.answer(offer, THERE)
        assert refused.value.status == 488
        return
    one.settle(two.answer(one.offer(HERE), THERE))
    assert one.remote is not None
    assert two.remote is not None
    if (offering, answering) not in ENCRYPTED:
        assert one.remote.keys is two.remote.keys is None
        return
    assert one.remote.keys is not None
    assert two.remote.keys is not None
    assert one.remote.keys.suite == SUITES[0]
    assert (one.remote.keys.ours, one.remote.keys.theirs) == (two.remote.keys.theirs, two.remote.keys.ours)
    assert one.remote.keys.ours != one.remote.keys.theirs


def test_a_reinvite_keeps_the_keys_so_that_nothing_starts_again():
    one, two = party("yes"), party("opportunistic")
    one.settle(two.answer(one.offer(HERE), THERE))
    before = one.remote
    one.settle(two.answer(one.offer(HERE, direction="sendonly"), THERE))
    assert before is not None
    assert one.remote is not None
    assert one.remote.keys == before.keys
    two.settle(one.answer(two.offer(THERE), HERE))
    assert two.remote is not None
    assert two.remote.keys is not None
    assert (two.remote.keys.ours, two.remote.keys.theirs) == (before.keys.theirs, before.keys.ours)


def test_an_answer_that_leaves_out_the_keys_is_refused_where_they_are_asked_for():
    one, two = party("yes"), party("opportunistic")
    answered = two.answer(one.offer(HERE), THERE)
    plain = b"\r\n".join(line for line in answered.split(b"\r\n") if not line.startswith(b"a=crypto"))
    with pytest.raises(BadSdp, match="no usable a=crypto"):
        one.settle(plain)


def test_an_answer_with_a_key_nobody_offered_is_refused():
    one, two = party("opportunistic"), party("opportunistic")
    answered = two.answer(one.offer(HERE), THERE)
    with pytest.raises(BadSdp, match="was not offered"):
        one.settle(answered.replace(b"a=crypto:1", b"a=crypto:7"))


@pytest.mark.parametrize(
    "line",
    [
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2hvcnQ=",
        "a=crypto:1 AEAD_AES_256_GCM inline:" + "A" * 40,
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + "|2^20|1:4",
        "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40 + " UNENCRYPTED_SRTP",
        "a=crypto:x",
    ],
)
def test_a_key_we_cannot_use_is_read_over(line):
    offered = party("no").offer(HERE) + line.encode() + b"\r\n"
    other = party("opportunistic")
    assert b"a=crypto" not in other.answer(offered, THERE)
    with pytest.raises(BadSdp):
        party("yes").answer(offered, THERE)


def test_a_lifetime_behind_a_key_is_read_over():
    offered = party("no").offer(HERE) + b"a=crypto:3 aes_cm_128_hmac_sha1_32 inline:" + b"A" * 40 + b"|2^31\r\n"
    other = party("yes")
    assert b"a=crypto:3 AES_CM_128_HMAC_SHA1_32 inline:" in other.answer(offered, THERE)


def test_the_codec_of_the_other_party_is_taken_before_the_offerers_first():
    one, two = party("no"), party("no")
    offer = one.offer(HERE, liked=("G722",))
    assert b"m=audio 16384 RTP/AVP 9 0 8 101" in offer
    two.answer(offer, THERE, liked="PCMA")
    assert two.remote is not None
    assert two.remote.codec == "PCMA"
    two.answer(offer, THERE)
    assert two.remote.codec == "PCMA", "and kept for the rest of the call"


def test_no_key_is_shown_when_what_was_settled_is_printed():
    one, two = party("yes"), party("yes")
    one.settle(two.answer(one.offer(HERE), THERE))
    assert one.remote is not None
    assert one.remote.keys is not None
    assert one.remote.keys.ours not in repr(one.remote)
