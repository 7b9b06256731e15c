"""PUBLISH: what a phone says of a call's quality (RFC 6035 over RFC 3903), put beside what we measured of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from pbx.domain.devices import Device
from pbx.events import QualityReported
from pbx.media.vq_report import BadReport, read_report
from pbx.numerals import natural
from pbx.sip.address import Peer
from pbx.sip.bodies import media_type
from pbx.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from pbx.switch.legs import Leg
    from pbx.switch.switch import Switch

PACKAGE = "vq-rtcpxr"
BODY = "application/vq-rtcpxr"
DEFAULT_EXPIRES_S = MAX_EXPIRES_S = 3600
MAX_KEPT = 2000
"""Publications, and calls that a report may still come for; the oldest leave first."""


class Reports:
    """Owns the entity tags, and the Call-IDs of the legs of late."""

    def __init__(self, switch: Switch, token: Callable[[int], str]) -> None:
        self._switch = switch
        self._token = token
        self._published: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._legs: OrderedDict[tuple[str, str], tuple[str, str]] = OrderedDict()

    def leg_began(self, call: str, leg: Leg) -> None:
        """Remember which call a device's dialog belongs to: reports come when it is over."""
        if leg.device and leg.session is not None:
            self._legs[leg.device, leg.session.call_id] = (call, leg.name)
            if len(self._legs) > MAX_KEPT:
                self._legs.popitem(last=False)

    def take(self, transaction: ServerTransaction, source: Peer) -> None:
        """Serve a PUBLISH."""
        switch, now = self._switch, self._switch.now.mono
        request = transaction.request
        device, verdict = switch.registration.prove(request, source)
        if device is None:
            switch.registration.refuse(transaction, source, verdict)
            return
        if (request.get("Event") or "").partition(";")[0].strip().lower() != PACKAGE:
            switch.stack.respond(transaction, 489, headers=[("Allow-Events", PACKAGE)], now=now)
            return
        known = request.get("SIP-If-Match")
        if known is not None and not self._is_theirs(known.strip(), device, now):
            switch.stack.respond(transaction, 412, now=now)
            return
        if request.body and media_type(request.get("Content-Type")) != BODY:
            switch.stack.respond(transaction, 415, headers=[("Accept", BODY)], now=now)
            return
        if request.body:
            try:
                self._told(device, request.body)
            except BadReport as error:
                switch.stack.respond(transaction, 400, f"Bad Request ({error})"[:100], now=now)
                return
        elif known is None:
            switch.stack.respond(transaction, 400, "Bad Request (a first PUBLISH has a body)", now=now)
            return
        tag, expires_s = self._keep(known, device, request.get("Expires"), now)
        switch.stack.respond(transaction, 200, headers=[("SIP-ETag", tag), ("Expires", str(expires_s))], now=now)

    def _told(self, device: Device, body: bytes) -> None:
        report = read_report(body)
        call, leg = self._legs.get((device.id, report.call_id), ("", ""))
        self._switch.publish(
            QualityReported(
                call,
                leg,
                device.id,
                report.kind,
                report.call_id[:200],
                report.codec,
                report.lost_percent,
                report.discarded_percent,
                report.jitter_ms,
                report.buffer_ms,
                report.round_trip_ms,
                report.mos_listening,
                report.mos_conversational,
            )
        )

    def _is_theirs(self, tag: str, device: Device, now: float) -> bool:
        owner, expires_at = self._published.get(tag, ("", 0.0))
        return owner == device.id and expires_at > now

    def _keep(self, known: str | None, device: Device, wanted: str | None, now: float) -> tuple[str, int]:
        """Return the entity tag of what is published now, and for how long it holds (RFC 3903 §6)."""
        if known is not None:
            self._published.pop(known.strip(), None)
        asked_s = natural(wanted or "")
        expires_s = min(asked_s, MAX_EXPIRES_S) if asked_s is not None else DEFAULT_EXPIRES_S
        tag = self._token(16)
        if expires_s:
            self._published[tag] = (device.id, now + expires_s)
            if len(self._published) > MAX_KEPT:
                self._published.popitem(last=False)
        return tag, expires_s
