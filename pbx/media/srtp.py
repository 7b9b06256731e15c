"""SRTP with keys from SDP: what guards the packets of one leg (RFC 3711, RFC 4568), by libsrtp."""

from __future__ import annotations

import base64

from pylibsrtp import Error, Policy, Session

from pbx.media.engine import SrtpKeys

_PROFILES = {
    "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
}
_LONGEST = 1300
"""libsrtp's Python binding has room for 1500 octets; no audio packet is near it."""


class Guard:
    """Seals what a leg sends, opens what it receives: once each, so replays do not open (RFC 3711 §3.3.2)."""

    def __init__(self, keys: SrtpKeys) -> None:
        self.keys = keys
        profile = _PROFILES[keys.suite]
        ours, theirs = base64.b64decode(keys.ours), base64.b64decode(keys.theirs)
        self._out = Session(Policy(key=ours, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        self._in = Session(Policy(key=theirs, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))

    def sealed(self, packet: bytes) -> bytes:
        """Return a packet of ours, encrypted; empty when it may not be sent, as after 2^48 others."""
        try:
            return self._out.protect(packet)
        except Error:
            return b""

    def opened(self, data: bytes) -> bytes | None:
        """Return an RTP packet of the far end; None when it is forged, repeated or no RTP."""
        if len(data) > _LONGEST:
            return None
        try:
            return self._in.unprotect(data)
        except Error:
            return None

    def sealed_report(self, packet: bytes) -> bytes:
        try:
            return self._out.protect_rtcp(packet)
        except Error:
            return b""

    def opened_report(self, data: bytes) -> bytes | None:
        if len(data) > _LONGEST:
            return None
        try:
            return self._in.unprotect_rtcp(data)
        except Error:
            return None
