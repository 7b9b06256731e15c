"""What a peer is owed for a request that could be read, by table; and which ways of writing the same are the same."""

from __future__ import annotations

import pytest

from pbx.sip.bodies import parts, required_types, sdp_of
from pbx.sip.message import Request, parse
from pbx.sip.sip_events import InviteReceived, RequestReceived
from pbx.sip.uri import BadUri, parse_name_addr, parse_uri
from tests.sip.pair import ALICE, BOB, stack

SDP = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"


def written(method: str = "OPTIONS", uri: str = "sip:bob@lab", *lines: str, body: str = "", branch: str = "1") -> bytes:
    """A request with the usual headers, each replaced by a line given here of the same name, or left out by `-Name`."""
    usual = {
        "Via": f"Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK{branch}",
        "Max-Forwards": "Max-Forwards: 70",
        "From": "From: <sip:alice@lab>;tag=a",
        "To": "To: <sip:bob@lab>",
        "Call-ID": "Call-ID: it",
        "CSeq": f"CSeq: 7 {method}",
        "Contact": "Contact: <sip:alice@10.0.0.1>",
        "Content-Length": f"Content-Length: {len(body)}",
    }
    named = {line.partition(":")[0].strip().removeprefix("-") for line in lines}
    kept = [line for name, line in usual.items() if name not in named]
    return "\r\n".join(
        [f"{method} {uri} SIP/2.0", *kept, *(line for line in lines if line[0] != "-"), "", body]
    ).encode()


def answered(data: bytes) -> list[Request]:
    """What a stack says to one message, provisional 100 left out."""
    bob = stack(BOB, 1)
    bob.receive(data, ALICE, 0.0)
    return [answer for item in bob.take_outgoing() if (answer := parse(item.data)).status != 100]


OWED = [
    (400, "OPTIONS", "sip:bob@lab", ["-From"], ""),
    (400, "OPTIONS", "sip:bob@lab", ["-Call-ID"], ""),
    (400, "OPTIONS", "sip:bob@lab", ["Max-Forwards: many"], ""),
    (400, "OPTIONS", "sip:bob@lab:99999", [], ""),
    (400, "OPTIONS", "sip:bob@lab?Subject=x", [], ""),
    (400, "INVITE", "sip:bob@lab", ["Contact: <broken"], ""),
    (400, "INVITE", "sip:bob@lab", ["Session-Expires: soon"], ""),
    (400, "INVITE", "sip:bob@lab", [], SDP),
    (406, "INVITE", "sip:bob@lab", ["Accept: text/plain, application/pidf+xml"], ""),
    (413, "MESSAGE", "sip:bob@lab", ["Content-Type: text/plain"], "x" * 33_000),
    (414, "OPTIONS", "sip:" + "b" * 2100 + "@lab", [], ""),
    (415, "INVITE", "sip:bob@lab", ["Content-Type: text/plain"], "hello"),
    (415, "INVITE", "sip:bob@lab", ["Content-Type: application/sdp", "Content-Encoding: gzip"], SDP),
    (415, "INVITE", "sip:bob@lab", ["Content-Type: multipart/mixed;boundary=x"], "--x\r\n\r\nhello\r\n--x--\r\n"),
    (416, "OPTIONS", "mailto:bob@lab", [], ""),
    (420, "OPTIONS", "sip:bob@lab", ["Require: replaces, teleport"], ""),
    (422, "INVITE", "sip:bob@lab", ["Supported: timer", "Session-Expires: 60;refresher=uac"], ""),
    (481, "BYE", "sip:bob@lab", ["To: <sip:bob@lab>;tag=gone"], ""),
    (481, "CANCEL", "sip:bob@lab", [], ""),
    (483, "INVITE", "sip:bob@lab", ["Max-Forwards: 0"], ""),
    (493, "INVITE", "sip:bob@lab", ["Content-Type: application/pkcs7-mime; smime-type=enveloped-data"], "sealed"),
    (505, "OPTIONS", "sip:bob@lab", [], ""),
]


@pytest.mark.parametrize("number", ["²", "9" * 5000, "-1", "1e9"])
@pytest.mark.parametrize(
    "header",
    [
        "Content-Length",
        "Max-Forwards",
        "Expires",
        "Session-Expires",
        "Min-SE",
        "Min-Expires",
        "RSeq",
        "Supported: timer\r\nSession-Expires",
    ],
)
@pytest.mark.parametrize("method", ["OPTIONS", "INVITE", "REGISTER", "SUBSCRIBE"])
def test_what_is_no_number_where_one_belongs_is_refused_or_read_over(method, header, number):
    for answer in answered(written(method, "sip:bob@lab", f"{header}: {number}")):
        assert answer.status < 500


