"""Media in the virtual world: coarse segments instead of packets, over the same impaired wire (media.md 9).

A segment tells what its sender sounds like from now on, how many packets went by since the one before and when the next
comes at the latest; it is sent at every change and twice a second, or ever more rarely while nothing changes where days
of talk are to cost little. Nothing here reads call state: who hears whom follows from what arrives at a port.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import partial
from zlib import crc32

from pbx.clock import FOREVER
from pbx.media.agenda import Agenda
from pbx.media.engine import (
    Capability,
    Closed,
    DigitPressed,
    FaxTask,
    FlowChanged,
    Heard,
    MediaAddress,
    MediaEvent,
    MediaStatistics,
    RecordingFinished,
    RemoteMedia,
    Sound,
    SourceLatched,
    StrangerIgnored,
    ToneRecognised,
)
from pbx.media.flow import LOOK_S, Watch
from pbx.media.latch import IN_A_ROW, Latch
from pbx.media.ports import Ports
from pbx.media.quality import mos_g711
from pbx.media.reports import INTERVAL_S
from pbx.media.segment import Segment, digest, unpack
from pbx.media.tone_plan import sure_after_s
from pbx.media.virtual_fax import VirtualFax
from pbx.media.virtual_leg import Arriving, Kept, VirtualLeg
from pbx.media.virtual_rooms import VirtualRooms
from pbx.media.virtual_speaking import BEAT_S, Send, Speaking

__all__ = ["FIRST_PORT", "LAST_PORT", "Kept", "VirtualEngine"]

FIRST_PORT = 16_384
LAST_PORT = 32_766


class VirtualEngine:
    """Owns the legs of one party in the virtual world."""

    capabilities = frozenset(Capability)

    def __init__(
        self,
        host: str,
        send: Send,
        seconds_of: Callable[[str], float],
        recordings: MutableMapping[str, Kept] | None = None,
        documents: MutableMapping[str, bytes] | None = None,
        longest_beat_s: float = BEAT_S,
        is_steady: Callable[[], bool] = lambda: False,
    ) -> None:
        """`send(from, to, data)` puts a datagram on the wire; `seconds_of` knows the length of a prompt.

        `documents` are the pages of faxes by their name, as TIFF. `longest_beat_s` bounds how rarely a sender repeats
        what has not changed: the longer, the fewer segments a talk costs, and the coarser loss is counted and an end
        without a word is noticed. While `is_steady` holds, the wire carries everything and only reports are repeated;
        whoever ends that says `hasten` before.
        """
        self._host = host
        self._recordings = recordings if recordings is not None else {}
        self._documents = documents if documents is not None else {}
        self._legs: dict[str, VirtualLeg] = {}
        self._by_port: dict[int, VirtualLeg] = {}
        self._events: list[MediaEvent] = []
        self._agenda = Agenda()
        self._opened = 0
        self._ports = Ports(range(FIRST_PORT, LAST_PORT + 1, 2))
        self._speaking = Speaking(
            host, send, self._agenda, self._legs, seconds_of, self._recordings, self._report, longest_beat_s, is_steady
        )
        self._rooms = VirtualRooms(self._agenda, self._speaking, lambda sound: self._speaking.parts("", sound))

    # --- commands -------------------------------------------------------------------------------------

    def at(self, now: float) -> None:
        self._agenda.at(now)

    def open(self, leg: str) -> MediaAddress:
        if (known := self._legs.get(leg)) is not None:
            return MediaAddress(self._host, known.port)
        port = self._ports.take(self._agenda.now)
        self._opened += 1
        # Of its own among all engines: a far end that turns from one to another must tell them apart.
        ssrc = crc32(f"{self._host}/{self._opened}".encode())
        made = VirtualLeg(leg, port, ssrc, self._agenda.now, far_due=self._agenda.now + INTERVAL_S / 2)
        self._legs[leg] = self._by_port[port] = made
        return MediaAddress(self._host, port)

    def connect(self, leg: str, remote: RemoteMedia) -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        self._speaking.flush(it)
        self._speaking.fall_silent(it)
        early = it.remote is None
        it.remote, it.codec = remote, remote.codec
        it.latch = Latch(remote.host, remote.port, remote.signalled, any_port=remote.any_port)
        it.strangers, it.misfits = it.strangers + it.watch.strangers, it.misfits + it.watch.misfits
        it.watch = Watch(self._agenda.now, f"{remote.codec} ({remote.payload_type}) from {remote.host}:{remote.port}")
        it.heard, it.promised, it.misfit_until, it.stranger_until = "", 0.0, 0.0, 0.0
        self._look_at(it, self._agenda.now + 2 * LOOK_S)
        self._rooms.heard(it)
        self._speaking.announce(it)
        if it.fax is not None:
            it.fax.set_going()
        for arriving in list(it.arriving.values()):
            if early:
                self._arrive(it, arriving)
            elif arriving.until > self._agenda.now:
                self._goes_on(it, arriving)

    def play(self, leg: str, sound: Sound, token: str = "") -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        self._speaking.play(it, sound, token)

    def stop(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            self._speaking.stop(it)

    def bridge(self, a: str, b: str) -> None:
        one, two = self._legs.get(a), self._legs.get(b)
        if one is None or two is None:
            return
        self._rooms.leave(one)
        self._rooms.leave(two)
        one.bridged, two.bridged = b, a
        self._speaking.announce(one)
        self._speaking.announce(two)

    def unbridge(self, a: str, b: str) -> None:
        for name, other in ((a, b), (b, a)):
            it = self._legs.get(name)
            if it is not None and it.bridged == other:
                it.bridged = ""
                self._speaking.announce(it)

    def join(self, leg: str, room: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            self.unbridge(leg, it.bridged)
            self._rooms.join(it, room)

    def leave(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            self._rooms.leave(it)

    def announce(self, room: str, sound: Sound) -> None:
        self._rooms.announce(room, sound)

    def record(self, leg: str, recording: str, *, max_s: float, silence_s: float, end_keys: str = "#") -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        it.recording, it.recorded_from, it.silence_s, it.end_keys = recording, self._agenda.now, silence_s, end_keys
        it.recorded_voice = it.heard if it.hears_voice else ""
        it.recorded_speech_to = self._agenda.now
        self._agenda.later(max_s, lambda: self._finish_recording(it, recording, "limit"))
        self._agenda.later(silence_s, lambda: self._check_silence(it, recording))

    def record_both(self, a: str, b: str, recording: str) -> None:
        for name in (a, b):
            self.stop_record(name)
        if a in self._legs and b in self._legs:
            for name in (a, b):
                self._legs[name].conversation = (a, b, recording, self._agenda.now)

    def stop_record(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            self._finish_conversation(it, "stopped")
            self._finish_recording(it, it.recording, "stopped")

    def send_digits(self, leg: str, digits: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            self._speaking.send_digits(it, digits)

    def fax(self, leg: str, task: FaxTask) -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        if it.fax is not None:
            it.fax.end()
        it.fax = VirtualFax(it, task, self._speaking, self._agenda, self._documents, self._report)
        it.fax.set_going()
        it.fax.heard(it.heard)

    def listen(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is not None:
            it.listening = True
            if it.heard:
                self._report(Heard(leg, it.heard))
                self._listen_for_tone(it)

    def close(self, leg: str) -> None:
        it = self._legs.get(leg)
        if it is None:
            return
        self._rooms.leave(it)
        self._finish_conversation(it, "hangup")
        if it.fax is not None:
            it.fax.end()
        del self._legs[leg]
        self._finish_recording(it, it.recording, "hangup")
        self._speaking.flush(it)
        for appointment in (it.beat, it.look):
            if appointment is not None:
                appointment.cancel()
        self._by_port.pop(it.port, None)
        self._ports.give_back(it.port, self._agenda.now)
        other = self._legs.get(it.bridged)
        if other is not None and other.bridged == leg:
            other.bridged = ""
            self._speaking.announce(other)
        now = self._agenda.now
        coming, going = it.on_its_way(now), 0 if it.label else it.passed_on(now)
        lost, far = max(0, it.expected - it.received), it.far
        it.received, it.last = it.received + coming, it.last + coming
        mos = mos_g711(lost / it.expected if it.expected else 0.0) if it.received else 1.0
        is_fax = it.remote is not None and it.remote.fax is not None
        statistics = MediaStatistics(
            it.codec, it.received, it.sent + going, lost, it.jitter_s * 1000, None if is_fax else mos,
            now - it.opened_at, it.round_trip_ms,
            None if far is None else round(far.lost, 4), None if far is None else round(far.jitter_ms, 3),
            strangers=it.strangers + it.watch.strangers, misfits=it.misfits + it.watch.misfits,
            rubbish=it.rubbish, encrypted=it.remote is not None and it.remote.keys is not None,
        )  # fmt: skip
        self._report(Closed(leg, statistics))

    def take_events(self) -> list[MediaEvent]:
        events, self._events = self._events, []
        return events

    @property
    def has_news(self) -> bool:
        return bool(self._events)

    def live(self) -> int:
        return len(self._legs)

    # --- wire and time --------------------------------------------------------------------------------

    def receive(self, data: bytes, source: tuple[str, int], port: int, now: float) -> None:
        """Take a datagram that arrived at one of our media ports."""
        self.at(now)
        it = self._by_port.get(port)
        segment = unpack(data)
        if it is None or segment is None:
            return
        arriving = Arriving(segment, source, now + segment.again_s)
        if segment.fax or segment.digit:
            if it.remote is not None and self._is_of(it, it.remote, arriving):
                (self._fax_received if segment.fax else self._digit_received)(it, segment)
            return
        it.keep(arriving)
        if it.remote is not None:
            self._arrive(it, arriving)

    def hasten(self) -> None:
        """The wire will not be steady any more: call it before that is so."""
        self._speaking.hasten()

    def die(self) -> None:
        """Whoever owns it is no more: what has been sent by now is all there is."""
        for it in self._legs.values():
            self._speaking.fall_silent(it)

    def _arrive(self, it: VirtualLeg, arriving: Arriving) -> None:
        segment = arriving.segment
        if it.remote is None or not self._is_of(it, it.remote, arriving) or segment.sequence <= it.highest:
            return  # not for us; or late, or doubled by the wire
        it.highest = segment.sequence
        it.arrives(self._agenda.now - segment.sent_us / 1_000_000)
        it.received += segment.last - segment.first
        it.last = max(it.last, segment.last)
        it.first = segment.first if it.first < 0 else it.first
        self._promised(it, arriving, segment.last - segment.first)

    def _goes_on(self, it: VirtualLeg, arriving: Arriving) -> None:
        """Something else has been settled while its sender goes on as it said."""
        if it.remote is not None and self._is_of(it, it.remote, arriving):
            it.highest = max(it.highest, arriving.segment.sequence)
            self._promised(it, arriving, 0)

    def _promised(self, it: VirtualLeg, arriving: Arriving, packets: int) -> None:
        """Hear what a segment says, and until when it goes on."""
        segment, now = arriving.segment, self._agenda.now
        it.arrived += 1
        self._hear(it, segment.label)
        it.promised_at, it.promised = now, arriving.until
        if it.is_settled:
            self._look_at(it, arriving.until + 2 * LOOK_S)
        else:
            self._look_soon(it)
        if segment.reported == it.ssrc:
            figures = it.is_told(segment.expected, segment.arrived, segment.jitter_us, now)
            if figures is not None:
                self._report(figures.event(it.name))
        other = self._legs.get(it.bridged)
        if other is not None and other.sound is None:
            self._speaking.emit(other, segment.label, other.not_told(packets), arriving.until - now)

    def _is_of(self, it: VirtualLeg, remote: RemoteMedia, arriving: Arriving) -> bool:
        """Tell whether it is of the far end and as agreed, and note whatever else it is."""
        segment, source, until = arriving
        if segment.sealed != (digest(remote.keys.theirs) if remote.keys is not None else ""):
            it.rubbish += 1
            return False
        if source != it.latch.source and not self._admitted(it, source, segment):
            it.stranger_until = until
            self._look_soon(it)
            return False
        if segment.payload_type not in (remote.payload_type, remote.event_type):
            it.watch.misfits += 1
            it.watch.misfit = segment.payload_type
            it.misfit_until, it.promised = until, min(it.promised, self._agenda.now)
            self._look_soon(it)
            return False
        return remote.receives

    def _admitted(self, it: VirtualLeg, source: tuple[str, int], segment: Segment) -> bool:
        assert it.remote is not None
        # A segment stands for many packets: it is as good as a few in a row.
        judged = [it.latch.admits(source, segment.source) for _ in range(IN_A_ROW)]
        if not judged[-1]:
            it.watch.strangers += 1
            it.watch.stranger = f"{source[0]}:{source[1]}"
            if it.watch.strangers == 1:
                self._report(StrangerIgnored(it.name, *source))
            return False
        if it.source != segment.source:
            it.source, it.highest, it.first = segment.source, -1, -1 if it.first < 0 else it.first
            it.first, it.last = (segment.first, segment.first) if it.received == 0 else (it.first, it.last)
        self._report(SourceLatched(it.name, *source, it.remote.codec))
        if source != (it.remote.host, it.remote.port):
            self._speaking.announce(it)  # it went to a private address until now; the next packet of many does not
        return True

    def _look_at(self, it: VirtualLeg, due: float) -> None:
        """Once it is settled what arrives, there is nothing to see as long as it goes on as promised."""
        if it.look is not None:
            it.look.cancel()
        it.look_due = due
        it.look = self._agenda.later(due - self._agenda.now, partial(self._look, it))

    def _look(self, it: VirtualLeg) -> None:
        now = self._agenda.now
        it.arrived += now <= it.promised
        it.watch.misfits += now <= it.misfit_until
        it.watch.strangers += now <= it.stranger_until
        receives = it.remote is not None and it.remote.receives and it.remote.fax is None
        if receives:
            # What has come by now came until the promise ended, and nothing since.
            for at in (it.promised, now) if it.promised_at < it.promised < now else (now,):
                news = it.watch.look(it.arrived, it.heard == "silence", at)
                if news is not None:
                    self._report(FlowChanged(it.name, *news))
            if it.hears_voice and it.watch.stopped(now):
                self._hear(it, "silence")
        if it.is_settled:
            self._look_at(it, max(it.promised, now) + 2 * LOOK_S)
        elif receives and (it.watch.flow != "nothing" or now <= max(it.misfit_until, it.stranger_until)):
            self._look_at(it, now + 2 * LOOK_S)
        else:
            it.look_due = FOREVER  # until something arrives

    def _look_soon(self, it: VirtualLeg) -> None:
        if it.look_due > self._agenda.now + 2 * LOOK_S:
            self._look_at(it, self._agenda.now + 2 * LOOK_S)

    def tick(self, now: float) -> None:
        self.at(now)
        self._agenda.run()

    def next_deadline(self) -> float:
        return self._agenda.next_deadline

    def _report(self, event: MediaEvent) -> None:
        self._events.append(event)

    # --- receiving ------------------------------------------------------------------------------------

    def _hear(self, it: VirtualLeg, label: str) -> None:
        if it.recording:
            it.recorded_speech_to = self._speech_to(it)
            if label not in ("", "silence"):
                it.recorded_speech_to, it.recorded_voice = self._agenda.now, label
        if label == it.heard:
            return
        it.heard = label
        it.heard_from = self._agenda.now
        self._rooms.heard(it)
        if it.fax is not None:
            it.fax.heard(label)
        if it.listening and label:
            self._report(Heard(it.name, label))
            self._listen_for_tone(it)

    def _listen_for_tone(self, it: VirtualLeg) -> None:
        """A tone is recognised when it has lasted as long as ears need."""
        kind, _, name = it.heard.partition(":")
        after_s = sure_after_s(name) if kind == "tone" else None
        if after_s is None:
            return
        heard, since = it.heard, it.heard_from

        def sure() -> None:
            if self._legs.get(it.name) is it and (it.heard, it.heard_from) == (heard, since):
                self._report(ToneRecognised(it.name, name))

        self._agenda.later(after_s, sure)

    def _digit_received(self, it: VirtualLeg, segment: Segment) -> None:
        key = (segment.source, segment.event)
        other = self._legs.get(it.bridged)
        if other is not None and other.sound is None:
            self._speaking.relay_digit(other, segment)
        if key in it.events:
            return
        it.events.add(key)
        if it.recording and segment.digit in it.end_keys:
            self._finish_recording(it, it.recording, "key")
        self._report(DigitPressed(it.name, segment.digit))

    def _fax_received(self, it: VirtualLeg, segment: Segment) -> None:
        it.arrived += 1
        it.received += 1
        it.last += 1
        other = self._legs.get(it.bridged)
        if it.fax is not None:
            it.fax.take(segment.fax)
        elif other is not None:
            self._speaking.say(other, segment.fax)

    def _check_silence(self, it: VirtualLeg, recording: str) -> None:
        if it.recording != recording or it.name not in self._legs:
            return
        quiet = self._agenda.now - self._speech_to(it)
        if quiet + 1e-9 >= it.silence_s:
            self._finish_recording(it, recording, "silence")
        else:
            self._agenda.later(it.silence_s - quiet, lambda: self._check_silence(it, recording))

    def _speech_to(self, it: VirtualLeg) -> float:
        """When the party that is recorded spoke last; it goes on as it promised."""
        if not it.hears_voice:
            return it.recorded_speech_to
        return max(it.recorded_speech_to, min(self._agenda.now, it.promised))

    def _finish_conversation(self, it: VirtualLeg, reason: str) -> None:
        if it.conversation is None:
            return
        a, b, recording, since = it.conversation
        sides = [self._legs[name] for name in (a, b) if name in self._legs]
        for side in sides:
            side.conversation = None
        seconds = round(self._agenda.now - since, 2)
        heard = "+".join(side.heard or "silence" for side in sides)
        self._recordings[recording] = Kept(seconds, heard)
        self._report(RecordingFinished(a, recording, seconds, reason, ""))

    def _finish_recording(self, it: VirtualLeg, recording: str, reason: str) -> None:
        if not recording or it.recording != recording:
            return
        it.recording = ""
        heard = it.recorded_voice or "silence"
        seconds = (self._speech_to(it) if reason == "silence" else self._agenda.now) - it.recorded_from
        seconds = max(0.0, seconds) if it.recorded_voice else 0.0
        self._recordings[recording] = Kept(seconds, heard)
        self._report(RecordingFinished(it.name, recording, round(seconds, 2), reason, heard))
