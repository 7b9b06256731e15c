"""Fax in session descriptions: `m=image … udptl t38` and its attributes (ITU-T T.38 annex D, RFC 3362).

A fax takes the place of the sound it was: the stream changes its media type (RFC 3264 §8.3.3, which has fax for its
example). A description that still has sound is one of sound, and its image stream is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pbx.media.engine import FAX, T38, MediaAddress, RemoteMedia
from pbx.media.fax.udptl import LARGEST
from pbx.media.sdp import BadSdp, connection, refused, sections
from pbx.numerals import natural

OURS = T38(largest=LARGEST)
_UNSAID = T38()
_IMAGE = re.compile(r"image\s+(\d{1,5})\s+udptl\s+t38\Z", re.IGNORECASE)
_ACTIVE_SOUND = re.compile(r"audio\s+0*[1-9]", re.IGNORECASE)
_LEAST = 100
"""Octets of a datagram: who names fewer counts something else (some name the octets of an IFP packet, or 72)."""


@dataclass(frozen=True, slots=True)
class FaxDescription:
    host: str
    port: int
    t38: T38
    others: tuple[str, ...] = ()
    """The other m= lines as an answer writes them."""
    image_at: int = 0
    """How many of them stand before the image stream."""


def read_fax(data: bytes) -> FaxDescription | None:
    """Return the fax a description wants, None when it is one of sound; BadSdp for one that is neither to be used."""
    session, attributes, streams = sections(data)
    if any(_ACTIVE_SOUND.match(media) for media, _, _ in streams):
        return None
    for at, (media, lines, own) in enumerate(streams):
        found = _IMAGE.match(media)
        if found is None:
            continue
        port = int(found[1])
        if port > 65535:
            raise BadSdp(400, f"bad m= line: {media[:60]!r}")
        others = tuple(refused(other) for place, (other, _, _) in enumerate(streams) if place != at)
        return FaxDescription(connection({**session, **lines}), port, _t38([*attributes, *own]), others, at)
    return None


def offer_fax(at: MediaAddress, t38: T38 = OURS, *, version: int = 1) -> bytes:
    return _write(FaxDescription(at.host, at.port, t38), version)


def answer_fax(offered: FaxDescription, at: MediaAddress, t38: T38 = OURS, *, version: int = 1) -> bytes:
    """Answer an offer; none of our figures is greater than the offered one (T.38 §D.2.3)."""
    agreed = T38(min(t38.bit_rate, offered.t38.bit_rate), t38.largest, min(t38.version, offered.t38.version))
    return _write(FaxDescription(at.host, at.port, agreed, offered.others, offered.image_at), version)


def far_end(it: FaxDescription) -> RemoteMedia:
    """Return what a description of the far end's settles; BadSdp(488) when it refused the stream."""
    if not it.port:
        raise BadSdp(488, "the image stream was refused")
    return RemoteMedia(it.host, it.port, FAX, -1, None, "sendrecv", fax=it.t38)


def _t38(attributes: list[str]) -> T38:
    """Read the figures, by any spelling of their names (§D.2.3.1 has two)."""
    told = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in attributes)}

    def figure(name: str, otherwise: int) -> int:
        value = natural(told.get(name, ""))
        return value if value is not None else otherwise

    largest = figure("t38faxmaxdatagram", _UNSAID.largest)
    return T38(
        min(figure("t38maxbitrate", _UNSAID.bit_rate), 33_600),
        min(largest, LARGEST) if largest >= _LEAST else _UNSAID.largest,
        min(figure("t38faxversion", 0), 3),
    )


def _write(it: FaxDescription, version: int) -> bytes:
    net = "IN IP6" if ":" in it.host else "IN IP4"
    lines = ["v=0", f"o=switchroom 1 {version} {net} {it.host}", "s=-", f"c={net} {it.host}", "t=0 0"]
    lines += [f"m={other}" for other in it.others[: it.image_at]]
    lines += [
        f"m=image {it.port} udptl t38",
        f"a=T38FaxVersion:{it.t38.version}",
        f"a=T38MaxBitRate:{it.t38.bit_rate}",
        "a=T38FaxRateManagement:transferredTCF",
        f"a=T38FaxMaxDatagram:{it.t38.largest}",
        "a=T38FaxUdpEC:t38UDPRedundancy",
    ]
    lines += [f"m={other}" for other in it.others[it.image_at :]]
    return "\r\n".join([*lines, ""]).encode()
