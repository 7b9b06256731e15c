"""PUBLISH: what a phone says of its calls lands beside ours (RFC 6035)."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.events import QualityReported
from tests.switch.test_switch_calls import up

KIND = "application/vq-rtcpxr"


def report(call_id: str) -> bytes:
    return (
        "VQSessionReport: CallTerm\r\n"
        f"CallID: {call_id}\r\nLocalID: <sip:101@acme.lab>\r\n"
        "LocalMetrics:\r\n"
        "Timestamps:START=2026-11-26T10:00:00Z STOP=2026-11-26T10:01:00Z\r\n"
        'SessionDesc:PT=0 PD=PCMU SR=8000 FD=20 FO=160 FPP=1 PPS=50 FMTP="a=b" PLC=3 SSUP=off\r\n'
        "JitterBuffer:JBA=3 JBR=2 JBN=40 JBM=80 JBX=120\r\nPacketLoss:NLR=1.5 JDR=0.5\r\n"
        "Delay:RTD=30 ESD=40 IAJ=4\r\nQualityEst:RLQ=90 MOSLQ=4.1 MOSCQ=127 QoEEstAlg=P.564\r\n"
        "RemoteMetrics:\r\nPacketLoss:NLR=99 JDR=99\r\n"
    ).encode()


def publish(phone: Any, body: bytes, event: str = "vq-rtcpxr", kind: str = KIND, **headers: str) -> Any:
    return phone.request("PUBLISH", to=phone.name, body=body, kind=kind if body else "", Event=event, **headers)


def test_a_report_is_put_to_the_call_it_is_about(town):
    ana, _ = up(town)
    call_id = ana.talk.session.call_id
    ana.hang_up()
    town.run(1.0)
    answer = publish(ana, report(call_id), Expires="600")
    assert (answer.status, answer.get("Expires")) == (200, "600")
    assert answer.get("SIP-ETag")
    told = town.last(QualityReported)
    assert (told.call, told.leg, told.device, told.report, told.codec) == (
        "c-0001",
        "c-0001.0",
        "101",
        "session",
        "PCMU",
    )
    assert (told.lost_percent, told.discarded_percent, told.jitter_ms, told.buffer_ms) == (1.5, 0.5, 4.0, 40.0)
    assert (told.round_trip_ms, told.mos_listening, told.mos_conversational) == (30.0, 4.1, None)


def test_nobody_reports_on_another_s_call(town):
    ana, ben = up(town)
    assert publish(ben, report(ana.talk.session.call_id)).status == 200
    assert town.last(QualityReported).call == ""
    ana.hang_up()


def test_a_publication_is_refreshed_by_its_tag_alone(town):
    ana, ben = town.phone("101"), town.phone("102")
    tag = publish(ana, report("x")).get("SIP-ETag")
    assert publish(ben, b"", SIP_If_Match=tag).status == 412
    again = publish(ana, b"", SIP_If_Match=tag)
    assert again.status == 200
    assert again.get("SIP-ETag") != tag
    assert publish(ana, b"", SIP_If_Match=tag).status == 412
    assert publish(ana, b"", SIP_If_Match=again.get("SIP-ETag"), Expires="0").get("Expires") == "0"
    assert len(town.seen(QualityReported)) == 1


@pytest.mark.parametrize(
    ("body", "event", "kind", "status"),
    [
        (b"VQSessionReport\r\nCallID: x\r\n", "vq-rtcpxr", KIND, 400),
        (b"VQSessionReport:\r\nLocalMetrics:\r\nDelay:RTD=1\r\n", "vq-rtcpxr", KIND, 400),
        (b"VQSessionReport:\r\nCallID: x\r\n", "vq-rtcpxr", KIND, 400),
        (b"\xff\xfe\x00", "vq-rtcpxr", KIND, 400),
        (b"", "vq-rtcpxr", KIND, 400),
        (report("x"), "presence", KIND, 489),
        (report("x"), "vq-rtcpxr", "text/plain", 415),
    ],
)
def test_what_is_no_report_is_refused_with_what_it_is_owed(town, body, event, kind, status):
    ana = town.phone("101")
    assert publish(ana, body, event, kind).status == status
    assert town.seen(QualityReported) == []


def test_strangers_report_nothing(town):
    stranger = town.phone("199", registered=False)
    assert publish(stranger, report("x")).status == 403
