"""One party's side of offer and answer: what it wants, what it offered last, what both settled (RFC 3264, RFC 4568)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

from pbx.domain.base import SrtpPolicy
from pbx.media import sdp
from pbx.media.codecs import CODECS, common_first
from pbx.media.engine import T38, MediaAddress, RemoteMedia, SrtpKeys
from pbx.media.fax.sdp import OURS, FaxDescription, answer_fax, far_end, offer_fax, read_fax

_KEY_OCTETS = 30
"""Of the master key and its salt (RFC 4568 §6.1)."""
_ENTROPY = 64
"""Hex characters that make one."""


class Negotiation:
    """Knows no ports and no engine. `token(n)` gives n random hex characters, for keys."""

    def __init__(self, policy: SrtpPolicy, token: Callable[[int], str], codecs: tuple[str, ...] = CODECS) -> None:
        self.policy = policy
        self._codecs = codecs
        self._token = token
        self._version = 0
        self._offered: sdp.Description | None = None
        self._offered_fax = False
        self._keys: dict[str, str] = {}
        """Ours by suite: one a party and suite, so that a re-INVITE does not start encryption again."""
        self.remote: RemoteMedia | None = None
        """As settled last."""

    def offer(self, at: MediaAddress, *, direction: str = "sendrecv", liked: tuple[str, ...] = ()) -> bytes:
        """Write an offer; the codecs of `liked` come first."""
        self._version += 1
        crypto = () if self.policy == "no" else tuple(
            sdp.Crypto(tag, suite, self._key(suite)) for tag, suite in enumerate(sdp.SUITES, start=1)
        )  # fmt: skip
        return self._offers(sdp.proposal(
            at,
            codecs=common_first(self._codecs, liked),
            direction=direction,
            version=self._version,
            crypto=crypto,
            transport="RTP/SAVP" if self.policy == "yes" else "RTP/AVP",
        ))  # fmt: skip

    def offer_of(self, far: RemoteMedia, origin: MediaAddress) -> bytes:
        """Write an offer of another party's media instead of ours."""
        self._version += 1
        return self._offers(sdp.proposal_of(far, origin=origin, version=self._version))

    def _offers(self, proposal: sdp.Description) -> bytes:
        """Keep an offer as it was meant: to read our own words when the answer comes cost 3 % of a call."""
        self._offered, self._offered_fax = proposal, False
        return sdp.write(proposal)

    def only(self, codecs: tuple[str, ...]) -> None:
        """Speak none but these: sound of a modem survives no other."""
        self._codecs = tuple(codec for codec in self._codecs if codec in codecs) or codecs

    def offer_fax(self, at: MediaAddress, t38: T38 = OURS) -> bytes:
        self._version += 1
        self._offered, self._offered_fax = None, True
        return offer_fax(at, t38, version=self._version)

    def answer_fax(self, offered: FaxDescription, at: MediaAddress, t38: T38 = OURS) -> bytes:
        """Answer an offer of fax; BadSdp where the party must have SRTP, or it refuses the fax itself."""
        self._plain()
        self.remote = far_end(offered)
        self._version += 1
        return answer_fax(offered, at, t38, version=self._version)

    def answer(
        self,
        offered: bytes,
        at: MediaAddress,
        *,
        wanted: str = "sendrecv",
        liked: str = "",
        origin: MediaAddress | None = None,
    ) -> bytes:
        """Answer an offer, by the codec `liked` if it has it; BadSdp when nothing is common.

        `origin` is we, where `at` is somebody else.
        """
        description = sdp.parse_sdp(offered)
        self._version += 1
        liked = liked or (self.remote.codec if self.remote is not None else "")
        theirs = self._chosen(description)
        ours = sdp.Crypto(theirs.tag, theirs.suite, self._key(theirs.suite)) if theirs is not None else None
        text, remote = sdp.answer(
            description, at, codecs=self._codecs, wanted=wanted, version=self._version, liked=liked, crypto=ours,
            origin=origin.host if origin is not None else "",
        )  # fmt: skip
        return self._settled(text, remote, ours, theirs)

    def has_nothing_for(self, offered: bytes) -> bool:
        """Tell whether an offer of sound has no codec in common with this party; other offers are not judged."""
        try:
            codecs = sdp.parse_sdp(offered).codecs
        except sdp.BadSdp:
            return False
        return not any(name in self._codecs for name, _ in codecs)

    def settle(self, answered: bytes) -> RemoteMedia:
        """Take the answer to our offer; BadSdp when it took nothing of it, or no SRTP where that is our policy."""
        if self._offered_fax:
            return self._settle_fax(answered)
        if self._offered is None:
            raise sdp.BadSdp(488, "an answer to no offer")
        description = sdp.parse_sdp(answered)
        remote = sdp.settle(self._offered, description)
        theirs = self._chosen(description)
        ours = next((it for it in self._offered.crypto if theirs and it.tag == theirs.tag), None)
        if theirs is not None and (ours is None or ours.suite != theirs.suite):
            raise sdp.BadSdp(488, f"the answer chose SRTP {theirs.tag} {theirs.suite}, which was not offered")
        self._settled(b"", remote, ours, theirs)
        assert self.remote is not None
        return self.remote

    def _settle_fax(self, answered: bytes) -> RemoteMedia:
        self._plain()
        fax = read_fax(answered)
        if fax is None:
            raise sdp.BadSdp(488, "the answer took no fax")
        self.remote = far_end(fax)
        return self.remote

    def _plain(self) -> None:
        if self.policy == "yes":
            raise sdp.BadSdp(488, "UDPTL is not encrypted, but SRTP is asked for")

    @property
    def has_offered(self) -> bool:
        return self._offered is not None or self._offered_fax

    def _settled(self, text: bytes, remote: RemoteMedia, ours: sdp.Crypto | None, theirs: sdp.Crypto | None) -> bytes:
        keys = SrtpKeys(ours.suite, ours.key, theirs.key) if ours is not None and theirs is not None else None
        self.remote = remote._replace(keys=keys)
        return text

    def _chosen(self, theirs: sdp.Description) -> sdp.Crypto | None:
        """Return the first of their keys we can use; BadSdp when that is against our policy."""
        if self.policy == "no":
            if theirs.secure:
                raise sdp.BadSdp(488, "SRTP is offered, but this party's policy is `no`")
            return None
        if theirs.crypto:
            return theirs.crypto[0]
        if theirs.secure or self.policy == "yes":
            raise sdp.BadSdp(488, "no usable a=crypto line, but SRTP is asked for")
        return None

    def _key(self, suite: str) -> str:
        if suite not in self._keys:
            octets = hashlib.sha256(self._token(_ENTROPY).encode()).digest()[:_KEY_OCTETS]
            self._keys[suite] = base64.b64encode(octets).decode()
        return self._keys[suite]
