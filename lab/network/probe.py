"""The site's end of an assessment: it asks the mirror, counts what comes back, and says what it found (`facts`).

Everything runs at once on ports of its own, so that the longest silence to be measured is all it takes. Requests over
UDP are repeated as RFC 3261 §17.1.2 has it; those that measure a silence are not, for a repetition would break it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lab.clockwork import SIGNALLING_CLASS, VOICE_CLASS
from lab.network.datagrams import Datagram
from lab.network.facts import Facts
from lab.network.router import NAT_PMP_PORT
from lab.network.streams import Streams
from pbx.clock import FOREVER
from pbx.domain.registrations import host_and_port
from pbx.media.quality import mos_g711
from pbx.numerals import natural
from pbx.sip.address import Peer
from pbx.sip.message import Malformed, Response, parse
from pbx.sip.stun import binding_request, mapped_address

SILENCES_S = (30, 60, 120, 180)
"""What phones are told to keep alive, and what provider guides ask of a router."""
_REPEATS_S = (0.5, 1.5, 3.5, 7.5)
_PATIENCE_S = 11.5
_LATE_S = 5.0
_COPIES_S = (0.2, 0.4)
"""A silence is asked for in three datagrams close together: one lost is no timeout."""
_LARGE = 2000


@dataclass(slots=True)
class _Question:
    datagram: Datagram
    asked_at: float
    repeats: tuple[float, ...]
    patience_s: float
    answered: Callable[[Datagram, float], None]
    unanswered: Callable[[], None] = lambda: None

    @property
    def due(self) -> float:
        return self.asked_at + (self.repeats[0] if self.repeats else self.patience_s)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How much is measured."""

    calls: int = 4
    seconds: float = 10.0
    silences_s: tuple[int, ...] = SILENCES_S

    @property
    def ports(self) -> int:
        """UDP ports a probe needs."""
        return 2 + len(self.silences_s)


@dataclass(slots=True)
class _Seen:
    """What `Facts` is made of, as it becomes known."""

    reachable: bool = False
    mapped: str = ""
    mapped_other: str = ""
    gateway_public: str = ""
    rewritten: tuple[str, ...] | None = None
    large_passes: bool | None = None
    held: list[int] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)


class _Where(NamedTuple):
    """The mirror's other ports, and the token its echo wants to see."""

    other: int
    media: int
    token: bytes


