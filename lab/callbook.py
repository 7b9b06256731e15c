"""The book of calls: what the event stream said of each call, bounded, for the console, the API and the command line.

One reader of the bus. A SIP message belongs to the call whose leg carries its Call-ID; messages that come before
the leg is known (the INVITE that opens it) are kept aside until it is.
"""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from pbx.events import (
    CallEnded,
    CallInvited,
    CallRecordWritten,
    CallRouted,
    CallUp,
    Event,
    LegInvited,
    MediaHeard,
    MediaReport,
    SipRequest,
    SipResponse,
    Stamped,
)

KEPT_CALLS = 2000
KEPT_EVENTS = 1000
"""Of one call; a call that has more keeps its newest."""
_KEPT_ASIDE, _KEPT_OF_ONE = 200, 20
"""Call-IDs whose call is not known yet, and messages of each."""

_NOTED = frozenset({CallInvited, LegInvited, CallUp, CallEnded, CallRecordWritten})
"""What changes an entry beside its list of events."""


@dataclass(slots=True)
class CallEntry:
    """One call as it was seen; `events` in order."""

    call: str
    caller_number: str = ""
    caller_device: str = ""
    dialled: str = ""
    events: deque[Stamped] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    sip_call_ids: set[str] = field(default_factory=set)
    ended: bool = False
    disposition: str = ""
    talk_s: float = 0.0

    @property
    def started(self) -> Stamped:
        return self.events[0]

    @property
    def path(self) -> tuple[str, ...]:
        """Where the call went, stop by stop; a stop that was asked about again is one stop."""
        stops = (e.event.destination for e in self.events if isinstance(e.event, CallRouted))
        return tuple(stop for stop, _ in groupby(stops))

    @property
    def records(self) -> tuple[dict[str, object], ...]:
        """The decision records, first route first."""
        return tuple(json.loads(e.event.record) for e in self.events if isinstance(e.event, CallRouted))

    @property
    def messages(self) -> tuple[Stamped, ...]:
        return tuple(e for e in self.events if isinstance(e.event, SipRequest | SipResponse))

    @property
    def sounds(self) -> tuple[str, ...]:
        """Who was heard on which leg, and the figures of each leg's media."""
        lines = []
        for stamped in self.events:
            match stamped.event:
                case MediaHeard(leg=leg, device=device, sound=sound):
                    lines.append(f"{device or leg}: {sound}")
                case MediaReport(leg=leg, device=device, received=0):
                    lines.append(f"{device or leg}: nothing received")
                case MediaReport() as report:
                    mos = "" if report.mos is None else f", MOS {report.mos:.2f}"
                    lines.append(
                        f"{report.device or report.leg}: {report.codec}, {report.received} packets received, "
                        f"{report.lost} lost, jitter {report.jitter_ms:.1f} ms{mos}"
                    )
        return tuple(lines)


class CallBook:
    """Owns the entries; `take` is its only input."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, CallEntry] = OrderedDict()
        self._by_sip_id: dict[str, str] = {}
        self._aside: OrderedDict[str, deque[Stamped]] = OrderedDict()
        """Messages of no call yet, by Call-ID, oldest first: a registration's stay so."""
        self._forgotten: set[str] = set()
        """Calls whose last words (the figures of their media) may still come."""

    def forget(self) -> None:
        """Forget every call."""
        self._forgotten = set(self._entries)
        for each in (self._entries, self._by_sip_id, self._aside):
            each.clear()

    def entries(self) -> Iterable[CallEntry]:
        """Newest first."""
        return reversed(self._entries.values())

    def entry(self, call: str) -> CallEntry | None:
        return self._entries.get(call)

    def call_of(self, stamped: Stamped) -> str:
        """Return the call an event belongs to, empty when it belongs to none (yet)."""
        event = stamped.event
        if isinstance(event, SipRequest | SipResponse):
            return self._by_sip_id.get(event.sip_call_id, "")
        return getattr(event, "call", "")

    def take(self, stamped: Stamped) -> CallEntry | None:
        """Note one event; return the entry it belongs to, if any."""
        event, kind = stamped.event, type(stamped.event)
        if isinstance(event, (SipRequest, SipResponse)):
            # Registrations are most of the messages there are, and never of a call.
            return self._take_message(stamped, event.sip_call_id) if event.method != "REGISTER" else None
        call = getattr(event, "call", "")
        if not call:
            return None
        if call in self._forgotten:
            if kind is not CallInvited:
                return None
            self._forgotten.discard(call)  # another of that name, of a switch that was started anew
        entry = self._entries.get(call)
        if entry is None:
            entry = self._open(call)
        if kind in _NOTED:
            self._note(entry, event)
        entry.events.append(stamped)
        return entry

    def _open(self, call: str) -> CallEntry:
        entry = self._entries[call] = CallEntry(call)
        if len(self._entries) > KEPT_CALLS:
            _, oldest = self._entries.popitem(last=False)
            for sip_id in oldest.sip_call_ids:
                self._by_sip_id.pop(sip_id, None)
        return entry

    def _take_message(self, stamped: Stamped, sip_id: str) -> CallEntry | None:
        call = self._by_sip_id.get(sip_id)
        entry = self._entries.get(call) if call else None
        if entry is None:
            self._aside.setdefault(sip_id, deque(maxlen=_KEPT_OF_ONE)).append(stamped)
            if len(self._aside) > _KEPT_ASIDE:
                self._aside.popitem(last=False)
            return None
        entry.events.append(stamped)
        return entry

    def _join(self, entry: CallEntry, sip_id: str) -> None:
        entry.sip_call_ids.add(sip_id)
        self._by_sip_id[sip_id] = entry.call
        entry.events.extend(self._aside.pop(sip_id, ()))

    def _note(self, entry: CallEntry, event: Event) -> None:
        match event:
            case LegInvited():
                self._join(entry, event.sip_call_id)
            case CallInvited():
                self._join(entry, event.sip_call_id)
                entry.caller_number, entry.caller_device = event.caller_number, event.device
                entry.dialled = event.dialled
            case CallUp(role="caller") if not entry.disposition:
                entry.disposition = "up"
            case CallEnded():
                entry.ended, entry.talk_s = True, event.talk_s
            case CallRecordWritten():
                entry.disposition = event.disposition
