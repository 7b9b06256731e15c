"""Legs and what goes between them: the worker without its sockets.

Packets and the clock come in, packets and media events go out. Relaying happens on arrival; sounds of our own, keys
and the ends of recordings go by the 20 ms beat of a leg, which is asked for only while there is something to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from heapq import heappop, heappush
from itertools import count, cycle, repeat
from pathlib import Path

from pbx.domain.sounds import Spoken
from pbx.media import ears, recordings, telephone_event, wav
from pbx.media.codecs import transcoder
from pbx.media.conversation import Conversation, Side
from pbx.media.engine import (
    Closed,
    FaxFinished,
    FaxTask,
    FlowChanged,
    Heard,
    MediaEvent,
    Music,
    PlayFinished,
    Prompts,
    Recording,
    RecordingFinished,
    RemoteMedia,
    Silence,
    Sound,
    SoundMissing,
    Tone,
)
from pbx.media.fax import spandsp
from pbx.media.fax.terminal import Terminal
from pbx.media.flow import LOOK_S, Watch
from pbx.media.incoming import Incoming, is_silent
from pbx.media.latch import Address
from pbx.media.leg import Frames, Leg
from pbx.media.recorder import Recorder
from pbx.media.reports import Reports
from pbx.media.rooms import Rooms
from pbx.media.stream import Stream
from pbx.media.tap import REPORT_SENT, SENT, Tap

_RATE = 8000
_NAME = re.compile(r"[\w][\w.+-]{0,120}\Z")


class Exchange:
    """Every leg of one engine. Times are monotonic seconds."""

    def __init__(
        self,
        send: Callable[[int, bytes, Address], None],
        report: Callable[[MediaEvent], None],
        recordings: Path,
        keep: Callable[[Callable[[], None], Callable[[str], None]], None],
        knowledge: ears.Knowledge,
        chance: Callable[[int], int],
        wake: Callable[[int], None],
        fax_speed: int = 1,
    ) -> None:
        """`send(port, data, to)` puts a datagram on the wire; `chance(n)` returns n random bits (RFC 3550 §8.1).

        `keep(write, done)` writes to the disk and says at any later time `done(problem)`, the problem empty when it is
        there. `wake(port)` asks for a `beat` of the leg at a port every 20 ms, until one returns False; a room is woken
        by a negative number of its own. `fax_speed`: how much faster than real time T.38 goes.
        """
        self._send, self._report = send, report
        self._recordings, self._keep = recordings, keep
        self._knowledge = knowledge
        self._chance = chance
        self._wake = wake
        self._fax_speed = fax_speed
        self._legs: dict[str, Leg] = {}
        self._by_port: dict[int, Leg] = {}
        self._incoming = Incoming(self._by_port, send, report, self._finish, wake)
        self.receive = self._incoming.receive
        """`receive(port, data, source, now)` takes whatever arrived at a media port."""
        self._rooms = Rooms(wake)
        self._taps: Path | None = None
        """Where the packets of legs are kept as evidence."""
        self._looks: list[tuple[float, int, Leg]] = []
        self._numbers = count()

    # --- commands -------------------------------------------------------------------------------------

    def tap(self, folder: Path | None) -> None:
        """Keep the packets of each leg that is opened from now on in a file there; None keeps no more."""
        if folder is not None:
            with suppress(OSError):  # what cannot be kept is missed by whoever looks for it
                folder.mkdir(parents=True, exist_ok=True)
        self._taps = folder

    def open(self, name: str, port: int, now: float) -> None:
        ssrc = self._chance(32)
        stream = Stream(ssrc, self._chance(16), self._chance(32))
        leg = Leg(name, port, stream, Reports(ssrc, self._chance, now), now, Watch(now, ""))
        if self._taps is not None:
            leg.tap = Tap(self._taps, name, self._keep)
        self._legs[name] = self._by_port[port] = leg
        self._look_later(leg, now)

    def connect(self, name: str, remote: RemoteMedia, now: float) -> None:
        leg = self._legs[name]
        leg.connect(remote, now)
        self._wire(leg)
        if leg.listener is not None:
            leg.listener = ears.Recogniser(self._knowledge)
        self._set_going(leg, now)

    def play(self, name: str, sound: Sound, token: str) -> None:
        leg = self._legs[name]
        leg.token, leg.fresh = token, True
        try:
            leg.frames = self._frames(name, sound)
        except ValueError:
            leg.frames = iter(())  # nobody recorded it: over at once, so that the call goes on
        self._wake(leg.port)

    def stop(self, name: str) -> None:
        leg = self._legs[name]
        leg.frames = leg.terminal.frames if leg.terminal is not None else None

    def bridge(self, a: str, b: str) -> None:
        one, two = self._legs[a], self._legs[b]
        self._rooms.leave(one)
        self._rooms.leave(two)
        one.other, two.other = two, one
        self._wire(one)

    def unbridge(self, a: str, b: str) -> None:
        one, two = self._legs.get(a), self._legs.get(b)
        for leg, other in ((one, two), (two, one)):
            if leg is not None and leg.other is not None and leg.other is other:
                leg.other = None

    def join(self, name: str, room: str) -> None:
        leg = self._legs[name]
        if leg.other is not None:
            self.unbridge(name, leg.other.name)
        self._rooms.join(leg, room)

    def leave(self, name: str) -> None:
        self._rooms.leave(self._legs[name])

    def announce(self, room: str, sound: Sound) -> None:
        with suppress(ValueError):  # nobody recorded it: the room goes on without
            self._rooms.announce(room, self._frames("", sound))

    def record(self, name: str, recording: str, now: float, *, max_s: float, silence_s: float, end_keys: str) -> None:
        leg = self._legs[name]
        self._finish(leg, "stopped", now)
        leg.recorder = Recorder(
            recording, leg.codec, now, max_s=max_s, silence_s=silence_s, end_keys=end_keys, knowledge=self._knowledge
        )
        leg.attend()
        self._wake(leg.port)

    def record_both(self, a: str, b: str, recording: str, now: float) -> None:
        one, two = self._legs[a], self._legs[b]
        for leg in (one, two):
            self._finish(leg, "stopped", now)
        path = recordings.path_of(self._recordings, recording)
        try:
            if path is None:
                raise OSError("not a name for a file")
            conversation = Conversation(recording, a, path, (one.codec, two.codec), now)
        except OSError as error:
            self._report(RecordingFinished(a, recording, 0.0, "stopped", "", str(error)))
            return
        one.recorder, two.recorder = conversation.left, conversation.right
        for leg in (one, two):
            leg.attend()
            self._wake(leg.port)

    def stop_record(self, name: str, now: float) -> None:
        self._finish(self._legs[name], "stopped", now)

    def send_digits(self, name: str, digits: str) -> None:
        leg = self._legs[name]
        leg.keys.extend(digit for digit in digits.upper() if digit in telephone_event.KEYS)
        self._wake(leg.port)

    def fax(self, name: str, task: FaxTask, now: float) -> None:
        leg = self._legs[name]
        if leg.terminal is not None:
            leg.terminal.end()
        document = recordings.document_of(self._recordings, task.document)
        why = "not a name for a file" if document is None else spandsp.unavailable()
        if document is None or why:
            self._report(FaxFinished(name, task.document, 0, why, "", 0, False, ""))
            return
        told = self._report if task.sends else partial(self._received, document)
        leg.terminal = Terminal(name, task, document, told, self._fax_speed)
        leg.attend()
        self._set_going(leg, now)
        self._wake(leg.port)

    def _received(self, document: Path, event: MediaEvent) -> None:
        """Tell what a machine that receives has to say; of pages, once they are on the disk."""
        if not isinstance(event, FaxFinished) or not event.pages:
            self._report(event)
            return

        def kept(problem: str) -> None:
            lost = f"the pages could not be kept: {problem}"
            self._report(replace(event, pages=0, problem=lost) if problem else event)

        self._keep(partial(recordings.make_durable, document), kept)

    def _set_going(self, leg: Leg, now: float) -> None:
        """Let a leg's fax machine, if it has one, go on over what was negotiated."""
        terminal, remote = leg.terminal, leg.remote
        if terminal is None or remote is None:
            return
        if remote.fax is not None:
            terminal.over_packets(remote.fax, partial(self._send_fax, leg))
        else:
            terminal.over_sound(leg.codec, now)
            leg.fresh = True
        leg.frames = terminal.frames

    def _send_fax(self, leg: Leg, datagram: bytes) -> None:
        if leg.fax_target is not None:
            self._send(leg.port, datagram, leg.fax_target)

    def listen(self, name: str) -> None:
        leg = self._legs[name]
        if leg.listener is None:
            leg.listener = ears.Recogniser(self._knowledge)
            leg.attend()
        elif leg.listener.heard:
            self._report(Heard(name, leg.listener.heard))

    def close(self, name: str, now: float) -> None:
        leg = self._legs.pop(name, None)
        if leg is None:
            return
        self._rooms.leave(leg)
        self._finish(leg, "hangup", now)
        if leg.terminal is not None:
            leg.terminal.end()
        del self._by_port[leg.port]
        if leg.other is not None and leg.other.other is leg:
            leg.other.other = None
        leg.other = None
        if leg.stream.sent or leg.received:
            self._send_control(leg, leg.reports.goodbye(now, leg.sent(now), leg.ssrc, leg.receiver), now)
        if leg.tap is not None:
            leg.tap.end()
        self._report(Closed(name, leg.figures(now)))

    def live(self) -> int:
        return len(self._legs)

    # --- packets --------------------------------------------------------------------------------------

    def receive_control(self, port: int, data: bytes, source: Address, now: float) -> None:
        """Take what arrived at the RTCP port, the one above a media port."""
        leg = self._by_port.get(port - 1)
        if leg is not None:
            self._incoming.control(leg, data, source, now)

    def marked(self, port: int, source: Address, dscp: int | None) -> None:
        """A packet at a media port carried this DSCP (RFC 2474)."""
        leg = self._by_port.get(port)
        if leg is not None and dscp is not None and source == leg.source:
            leg.dscp = dscp

    def _wire(self, leg: Leg) -> None:
        """Settle how the sound of a leg and of the one it is bridged to become each other's."""
        other = leg.other
        if other is None or leg.remote is None or other.remote is None or leg.is_fax or other.is_fax:
            return
        leg.across = transcoder(leg.remote.codec, other.remote.codec)
        other.across = transcoder(other.remote.codec, leg.remote.codec)

    # --- now and then ---------------------------------------------------------------------------------

    @property
    def next_look(self) -> float:
        """When `look` has something to do next, in monotonic seconds or `inf`."""
        return self._looks[0][0] if self._looks else float("inf")

    def look(self, now: float) -> None:
        """See what arrives at the legs whose turn it is, and send the reports that are due."""
        while self._looks and self._looks[0][0] <= now:
            leg = heappop(self._looks)[2]
            if self._by_port.get(leg.port) is not leg:
                continue
            self._look_later(leg, now)
            if leg.remote is None:
                continue
            if leg.hears and not leg.is_fax:  # T.38 says nothing while nothing is to be said
                news = leg.watch.look(leg.received, is_silent(leg), now)
                if news is not None:
                    self._report(FlowChanged(leg.name, *news))
                if leg.listener is not None and leg.watch.stopped(now) and leg.listener.cease():
                    self._report(Heard(leg.name, leg.listener.heard))
            if now >= leg.reports.due_at and (leg.stream.sent or leg.received):
                self._send_control(leg, leg.reports.report(now, leg.sent(now), leg.ssrc, leg.receiver), now)

    def _look_later(self, leg: Leg, now: float) -> None:
        heappush(self._looks, (now + LOOK_S, next(self._numbers), leg))

    def _send_control(self, leg: Leg, data: bytes, now: float) -> None:
        target = leg.control_target
        if target is not None and leg.remote is not None:
            if leg.tap is not None:
                leg.tap.note(REPORT_SENT, data, target, now)
            if leg.guard is not None:
                data = leg.guard.sealed_report(data)
            self._send(leg.port if leg.remote.rtcp_mux else leg.port + 1, data, target)

    # --- the beat -------------------------------------------------------------------------------------

    def beat(self, port: int, now: float) -> bool:
        """20 ms have passed for the leg at a port, or a room; False when it needs no more of them."""
        if port < 0:
            return self._rooms.round(port, now)
        leg = self._by_port.get(port)
        if leg is None:
            return False
        self._beat(leg, now)
        return leg.wants_beats or leg.events.waiting

    def _beat(self, leg: Leg, now: float) -> None:
        frame, fresh = self._next_frame(leg), leg.fresh
        leg.fresh = leg.fresh and frame is None
        if leg.events.waiting:
            self._incoming.keys(leg, leg.events.due(now), now)
        if leg.recorder is not None:
            over = leg.recorder.due(now)
            if over:
                self._finish(leg, over, now)
        if leg.terminal is not None:
            leg.terminal.beat(now)
        remote, target = leg.remote, leg.target
        if remote is None or target is None:
            leg.keys.clear()
            leg.key = None
            return
        if (leg.keys or leg.key is not None) and self._send_key(leg, remote, target, now):
            return
        if frame is not None:
            payload = frame if leg.from_ulaw is None else leg.from_ulaw(frame)
        elif leg.room is not None and leg.member is not None:
            payload = leg.room.heard_by(leg.member)
            if leg.opened is not None and leg.from_ulaw is not None:
                payload = leg.from_ulaw(payload)
        else:
            return
        self._transmit(leg, leg.stream.own(remote.payload_type, payload, now, fresh=fresh), target, now)

    def _send_key(self, leg: Leg, remote: RemoteMedia, target: Address, now: float) -> bool:
        """Send the next packet of a key; False when this beat has none."""
        if remote.event_type is None:
            leg.keys.clear()
            return False
        if leg.key_gap:
            leg.key_gap -= 1
            return False
        if leg.key is None:
            leg.key = telephone_event.packets(leg.keys.popleft())
        step = next(leg.key, None)
        if step is None:
            # 60 ms of our own sound part two keys (RFC 4733 §2.5.1.2): this beat is the first of them.
            leg.key, leg.key_gap = None, telephone_event.GAP_PACKETS - 1
            return False
        event = telephone_event.rescaled(step[1], leg.ticks, 1)
        self._transmit(leg, leg.stream.event(remote.event_type, event, now, first=step[0]), target, now)
        return True

    def _transmit(self, leg: Leg, packet: bytes, target: Address, now: float) -> None:
        if leg.tap is not None:
            leg.tap.note(SENT, packet, target, now)
        self._send(leg.port, packet if leg.guard is None else leg.guard.sealed(packet), target)

    def _next_frame(self, leg: Leg) -> bytes | None:
        if leg.frames is None:
            return None
        frame = next(leg.frames, None)
        if frame is None:
            leg.frames = None
            self._report(PlayFinished(leg.name, leg.token))
        return frame

    def _frames(self, leg: str, sound: Sound) -> Frames:
        """ValueError for a prompt or tone that does not exist."""
        match sound:
            case Prompts(names=names, repeat=again):
                listed = [frame for name in names for frame in self._spoken(leg, name)]
                if again and not listed:  # music whose file is gone: whoever waits hears that the line is not dead
                    return self._frames(leg, Music("instead"))
                return cycle(listed) if again else iter(listed)
            case Tone(name="beep"):
                return iter(ears.frames_of(sound.label))
            case Silence():
                return repeat(ears.SILENT_FRAME)
            case Recording():
                return iter(self._recorded(leg, sound))
        self._knowledge.learn(sound.label)
        return cycle(ears.frames_of(sound.label))

    # --- recordings -----------------------------------------------------------------------------------

    def _spoken(self, leg: str, spoken: Spoken) -> Sequence[bytes]:
        return ears.frames_of(f"prompt:{spoken}") if isinstance(spoken, str) else self._recorded(leg, spoken)

    def _recorded(self, leg: str, sound: Recording) -> Sequence[bytes]:
        """Return the frames of an earlier recording; those of what stands in for it when there is no such file."""
        try:
            samples = recordings.octets(self._recordings, sound)
        except (OSError, wav.BadWav) as error:
            self._report(SoundMissing(leg, sound.name, str(error)))
            return ears.frames_of(f"prompt:{sound.instead}") if sound.instead else ()
        return [samples[at : at + ears.FRAME] for at in range(0, len(samples), ears.FRAME)]

    def _finish(self, leg: Leg, reason: str, now: float) -> None:
        it, leg.recorder = leg.recorder, None
        leg.attend()
        if it is None:
            return
        if isinstance(it, Side):
            self._finish_both(it.conversation, reason, now)
            return
        it.end()
        samples, heard = it.samples, it.heard

        def kept(problem: str) -> None:
            """What was not kept was not said, for the owner: who is told why."""
            seconds, sound = (0.0, "silence") if problem else (len(samples) / _RATE, heard)
            self._report(RecordingFinished(leg.name, it.name, seconds, reason, sound, problem))

        path = recordings.path_of(self._recordings, it.name)
        if path is None:
            kept("not a name for a file")
        else:
            self._keep(partial(wav.write_wav, path, samples), kept)

    def _finish_both(self, it: Conversation, reason: str, now: float) -> None:
        sides = [leg for leg in self._legs.values() if leg.recorder in (it.left, it.right)]
        for leg in sides:
            leg.recorder = None
            leg.attend()
        it.end(now)

        def kept(problem: str) -> None:
            self._report(RecordingFinished(it.owner, it.name, 0.0 if problem else it.seconds, reason, "", problem))

        self._keep(it.finish, kept)
