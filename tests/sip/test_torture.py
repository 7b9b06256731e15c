"""RFC 4475 and RFC 5118: valid messages are understood, invalid ones get what they are owed.

The messages are the project's own, in `torture/`, written after the RFCs' text; the reference set beside the project is
only compared with.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.media.sdp import parse_sdp
from pbx.sip.message import Malformed, Request, Response, parse
from pbx.sip.tolerances import Tolerance
from pbx.sip.validate import validate
from tests.sip.notation import messages
from tests.sip.pair import ALICE, BOB, stack

RFC_4475 = messages("rfc4475")
RFC_5118 = messages("rfc5118")
ALL = RFC_4475 | RFC_5118
REFERENCE = [
    folder for above in Path(__file__).parents[3:5] if (folder := above / "shared" / "reference" / "rfc4475").is_dir()
]

VALID = {
    "wsinv": ("INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam", "wsinv.ndaksdj@192.0.2.1", 9, "98asjd8", 3),
    "intmeth": (
        "!interesting-Method0123456789_*+`.%indeed'~",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{", 139122385, "_token~1'+`*%!-.", 1),
    "esc01": ("INVITE", "sip:sips%3Auser%40example.com@example.net", "esc01.239409asdfakjkn23onasd0-3234", 234234,
              "938", 1),
    "escnull": ("REGISTER", "sip:example.com", "escnull.39203ndfvkjdasfkq3w4otrq0adsfdfnavd", 14398234, "839923423", 1),
    "esc02": ("RE%47IST%45R", "sip:registrar.example.com", "esc02.asdfnqwo34rq23i34jrjasdcnl23nrlknsdf", 29344,
              "f232jadfj23", 1),
    "lwsdisp": ("OPTIONS", "sip:user@example.com", "lwsdisp.1234abcd@funky.example.com", 60, "323", 1),
    "longreq": ("INVITE", "sip:user@example.com", "longreq.one" + "really" * 20 + "longcallid", 3882340,
                "12" + "982" * 50 + "424", 34),
    "dblreq": ("REGISTER", "sip:example.com", "dblreq.0ha0isndaksdj99sdfafnl3lk233412", 8, "43251j3j324", 1),
    "semiuri": ("OPTIONS", "sip:user;par=u%40example.net@example.com", "semiuri.0ha0isndaksdj", 8, "33242", 1),
    "transports": ("OPTIONS", "sip:user@example.com", "transports.kijh4akdnaqjkwendsasfdj", 60, "323", 5),
    "mpart01": ("MESSAGE", "sip:kumiko@example.org", "3d9485ad0c49859b@Zmx1ZmZ5LW1hYy0xNi5sb2NhbA..", 1, "2fb0dcc9",
                1),
    "unreason": (200, "", "unreason.1234ksdfak3j2erwedfsASdf", 35, "11141343", 1),
    "noreason": (100, "", "noreason.asndj203insdf99223ndf", 35, "39ansfi3", 1),
}  # fmt: skip
"""Section 3.1.1: method or status, Request-URI, Call-ID, CSeq, From tag, how many Vias."""

SILENCE = 0
REFUSED = {
    "badinv01": 400, "clerr": 400, "ncl": 400, "scalar02": 400, "scalarlg": SILENCE, "quotbal": 400, "ltgtruri": 400,
    "lwsruri": 400, "lwsstart": 400, "trws": 400, "escruri": 400, "regbadct": 400, "badvers": 505, "mismatch01": 400,
    "mismatch02": 400, "bigcode": SILENCE, "insuf": 400, "unkscm": 416, "novelsc": 416, "unksm2": 400, "bext01": 420,
    "invut": 415, "multi01": 400, "mcl01": 400, "bcast": SILENCE, "sdp01": 406, "test": SILENCE, "ipv6-bad": 400,
    "ipv6-in-sdp": 400, "via-received-param-with-delim": 481, "mult-ip-in-header": 481, "wsinv": 481,
}  # fmt: skip
"""What each is answered with: of 3.1.2, 3.3 and 3.4 all but those a liberal receiver takes, and what names a dialog
that nobody has. The Content-Length printed in RFC 5118 §4.6 is larger than its body."""

TAKEN = {
    "baddate", "badaspec", "baddn", "badbranch", "regaut01", "zeromf", "cparam01", "cparam02", "regescrt", "inv2543",
    "ipv6-good", "port-ambiguous", "port-unambiguous", "via-received-param-no-delim", "mult-ip-in-sdp",
    "ipv4-mapped-ipv6", "ipv6-bug-abnf-3-colons", "ipv6-correct-abnf-2-colons",
}  # fmt: skip
"""What the RFCs let a receiver take: a broken Date (nothing relies on it), blanks inside angle brackets, commas in a
display name, a branch of only the cookie, syntax of RFC 2543, three colons."""


def test_the_set_is_the_whole_of_both_rfcs():
    assert len(RFC_4475) == 50
    assert len(RFC_5118) == 12
    assert set(ALL) == set(VALID) | set(REFUSED) | TAKEN


@pytest.mark.skipif(not REFERENCE, reason="the reference set is not beside this checkout")
def test_our_octets_are_those_of_the_reference_set():
    files = {
        re.sub(r"^tc_|_[iv]$", "", path.stem.lower()): path.read_bytes() for path in sorted(REFERENCE[0].glob("*.dat"))
    }
    assert {name for name in files if files[name] != RFC_4475[name]} == set()
    assert set(files) == set(RFC_4475)


@pytest.mark.parametrize("name", VALID)
def test_a_valid_message_is_understood(name):
    start, uri, call_id, cseq, tag, vias = VALID[name]
    message = parse(RFC_4475[name])
    assert (message.call_id, message.cseq.number, message.from_.tag) == (call_id, cseq, tag)
    assert len(message.all("Via")) == vias
    if isinstance(message, Request):
        assert (message.method, message.uri) == (start, uri)
        validate(message)
    else:
        assert message.status == start


def test_what_is_escaped_is_read_and_what_only_looks_so_is_not():
    escaped = parse(RFC_4475["esc01"])
    assert (escaped.to.user, escaped.from_.user) == ("user", "I have spaces")
    assert parse(RFC_4475["escnull"]).to.user == "null-\0-null"
    plain = parse(RFC_4475["esc02"])
    assert (plain.to.display, len(plain.all("Contact"))) == ("%Z%45", 2)


def test_the_parts_of_a_multipart_body_are_cut_by_octets():
    from pbx.sip.bodies import parts

    message = parse(RFC_4475["mpart01"])
    hello, signature = parts(message.body, message.need("Content-Type"))
    assert (hello.kind, hello.body) == ("text/plain", b"Hello")
    assert (signature.kind, len(signature.body), signature.body[:2]) == ("application/octet-stream", 342, b"\x30\x82")


@pytest.mark.parametrize("name", RFC_5118)
def test_an_ipv6_reference_is_read(name):
    message = parse(RFC_5118[name].replace(b"Content-Length: 268", b"Content-Length: 251"))
    assert message.via.host.startswith("[") or name.startswith("ipv6-")
    if name in ("ipv6-in-sdp", "ipv4-mapped-ipv6"):
        assert ":" in parse_sdp(message.body).host


def test_the_port_inside_the_brackets_is_part_of_the_address_as_rfc_5118_foretells():
    from pbx.sip.uri import parse_uri

    assert parse_uri(parse(RFC_5118["port-ambiguous"]).uri).port is None
    assert parse_uri(parse(RFC_5118["port-unambiguous"]).uri).port == 5070


@pytest.mark.parametrize("name", ALL)
def test_every_message_gets_what_it_is_owed_and_an_options_after_it_is_answered(name):
    bob = stack(BOB, 1)
    bob.receive(ALL[name], ALICE, 0.0)
    statuses = {int(item.data[8:11]) for item in bob.take_outgoing()} - {100}
    assert statuses == ({REFUSED[name]} - {SILENCE} if name in REFUSED else set())
    bob.take_events()
    options = (
        b"OPTIONS sip:bob@lab SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKalive;rport\r\n"
        b"From: <sip:a@lab>;tag=1\r\n"
        b"To: <sip:bob@lab>\r\nCall-ID: alive\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    )
    bob.receive(options, ALICE, 1.0)
    (event,) = bob.take_events()
    bob.respond(event.transaction, 200, now=1.0)
    answer = bob.take_outgoing()[0].data
    assert answer.startswith(b"SIP/2.0 200")
    assert b"received=10.0.0.1" in answer
    assert b"rport=5060" in answer


@pytest.mark.parametrize("name", ["ncl", "unkscm"])
def test_a_refusal_carries_what_the_sender_needs_to_match_it_and_one_tag_for_every_repetition(name):
    bob = stack(BOB, 1)
    for _ in range(2):
        bob.receive(RFC_4475[name], ALICE, 0.0)
    first, again = (item.data for item in bob.take_outgoing())
    assert first == again
    assert b"branch=z9hG4bKkdjuw" in first
    assert b"cseq:" in first.lower()
    assert re.search(rb"(?im)^to: .*;tag=\w+", first)


def test_a_date_in_another_zone_is_forgiven_and_counted():
    bob = stack(BOB, 1)
    bob.receive(RFC_4475["baddate"], ALICE, 0.0)
    assert bob.tolerances.forgiven == {Tolerance.DATE_ZONE: 1}


MANGLED = st.sampled_from(sorted(ALL.values())).flatmap(
    lambda data: st.tuples(st.just(data), st.integers(0, len(data)), st.integers(0, len(data)), st.binary(max_size=20))
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), MANGLED.map(lambda m: m[0][: m[1]] + m[3] + m[0][m[2] :])))
def test_no_bytes_whatever_raise(data):
    bob = stack(BOB, 1)
    bob.receive(data, ALICE, 0.0)
    bob.take_events()
    bob.tick(100.0)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(ALL)))
def test_what_was_read_and_written_reads_the_same_again(name):
    try:
        message = parse(ALL[name])
    except Malformed:
        return
    again = parse(bytes(message))
    assert [h for h in again.headers if h[0] != "Content-Length"] == [
        h for h in message.headers if h[0] != "Content-Length"
    ]
    assert again.body == message.body
    assert isinstance(again, Response) == isinstance(message, Response)
