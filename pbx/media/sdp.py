"""Session descriptions and the offer/answer model for one audio stream (RFC 8866, RFC 3264, RFC 4733 §2.4).

Reading is tolerant of what handsets write; writing is strict: one `c=` line, codecs we speak and telephone-event. RTP
and RTCP share a port when the far end offers that (RFC 5761); we do not offer it: handsets ignore it at best.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from pbx.media.codecs import CODECS as CODECS
from pbx.media.codecs import OPUS, OPUS_TYPE, PAYLOAD_TYPES
from pbx.media.engine import MediaAddress, RemoteMedia
from pbx.numerals import natural

_KNOWN = (*CODECS, OPUS)
_EVENTS, _WIDE_EVENTS = 101, 110
_NUMBERS = {**PAYLOAD_TYPES, OPUS: OPUS_TYPE}
_NAMES = {number: name for name, number in PAYLOAD_TYPES.items()}
SUITES = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
"""Of SRTP, best first (RFC 4568 §6.2)."""
_TRANSPORTS = ("RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF")
_CRYPTO = re.compile(r"crypto:\s*(\d{1,9})\s+(\S+)\s+inline:([A-Za-z0-9+/=]+)(?:\|(?:2\^)?\d+)?\s*\Z", re.IGNORECASE)
"""A lifetime is read over; a key with an MKI or session parameters is one we cannot use (§6.1, §6.3)."""
_KEY_OCTETS = 30
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
REVERSED = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}
_RTPMAP = re.compile(r"rtpmap:\s*(\d{1,3})\s+([^/\s]+)/(\d+)", re.IGNORECASE)
_RTCP = re.compile(r"rtcp:\s*(\d{1,5})\b")
_MEDIA = re.compile(r"(\w+)\s+(\d{1,5})(?:/\d+)?\s+(\S+)\s*(.*)\Z")


class BadSdp(ValueError):
    """A session description we cannot serve; the peer is owed 400, or 488 when it is only no use to us."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Crypto:
    """An `a=crypto` line (RFC 4568 §9.1)."""

    tag: int
    suite: str
    key: str = field(repr=False)
    """Base64 of the 16 octets of the master key and the 14 of its salt."""

    @property
    def line(self) -> str:
        return f"a=crypto:{self.tag} {self.suite} inline:{self.key}"


class Description(NamedTuple):
    """The audio stream of a session description."""

    host: str
    port: int
    codecs: tuple[tuple[str, int], ...]
    """(codec, payload type) we know, in the order of the m= line."""
    event_type: int | None
    direction: str
    ptime_ms: int = 20
    wide_event_type: int | None = None
    """Payload type of telephone-event by the clock of Opus: keys have the clock of the sound (RFC 4733 §2.1)."""
    transport: str = "RTP/AVP"
    refused: tuple[str, ...] = ()
    """The other m= lines as an answer writes them, port 0: it must have as many as the offer (RFC 3264 §6)."""
    audio_at: int = 0
    """How many of `refused` stand before the audio stream."""
    version: int = 1
    rtcp_port: int = 0
    """Of `a=rtcp` (RFC 3605); 0 when there was none."""
    rtcp_mux: bool = False
    crypto: tuple[Crypto, ...] = ()
    """Those we can use, in their order."""
    origin: str = ""
    """Host of the `o=` line, which stays what it was when media moves (RFC 3264 §8); empty for that of the media."""

    @property
    def secure(self) -> bool:
        """The transport asks for SRTP."""
        return "SAVP" in self.transport


@lru_cache(maxsize=256)
def parse_sdp(data: bytes) -> Description:
    """Read the first audio stream; BadSdp says what is wrong with it.

    The newest are kept: an offer is asked for its codecs, for where its phone is and again when its answer comes.
    """
    session, attributes, streams = sections(data)
    for at, (media, lines, own) in enumerate(streams):
        if media.lower().startswith("audio"):
            found = _stream(media, {**session, **lines}, [*attributes, *own])
            others = [refused(other) for place, (other, _, _) in enumerate(streams) if place != at]
            return found._replace(refused=tuple(others), audio_at=at)
    raise BadSdp(488, "no audio stream")


Streams = list[tuple[str, dict[str, str], list[str]]]
"""Of each stream: its m= line, the other lines by their letter, and its attributes."""


def sections(data: bytes) -> tuple[dict[str, str], list[str], Streams]:
    """Return a description's own lines and attributes, and its streams; BadSdp(400) when it is none."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    session: dict[str, str] = {}
    streams: Streams = []
    attributes: list[str] = []
    for line in text.split("\n"):
        kind, equals, value = line.partition("=")
        kind = kind.strip()
        if not equals or len(kind) != 1:
            continue
        if kind == "m":
            streams.append((value.strip(), {}, []))
        elif kind == "a":
            (streams[-1][2] if streams else attributes).append(value.strip())
        else:
            (streams[-1][1] if streams else session).setdefault(kind, value.strip())
    if not text.startswith("v="):
        raise BadSdp(400, "a session description starts with v=")
    return session, attributes, streams


def refused(media: str) -> str:
    """Return a stream's m= line with port 0: the kind, transport and formats stay what they were."""
    found = _MEDIA.match(media)
    if found is None:
        raise BadSdp(400, f"bad m= line: {media[:60]!r}")
    return " ".join([found[1], "0", found[3], *found[4].split()])


