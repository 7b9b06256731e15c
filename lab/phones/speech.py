"""The audio of one call: describe it, connect it, speak into it. It commands an engine and reads no call state."""

from __future__ import annotations

from collections.abc import Callable

from pbx.media.codecs import CODECS
from pbx.media.engine import Engine, FaxTask, MediaAddress, RemoteMedia, Signature, Sound
from pbx.media.fax.sdp import FaxDescription
from pbx.media.negotiation import Negotiation


class Speech:
    """`party` is the signature it speaks; `close` gives the port back. Opens its port with the first description."""

    def __init__(
        self, engine: Engine, leg: str, party: str, token: Callable[[int], str], codecs: tuple[str, ...] = CODECS
    ) -> None:
        self._engine = engine
        self.leg = leg
        self.party = party
        self._address: MediaAddress | None = None
        self._closed = False
        # Keys beside plain RTP: what the server wants decides.
        self._negotiation = Negotiation("opportunistic", token, codecs)
        self.direction = "sendrecv"
        """What we want ourselves; `sendonly` while we hold the other side."""
        self.remote: RemoteMedia | None = None

    @property
    def held_by_peer(self) -> bool:
        """The other side does not listen although we would speak."""
        return self.remote is not None and self.direction == "sendrecv" and not self.remote.sends

    def offer(self, direction: str = "sendrecv") -> bytes:
        """Return an offer; NoMediaPort when no port is left."""
        self.direction = direction
        return self._negotiation.offer(self._opened(), direction=direction)

    def only(self, codecs: tuple[str, ...]) -> None:
        """Speak none but these."""
        self._negotiation.only(codecs)

    def offer_fax(self) -> bytes:
        return self._negotiation.offer_fax(self._opened())

    def answer_fax(self, offered: FaxDescription) -> bytes:
        """Take T.38; BadSdp when that cannot be."""
        text = self._negotiation.answer_fax(offered, self._opened())
        self._connect(self._negotiation.remote)
        return text

    def fax(self, task: FaxTask) -> None:
        """Let a fax machine have the call."""
        if not self._closed:
            self._engine.fax(self.leg, task)

    def answer(self, offered: bytes) -> bytes:
        """Answer an offer and connect to what it described; BadSdp when that cannot be."""
        text = self._negotiation.answer(offered, self._opened(), wanted=self.direction)
        self._connect(self._negotiation.remote)
        return text

    def connect(self, answered: bytes) -> bool:
        """Connect to the answer to our offer; return whether the other side holds us. BadSdp when it took nothing."""
        self._connect(self._negotiation.settle(answered))
        return self.held_by_peer

    def speak(self) -> None:
        self.play(Signature(self.party))

    def play(self, sound: Sound, token: str = "") -> None:
        if not self._closed:
            self._engine.play(self.leg, sound, token)

    def stop(self) -> None:
        if not self._closed:
            self._engine.stop(self.leg)

    def mix(self, room: str) -> None:
        """Hear, and be heard by, whom else this phone mixes, and itself."""
        if not self._closed:
            self._engine.stop(self.leg)
            self._engine.join(self.leg, room)

    def send_digits(self, digits: str) -> None:
        if not self._closed:
            self._engine.send_digits(self.leg, digits)

    def close(self) -> None:
        if self._address is not None and not self._closed:
            self._engine.close(self.leg)
        self._closed = True

    def _opened(self) -> MediaAddress:
        if self._address is None:
            self._address = self._engine.open(self.leg)
            self._engine.listen(self.leg)
        return self._address

    def _connect(self, remote: RemoteMedia | None) -> None:
        """Re-opening the latch is for a change only: a re-INVITE that changes nothing must not cut the sound."""
        if self._closed or remote is None or remote == self.remote:
            return
        self.remote = remote
        self._engine.connect(self.leg, remote)
