"""RFC 4475: valid messages are understood, invalid ones get the status they are owed, nothing ends the stack.

The byte-exact set is read from the reference folder beside the project where that is present; the messages written
here, after the RFC's text, are what the project ships.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair import ALICE, BOB, stack

from pbx.sip.message import Malformed, Request, Response, parse
from pbx.sip.validate import validate

FILES = sorted((Path(__file__).parents[3] / "shared" / "reference" / "rfc4475").glob("*.dat"))


def message(start: str, *headers: str, body: str = "") -> bytes:
    """Write a message with the usual headers, each replaced by one given here of the same name."""
    usual = {
        "Via": "Via: SIP/2.0/UDP host.example.com;branch=z9hG4bK-own",
        "From": "From: <sip:caller@example.com>;tag=own1",
        "To": "To: <sip:user@example.com>",
        "Call-ID": "Call-ID: own-torture",
        "CSeq": f"CSeq: 7 {start.split(' ')[0]}",
    }
    named = {line.split(":")[0].strip() for line in headers}
    lines = [start, *(line for name, line in usual.items() if name not in named), *headers]
    return ("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body])).encode()


OWN = {
    "own folding and compact forms": (
        b"OPTIONS sip:user@example.com SIP/2.0\r\nv:  SIP  / 2.0\r\n /UDP\r\n    192.0.2.2;branch=z9hG4bKown\r\n"
        b"f:\r\n <sip:a@example.com>\r\n ;tag=1\r\nTO : sip:user@example.com\r\ni: own\r\n"
        b"cseq:\r\n  9\r\n  OPTIONS\r\nl: 0\r\n\r\n"
    ),
    "own strange method": message("!odd-Method_%'`*+~ sip:user@example.com SIP/2.0"),
    "own escaped characters": message("OPTIONS sip:sips%3Auser%40example.com@example.net SIP/2.0"),
    "own display name with a URI in it": message(
        "OPTIONS sip:user@example.com SIP/2.0", 'From: "x <sip:spoof@example.org>" <sip:real@example.com>;tag=1'
    ),
    "own unknown scheme": message("OPTIONS nobodyknows:totallyopaque SIP/2.0"),
    "own required extension": message("OPTIONS sip:user@example.com SIP/2.0", "Require: nothingKnowsThis"),
    "own later version": message("OPTIONS sip:user@example.com SIP/7.0"),
    "own negative length": message("OPTIONS sip:user@example.com SIP/2.0").replace(b"Length: 0", b"Length: -1"),
    "own two Call-IDs": message("OPTIONS sip:user@example.com SIP/2.0", "Call-ID: one", "Call-ID: two"),
    "own method and CSeq differ": message("OPTIONS sip:user@example.com SIP/2.0", "CSeq: 8 INVITE"),
    "own no hop left": message("REGISTER sip:example.com SIP/2.0", "Max-Forwards: 0"),
    "own body of no use": message(
        "INVITE sip:user@example.com SIP/2.0", "Content-Type: application/unheard-of", body="<audio/>"
    ),
}
BY_NAME = OWN | {file.stem.removeprefix("TC_"): file.read_bytes() for file in FILES}

VALID = (
    "WSINV", "INTMETH", "ESC01_V", "ESCNULL_V", "ESC02_V", "LWSDISP_V", "LONGREQ_V", "DBLREQ", "SEMIURI_V",
    "TRANSPORTS_V", "MPART01", "UNREASON_V", "NOREASON_V", "own folding and compact forms", "own strange method",
    "own escaped characters", "own display name with a URI in it",
)  # fmt: skip
"""Section 3.1.1."""

REFUSED = {
    "CLERR_I": 400, "NCL_I": 400, "SCALAR02_V": 400, "QUOTBAL_I": 400, "LWSRURI_I": 400, "LWSSTART_V": 400,
    "TRWS_I": 400, "MISMATCH01_V": 400, "MISMATCH02_V": 400, "BADVERS_V": 505, "INSUF_I": 400, "MULTI01_I": 400,
    "MCL01_I": 400, "UNKSCM_V": 416, "NOVELSC_V": 416, "BEXT01_V": 420, "INVUT_V": 415, "own unknown scheme": 416,
    "own required extension": 420, "own later version": 505, "own negative length": 400, "own two Call-IDs": 400,
    "own method and CSeq differ": 400, "own no hop left": 483, "own body of no use": 415,
}  # fmt: skip


def present(names):
    return [name for name in names if name in BY_NAME]


def test_a_spoofed_display_name_does_not_name_the_caller():
    assert parse(OWN["own display name with a URI in it"]).from_.user == "real"


@pytest.mark.parametrize("name", present(VALID))
def test_a_valid_message_is_understood(name):
    message = parse(BY_NAME[name])
    assert message.call_id
    assert message.cseq.method
    assert message.from_.tag or name == "ESC02_V"
    if isinstance(message, Request):
        validate(message)


@pytest.mark.parametrize("name", present(REFUSED))
def test_an_invalid_message_is_refused_with_the_status_it_is_owed(name):
    with pytest.raises(Malformed) as refused:
        validate(parse(BY_NAME[name]))
    assert refused.value.status == REFUSED[name]


@pytest.mark.parametrize("name", BY_NAME)
def test_the_stack_answers_after_every_torture_message(name):
    bob = stack(BOB, 1)
    bob.receive(BY_NAME[name], ALICE, 0.0)
    bob.take_events()
    bob.take_outgoing()
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


def test_what_is_refused_statelessly_still_carries_what_the_sender_needs_to_match_it():
    bob = stack(BOB, 1)
    bob.receive(OWN["own negative length"], ALICE, 0.0)
    answer = bob.take_outgoing()[0].data
    assert answer.startswith(b"SIP/2.0 400")
    assert b"branch=z9hG4bK" in answer
    assert b"cseq:" in answer.lower()


MANGLED = st.sampled_from(sorted(BY_NAME.values())).flatmap(
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
@given(st.sampled_from(sorted(BY_NAME)))
def test_what_was_read_and_written_reads_the_same_again(name):
    try:
        message = parse(BY_NAME[name])
    except Malformed:
        return
    again = parse(bytes(message))
    assert [h for h in again.headers if h[0] != "Content-Length"] == [
        h for h in message.headers if h[0] != "Content-Length"
    ]
    assert again.body == message.body
    assert isinstance(again, Response) == isinstance(message, Response)
