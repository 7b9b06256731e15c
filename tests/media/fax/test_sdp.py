"""Fax in offers and answers (ITU-T T.38 annex D)."""

from __future__ import annotations

import pytest

from pbx.media.engine import T38, MediaAddress
from pbx.media.fax.sdp import OURS, answer_fax, offer_fax, read_fax
from pbx.media.negotiation import Negotiation
from pbx.media.sdp import BadSdp

HERE, THERE = MediaAddress("192.0.2.1", 4000), MediaAddress("192.0.2.2", 5000)
HEAD = b"v=0\r\no=- 1 2 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n"
IMAGE = b"m=image 5000 udptl t38\r\n"


def party(policy: str = "no") -> Negotiation:
    return Negotiation(policy, lambda count: "0" * count)  # type: ignore[arg-type]


def test_an_offer_says_what_we_take_and_names_redundancy() -> None:
    lines = offer_fax(HERE).decode().split("\r\n")
    assert "m=image 4000 udptl t38" in lines
    assert {"a=T38FaxVersion:0", "a=T38MaxBitRate:14400", "a=T38FaxMaxDatagram:1400"} <= set(lines)
    assert {"a=T38FaxUdpEC:t38UDPRedundancy", "a=T38FaxRateManagement:transferredTCF"} <= set(lines)


def test_an_answer_asks_for_no_more_than_was_offered_and_has_as_many_streams() -> None:
    offered = read_fax(
        HEAD
        + b"m=audio 0 RTP/AVP 0\r\n"
        + IMAGE
        + b"a=T38FaxVersion:0\r\na=T38MaxBitRate:9600\r\nm=video 0 RTP/AVP 31\r\n"
    )
    assert offered is not None
    answer = answer_fax(offered, HERE).decode().split("\r\n")
    assert [line for line in answer if line.startswith("m=")] == [
        "m=audio 0 RTP/AVP 0", "m=image 4000 udptl t38", "m=video 0 RTP/AVP 31",
    ]  # fmt: skip
    assert "a=T38MaxBitRate:9600" in answer


@pytest.mark.parametrize(
    ("attributes", "meaning"),
    [
        (b"", T38(14_400, 400, 0)),
        (b"a=T38FaxMaxDatagram:200\r\na=T38MaxBitRate:7200\r\n", T38(7200, 200, 0)),
        (b"a=t38faxmaxdatagram:72\r\n", T38(14_400, 400, 0)),
        (b"a=T38FaxMaxDatagram:99999\r\na=T38MaxBitRate:999999\r\na=T38FaxVersion:9\r\n", T38(33_600, 1400, 3)),
        (b"a=T38FaxMaxDatagram:many\r\na=T38FaxFillBitRemoval\r\n", T38(14_400, 400, 0)),
    ],
)
def test_figures_are_read_as_peers_write_them_and_kept_within_reason(attributes: bytes, meaning: T38) -> None:
    offered = read_fax(HEAD + IMAGE + attributes)
    assert offered is not None
    assert offered.t38 == meaning


@pytest.mark.parametrize(
    "streams",
    [b"m=audio 4002 RTP/AVP 0\r\n" + IMAGE, b"m=audio 4002 RTP/AVP 0\r\n", b"m=image 5000 tcptl t38\r\n", b""],
)
def test_a_description_with_sound_or_another_transport_is_no_fax(streams: bytes) -> None:
    assert read_fax(HEAD + streams) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"no sdp", "starts with v="),
        (HEAD.replace(b"c=IN IP4 192.0.2.2\r\n", b"") + IMAGE, "no usable c= line"),
        (HEAD.replace(b"c=IN IP4 192.0.2.2", b"c=IN IP4 fax.example") + IMAGE, "no IP address"),
        (HEAD + b"m=image 99999 udptl t38\r\n", "bad m= line"),
    ],
)
def test_a_description_that_cannot_be_served_is_refused_in_words(text: bytes, why: str) -> None:
    with pytest.raises(BadSdp, match=why):
        read_fax(text)


def test_two_parties_agree_on_fax_and_back_on_sound() -> None:
    one, two = party(), party()
    offered = read_fax(one.offer_fax(HERE))
    assert offered is not None
    one.settle(two.answer_fax(offered, THERE))
    assert (one.remote.host, one.remote.port, one.remote.fax) == ("192.0.2.2", 5000, OURS)  # type: ignore[union-attr]
    assert two.remote is not None
    assert two.remote.fax == OURS
    one.settle(two.answer(one.offer(HERE), THERE))
    assert one.remote is not None
    assert (one.remote.codec, one.remote.fax) == ("PCMU", None)


@pytest.mark.parametrize("answer", [HEAD + b"m=image 0 udptl t38\r\n", HEAD + b"m=audio 4000 RTP/AVP 0\r\n"])
def test_an_answer_that_takes_no_fax_is_refused(answer: bytes) -> None:
    one = party()
    one.offer_fax(HERE)
    with pytest.raises(BadSdp):
        one.settle(answer)


def test_who_must_have_srtp_has_no_fax() -> None:
    offered = read_fax(offer_fax(THERE))
    assert offered is not None
    with pytest.raises(BadSdp, match="not encrypted"):
        party("yes").answer_fax(offered, HERE)
