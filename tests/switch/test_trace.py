"""Whose message it is, when two ports of an adapter share an address."""

from __future__ import annotations

import pytest

from pbx.events.masking import masked
from pbx.sip.message import parse
from pbx.switch.trace import broken_event, message_event

PORTS = ("111", "112")
DIALOG = b"From: <sip:%s@acme.lab>;tag=a\r\nTo: <sip:%s@acme.lab>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n"


@pytest.mark.parametrize(
    ("direction", "start", "caller", "called", "device"),
    [
        ("in", b"INVITE sip:611@acme.lab SIP/2.0", b"112", b"611", "112"),
        ("out", b"SIP/2.0 180 Ringing", b"112", b"611", "112"),
        ("out", b"INVITE sip:112@10.0.0.7:5060 SIP/2.0", b"101", b"7112", "112"),
        ("in", b"SIP/2.0 200 OK", b"101", b"112", "112"),
        ("in", b"SIP/2.0 200 OK", b"101", b"14165550142", "111"),
    ],
)
def test_the_message_itself_names_its_port(direction, start, caller, called, device):
    data = start + b"\r\n" + DIALOG % (caller, called)
    assert message_event(direction, "udp:10.0.0.7:5060", parse(data), data, PORTS).device == device


def test_one_device_at_an_address_needs_no_name_and_a_stranger_has_none():
    data = b"OPTIONS sip:acme.lab SIP/2.0\r\n" + DIALOG % (b"999", b"888")
    assert message_event("in", "udp:10.0.0.7:5060", parse(data), data, ("101",)).device == "101"
    assert message_event("in", "udp:10.0.0.7:5060", parse(data), data, ()).device == ""


def test_what_cannot_be_read_is_traced_as_far_as_it_can_be_named():
    data = b"INVITE sip:acme.lab SIP/2.0\r\nno header\r\ni: 7@x\r\n\r\n"
    traced = broken_event("in", "udp:10.0.0.7:5060", data, ("101",))
    assert (traced.method, traced.sip_call_id, traced.device) == ("INVITE", "7@x", "101")
    assert broken_event("in", "udp:10.0.0.7:5060", b"rubbish", PORTS) is None


@pytest.mark.parametrize("name", ["Authorization", "Proxy-Authorization", "AUTHORIZATION", "authorization"])
@pytest.mark.parametrize("fold", [" ", "\r\n "])
def test_no_proof_is_traced_however_its_header_is_written(name, fold):
    proof = f'{name}: Digest username="101",{fold}Response = "5ec2e7", nc=1'
    shown = masked(f'REGISTER sip:acme.lab SIP/2.0\r\nÄ: ü\r\n{proof}\r\n\r\nresponse="of a body"'.encode())
    assert "5ec2e7" not in shown
    assert shown.endswith('Response = "***", nc=1\r\n\r\nresponse="of a body"')


def test_a_key_in_the_address_of_a_configuration_is_not_traced():
    head = b"NOTIFY sip:101@10.0.1.1 SIP/2.0\r\nEvent: ua-profile\r\nContent-Type: application/url\r\n\r\n"
    shown = masked(head + b"http://10.0.0.2:8080/p/abcdefghijklmnop0123/805ec0000101.cfg")
    assert shown.endswith("http://10.0.0.2:8080/p/" + "*" * 20 + "/805ec0000101.cfg")
