"""Spoilt RTP, RTCP and rubbish by the thousand: no exception, nothing leaks out, calls go on (testing.md R2, R9)."""

from __future__ import annotations

import gc
import resource
from pathlib import Path
from random import Random

import pytest

from pbx.media import ears, rtcp, rtp, sounds_made, telephone_event, wav
from pbx.media.engine import Closed, Heard, MediaEvent, RemoteMedia, Signature, SrtpKeys, Tone
from pbx.media.exchange import Exchange
from pbx.media.srtp import Guard
from tests.media.archives import keep_at_once

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

PHONES = {
    "plain": ("192.0.2.1", 6000),
    "wide": ("192.0.2.2", 6002),
    "sealed": ("192.0.2.3", 6004),
    "nat": ("198.51.100.4", 6006),
    "meets": ("192.0.2.5", 6008),
    "joins": ("192.0.2.6", 6010),
}
PORTS = {"plain": 4000, "wide": 4002, "sealed": 4004, "nat": 4006, "meets": 4008, "joins": 4010}
KEYS = SrtpKeys("AES_CM_128_HMAC_SHA1_80", "A" * 40, "B" * 40)
STRANGERS = [("203.0.113.9", 40_000), ("192.0.2.1", 6002), ("198.51.100.4", 6008), ("192.0.2.3", 6005)]
VOICE = sounds_made.signature_frames("101")


class Bench:
    """Six legs, two bridged pairs and a room of two, with ears, recordings, keys, encryption and three codecs."""

    def __init__(self, recordings: Path) -> None:
        self.now = 50.0
        self.sent: set[tuple[int, tuple[str, int]]] = set()
        self.said: list[MediaEvent] = []
        self._woken: set[int] = set()
        chance = Random(1)
        knowledge = ears.Knowledge(["signature:101", "tone:busy"])
        self.exchange = Exchange(
            self._send, self.said.append, recordings, keep_at_once, knowledge, chance.getrandbits, self._woken.add
        )
        remotes = {
            "plain": RemoteMedia(*PHONES["plain"], "PCMU", 0, 101, "sendrecv"),
            "wide": RemoteMedia(*PHONES["wide"], "G722", 9, 101, "sendrecv"),
            "sealed": RemoteMedia(*PHONES["sealed"], "PCMA", 8, 96, "sendrecv", rtcp_mux=True, keys=KEYS),
            "nat": RemoteMedia("10.0.0.4", 6006, "PCMU", 0, None, "sendrecv", signalled="198.51.100.4"),
            "meets": RemoteMedia(*PHONES["meets"], "PCMA", 8, 101, "sendrecv"),
            "joins": RemoteMedia(*PHONES["joins"], "G722", 9, 101, "sendrecv"),
        }
        for name, remote in remotes.items():
            self.exchange.open(name, PORTS[name], self.now)
            self.exchange.connect(name, remote, self.now)
            self.exchange.listen(name)
            self.exchange.record(name, f"rec-{name}", self.now, max_s=30, silence_s=3600, end_keys="")
        self.exchange.bridge("plain", "wide")
        self.exchange.bridge("sealed", "nat")
        self.exchange.join("meets", "room")
        self.exchange.join("joins", "room")
        self.far = Guard(SrtpKeys(KEYS.suite, KEYS.theirs, KEYS.ours))
        self.number = 0

    def _send(self, port: int, data: bytes, to: tuple[str, int]) -> None:
        self.sent.add((port, to))

    def talk(self, frames: int) -> None:
        """Every phone says something of its own."""
        for _ in range(frames):
            self.number += 1
            self.now += 0.02
            frame = VOICE[self.number % len(VOICE)]
            for room in [key for key in self._woken if key < 0]:
                self.exchange.beat(room, self.now)
            for name, kind in (("plain", 0), ("wide", 9), ("sealed", 8), ("nat", 0), ("meets", 8), ("joins", 9)):
                data = rtp.pack(kind, self.number, self.number * 160, PORTS[name], frame)
                if name == "sealed":
                    data = self.far.sealed(data)
                self.exchange.receive(PORTS[name], data, PHONES[name], self.now)
                self.exchange.beat(PORTS[name], self.now)
            self.exchange.look(self.now)

    def corpus(self) -> list[bytes]:
        block = rtcp.Block(7, 0.1, 3, 9, 8, 7, 6)
        metrics = rtcp.VoipMetrics(7, 0.1, 0.0, 0.2, 0.1, 20, 40, 5, 60, 80, 4.0, 3.9, 60)
        packets: list[rtcp.Control] = [
            rtcp.Report(4000, (block, block), 1 << 40, 160, 1, 160), rtcp.Report(4000, (block,)),
            rtcp.Names(((4000, "phone@example"),)), rtcp.Extended(4000, (metrics,)), rtcp.Goodbye((4000, 4002)),
        ]  # fmt: skip
        sounds = [rtp.pack(kind, 60, 9600, 4000, VOICE[0]) for kind in (0, 8, 9, 13, 18)]
        keys = [rtp.pack(101, 70 + at, 9600, 4000, it) for at, (_, it) in enumerate(telephone_event.packets("5"))]
        return [
            *sounds,
            *keys,
            rtcp.pack(packets),
            *(rtcp.pack([packet]) for packet in packets),
            b"INVITE sip:x@y SIP/2.0\r\n\r\n",
        ]