def _stream(media: str, lines: dict[str, str], attributes: list[str]) -> Description:
    found = _MEDIA.match(media)
    if found is None or int(found[2]) > 65535:
        raise BadSdp(400, f"bad m= line: {media[:60]!r}")
    if found[3].upper() not in _TRANSPORTS:
        raise BadSdp(488, f"transport {found[3][:20]!r} is not served")
    host = connection(lines)
    numbers = (natural(word) for word in found[4].split())
    types = [number for number in numbers if number is not None and number < 128]
    names = dict(_NAMES)
    event_type, wide_event_type, direction, ptime = None, None, "sendrecv", 20
    rtcp_port, rtcp_mux = 0, False
    crypto = []
    for attribute in attributes:
        mapped = _RTPMAP.match(attribute)
        lower = attribute.lower()
        if mapped:
            name = mapped[2].upper()
            if name == "TELEPHONE-EVENT" and mapped[3] == "8000" and int(mapped[1]) in types:
                event_type = int(mapped[1])
            elif name == "TELEPHONE-EVENT" and mapped[3] == "48000" and int(mapped[1]) in types:
                wide_event_type = int(mapped[1])
            elif (name == OPUS and mapped[3] == "48000") or mapped[3] == "8000":
                names[int(mapped[1])] = name
        elif lower in DIRECTIONS:
            direction = lower
        elif lower.startswith("ptime:") and (asked_ms := natural(lower[6:])) is not None:
            ptime = min(max(asked_ms, 10), 60)
        elif keyed := _CRYPTO.match(attribute):
            if (suite := keyed[2].upper()) in SUITES and _is_key(keyed[3]):
                crypto.append(Crypto(int(keyed[1]), suite, keyed[3]))
        elif lower == "rtcp-mux":
            rtcp_mux = True
        elif (port := _RTCP.match(lower)) and 0 < int(port[1]) < 65536:
            rtcp_port = int(port[1])
    if host == "0.0.0.0" and direction in ("sendrecv", "sendonly"):
        direction = "inactive" if direction == "sendrecv" else direction  # hold as RFC 2543 wrote it
    codecs = tuple((names[number], number) for number in types if names.get(number) in _KNOWN)
    return Description(
        host, int(found[2]), codecs, event_type, direction, ptime, wide_event_type, found[3].upper(),
        rtcp_port=rtcp_port, rtcp_mux=rtcp_mux, crypto=tuple(crypto),
    )  # fmt: skip


def _is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == _KEY_OCTETS
    except ValueError:
        return False


def connection(lines: dict[str, str]) -> str:
    """Return the host of a stream's c= line, or the session's; BadSdp when there is none that can be served."""
    address = lines.get("c", "").split()
    if len(address) < 3 or address[0].upper() != "IN":
        raise BadSdp(400, "no usable c= line")
    return _numeric(address[2].partition("/")[0])


@lru_cache(maxsize=1024)
def _numeric(host: str) -> str:
    """Return the address; BadSdp for a name, which could only be looked up by blocking, and for more than one host."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise BadSdp(488, f"c= names {host[:60]!r}, which is no IP address") from None
    if address.is_multicast or host == "255.255.255.255":
        raise BadSdp(488, f"c= names {host}, which is no single host")
    return host


def is_hold(sdp: bytes) -> bool:
    """Tell whether a description puts us on hold (RFC 3264 §8.4, and 0.0.0.0 of RFC 2543); BadSdp."""
    description = parse_sdp(sdp)
    return description.direction in ("sendonly", "inactive") or description.host == "0.0.0.0"


def offer(
    address: MediaAddress,
    *,
    codecs: tuple[str, ...] = CODECS,
    direction: str = "sendrecv",
    session: int = 1,
    version: int = 1,
    crypto: tuple[Crypto, ...] = (),
    transport: str = "RTP/AVP",
) -> bytes:
    """Write an offer as `proposal` makes it."""
    return write(
        proposal(address, codecs=codecs, direction=direction, version=version, crypto=crypto, transport=transport),
        session,
    )


def proposal(
    address: MediaAddress,
    *,
    codecs: tuple[str, ...] = CODECS,
    direction: str = "sendrecv",
    version: int = 1,
    crypto: tuple[Crypto, ...] = (),
    transport: str = "RTP/AVP",
) -> Description:
    """Return what an offer of `codecs` says, best first, with telephone-event on 101, and for Opus on 110."""
    chosen = tuple((name, _NUMBERS[name]) for name in codecs)
    host, port = address.host, address.port
    return Description(
        host, port, chosen, _EVENTS, direction, transport=transport, version=version, crypto=crypto,
        wide_event_type=_WIDE_EVENTS if OPUS in codecs else None,
    )  # fmt: skip


def describe(
    address: MediaAddress, *, codecs: tuple[str, ...], event_type: int | None, direction: str = "sendrecv"
) -> bytes:
    """Write a description of anybody's media."""
    chosen = tuple((name, PAYLOAD_TYPES[name]) for name in codecs)
    return write(Description(address.host, address.port, chosen, event_type, direction), 1)


