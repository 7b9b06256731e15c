"""The mouth and ears of a pyVoIP call: says its party's signature, recognises what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from pbx.media import g711
from pbx.media.ears import Knowledge, Recogniser, frames_of
from pbx.media.prompts import catalogue
from pbx.media.sounds_made import tone_names


def knowledge_of(parties: Sequence[str], music: Sequence[str]) -> Knowledge:
    """Return everything a call of the lab may hear; takes a moment to make, one serves all phones."""
    labels = [f"signature:{party}" for party in parties]
    labels += [f"prompt:{name}" for name in catalogue.names()]
    labels += [f"tone:{name}" for name in tone_names()]
    labels += [f"moh:{name}" for name in music]
    return Knowledge(labels)


class SignatureVoice:
    """One call's; used from its audio threads, one of which speaks and the other hears."""

    def __init__(self, party: str, knowledge: Knowledge) -> None:
        self._frames = cycle(frames_of(f"signature:{party}"))
        self._recogniser = Recogniser(knowledge)

    def speak(self) -> bytes:
        return next(self._frames)

    def hear(self, payload: bytes, alaw: bool) -> str | None:
        ulaw = g711.transcode(payload, "PCMA", "PCMU") if alaw else payload
        return self._recogniser.feed(ulaw) or None

    def to_alaw(self, ulaw: bytes) -> bytes:
        return g711.transcode(ulaw, "PCMU", "PCMA")