def spoilt(chance: Random, data: bytes) -> bytes:
    made = bytearray(data)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(5):
            case 0 if made:
                made[at % len(made)] = chance.randrange(256)
            case 1:
                made[at : at + chance.randrange(1, 40)] = b""
            case 2:
                made[at:at] = chance.randbytes(chance.randrange(1, 40))
            case 3:
                made[at:] = made[:at]
            case _:
                made[:12] = chance.randbytes(12)
    return bytes(made)


def shoot(recordings: Path, seed: int, count: int) -> None:
    chance, bench = Random(seed), Bench(recordings)
    bench.talk(50)
    corpus = bench.corpus()
    # Before the far end behind the NAT is latched, there is only the address it named.
    wanted = {(PORTS["nat"], ("10.0.0.4", 6006))}
    wanted |= {(PORTS[name] + odd, (host, port + odd)) for name, (host, port) in PHONES.items() for odd in (0, 1)}
    used = []
    for _ in range(2):
        for number in range(count // 2):
            name = chance.choice(list(PORTS))
            data = spoilt(chance, chance.choice(corpus)) if number % 4 else chance.randbytes(chance.randrange(1600))
            source = chance.choice([PHONES[name], *STRANGERS])
            if name == "sealed" and chance.random() < 0.3:
                data = bench.far.sealed(data[:1200]) or data
            receive = bench.exchange.receive if chance.random() < 0.7 else bench.exchange.receive_control
            receive(PORTS[name] + (receive == bench.exchange.receive_control), data, source, bench.now)
            if number % 20 == 19:
                bench.talk(1)
        gc.collect()
        used.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    assert used[1] - used[0] < 16 * 1024, "kilobytes"
    assert bench.sent <= wanted, "nothing goes to a stranger"

    # The calls are still calls: a new offer/answer, and everybody is heard again.
    bench.said.clear()
    bench.exchange.play("wide", Signature("101"), "")
    bench.exchange.stop("wide")
    for frame in (*ears.frames_of("tone:busy") * 2,):
        bench.number += 1
        bench.now += 0.02
        data = rtp.pack(0, bench.number, bench.number * 160, 999, frame)
        bench.exchange.receive(PORTS["plain"], data, PHONES["plain"], bench.now)
    assert Heard("plain", Tone("busy").label) in bench.said
    assert (PORTS["wide"], PHONES["wide"]) in bench.sent
    for name in PORTS:
        bench.exchange.close(name, bench.now)
        assert len(wav.read_wav(recordings / f"rec-{name}.wav")) <= 30 * 8000
    assert len([event for event in bench.said if isinstance(event, Closed)]) == len(PORTS)
    assert bench.exchange.live() == 0


def test_no_spoilt_packet_is_a_fault_a_leak_or_the_end_of_a_call(tmp_path):
    shoot(tmp_path, 20261126, 20_000)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(50))
def test_a_million_spoilt_packets(tmp_path, seed):
    shoot(tmp_path, seed, 20_000)
