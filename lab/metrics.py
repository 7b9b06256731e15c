"""`GET /metrics`: what a running lab counts, for Prometheus. Events are counted as they come, states read when asked.

What a label may say comes from a list of ours wherever strangers could choose it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import web

from lab.exposition import CONTENT_TYPE, OTHER, Histogram, Metric, text
from pbx import events as e
from pbx.events import Event
from pbx.sip.dialog import ALLOW
from pbx.sip.tolerances import Tolerance

if TYPE_CHECKING:
    from lab.service import Lab

LAG_EVERY_S = 0.5
METHODS = frozenset(ALLOW.replace(",", " ").split()) | {"REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "PUBLISH"}
REFUSALS = frozenset({
    "uploads are off", "no family has a file of that name", "unknown MAC", "wrong token", "no token",
    "no token, and the window of this device is closed", "the one-time token has been used",
    "too many guesses from this address",
})  # fmt: skip
"""Reasons of provisioning that are counted by name; any other text is `other`."""
REGISTRATIONS = {
    e.DeviceRegistered: "added", e.DeviceRefreshed: "refreshed", e.DeviceUnregistered: "removed",
    e.RegistrationExpired: "expired", e.RegistrationRefused: "refused",
}  # fmt: skip


class Metrics:
    """Owns the counts of one lab. `start` begins to measure the loop, `close` ends it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._timer: asyncio.TimerHandle | None = None
        counter, gauge = "counter", "gauge"
        self.registered = Metric(gauge, "switchroom_registered_devices", "Devices with a live contact.")
        self.live = Metric(gauge, "switchroom_live", "What is in progress in the switch, all zero at rest.", ["what"])
        self.store = Metric(gauge, "switchroom_store_queue", "Changes that wait to be durable.")
        self.lag = Histogram(
            "switchroom_loop_lag_seconds", "How late a timer of the event loop was, twice a second.",
            (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
        )  # fmt: skip
        self.registrations = Metric(
            counter, "switchroom_registrations_total", "Changes of registrations, and attempts refused.", ["outcome"]
        )
        self.slowed = Metric(
            counter, "switchroom_guessing_slowed_total", "Addresses and users whose guesses were slowed down.", ["by"]
        )
        self.calls = Metric(
            counter, "switchroom_calls_total", "Calls recorded, by how they ended.", ["disposition", "direction"]
        )
        self.requests = Metric(
            counter, "switchroom_sip_requests_total", "SIP requests, seen from the switch.", ["direction", "method"]
        )
        self.responses = Metric(
            counter, "switchroom_sip_responses_total", "SIP responses by class of status.", ["direction", "class"]
        )
        self.ignored = Metric(
            counter, "switchroom_input_ignored_total",
            "What others sent and was not served: the status it was owed, or none.", ["protocol", "status"],
        )  # fmt: skip
        self.tolerated = Metric(
            counter, "switchroom_handset_faults_tolerated_total",
            "Faults of handsets that were forgiven, by name.", ["fault"],
        )  # fmt: skip
        self.served = Metric(
            counter, "switchroom_provisioning_served_total", "Configuration files served.", ["protocol", "kind"]
        )
        self.refused = Metric(
            counter, "switchroom_provisioning_refused_total", "Requests for files refused.", ["protocol", "reason"]
        )
        self.streams = Metric(counter, "switchroom_media_streams_total", "Media streams that ended.", ["codec"])
        self.loss = Histogram(
            "switchroom_media_loss_ratio", "Packets lost of those a stream should have had.",
            (0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
        )  # fmt: skip
        self.jitter = Histogram(
            "switchroom_media_jitter_seconds", "Interarrival jitter of a stream (RFC 3550).",
            (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
        )  # fmt: skip
        self.mos = Histogram(
            "switchroom_media_mos", "Estimated mean opinion score of a stream.", (1.5, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.4)
        )
        self.one_way = Metric(counter, "switchroom_one_way_audio_total", "Times one party of two was not heard.")
        self.overload = Metric(
            counter,
            "switchroom_overload_refused_total",
            "Requests refused with 503: more came than can be served.",
        )
        self.tls = Metric(counter, "switchroom_tls_refused_total", "TLS connections that did not come about.")
        self.faults = Metric(counter, "switchroom_faults_total", "Faults of our own, contained.", ["where"])
        countings = self._countings()
        lab.bus.subscribe(lambda stamped: countings[type(stamped.event)](stamped.event), countings)

    def all(self) -> list[Metric | Histogram]:
        """Return every metric, in the order they are declared."""
        return [value for value in vars(self).values() if isinstance(value, Metric | Histogram)]

    def route(self, app: web.Application) -> None:
        app.router.add_get("/metrics", self._scraped)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + LAG_EVERY_S

        def measure() -> None:
            self.lag.observe(max(0.0, loop.time() - due))
            self.start()

        self._timer = loop.call_at(due, measure)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def _scraped(self, request: web.Request) -> web.Response:
        self._read()
        return web.Response(body=text(self.all()).encode(), headers={"Content-Type": CONTENT_TYPE})

    def _read(self) -> None:
        """Take down the states; a switch that is killed and not yet back has none."""
        lab = self._lab
        self.store.replace([((), lab.store.waiting)])
        live, registered, tolerated = {}, 0, Counter[Tolerance]()
        if lab.alive:
            self.overload.replace([((), lab.switch.admission.refused)])
            live, registered = lab.switch.live(), len(lab.switch.registered())
            tolerated = lab.tolerated()
        self.live.replace(((what,), count) for what, count in live.items())
        self.registered.replace([((), registered)])
        self.tolerated.replace(((fault.value,), count) for fault, count in tolerated.items())

    def _countings(self) -> dict[type[Event], Callable[[Any], None]]:
        """What each kind of event adds; of the others nothing is told, which is half of those of a call."""
        return {
            e.SipRequest: lambda it: self.requests.add(it.direction, it.method if it.method in METHODS else OTHER),
            e.SipResponse: lambda it: self.responses.add(it.direction, f"{it.status // 100}xx"),
            **dict.fromkeys(REGISTRATIONS, lambda it: self.registrations.add(REGISTRATIONS[type(it)])),
            e.InputIgnored: lambda it: self.ignored.add(it.protocol, str(it.status or "none")),
            e.GuessingSlowed: lambda it: self.slowed.add(it.by),
            e.CallRecordWritten: lambda it: self.calls.add(it.disposition, it.direction),
            e.ConfigServed: lambda it: self.served.add(it.protocol, it.file_kind),
            e.ConfigRefused: lambda it: self.refused.add(it.protocol, it.reason if it.reason in REFUSALS else OTHER),
            e.MediaReport: self._stream,
            e.MediaOneWay: lambda it: self.one_way.add(),
            e.TlsRefused: lambda it: self.tls.add(),
            e.ServerFault: lambda it: self.faults.add(it.where),
        }

    def _stream(self, report: e.MediaReport) -> None:
        """A stream of which nothing arrived has no quality."""
        self.streams.add(report.codec)
        if report.received:
            self.loss.observe(report.lost / (report.received + report.lost))
            self.jitter.observe(report.jitter_ms / 1000)
            if report.mos is not None:
                self.mos.observe(report.mos)