@pytest.mark.parametrize(("status", "method", "uri", "lines", "body"), OWED)
def test_the_status_a_peer_is_owed(status, method, uri, lines, body):
    data = written(method, uri, *lines, body=body)
    if status == 505:
        data = data.replace(b"SIP/2.0\r\n", b"SIP/3.0\r\n", 1)
    (answer,) = answered(data)
    assert answer.status == status


TOLD = [
    ("Unsupported", "teleport", written("OPTIONS", "sip:bob@lab", "Require: replaces, teleport")),
    ("Min-SE", "90", written("INVITE", "sip:bob@lab", "Supported: timer", "Session-Expires: 60")),
    (
        "Accept",
        "application/sdp, multipart/mixed, multipart/alternative",
        written("INVITE", "sip:bob@lab", "Content-Type: text/plain", body="hello"),
    ),
    (
        "Accept-Encoding",
        "identity",
        written("MESSAGE", "sip:bob@lab", "Content-Type: text/plain", "Content-Encoding: gzip", body="x"),
    ),
]


@pytest.mark.parametrize(("header", "value", "data"), TOLD)
def test_a_refusal_says_what_would_be_understood(header, value, data):
    (answer,) = answered(data)
    assert answer.get(header) == value
    assert answer.to.tag


SERVED = [
    written("OPTIONS", "sip:bob@lab", "Max-Forwards: 0"),
    written("OPTIONS", "sip:bob@lab", "-Max-Forwards"),
    written("OPTIONS", "sips:bob@lab"),
    written("OPTIONS", "tel:+1-416-555-0142"),
    written("OPTIONS", "urn:service:sos"),
    written("OPTIONS", "sip:bob@[2001:db8::1]:5060;transport=tls"),
    written("INVITE", "sip:bob@lab", "Accept: application/*;q=0.5"),
    written("INVITE", "sip:bob@lab", "Supported: timer", "Session-Expires: 1800"),
    written("INVITE", "sip:bob@lab", "Require: replaces, norefersub"),
]


@pytest.mark.parametrize("data", SERVED)
def test_what_is_served(data):
    bob = stack(BOB, 1)
    bob.receive(data, ALICE, 0.0)
    (event,) = bob.take_events()
    assert isinstance(event, InviteReceived | RequestReceived)


def test_a_request_that_comes_by_two_ways_is_served_once_and_refused_on_the_other():
    bob = stack(BOB, 1)
    bob.receive(written("INVITE", branch="one"), ALICE, 0.0)
    bob.receive(written("INVITE", branch="two"), ALICE, 0.1)
    statuses = [parse(item.data).status for item in bob.take_outgoing()]
    assert sorted(statuses) == [100, 482]
    assert sum(isinstance(event, InviteReceived) for event in bob.take_events()) == 1


def test_a_branch_used_again_by_another_caller_begins_another_call_and_a_repetition_none():
    """Stock pyVoIP counts its Call-IDs and branches from one whenever it is started; its tags are random."""
    bob = stack(BOB, 1)
    bob.receive(written("INVITE"), ALICE, 0.0)
    bob.receive(written("INVITE"), ALICE, 0.5)
    bob.receive(written("INVITE", "sip:bob@lab", "From: <sip:alice@lab>;tag=b"), ALICE, 1.0)
    assert sum(isinstance(event, InviteReceived) for event in bob.take_events()) == 2


def test_an_invite_that_is_answered_at_once_gets_no_100_and_one_that_must_wait_does():
    """RFC 3261 §17.2.1: 100 is for those who would wait longer than 200 ms."""
    bob = stack(BOB, 1)
    bob.receive(written("INVITE"), ALICE, 0.0)
    (event,) = bob.take_events()
    event.session.reject(401, "", 0.0)
    assert [parse(item.data).status for item in bob.take_outgoing()] == [401]
    bob.receive(written("INVITE", "sip:bob@lab", "CSeq: 8 INVITE", branch="later"), ALICE, 1.0)
    assert [parse(item.data).status for item in bob.take_outgoing()] == [100]
    assert bob.take_outgoing() == []


def test_once_the_first_is_forgotten_the_same_may_come_again():
    bob = stack(BOB, 1)
    bob.receive(written("OPTIONS", branch="one"), ALICE, 0.0)
    (event,) = bob.take_events()
    bob.respond(event.transaction, 200, now=0.0)
    bob.tick(33.0)
    bob.take_outgoing()
    bob.receive(written("OPTIONS", branch="two"), ALICE, 34.0)
    assert len(bob.take_events()) == 1


def test_a_request_refused_in_its_dialog_leaves_nothing_running():
    bob = stack(BOB, 1)
    bob.receive(written("INVITE", "sip:bob@lab", "Contact: <broken"), ALICE, 0.0)
    assert bob.live() == {"sessions": 0, "transactions": 0}


