"""A leg: one party's session and its media, and the offer/answer glue between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from pbx.media.engine import Engine, MediaAddress, RemoteMedia
from pbx.media.sdp import Description, answer, offer, parse_sdp, settle
from pbx.sip.session import Session


class Role(Enum):
    CALLER = auto()
    CALLED = auto()


@dataclass(slots=True, eq=False)
class Leg:
    """Owned by its call; `close` gives the media port back."""

    name: str
    role: Role
    device: str
    """Empty for the carrier's side."""
    extension: str
    number: str
    """Outside number of a trunk leg, or the desk's name."""
    engine: Engine
    session: Session | None = None
    answered: bool = False
    answered_at: float = 0.0
    held: bool = False
    gone: bool = False
    joined: str = ""
    """The leg it is bridged with."""
    music: str = ""
    """What it hears while the other side holds."""
    remote: RemoteMedia | None = None
    transferring: bool = False
    opened: bool = False
    """It had media: the engine will report on it."""
    codecs: tuple[str, ...] = ("PCMU", "PCMA")
    _address: MediaAddress | None = None
    _version: int = 0
    _sdp: bytes = field(default=b"", repr=False)

    @property
    def party(self) -> str:
        """Who this is, in events: the device, else the number."""
        return self.device or self.number

    def open(self) -> MediaAddress:
        """Take a media port once; NoMediaPort when none is left."""
        if self._address is None:
            self._address = self.engine.open(self.name)
            self.opened = True
        return self._address

    def offer(self) -> bytes:
        """Write our offer; BadSdp never."""
        self._version += 1
        self._sdp = offer(self.open(), codecs=self.codecs, session=1, version=self._version)
        return self._sdp

    def answer(self, offered: bytes) -> bytes:
        """Answer an offer and connect the media; BadSdp(488) when nothing is common."""
        description = parse_sdp(offered)
        self._version += 1
        text, remote = answer(description, self.open(), codecs=self.codecs, version=self._version)
        self._connect(remote)
        self._sdp = text
        return text

    def settle(self, answered: bytes) -> None:
        """Take the answer to our offer; BadSdp when it is none."""
        if self._sdp:
            self._connect(settle(self._sdp, parse_sdp(answered)))

    def is_hold(self, offered: bytes) -> bool:
        """Tell whether an offer puts us on hold (RFC 3264 §8.4, and 0.0.0.0 of RFC 2543)."""
        description: Description = parse_sdp(offered)
        return description.direction in ("sendonly", "inactive") or description.host == "0.0.0.0"

    def close(self) -> None:
        if self._address is not None:
            self._address = None
            self.engine.close(self.name)

    def _connect(self, remote: RemoteMedia) -> None:
        self.remote = remote
        self.engine.connect(self.name, remote)
