"""Ears behind a foreign telephone: what it recorded is no longer cut where packets were."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.media.ears import FRAME, Knowledge, Recogniser
from pbx.media.prompts import catalogue
from pbx.media.sounds_made import tone_names

_NEGATIVE_ZERO = bytes.maketrans(b"\x7f", b"\xff")
"""Decoded sound has one zero, mu-law two."""


def labels_of(parties: Sequence[str], music: Sequence[str]) -> list[str]:
    """Return everything a call of the lab may hear."""
    labels = [f"signature:{party}" for party in parties]
    labels += [f"prompt:{name}" for name in catalogue.names()]
    labels += [f"tone:{name}" for name in tone_names()]
    return labels + [f"moh:{name}" for name in music]


class DecodedKnowledge(Knowledge):
    """Known frames as they are once they were decoded and recorded."""

    def label_of(self, frame: bytes) -> str:
        return self._decoded.get(frame.translate(_NEGATIVE_ZERO), "")

    def __init__(self, labels: Sequence[str]) -> None:
        super().__init__(labels)
        self._decoded: dict[bytes, str] = {}
        for frame, label in self._of_frame.items():
            form = frame.translate(_NEGATIVE_ZERO)
            self._decoded[form] = label if self._decoded.get(form, label) == label else ""


class Listener:
    """Feed it mu-law as it comes; it says what is heard from now on when that has changed."""

    def __init__(self, knowledge: DecodedKnowledge) -> None:
        self._knowledge = knowledge
        self._recogniser = Recogniser(knowledge)
        self._left = b""

    def feed(self, octets: bytes) -> list[str]:
        """A player that had nothing to play for a moment has shifted the frames: they are looked for again."""
        heard = []
        self._left += octets
        while len(self._left) >= 2 * FRAME:
            at = self._shift()
            heard += [news] if (news := self._recogniser.feed(self._left[at : at + FRAME])) else []
            self._left = self._left[at + FRAME :]
        return heard

    def cease(self) -> list[str]:
        """Nothing is recorded any more."""
        self._left = b""
        return ["silence"] if self._recogniser.cease() else []

    def _shift(self) -> int:
        """Return where the next known frame begins within a frame's length; 0 where none does."""
        known = self._knowledge.label_of
        return next((at for at in range(FRAME) if known(self._left[at : at + FRAME])), 0)
