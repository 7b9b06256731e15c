"""What kind of thing arrives at a leg: sound, silence, nothing, a stranger's packets, or a codec nobody agreed."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.media.engine import Flow

LOOK_S = 0.5
NOTHING_AFTER_S = 2.0
STOPPED_AFTER_S = 1.5
"""Without a packet an ear hears nothing any more: what it heard last is over."""
SILENT_LOOKS = 10
"""Samples of silence in a row, five seconds: a listener's pauses are shorter."""


@dataclass(slots=True)
class Watch:
    """One leg's, since the last offer/answer. `look` at it twice a second."""

    since: float
    """When packets of the far end arrived last, or were first expected."""
    agreed: str
    """What is expected, for people: `PCMU (0) from 192.0.2.1:4000`."""
    strangers: int = 0
    stranger: str = ""
    misfits: int = 0
    misfit: int = 0
    """Payload type of the last one."""
    flow: Flow | None = None
    _received: int = -1
    _strangers: int = 0
    _misfits: int = 0
    _silent: int = 0

    def look(self, received: int, silent: bool, now: float) -> tuple[Flow, str] | None:
        """Return the kind and its detail when it has changed; `received` counts the far end's packets so far."""
        before, self._received = self._received, received
        strangers, self._strangers = self.strangers > self._strangers, self.strangers
        misfits, self._misfits = self.misfits > self._misfits, self.misfits
        if received > max(before, 0):
            self.since = now
            self._silent = self._silent + 1 if silent else 0
            return self._now("silence" if self._silent >= SILENT_LOOKS else "flowing", "")
        if misfits:
            return self._now("wrong-codec", f"payload type {self.misfit} instead of {self.agreed}")
        if strangers:
            return self._now("wrong-source", f"from {self.stranger} instead of {self.agreed}")
        if now - self.since >= NOTHING_AFTER_S:
            return self._now("nothing", f"no packet of {self.agreed} for {now - self.since:.1f} s")
        return None

    def stopped(self, now: float) -> bool:
        """Whether what arrived has ceased to; true before anything came, too."""
        return now - self.since >= STOPPED_AFTER_S

    def _now(self, flow: Flow, detail: str) -> tuple[Flow, str] | None:
        if flow == self.flow:
            return None
        self.flow = flow
        return flow, detail
