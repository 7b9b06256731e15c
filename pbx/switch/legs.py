"""A leg: one party's session and its media, and the offer/answer glue between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pbx.domain.devices import Nat
from pbx.media.engine import T38, Capability, Engine, MediaAddress, NoMediaPort, RemoteMedia, Sound
from pbx.media.fax.sdp import OURS, FaxDescription, read_fax
from pbx.media.negotiation import Negotiation
from pbx.media.sdp import BadSdp, parse_sdp
from pbx.sip.referral import Referrer
from pbx.sip.session import Session

if TYPE_CHECKING:
    from pbx.switch.trunks import Way


@dataclass(frozen=True, slots=True)
class Key:
    digit: str
    method: str
    """`rfc4733` or `info`."""
    at: float


@dataclass(slots=True)
class Bearer:
    """Where a leg's far end sends its media: to us, or straight to the far end of another leg (`direct`)."""

    peer: str = ""
    """That leg; empty for us."""
    address: MediaAddress | None = None
    """Where it was told to send, while that is not to us."""
    asked: str | None = None
    """The peer a re-INVITE is on its way for; None when there is none."""
    tries: int = 0
    """Re-INVITEs in this conversation."""
    refused: str = ""
    """Why it stays with us in this conversation, found out by trying."""
    told: tuple[str, str] = ("", "")
    """Path and reason, as told last."""

    def begin(self) -> None:
        """Another conversation: what failed in the one before may work."""
        self.tries, self.refused, self.told = 0, "", ("", "")


@dataclass(frozen=True, slots=True)
class Turn:
    """A re-INVITE on its way that turns sound into fax over IP, or back."""

    asker: str = ""
    """The leg whose own re-INVITE waits for what comes of it; empty when it was our idea."""


@dataclass(slots=True, eq=False)
class Leg:
    """Owned by its call; `close` gives the media port back."""

    name: str
    device: str
    """Empty for the carrier's side."""
    extension: str
    number: str
    """Outside number of a trunk leg, or the desk's name."""
    engine: Engine
    negotiation: Negotiation
    session: Session | None = None
    nat: Nat = "automatic"
    answered: bool = False
    rang: bool = False
    direction: str = "sendrecv"
    """Of its media, seen from us; a phone that is to listen only is never let to speak."""
    instead_of: str = ""
    """The leg it takes the place of once it answers."""
    held: bool = False
    """It has put the other side on hold."""
    gone: bool = False
    joined: str = ""
    """The leg it is bridged with."""
    room: str = ""
    """The room of the media engine it is in."""
    sound: tuple[Sound, str] | None = None
    """What is played to it, with the token of its end."""
    opened: bool = False
    """It had media: the engine will report on it."""
    remote: RemoteMedia | None = None
    referrer: Referrer | None = None
    """Who is to be told what becomes of its REFER."""
    last_key: Key | None = None
    typed: str = ""
    """The newest keys, where they may be a code."""
    sends_events: bool = False
    """Its keys come as telephone-events, whatever else it sends."""
    owed: str = ""
    """Keys by INFO that the other end is still to get."""
    flow: str = ""
    """What arrives, as the engine said last; empty before it did."""
    flow_detail: str = ""
    conversation: tuple[str, ...] | None = None
    """Who of it and the leg it is joined with is heard, as told last."""
    bearer: Bearer = field(default_factory=Bearer)
    turning: Turn | None = None
    has_machine: bool = False
    """A fax machine of ours has it."""
    wants_t38: bool = False
    """It is offered T.38 once it is heard to be a fax machine."""
    t38_offers: int = 0
    way: Way | None = None
    """How it goes outside, as long as another trunk may yet be taken."""
    expects_fax: bool = False
    """Whoever answers it is a fax machine: an offer of fax alone is taken."""
    _address: MediaAddress | None = None

    @property
    def party(self) -> str:
        """Who this is, in events: the device, else the number."""
        return self.device or self.number

    def offer(self, like: Leg | None = None) -> bytes:
        """Write our offer, the codecs of the leg it is to be `like` first; NoMediaPort when there is no port."""
        liked = like.codecs if like is not None else ()
        return self.negotiation.offer(self._open(), direction=self.direction, liked=liked)

    def answer(self, offered: bytes, like: Leg | None = None) -> bytes:
        """Answer an offer and connect the media; BadSdp(488) when nothing is common, NoMediaPort."""
        if self.expects_fax and (fax := read_fax(offered)) is not None:
            return self.answer_fax(fax)
        liked = like.remote.codec if like is not None and like.remote is not None else ""
        text = self.negotiation.answer(offered, self._open(), wanted=self.direction, liked=liked)
        self._connect()
        return text

    def settle(self, answered: bytes, *, elsewhere: bool = False) -> None:
        """Take the answer to our offer, which may have led `elsewhere`; BadSdp when it is none."""
        if self.negotiation.has_offered:
            self.negotiation.settle(answered)
            self._connect(elsewhere=elsewhere)

    def offer_elsewhere(self, far: RemoteMedia) -> bytes:
        """Write an offer of the far end of another leg instead of us."""
        return self.negotiation.offer_of(far, self._open())

    def answer_elsewhere(self, offered: bytes, far: RemoteMedia) -> bytes:
        """Answer an offer with the far end of another leg."""
        text = self.negotiation.answer(offered, MediaAddress(far.host, far.port), liked=far.codec, origin=self._open())
        self._connect(elsewhere=True)
        return text

    def offer_fax(self, t38: T38 = OURS) -> bytes:
        """Write an offer of T.38; NoMediaPort."""
        return self.negotiation.offer_fax(self._open(), t38)

    def answer_fax(self, offered: FaxDescription, t38: T38 = OURS) -> bytes:
        """Answer an offer of T.38 and connect it; BadSdp(488) where it cannot be, NoMediaPort."""
        text = self.negotiation.answer_fax(offered, self._open(), t38)
        self._connect()
        return text

    @property
    def is_fax(self) -> bool:
        """Its media is fax over IP."""
        return self.remote is not None and self.remote.fax is not None

    def is_at(self, offered: bytes) -> bool:
        """Tell whether an offer names the address its media is known to be at."""
        description = parse_sdp(offered)
        remote = self.remote
        return remote is not None and (remote.host, remote.port) == (description.host, description.port)

    @property
    def codecs(self) -> tuple[str, ...]:
        """What it speaks, best first: what was settled, before that what it offers."""
        if self.remote is not None:
            return (self.remote.codec,)
        offered = self.session.remote_sdp if self.session is not None else None
        try:
            return tuple(name for name, _ in parse_sdp(offered).codecs) if offered else ()
        except BadSdp:
            return ()  # it is refused when it is answered

    def close(self) -> None:
        if self._address is not None:
            self._address = None
            self.engine.close(self.name)

    def _open(self) -> MediaAddress:
        if self.negotiation.policy == "yes" and Capability.ENCRYPTION not in self.engine.capabilities:
            raise NoMediaPort(f"{self.party} must have SRTP, and the media engine has none")
        if self._address is None:
            self._address = self.engine.open(self.name)
            self.opened = True
        return self._address

    def _connect(self, *, elsewhere: bool = False) -> None:
        remote = self.negotiation.remote
        assert remote is not None
        # Media of a phone behind a NAT comes from where its signalling comes from, not from what it writes.
        signalled = self.session.peer.host if self.session is not None else ""
        if self.nat == "never":
            signalled = remote.host
        self.remote = remote._replace(signalled=signalled, any_port=self.nat == "always")
        self.flow, self.conversation = "", None
        self.engine.connect(self.name, self.remote._replace(direction="inactive") if elsewhere else self.remote)
