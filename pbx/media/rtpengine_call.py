"""A leg as rtpengine has it: a call of two sides, and the requests for it in their order.

`party` is the far end. `house` is our side of it, where its sound goes and comes from: the `house` of the leg it is
bridged to, or a port where nobody listens. So every leg keeps its port whomever it talks to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pbx.media import sdp
from pbx.media.codecs import CODECS
from pbx.media.engine import MediaAddress, RemoteMedia, Sound
from pbx.media.flow import Watch

PARTY, HOUSE = "party", "house"
Fields = dict[str, Any]
Reply = dict[str, Any]
Step = tuple[Callable[[], Fields], Callable[[Reply], None]]
"""A request, written when its turn comes, and what is done with the answer."""
_EVENTS = 101
_FLAGS = ["port-latching", "inject-DTMF"]
"""Ports stay what they are (we have told them already); keys may be sent."""


@dataclass(slots=True, eq=False)
class RtpengineLeg:
    """Owned by its engine."""

    name: str
    call: str
    """What rtpengine calls it."""
    address: MediaAddress
    """Where the party sends to."""
    opened_at: float
    watch: Watch
    remote: RemoteMedia | None = None
    house: MediaAddress | None = None
    """Where whoever is bridged to it sends to; None until the party is known."""
    other: RtpengineLeg | None = None
    steps: deque[Step] = field(default_factory=deque)
    waits: bool = False
    """A request is on its way."""
    sound: Sound | None = None
    token: str = ""
    plays: int = 0
    """Sounds so far: the end of an earlier one is no news."""
    received: int = 0
    sent: int = 0
    source: tuple[str, int] = ("", 0)
    """Where the party sends from, by rtpengine's word."""
    latched: tuple[str, int] | None = None
    """The one told last."""
    gone: bool = False

    def fields(self, command: str, **more: object) -> Fields:
        return {"command": command, "call-id": self.call, **{name.replace("_", "-"): it for name, it in more.items()}}

    def offer(self, nowhere: MediaAddress) -> Fields:
        """Describe our side; what the party speaks is made of that."""
        codec, other = self._codec(), self.other
        at = other.house if other is not None and other.house is not None else nowhere
        fields = _described("offer", self.call, _description(at, (codec,), self._event_type))
        if self.house is not None:  # there is a party to rtpengine only after its answer
            fields["to-tag"] = PARTY
        if self.remote is not None and codec != self.remote.codec:
            fields["codec"] = {"transcode": [self.remote.codec]}
        return fields

    def answer(self) -> Fields:
        """Describe the party, as it was negotiated."""
        remote = self.remote
        assert remote is not None
        at = MediaAddress(remote.host, remote.port)
        text = _description(at, (remote.codec,), remote.event_type, sdp.REVERSED[remote.direction])
        fields = _described("answer", self.call, text)
        fields["to-tag"] = PARTY
        if remote.signalled and (remote.any_port or remote.signalled != remote.host):  # a NAT: where it signals from
            fields["received-from"] = ["IP6" if ":" in remote.signalled else "IP4", remote.signalled]
        else:
            fields["flags"] = [*_FLAGS, "trust-address"]
        return fields

    @property
    def hands_keys_on(self) -> bool:
        """Its keys do not reach the other as they are: their payload types differ."""
        other = self.other
        return (
            other is not None
            and self.remote is not None
            and other.remote is not None
            and other.remote.event_type not in (None, self.remote.event_type)
        )

    @property
    def _event_type(self) -> int:
        return _EVENTS if self.remote is None or self.remote.event_type is None else self.remote.event_type

    def _codec(self) -> str:
        """The codec between this leg and the other: one of the two, so that one of them at most transcodes."""
        pair = [leg for leg in (self, self.other) if leg is not None and leg.remote is not None]
        first = min(pair, key=lambda leg: leg.name, default=None)
        return first.remote.codec if first is not None and first.remote is not None else CODECS[0]


def first_offer(call: str, nowhere: MediaAddress) -> Fields:
    """Ask for a port before anybody is known who will use it."""
    return _described("offer", call, _description(nowhere, CODECS, _EVENTS))


def _described(command: str, call: str, text: bytes) -> Fields:
    return {
        "command": command, "call-id": call, "from-tag": HOUSE, "sdp": text, "flags": list(_FLAGS), "ICE": "remove",
        "transport-protocol": "RTP/AVP", "rtcp-mux": ["demux"],
    }  # fmt: skip


def _description(at: MediaAddress, codecs: tuple[str, ...], events: int | None, direction: str = "sendrecv") -> bytes:
    return sdp.describe(at, codecs=codecs, event_type=events, direction=direction)
