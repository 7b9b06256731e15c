from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media import sdp
from pbx.media.engine import MediaAddress, RemoteMedia

HERE = MediaAddress("192.0.2.10", 16_384)
THERE = MediaAddress("192.0.2.20", 30_000)
directions = st.sampled_from(sdp.DIRECTIONS)


def described(*lines: str, media: str = "audio 5004 RTP/AVP 0 8 101") -> bytes:
    head = ["v=0", "o=- 1 1 IN IP4 198.51.100.1", "s=-", "c=IN IP4 198.51.100.1", "t=0 0", f"m={media}"]
    return "\r\n".join([*head, *lines, ""]).encode()


EVENT = ("a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-16")


@given(st.permutations(sdp.CODECS), directions)
def test_an_offer_reads_as_it_was_meant(codecs, direction):
    it = sdp.parse_sdp(sdp.offer(HERE, codecs=tuple(codecs), direction=direction))
    assert (it.host, it.port, it.direction) == (HERE.host, HERE.port, direction)
    assert [name for name, _ in it.codecs] == list(codecs)
    assert it.event_type == 101


@given(directions, directions)
def test_both_ends_settle_on_mirrored_directions(offered, wanted):
    offer = sdp.offer(HERE, direction=offered)
    text, answerer = sdp.answer(sdp.parse_sdp(offer), THERE, wanted=wanted)
    offerer = sdp.settle(sdp.parse_sdp(offer), sdp.parse_sdp(text))
    assert offerer.sends == answerer.receives
    assert offerer.receives == answerer.sends
    assert (offerer.host, offerer.port, answerer.host, answerer.port) == (*_of(THERE), *_of(HERE))
    assert offerer.codec == answerer.codec


def _of(address: MediaAddress) -> tuple[str, int]:
    return address.host, address.port


def test_hold_as_everybody_writes_it_leaves_us_listening():
    _, remote = sdp.answer(sdp.parse_sdp(described(*EVENT, "a=sendonly")), HERE)
    assert (remote.direction, remote.sends, remote.receives) == ("recvonly", False, True)


def test_hold_as_rfc_2543_wrote_it_stops_both_ways():
    _, remote = sdp.answer(sdp.parse_sdp(described().replace(b"c=IN IP4 198.51.100.1", b"c=IN IP4 0.0.0.0")), HERE)
    assert remote.direction == "inactive"


def test_the_offerer_s_order_and_payload_numbers_decide():
    offered = described(
        "a=rtpmap:97 telephone-event/8000", "a=rtpmap:110 PCMA/8000", media="audio 5004 RTP/AVP 110 0 97"
    )
    text, remote = sdp.answer(sdp.parse_sdp(offered), HERE)
    assert remote == RemoteMedia("198.51.100.1", 5004, "PCMA", 110, 97, "sendrecv", 20)
    assert b"m=audio 16384 RTP/AVP 110 97\r\n" in text
    assert b"a=rtpmap:97 telephone-event/8000\r\n" in text


def test_without_telephone_event_in_the_offer_there_is_none_in_the_answer():
    text, remote = sdp.answer(sdp.parse_sdp(described(media="audio 5004 RTP/AVP 0")), HERE)
    assert remote.event_type is None
    assert b"telephone-event" not in text


@pytest.mark.parametrize("text", [sdp.offer(HERE), sdp.answer(sdp.parse_sdp(described(*EVENT)), HERE)[0]])
def test_what_we_write_has_one_connection_line(text):
    assert text.count(b"\r\nc=") == 1
    assert text.endswith(b"\r\n")


def test_streams_we_do_not_serve_are_refused_in_their_place_and_stay_what_they_were():
    offered = described(*EVENT, "m=video 5006 RTP/AVPF 96 97", "a=rtpmap:96 H264/90000", "m=image 5008 udptl t38")
    text, _ = sdp.answer(sdp.parse_sdp(offered), HERE)
    media = [line for line in text.decode().split("\r\n") if line.startswith("m=")]
    assert media[0].startswith("m=audio 16384 RTP/AVP ")
    assert media[1:] == ["m=video 0 RTP/AVPF 96 97", "m=image 0 udptl t38"]


def test_an_offer_with_feedback_is_answered_in_kind():
    text, _ = sdp.answer(sdp.parse_sdp(described(media="audio 5004 RTP/AVPF 0 8")), HERE)
    assert b"m=audio 16384 RTP/AVPF 0\r\n" in text


def test_audio_after_video_keeps_its_place():
    offered = described("m=audio 5008 RTP/AVP 8", media="video 5006 RTP/AVP 96")
    it = sdp.parse_sdp(offered)
    assert (it.port, it.audio_at, it.refused) == (5008, 1, ("video 0 RTP/AVP 96",))
    text, remote = sdp.answer(it, HERE)
    media = [line.split()[0] for line in text.decode().split("\r\n") if line.startswith("m=")]
    assert media == ["m=video", "m=audio"]
    assert remote.codec == "PCMA"