def proposal_of(far: RemoteMedia, *, origin: MediaAddress, version: int = 1) -> Description:
    """Return an offer of somebody else's media as it was settled with them, in the name of `origin`."""
    chosen = ((far.codec, far.payload_type),)
    wide = far.codec == OPUS
    return Description(
        far.host, far.port, chosen, None if wide else far.event_type, "sendrecv", far.ptime_ms, version=version,
        wide_event_type=far.event_type if wide else None, rtcp_port=far.rtcp_port, origin=origin.host,
    )  # fmt: skip


def answer(
    offered: Description,
    address: MediaAddress,
    *,
    codecs: tuple[str, ...] = CODECS,
    wanted: str = "sendrecv",
    session: int = 1,
    version: int = 1,
    liked: str = "",
    crypto: Crypto | None = None,
    origin: str = "",
) -> tuple[bytes, RemoteMedia]:
    """Answer an offer; return the text and what it settles. BadSdp(488) when no codec is common.

    The codec `liked` is taken if it is offered, else the offerer's order decides (RFC 3264 §6.1); its payload numbers
    are used, and its direction limits ours. `crypto` answers one of its keys with ours.
    """
    common = [(name, number) for name, number in offered.codecs if name in codecs]
    if not common:
        raise BadSdp(488, "no common codec")
    # Opus is for whom we connect with somebody else who speaks it: sounds of our own are cheaper otherwise.
    common.sort(key=lambda codec: (codec[0] != liked, codec[0] == OPUS))
    direction = _both(REVERSED[offered.direction], wanted)
    wide = common[0][0] == OPUS
    settled = offered._replace(
        host=address.host, port=address.port, codecs=(common[0],), direction=direction, version=version,
        event_type=None if wide else offered.event_type, wide_event_type=offered.wide_event_type if wide else None,
        rtcp_port=0, crypto=(crypto,) if crypto is not None else (), origin=origin,
    )  # fmt: skip
    text = write(settled, session)
    return text, _remote(offered, common[0], direction)


def settle(mine: Description, answered: Description) -> RemoteMedia:
    """Return what an answer to our offer settles; BadSdp(488) when it took nothing of it."""
    offered = {name for name, _ in mine.codecs}
    common = [(name, number) for name, number in answered.codecs if name in offered]
    if not common:
        raise BadSdp(488, "the answer took no codec of the offer")
    answered = answered._replace(rtcp_mux=answered.rtcp_mux and mine.rtcp_mux)
    return _remote(answered, common[0], _both(REVERSED[answered.direction], mine.direction))


def _remote(far: Description, codec: tuple[str, int], direction: str) -> RemoteMedia:
    events = far.wide_event_type if codec[0] == OPUS else far.event_type
    return RemoteMedia(
        far.host, far.port, codec[0], codec[1], events, direction, far.ptime_ms, far.rtcp_port, far.rtcp_mux
    )


def _both(a: str, b: str) -> str:
    sends = a in ("sendrecv", "sendonly") and b in ("sendrecv", "sendonly")
    receives = a in ("sendrecv", "recvonly") and b in ("sendrecv", "recvonly")
    return ("sendrecv" if receives else "sendonly") if sends else ("recvonly" if receives else "inactive")


def write(it: Description, session: int = 1) -> bytes:
    numbers = [str(number) for _, number in it.codecs]
    net = "IN IP6" if ":" in it.host else "IN IP4"
    origin = it.origin or it.host
    from_net = "IN IP6" if ":" in origin else "IN IP4"
    lines = ["v=0", f"o=switchroom {session} {it.version} {from_net} {origin}", "s=-", f"c={net} {it.host}", "t=0 0"]
    lines += [f"m={other}" for other in it.refused[: it.audio_at]]
    events = [(it.event_type, 8000), (it.wide_event_type, 48000)]
    numbers += [str(number) for number, _ in events if number is not None]
    lines.append(f"m=audio {it.port} {it.transport} {' '.join(numbers)}")
    lines += [
        f"a=rtpmap:{number} " + ("opus/48000/2" if name == OPUS else f"{name}/8000") for name, number in it.codecs
    ]
    for number, hertz in events:
        if number is not None:
            lines += [f"a=rtpmap:{number} telephone-event/{hertz}", f"a=fmtp:{number} 0-15"]
    lines += [f"a=ptime:{it.ptime_ms}", f"a={it.direction}"]
    if it.rtcp_mux:
        lines.append("a=rtcp-mux")
    if it.rtcp_port:
        lines.append(f"a=rtcp:{it.rtcp_port}")
    lines += [crypto.line for crypto in it.crypto]
    lines += [f"m={other}" for other in it.refused[it.audio_at :]]
    return "\r\n".join([*lines, ""]).encode()
