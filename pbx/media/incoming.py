"""What arrives at a leg and what comes of it: counted, relayed on arrival, listened to.

The path of a relayed packet is the hot one of the whole media plane: plain locals, no objects made for a packet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pbx.media import ears, rtp, telephone_event
from pbx.media.codecs import transcoder
from pbx.media.engine import (
    DigitPressed,
    Heard,
    KeyMethod,
    MediaEvent,
    SourceLatched,
    StrangerIgnored,
    ToneRecognised,
)
from pbx.media.fax import udptl
from pbx.media.latch import Address
from pbx.media.leg import Leg
from pbx.media.tap import CAME, REPORT_CAME, SENT

_HEADER_SIZE = rtp.HEADER_SIZE
_header = rtp.HEADER.unpack_from
_COMFORT_NOISE = 13
"""RFC 3389: the far end is silent and says so."""


class Incoming:
    def __init__(
        self,
        by_port: Mapping[int, Leg],
        send: Callable[[int, bytes, Address], None],
        report: Callable[[MediaEvent], None],
        finish: Callable[[Leg, str, float], None],
        wake: Callable[[int], None],
    ) -> None:
        """`finish(leg, reason, now)` ends a recording; `wake(port)` asks for beats."""
        self._by_port = by_port
        self._send, self._report, self._finish, self._wake = send, report, finish, wake

    def receive(self, port: int, data: bytes, source: Address, now: float) -> None:
        """Take whatever arrived at a media port; what is no media of this call is dropped and counted."""
        leg = self._by_port.get(port)
        if leg is None:
            return
        if leg.is_fax:
            self._udptl(leg, data, source)
            return
        if len(data) < _HEADER_SIZE:
            leg.rubbish += 1
            return
        guard = leg.guard
        if guard is not None and not 192 <= data[1] <= 223:
            opened = guard.opened(data)
            if opened is None:
                leg.rubbish += 1
                return
            data = opened
        if leg.tap is not None:
            leg.tap.note(CAME, data, source, now)
        first, second, sequence, timestamp, ssrc = _header(data)
        if leg.ticks != 1:
            timestamp //= leg.ticks
        if 192 <= second <= 223:
            if leg.remote is not None and leg.remote.rtcp_mux:
                self.control(leg, data, source, now)
            else:
                leg.rubbish += 1
            return
        if first == 0x80:  # nothing but a header: nearly every packet
            payload = data[_HEADER_SIZE:]
        else:
            packet = rtp.read(data)
            if packet is None:
                leg.rubbish += 1
                return
            payload = packet.payload
        if source != leg.source and not self._admitted(leg, source, ssrc):
            return
        if not leg.hears:
            return
        kind = second & 0x7F
        if kind != leg.audio_type or not 0 < len(payload) <= leg.longest:
            self._no_audio(leg, kind, payload, second & 0x80, sequence, timestamp, ssrc, now)
            return
        if ssrc != leg.ssrc:
            leg.turn_to(ssrc)
        if not leg.receiver.packet(sequence, timestamp, now):
            return
        leg.last = payload
        other = leg.other
        if other is not None:
            target = other.target
            if target is not None and other.frames is None and other.key is None:
                across = leg.across
                sound = payload if across is None else across(payload)
                data = other.stream.relay(
                    leg, ssrc, sequence, timestamp, second & 0x80, other.audio_type, sound, now
                )  # fmt: skip
                if other.tap is not None:
                    other.tap.note(SENT, data, target, now)
                if other.guard is not None:
                    data = other.guard.sealed(data)
                self._send(other.port, data, target)
        if leg.attentive:
            self._listen(leg, ssrc, timestamp, payload, now)

    def _udptl(self, leg: Leg, data: bytes, source: Address) -> None:
        """Take a datagram of a fax: for a machine of ours, or passed on as it is, with the copies it carries."""
        if source != leg.source and not self._admitted(leg, source, 0):
            return
        if leg.terminal is not None:
            known = leg.terminal.datagram(data)
        else:
            known = udptl.is_one(data)
        if not known:
            leg.rubbish += 1
            return
        leg.datagrams += 1
        other = leg.other
        if leg.terminal is None and other is not None and other.fax_target is not None:
            self._send(other.port, data, other.fax_target)

    def control(self, leg: Leg, data: bytes, source: Address, now: float) -> None:
        """Take what arrived for RTCP."""
        if leg.remote is None or not leg.control_admits(source):
            leg.rubbish += 1
            return
        if leg.guard is not None:
            opened = leg.guard.opened_report(data)
            if opened is None:
                leg.rubbish += 1
                return
            data = opened
        if leg.tap is not None:
            leg.tap.note(REPORT_CAME, data, source, now)
        figures = leg.reports.take(data, leg.ssrc, now)
        if figures is not None:
            self._report(figures.event(leg.name))

    def keys(self, leg: Leg, keys: list[str], now: float, method: KeyMethod = "rfc4733") -> None:
        """These were pressed at the far end."""
        for key in keys:
            if leg.recorder is not None and key in leg.recorder.end_keys:
                self._finish(leg, "key", now)
            self._report(DigitPressed(leg.name, key, method))

    def _admitted(self, leg: Leg, source: Address, ssrc: int) -> bool:
        """Judge a packet from elsewhere than the latched address."""
        remote = leg.remote
        if remote is None:
            return False
        if leg.latch.admits(source, ssrc):
            leg.retarget()
            self._report(SourceLatched(leg.name, *source, remote.codec))
            return True
        watch = leg.watch
        watch.strangers += 1
        watch.stranger = f"{source[0]}:{source[1]}"
        if watch.strangers == 1 and not leg.latch.is_behind(source) and not leg.latch.tries(source):
            self._report(StrangerIgnored(leg.name, *source))
        return False

    def _no_audio(
        self, leg: Leg, kind: int, payload: bytes, marker: int, sequence: int, timestamp: int, ssrc: int, now: float
    ) -> None:
        if kind == leg.event_type and payload:
            self._event(leg, payload, marker, sequence, timestamp, ssrc, now)
        elif kind == _COMFORT_NOISE and payload:
            if ssrc == leg.ssrc:
                leg.receiver.number(sequence)
        else:
            leg.watch.misfits += 1
            leg.watch.misfit = kind

    def _event(
        self, leg: Leg, payload: bytes, marker: int, sequence: int, timestamp: int, ssrc: int, now: float
    ) -> None:
        if ssrc != leg.ssrc:
            leg.turn_to(ssrc)
        if not leg.receiver.number(sequence):
            return
        self.keys(leg, leg.events.packet(ssrc, timestamp, payload, now), now)
        if leg.events.waiting:
            self._wake(leg.port)
        other = leg.other
        if other is None or other.target is None or other.covered or other.remote is None:
            return
        kind = other.remote.event_type
        if kind is not None:
            payload = telephone_event.rescaled(payload, other.ticks, leg.ticks)
            data = other.stream.relay_event(leg, ssrc, sequence, timestamp, marker, kind, payload, now)
            if other.tap is not None:
                other.tap.note(SENT, data, other.target, now)
            if other.guard is not None:
                data = other.guard.sealed(data)
            self._send(other.port, data, other.target)

    def _listen(self, leg: Leg, ssrc: int, timestamp: int, payload: bytes, now: float) -> None:
        if leg.opened is not None:
            payload = leg.opened(payload)
        if leg.recorder is not None:
            leg.recorder.packet(ssrc, timestamp, payload, now)
        if leg.member is not None:
            leg.member.voice.packet(ssrc, timestamp, payload, now)
        if leg.terminal is not None:
            leg.terminal.sound(ssrc, timestamp, payload, now)
        if leg.listener is None and leg.key_ear is None:
            return
        # Ears judge what arrives, as it arrives: what is concealed is none of the far end's.
        sound = payload if leg.to_ulaw is None else leg.to_ulaw(payload)
        if leg.listener is not None:
            heard = leg.listener.feed(sound)
            if heard:
                self._report(Heard(leg.name, heard))
            if leg.listener.tone:
                self._report(ToneRecognised(leg.name, leg.listener.take_tone()))
        if leg.key_ear is not None:
            self.keys(leg, leg.key_ear.feed(sound), now, "inband")


def is_silent(leg: Leg) -> bool:
    """Tell whether what arrived last is below the level of speech."""
    remote = leg.remote
    if remote is None or not leg.last or leg.is_fax:
        return False
    # A coder of its own: the leg's has the sound before and after in mind.
    coding = transcoder(remote.codec, "PCMU")
    return ears.is_silence(leg.last if coding is None else coding(leg.last))
