"""The structured log of `up`: one JSON object a line, and no secret in it."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime

from lab import logs
from pbx.bus import Bus
from pbx.clock import Moment
from pbx.events import ConfigRefused, ServerFault, SipRequest

NOW = Moment(1.0, datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
REFUSED = ConfigRefused(
    protocol="http",
    path="/p/s3cret/805ec0000001.cfg",
    address="127.0.0.1:9",
    mac="805ec0000001",
    device="101",
    reason="the one-time token was used",
    status=404,
)


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_and_names_why() -> None:
    stream, bus = io.StringIO(), Bus()
    logs.follow(bus, logs.configure(stream))
    bus.publish(REFUSED, NOW)
    (line,) = lines(stream)
    assert line["event"] == "provisioning.refused"
    assert line["reason"] == "the one-time token was used"
    assert line["time"] == "2026-11-24T09:00:00+00:00"
    assert (line["seq"], line["status"]) == (1, 404)


def test_a_token_is_not_written() -> None:
    stream, bus = io.StringIO(), Bus()
    logs.follow(bus, logs.configure(stream))
    bus.publish(REFUSED, NOW)
    assert "s3cret" not in stream.getvalue()
    assert lines(stream)[0]["path"] == "805ec0000001.cfg"


def test_sip_messages_are_written_from_level_debug_on() -> None:
    for level, written in (("info", 0), ("debug", 1)):
        stream, bus = io.StringIO(), Bus()
        logs.follow(bus, logs.configure(stream, level))
        bus.publish(
            SipRequest("in", "OPTIONS", "udp:127.0.0.1:5060", "a@b", "101", b"OPTIONS sip:acme.lab SIP/2.0"), NOW
        )
        assert len(lines(stream)) == written


def test_at_level_warning_only_faults_are_written() -> None:
    for form in ("json", "text"):
        stream, bus = io.StringIO(), Bus()
        logs.follow(bus, logs.configure(stream, "warning", form))
        bus.publish(REFUSED, NOW)
        assert not stream.getvalue()
        bus.publish(ServerFault("store", "", "the disk refuses"), NOW)
        assert "the disk refuses" in stream.getvalue()


def test_a_long_value_is_cut_and_an_empty_one_left_out() -> None:
    stream, bus = io.StringIO(), Bus()
    logs.follow(bus, logs.configure(stream))
    bus.publish(ServerFault("store", "", "x" * 1000), NOW)
    (line,) = lines(stream)
    assert line["message"] == "x" * 300 + "…"
    assert (line["level"], "call" in line) == ("error", False)


def test_a_library_s_warning_takes_the_same_form() -> None:
    stream = io.StringIO()
    logs.configure(stream)
    logging.getLogger("aiohttp.server").warning("bad request")
    (line,) = lines(stream)
    assert line["event"] == "bad request"
    assert line["level"] == "warning"
