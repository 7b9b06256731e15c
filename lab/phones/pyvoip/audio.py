"""pyVoIP's RTP client with a steady pace, µ-law kept as it came, keys both ways, and no packet hoarded.

Stock pyVoIP squeezes audio through 8 bits, sends 49.6 packets a second at best, keeps every packet it ever
received and has no way to send a key.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from lab.phones.pyvoip.stock import RTP

FRAME_S = 0.02
FRAME_SAMPLES = 160
KEYS = "0123456789*#ABCD"
_ULAW_SILENCE = b"\xff" * FRAME_SAMPLES
_KEY_FRAMES = 5
"""100 ms of key, then the end packet three times (RFC 4733 §2.5.1.4)."""
_PAUSE_FRAMES = 4


class Audio(RTP.RTPClient):  # type: ignore[misc]
    """One stream both ways. `speak` gives 160 µ-law bytes a frame, `hear` takes what arrived (µ-law, A-law?)."""

    speak: Callable[[], bytes]
    hear: Callable[[bytes, bool], None]
    to_alaw: Callable[[bytes], bytes]
    outSequence: int  # noqa: N815 (pyVoIP's names)
    outTimestamp: int  # noqa: N815
    muted = False
    """True while the other side has put us on hold: nothing is sent."""

    def prepare(
        self,
        bound: socket.socket,
        speak: Callable[[], bytes],
        hear: Callable[[bytes, bool], None],
        to_alaw: Callable[[bytes], bytes],
    ) -> None:
        """`bound` is the socket of the port that was told; this stream owns it from now on."""
        self.sin = self.sout = bound
        self.speak, self.hear, self.to_alaw = speak, hear, to_alaw
        self.received = self.sent = 0
        self._keys: deque[str] = deque()
        self._last_key_at: int | None = None
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        if self._threads:
            return  # a re-INVITE starts it again in stock pyVoIP: two senders, 100 packets a second
        self.sin.settimeout(0.2)
        self._threads = [
            threading.Thread(target=work, name=f"pyVoIP {name} {self.inPort}", daemon=True)
            for name, work in (("ears", self.recv), ("mouth", self.trans))
        ]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Let the threads end; the ears close the socket."""
        self.NSD = False
        if not self._threads:
            self.sin.close()
            return
        with contextlib.suppress(OSError):
            self.sin.sendto(b"", self.sin.getsockname())  # wakes the ears

    def stop(self) -> None:
        """Finish and wait; not from one of its threads."""
        self.finish()
        for thread in self._threads:
            thread.join(1.0)

    @property
    def running(self) -> bool:
        """Not finished, or not yet quite."""
        return bool(self.NSD) or any(thread.is_alive() for thread in self._threads)

    def send_keys(self, keys: str) -> None:
        """Queue keys; they are sent between audio frames, in order."""
        unknown = set(keys) - set(KEYS)
        if unknown:
            raise ValueError(f"not keys: {''.join(sorted(unknown))}")
        self._keys.extend(keys)

    @property
    def keys_waiting(self) -> int:
        return len(self._keys)

    def recv(self) -> None:
        with self.sin:
            while self.NSD:
                try:
                    packet = self.sin.recv(2048)
                except TimeoutError:
                    continue
                except ConnectionRefusedError:
                    continue  # ICMP: the other side is not there yet, or no more
                except OSError:
                    return
                if len(packet) < 12:
                    continue
                with contextlib.suppress(RTP.RTPParseError, IndexError):
                    self.parse_packet(packet)

    def trans(self) -> None:
        due = time.monotonic()
        while self.NSD:
            if self._keys and not self.muted:
                due = self._send_key(self._keys[0], due)
                self._keys.popleft()
            elif not self.muted:
                self._send(self._audio(), self._payload_type(), marker=self.sent == 0)
            due = self._pause(due)

    def parse_pcmu(self, packet: Any) -> None:
        self.received += 1
        self.hear(packet.payload, False)

    def parse_pcma(self, packet: Any) -> None:
        self.received += 1
        self.hear(packet.payload, True)

    def parse_telephone_event(self, packet: Any) -> None:
        """The event's RTP timestamp tells keys apart: its marked first packet may be lost (RFC 4733 §2.5.2.2)."""
        if not packet.payload or packet.payload[0] >= len(KEYS) or packet.timestamp == self._last_key_at:
            return
        self._last_key_at = packet.timestamp
        if self.dtmf:
            self.dtmf(KEYS[packet.payload[0]])

    def _audio(self) -> bytes:
        frame = self.speak() or _ULAW_SILENCE
        return self.to_alaw(frame) if self._payload_type() == 8 else frame

    def _payload_type(self) -> int:
        return int(self.preference)

    def _event_payload_type(self) -> int | None:
        return next((number for number, codec in self.assoc.items() if codec == RTP.PayloadType.EVENT), None)

    def _send_key(self, key: str, due: float) -> float:
        payload_type = self._event_payload_type()
        if payload_type is None:
            return due
        begun = self.outTimestamp
        for frame in range(_KEY_FRAMES + 3):
            ended = frame >= _KEY_FRAMES
            duration = min(frame + 1, _KEY_FRAMES) * FRAME_SAMPLES
            event = struct.pack("!BBH", KEYS.index(key), (0x80 if ended else 0) | 10, duration)
            self._send(event, payload_type, marker=frame == 0, timestamp=begun, samples=0)
            if not ended:
                due = self._pause(due)
        self.outTimestamp = (begun + (_KEY_FRAMES + 1) * FRAME_SAMPLES) & 0xFFFFFFFF
        for _ in range(_PAUSE_FRAMES):
            due = self._pause(due)
            self._send(self._audio(), self._payload_type())
        return due

    def _send(
        self,
        payload: bytes,
        payload_type: int,
        *,
        marker: bool = False,
        timestamp: int | None = None,
        samples: int = FRAME_SAMPLES,
    ) -> None:
        self.outSequence = (self.outSequence + 1) & 0xFFFF
        stamp = self.outTimestamp if timestamp is None else timestamp
        head = struct.pack(
            "!BBHII", 0x80, (0x80 if marker else 0) | payload_type, self.outSequence, stamp & 0xFFFFFFFF, self.outSSRC
        )
        with contextlib.suppress(OSError):  # the socket is closed while the last frame is under way
            self.sout.sendto(head + payload, (self.outIP, self.outPort))
            self.sent += 1
        self.outTimestamp = (self.outTimestamp + samples) & 0xFFFFFFFF

    def _pause(self, due: float) -> float:
        """Wait for the next frame's own moment: an absolute pace does not add up the work done between."""
        due += FRAME_S
        late = time.monotonic() - due
        if late < 0:
            time.sleep(-late)
        return due if late < 1.0 else time.monotonic()