def test_the_stream_s_own_lines_come_before_those_of_the_session():
    text = described("c=IN IP4 203.0.113.9/127", "a=recvonly").replace(b"t=0 0", b"t=0 0\r\na=sendonly")
    it = sdp.parse_sdp(text)
    assert (it.host, it.direction) == ("203.0.113.9", "recvonly")


@pytest.mark.parametrize(
    "text",
    [
        described(*EVENT, "a=ptime: 30").replace(b"\r\n", b"\n"),
        described("a=rtpmap:101 TELEPHONE-EVENT/8000", "a=ptime:30"),
        described(*EVENT, "a=ptime:30", "garbage", "x", "=", "a=", "a=rtpmap:999 foo/8000"),
        described(*EVENT, "a=ptime:30").replace(b"s=-", b"s= "),
    ],
)
def test_odd_writing_is_read(text):
    it = sdp.parse_sdp(text)
    assert (it.event_type, it.ptime_ms, it.codecs) == (101, 30, (("PCMU", 0), ("PCMA", 8)))


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"", 400),
        (b"hello", 400),
        (described().replace(b"c=IN IP4 198.51.100.1\r\n", b""), 400),
        (described(media="audio 99999 RTP/AVP 0"), 400),
        (described(media="audio x RTP/AVP 0"), 400),
        (described("m=video"), 400),
        (described(media="audio 5004 UDP/TLS/RTP/SAVPF 0"), 488),
        (described(media="image 5004 udptl t38"), 488),
        (b"v=0\r\n", 488),
    ],
)
def test_what_cannot_be_served_says_what_it_is_owed(text, status):
    with pytest.raises(sdp.BadSdp) as refused:
        sdp.parse_sdp(text)
    assert refused.value.status == status


def test_no_common_codec_is_488_in_offer_and_answer():
    foreign = sdp.parse_sdp(described(media="audio 5004 RTP/AVP 3 18"))
    with pytest.raises(sdp.BadSdp) as refused:
        sdp.answer(foreign, HERE)
    assert refused.value.status == 488
    with pytest.raises(sdp.BadSdp):
        sdp.settle(sdp.proposal(HERE, codecs=("PCMU",)), sdp.parse_sdp(described(media="audio 5004 RTP/AVP 8")))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data):
    with pytest.raises(sdp.BadSdp):
        sdp.parse_sdp(data)


@given(st.lists(st.sampled_from(described(*EVENT, "a=sendonly").decode().split("\r\n")), max_size=12))
def test_any_lines_are_read_or_refused(lines):
    assert status_of("\r\n".join(["v=0", *lines]).encode()) in (0, 400, 488)


def status_of(text: bytes) -> int:
    """The status a description is owed, 0 when it can be served."""
    try:
        it = sdp.parse_sdp(text)
    except sdp.BadSdp as refused:
        return refused.status
    return 0 if it.port == 5004 and it.codecs == (("PCMU", 0), ("PCMA", 8)) else -1


def test_reports_share_the_port_only_when_the_far_end_offers_that():
    offered = described("a=rtcp:4711 IN IP4 198.51.100.1", "a=rtcp-mux")
    text, remote = sdp.answer(sdp.parse_sdp(offered), HERE)
    assert b"a=rtcp-mux\r\n" in text
    assert (remote.rtcp_mux, remote.rtcp_port) == (True, 4711)
    text, remote = sdp.answer(sdp.parse_sdp(described()), HERE)
    assert b"rtcp" not in text
    assert (remote.rtcp_mux, remote.rtcp_port) == (False, 0)
    ours = sdp.offer(HERE)
    assert sdp.settle(sdp.parse_sdp(ours), sdp.parse_sdp(offered)).rtcp_mux is False, "we did not offer it"


@pytest.mark.parametrize("host", ["phone.example.com", "224.0.0.1", "255.255.255.255", "ff02::1", "1.2.3"])
def test_an_address_that_is_not_one_host_is_refused(host):
    with pytest.raises(sdp.BadSdp, match="c= names") as refused:
        sdp.parse_sdp(described().replace(b"198.51.100.1", host.encode()))
    assert refused.value.status == 488


def test_an_ipv6_party_is_answered_in_ipv6():
    offered = described().replace(b"IN IP4 198.51.100.1", b"IN IP6 2001:db8::7")
    text, remote = sdp.answer(sdp.parse_sdp(offered), MediaAddress("2001:db8::9", 5000))
    assert remote.host == "2001:db8::7"
    assert b"c=IN IP6 2001:db8::9\r\n" in text