SAME = [
    written("INVITE", "sip:bob@lab", "Content-Type: application/sdp", "Supported: timer", "Supported: replaces",
            "Subject: lunch at one", body=SDP),
    ("INVITE sip:bob@lab SIP/2.0\r\nv: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
     "f: <sip:alice@lab>;tag=a\r\nt: <sip:bob@lab>\r\ni: it\r\ncseq: 7 INVITE\r\nm: <sip:alice@10.0.0.1>\r\n"
     f"c: application/sdp\r\nk: timer,replaces\r\ns: lunch\r\n  at one\r\nl: {len(SDP)}\r\n\r\n{SDP}").encode(),
    ("INVITE sip:bob@lab SIP/2.0\r\nVIA :SIP / 2.0 / UDP 10.0.0.1\r\n ; branch = z9hG4bK1\r\nMax-Forwards:70\r\n"
     "FROM: <sip:alice@lab>\r\n\t;tag=a\r\nto:<sip:bob@lab>\r\nCALL-ID: it\r\nCSeq: 7\r\n INVITE\r\n"
     "Contact: <sip:alice@10.0.0.1>\r\nContent-Type: application/sdp\r\nsupported: timer\r\n , replaces\r\n"
     f"SUBJECT:  lunch at one \r\nContent-Length:\r\n {len(SDP)}\r\n\r\n{SDP}").encode(),
]  # fmt: skip


@pytest.mark.parametrize("data", SAME, ids=["plain", "compact", "folded"])
def test_compact_folded_and_plain_say_the_same(data):
    message = parse(data)
    assert isinstance(message, Request)
    assert (message.via.host, message.via.branch, message.call_id, message.cseq.number) == (
        "10.0.0.1",
        "z9hG4bK1",
        "it",
        7,
    )
    assert (message.from_.tag, message.to.user) == ("a", "bob")
    assert message.all("Contact") == ["<sip:alice@10.0.0.1>"]
    assert message.tokens("Supported") == ["timer", "replaces"]
    assert (message.get("Subject"), message.body) == ("lunch at one", SDP.encode())


@pytest.mark.parametrize(
    ("uri", "dialled"),
    [
        ("sip:102@lab", "102"),
        ("sip:%2B14165550142@lab;user=phone", "+14165550142"),
        ("tel:+1-416-555-0142", "+1-416-555-0142"),
        ("tel:7042;phone-context=acme.lab", "7042"),
        ("urn:service:sos", "service:sos"),
        ("sip:lab", ""),
    ],
)
def test_what_a_uri_dials(uri, dialled):
    assert parse_uri(uri).user == dialled


@pytest.mark.parametrize("text", ["sip:", "sip:@", "sip:2001:db8::10", "sip:a@b:0", "bob", "", "sip:a b@c", "sip:<x>"])
def test_what_is_no_uri(text):
    with pytest.raises(BadUri):
        parse_uri(text)


def test_a_list_is_cut_where_commas_separate_and_nowhere_else():
    message = parse(
        written(
            "REGISTER",
            "sip:lab",
            'Contact: "Bell, A." <sip:bell@h,x;a="b,c">;q=1, sip:b@h;expires=5,<sip:c@h?a=b,c>',
            "Contact: *",
        )
    )
    values = message.all("Contact")
    assert [parse_name_addr(value).uri for value in values[:3]] == ['sip:bell@h,x;a="b,c"', "sip:b@h", "sip:c@h?a=b,c"]
    assert values[3] == "*"


MIXED = (
    "--x\r\nContent-Type: application/pidf+xml\r\nContent-Disposition: render;handling={handling}\r\n\r\n<here/>\r\n"
    "--x\r\nContent-Type: multipart/alternative;\r\n boundary=\"in ner\"\r\n\r\n"
    "--in ner\r\n\r\nwords\r\n--in ner\r\nc: application/sdp\r\n\r\n" + SDP + "--in ner--\r\n--x--\r\n"
)  # fmt: skip


def test_a_session_description_is_found_inside_nested_parts():
    body = MIXED.format(handling="optional").encode()
    kind = 'multipart/mixed; boundary="x"'
    assert [part.kind for part in parts(body, kind)] == ["application/pidf+xml", "text/plain", "application/sdp"]
    assert sdp_of(body, kind) == SDP.encode()
    assert required_types(body, kind) == []


def test_a_part_that_must_be_understood_and_is_not_refuses_the_whole():
    (answer,) = answered(
        written(
            "INVITE", "sip:bob@lab", "Content-Type: multipart/mixed;boundary=x", body=MIXED.format(handling="required")
        )
    )
    assert answer.status == 415


@pytest.mark.parametrize("kind", ["multipart/mixed", "multipart/mixed;boundary=", "multipart/mixed;boundary=y"])
def test_parts_that_cannot_be_told_apart_are_none(kind):
    assert list(parts(MIXED.encode(), kind)) == []
