"""What a user has set at the telephone by feature codes, beside the configuration (domain-features 1.9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["always", "busy", "no answer"]


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """Forwards go before those of the answering rule in force; a target is kept while its forward is off."""

    extension: str
    do_not_disturb: bool = False
    rejects_anonymous: bool = False
    call_waiting: bool = True
    always_to: str = ""
    """A destination in its short form, `user 102`; empty while none was ever set."""
    always_on: bool = False
    busy_to: str = ""
    busy_on: bool = False
    no_answer_to: str = ""
    no_answer_on: bool = False
    desk: str = ""
    """The hot desk (device id) where the user is logged in; empty for none."""

    def target(self, kind: Kind) -> str:
        """Return where a forward leads, whether it is on or not."""
        return {"always": self.always_to, "busy": self.busy_to, "no answer": self.no_answer_to}[kind]

    def forward(self, kind: Kind) -> str:
        """Return where calls are forwarded now, empty when they are not."""
        on = {"always": self.always_on, "busy": self.busy_on, "no answer": self.no_answer_on}[kind]
        return self.target(kind) if on else ""

    def forwarding(self, kind: Kind, to: str, *, on: bool) -> OwnSettings:
        match kind:
            case "always":
                return replace(self, always_to=to, always_on=on)
            case "busy":
                return replace(self, busy_to=to, busy_on=on)
            case "no answer":
                return replace(self, no_answer_to=to, no_answer_on=on)
