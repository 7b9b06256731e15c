"""What a leg of the virtual world sends: segments at every change of what it sounds like, and again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import cycle

from pbx.clock import FOREVER
from pbx.domain.sounds import BEEP_S, Spoken
from pbx.media.agenda import Agenda
from pbx.media.engine import MediaEvent, Music, PlayFinished, Prompts, Recording, Sound, SoundMissing, Tone
from pbx.media.reports import INTERVAL_S
from pbx.media.segment import Segment, digest
from pbx.media.virtual_leg import PACKETS_PER_S, Kept, VirtualLeg

BEAT_S = 0.5
"""How often a sender repeats what it sounds like, at least at first, where packets may be lost."""
DIGIT_S = 0.16
"""One key: 100 ms of event and 60 ms of gap (RFC 4733 §2.5.1.2)."""
DIGIT_COPIES = 3

Send = Callable[[tuple[str, int], tuple[str, int], bytes], None]


class Speaking:
    def __init__(
        self,
        host: str,
        send: Send,
        agenda: Agenda,
        legs: Mapping[str, VirtualLeg],
        seconds_of: Callable[[str], float],
        recordings: Mapping[str, Kept],
        report: Callable[[MediaEvent], None],
        longest_beat_s: float,
        is_steady: Callable[[], bool],
    ) -> None:
        self._host, self._send, self._agenda, self._legs = host, send, agenda, legs
        self._seconds_of, self._recordings, self._report = seconds_of, recordings, report
        self._longest_beat_s, self._is_steady = longest_beat_s, is_steady

    # --- sounds ---------------------------------------------------------------------------------------

    def play(self, it: VirtualLeg, sound: Sound, token: str) -> None:
        it.sound, it.parts = sound, self.parts(it.name, sound)
        it.play_count += 1
        self._go_on(it, it.play_count, token)

    def stop(self, it: VirtualLeg) -> None:
        if it.sound is not None:
            it.sound = None
            it.play_count += 1
            self.announce(it)

    def parts(self, leg: str, sound: Sound) -> Iterator[tuple[str, float]]:
        """Return the label of each part of a sound with its seconds; one that does not end has `FOREVER`."""
        match sound:
            case Prompts(names=names, repeat=repeat):
                said = [self._spoken(leg, name) for name in names]
                if repeat and not any(seconds for _, seconds in said):  # as a real one: the line is not dead
                    return self.parts(leg, Music("instead"))
                return cycle(said) if repeat else iter(said)
            case Tone(name="beep"):
                return iter([(sound.label, BEEP_S)])
            case Recording():
                return iter([self._spoken(leg, sound)])
        return iter([(sound.label, FOREVER)])

    def _spoken(self, leg: str, spoken: Spoken) -> tuple[str, float]:
        """Return what it sounds like, and for how many seconds."""
        if isinstance(spoken, str):
            return f"prompt:{spoken}", self._seconds_of(spoken)
        kept = self._recordings.get(spoken.name)
        if kept is not None:
            return kept.heard, max(0.0, kept.seconds - spoken.from_s)
        self._report(SoundMissing(leg, spoken.name, "there is no such recording"))
        return self._spoken(leg, spoken.instead) if spoken.instead else ("", 0.0)

    def _go_on(self, it: VirtualLeg, play: int, token: str) -> None:
        """Begin the next part of what plays, or tell the end."""
        if it.sound is None or it.play_count != play:
            return
        part = next(it.parts, None)
        if part is None:
            it.sound = None
            self._report(PlayFinished(it.name, token))
            self.announce(it)
            return
        it.saying, seconds = part
        self.announce(it)
        if seconds < FOREVER:
            self._agenda.later(seconds, lambda: self._go_on(it, play, token))

    # --- what it sounds like --------------------------------------------------------------------------

    def announce(self, it: VirtualLeg) -> None:
        """Say what this leg sounds like now; a relayed leg says it when the other one is heard."""
        if it.sound is not None:
            self._sound_like(it, it.saying)
            return
        if it.around:
            self._sound_like(it, it.around)
            return
        self._sound_like(it, "")
        other = self._legs.get(it.bridged)
        if other is not None and other.heard:
            it.ahead = other.on_its_way(self._agenda.now)
            self.emit(it, other.heard, 0, other.promised - self._agenda.now)

    def _sound_like(self, it: VirtualLeg, label: str) -> None:
        self.flush(it)
        if not label:
            self.fall_silent(it)
        it.label, it.beat_from, it.steady_from = label, self._agenda.now, self._agenda.now
        if it.beat is not None:
            it.beat.cancel()
        if label and it.remote is not None and it.remote.sends:
            pause_s = self._pause_s(it)
            self.emit(it, label, 0, pause_s)
            self._beat_in(it, pause_s)

    def _beat_in(self, it: VirtualLeg, seconds: float) -> None:
        it.beat = self._agenda.later(seconds, partial(self._beat, it))

    def _beat(self, it: VirtualLeg) -> None:
        pause_s = self._pause_s(it)
        self.flush(it, pause_s)
        self._beat_in(it, pause_s)

    def _pause_s(self, it: VirtualLeg) -> float:
        """As often as a report comes where nothing is lost; else half of how long it has not changed, in bounds."""
        if self._is_steady():
            return max(INTERVAL_S, self._longest_beat_s)
        return min(max(BEAT_S, (self._agenda.now - it.steady_from) / 2), self._longest_beat_s)

    def hasten(self) -> None:
        """From now on packets may be lost: nothing that was said holds for longer than a beat."""
        now = self._agenda.now
        for it in self._legs.values():
            if it.said_until > now + BEAT_S:
                self._say_to_now(it, BEAT_S)
            if it.beat is not None and it.label:
                it.beat.cancel()
                it.steady_from = now
                self._beat_in(it, BEAT_S)

    def fall_silent(self, it: VirtualLeg) -> None:
        """Take back what was said of the time to come."""
        if it.said_until > self._agenda.now:
            self._say_to_now(it, 0.0)

    def _say_to_now(self, it: VirtualLeg, again_s: float) -> None:
        passed_on = 0 if it.label else it.passed_on(self._agenda.now)
        it.ahead += passed_on
        self.emit(it, it.said, passed_on or self._passed(it), again_s)

    def flush(self, it: VirtualLeg, again_s: float = 0.0) -> None:
        """Send what was sounding since the last segment; it goes on for `again_s`."""
        packets = self._passed(it)
        if packets:
            self.emit(it, it.label, packets, again_s)

    def _passed(self, it: VirtualLeg) -> int:
        """Return how many packets of its own a leg has sent since the last segment; they are told now."""
        now, remote = self._agenda.now, it.remote
        if not it.label or remote is None or not remote.sends:
            it.beat_from = now
            return 0
        packets = int((now - it.beat_from) * PACKETS_PER_S + 1e-6)
        if packets:
            it.beat_from = now
        return packets

    def emit(self, it: VirtualLeg, label: str, packets: int, again_s: float) -> None:
        """Send what went by; `again_s` is for how long nothing else needs to be said."""
        remote = it.remote
        if remote is None or not remote.sends or remote.port == 0 or remote.fax is not None:
            return
        it.sequence += 1
        now, sent = self._agenda.now, it.sent
        again_s = max(0.0, again_s)
        it.said, it.said_at, it.said_until = label, now, now + again_s
        it.sent = sent + packets
        segment = Segment(
            it.ssrc, it.sequence, remote.payload_type, label, sent, it.sent, "", 0, round(now * 1_000_000),
            digest(remote.keys.ours) if remote.keys is not None else "", "", again_s, it.source, it.expected,
            it.received, round(it.jitter_s * 1_000_000),
        )  # fmt: skip
        self._send((self._host, it.port), it.latch.target, segment.pack())

    def say(self, it: VirtualLeg, fax: str) -> None:
        """Send what a fax machine says."""
        if it.remote is not None and it.remote.sends and it.remote.port:
            it.sent += 1
            self._transmit(it, Segment(it.ssrc, 0, it.remote.payload_type, "", 0, 0, fax=fax))

    # --- keys -----------------------------------------------------------------------------------------

    def send_digits(self, it: VirtualLeg, digits: str) -> None:
        for at, digit in enumerate(digits):
            it.event += 1
            for copy in range(DIGIT_COPIES):
                self._agenda.later(
                    at * DIGIT_S + copy * 0.02, lambda digit=digit, event=it.event: self._send_digit(it, digit, event)  # type: ignore[misc]
                )  # fmt: skip

    def _send_digit(self, it: VirtualLeg, digit: str, event: int) -> None:
        if it.remote is None or not it.remote.sends or it.remote.event_type is None or it.name not in self._legs:
            return
        self._transmit(it, Segment(it.ssrc, 0, it.remote.event_type, "", 0, 0, digit, event))

    def relay_digit(self, it: VirtualLeg, segment: Segment) -> None:
        if it.remote is None or it.remote.event_type is None or not it.remote.sends:
            return
        number = segment.source << 20 | segment.event
        self._transmit(it, Segment(it.ssrc, 0, it.remote.event_type, "", 0, 0, segment.digit, number))

    def _transmit(self, it: VirtualLeg, segment: Segment) -> None:
        remote = it.remote
        assert remote is not None
        sealed = digest(remote.keys.ours) if remote.keys is not None else ""
        segment = segment._replace(sent_us=round(self._agenda.now * 1_000_000), sealed=sealed)
        self._send((self._host, it.port), it.latch.target, segment.pack())