class Probe:
    """At `host` on `ports` (as many as `wanted` says), asking `mirror`; `token` gives random hex characters."""

    def __init__(
        self,
        host: str,
        ports: Sequence[int],
        mirror: Peer,
        *,
        gateway: str = "",
        wanted: Wanted | None = None,
        token: Callable[[int], str],
    ) -> None:
        """`gateway` is the nearest router's address, asked for its own outside address; empty to ask nobody."""
        self._host, self._mirror, self._gateway, self._token = host, mirror, gateway, token
        self._wanted = wanted or Wanted()
        self._port, self._media_port, *self._silent_ports = ports
        self._questions: dict[str, _Question] = {}
        self._streams: Streams | None = None
        self._streams_to = mirror
        self._out: list[Datagram] = []
        self._seen = _Seen()
        self._begun = False
        self._streams_done = True
        self._now = 0.0

    @property
    def done(self) -> bool:
        return self._begun and not self._questions and self._streams_done

    def start(self, now: float) -> None:
        self._begun = True
        self._now = now
        self._ask(*self._options(self._port), self._met)

    def receive(self, datagram: Datagram, now: float) -> None:
        self._now = now
        if datagram.port == self._media_port and self._streams is not None:
            self._streams.came(datagram.data, datagram.dscp, now)
            return
        question = self._questions.pop(_key(datagram.data), None)
        if question is not None:
            question.answered(datagram, now)

    def tick(self, now: float) -> None:
        self._now = now
        for key, question in list(self._questions.items()):
            if question.due > now:
                continue
            if question.repeats:
                self._out.append(question.datagram)
                question.repeats = question.repeats[1:]
            else:
                del self._questions[key]
                question.unanswered()
        if self._streams is not None:
            out = self._streams.take_due(now)
            self._out += [Datagram(self._media_port, self._streams_to, data, VOICE_CLASS) for data in out]
            self._streams_done = self._streams.done(now)

    def next_deadline(self) -> float:
        due = [question.due for question in self._questions.values()]
        if self._streams is not None and not self._streams_done:
            due.append(self._streams.next_deadline())
        return min(due, default=FOREVER)

    def take_outgoing(self) -> list[Datagram]:
        out, self._out = self._out, []
        return out

    def facts(self, reached: Sequence[tuple[str, bool]] = ()) -> Facts:
        """Return what is known by now; `reached` are services that the owner has tried."""
        seen, streams = self._seen, self._streams
        loss = None if streams is None else max(streams.loss_out, streams.loss_back or 0.0)
        trip = None if streams is None else streams.round_trip_ms
        return Facts(
            seen.reachable,
            local=host_and_port(self._host, self._port),
            mapped=seen.mapped,
            mapped_other=seen.mapped_other,
            gateway_public=seen.gateway_public,
            rewritten=seen.rewritten,
            large_passes=seen.large_passes,
            held_s=max((silence for silence in seen.held if silence < min(seen.lost, default=10**6)), default=None),
            lost_after_s=min(seen.lost, default=None),
            calls=self._wanted.calls if streams is not None else 0,
            round_trip_ms=trip,
            jitter_ms=None if streams is None else streams.jitter_ms,
            loss_out=None if streams is None else round(streams.loss_out, 4),
            loss_back=None if streams is None or streams.loss_back is None else round(streams.loss_back, 4),
            dscp_out=_one(streams.marks_out) if streams is not None else None,
            dscp_back=_one(streams.marks_back) if streams is not None else None,
            mos=None if loss is None or trip is None else mos_g711(loss, trip / 2),
            reached=tuple(reached),
        )

    # --- what is asked --------------------------------------------------------------------------------

    def _met(self, datagram: Datagram, now: float) -> None:
        """The mirror is there and says where the rest of it is: now everything else, at once."""
        try:
            where = _where(datagram.data)
        except (Malformed, ValueError):
            return  # whoever answered is no mirror
        self._seen.reachable = True
        host = self._mirror.host
        self._ask_where(self._mirror, lambda text: setattr(self._seen, "mapped", text))
        self._ask_where(Peer("udp", host, where.other), lambda text: setattr(self._seen, "mapped_other", text))
        if self._gateway:
            asking = Datagram(self._port, Peer("udp", self._gateway, NAT_PMP_PORT), b"\x00\x00")
            self._ask("nat-pmp", asking, self._gateway_said)
        self._ask_copy()
        self._ask_large()
        for port, silence in zip(self._silent_ports, self._wanted.silences_s, strict=True):
            self._ask_silence(port, silence)
        self._streams = Streams(where.token, self._wanted.calls, self._wanted.seconds, now)
        self._streams_to = Peer("udp", host, where.media)
        self._streams_done = False

    def _ask_where(self, to: Peer, known: Callable[[str], None]) -> None:
        identity = bytes.fromhex(self._token(24))
        asking = Datagram(self._port, to, binding_request(identity))

        def answered(datagram: Datagram, now: float) -> None:
            mapped = mapped_address(datagram.data)
            known(host_and_port(*mapped) if mapped is not None else "")

        self._ask(identity.hex(), asking, answered)

    def _gateway_said(self, datagram: Datagram, now: float) -> None:
        self._seen.gateway_public = ".".join(map(str, datagram.data[8:12]))

    def _ask_copy(self) -> None:
        key, asking = self._request("INVITE", self._port, body=self._description())

        def answered(datagram: Datagram, now: float) -> None:
            self._seen.rewritten = _differences(asking.data, datagram.data)

        self._ask(key, asking, answered)

    def _ask_large(self) -> None:
        filler = "a=x-filler:" + "0123456789" * (_LARGE // 10) + "\r\n"
        key, asking = self._request("INVITE", self._port, body=self._description() + filler.encode())
        self._ask(
            key,
            asking,
            lambda datagram, now: setattr(self._seen, "large_passes", True),
            lambda: setattr(self._seen, "large_passes", False),
        )

    def _ask_silence(self, port: int, silence: int) -> None:
        # A second more: the silence begins with the last copy.
        key, asking = self._options(port, [("X-Answer-After", str(silence + 1))])
        self._ask(
            key,
            asking,
            lambda datagram, now: self._seen.held.append(silence),
            lambda: self._seen.lost.append(silence),
            repeats=_COPIES_S,
            patience_s=silence + _LATE_S,
        )

    def _ask(
        self,
        key: str,
        datagram: Datagram,
        answered: Callable[[Datagram, float], None],
        unanswered: Callable[[], None] = lambda: None,
        *,
        repeats: tuple[float, ...] = _REPEATS_S,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._questions[key] = _Question(datagram, self._now, repeats, patience_s, answered, unanswered)
        self._out.append(datagram)

    def _options(self, port: int, headers: Sequence[tuple[str, str]] = ()) -> tuple[str, Datagram]:
        return self._request("OPTIONS", port, headers)

    def _request(
        self, method: str, port: int, headers: Sequence[tuple[str, str]] = (), body: bytes = b""
    ) -> tuple[str, Datagram]:
        """Return the key of its answer and the datagram."""
        key = self._token(16)
        here, there = host_and_port(self._host, port), host_and_port(self._mirror.host, self._mirror.port)
        lines = [
            f"{method} sip:mirror@{there} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{key};rport",
            "Max-Forwards: 70",
            f"From: <sip:probe@{here}>;tag={key}",
            f"To: <sip:mirror@{there}>",
            f"Call-ID: {key}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:probe@{here}>",
            *(f"{name}: {value}" for name, value in headers),
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        return key, Datagram(port, self._mirror, data, SIGNALLING_CLASS)

    def _description(self) -> bytes:
        kind = "IP6" if ":" in self._host else "IP4"
        return (
            f"v=0\r\no=probe 1 1 IN {kind} {self._host}\r\ns=-\r\nc=IN {kind} {self._host}\r\nt=0 0\r\n"
            f"m=audio {self._media_port} RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        ).encode()


def _key(data: bytes) -> str:
    """What an answer is found by: the Call-ID, the transaction of STUN, or that it is NAT-PMP."""
    if len(data) == 12 and data[:2] == b"\x00\x80":
        return "nat-pmp"
    if data[:2] == b"\x01\x01":
        return data[8:20].hex()
    try:
        message = parse(data)
        return message.call_id if isinstance(message, Response) and message.status >= 200 else ""
    except Malformed:
        return ""


def _where(data: bytes) -> _Where:
    """Read X-Mirror."""
    given = dict(part.partition("=")[::2] for part in parse(data).need("X-Mirror").split(";"))
    return _Where(
        natural(given.get("other", "")) or 0,
        natural(given.get("media", "")) or 0,
        bytes.fromhex(given.get("token", "")),
    )


def _differences(sent: bytes, answer: bytes) -> tuple[str, ...]:
    """What the mirror received otherwise than it was sent, a line each: `Via: … → …`."""
    message = parse(answer)
    digest = f"{len(sent)} {hashlib.sha256(sent).hexdigest()}"
    if message.get("X-Received") == digest:
        return ()
    try:
        received = base64.b64decode(message.body, validate=True)
    except binascii.Error:
        return ("the answer itself was changed on its way back",)
    before, after = (text.decode("utf-8", "replace").split("\r\n") for text in (sent, received))
    changed = [f"{old} → {new}" for old, new in zip(before, after, strict=False) if old != new]
    if len(before) != len(after):
        changed.append(f"{len(before)} lines were sent, {len(after)} arrived")
    return tuple(changed) or ("line ends were changed",)


def _one(marks: set[int]) -> int | None:
    """The mark all packets bore; the least where they differ, None where none came."""
    return min(marks, default=None)
