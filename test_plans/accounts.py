"""What two witnesses say of a telephone's calls: the switch, and the phone itself by its action URLs (A2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pbx.events import CallInvited, CallRinging, CallUp, Event, LegEnded, LegFailed, PhoneSaid

WORDS = ("dialling", "ringing", "connected", "ended")
"""Of what a phone says, what is about its calls."""

Said = tuple[str, str]
"""One of WORDS, and the other party where the witness names one."""


def of_the_switch(events: Iterable[Event], device: str) -> Sequence[Said]:
    found: list[Said] = []
    for event in events:
        match event:
            case CallInvited() if event.device == device:
                found.append(("dialling", event.dialled))
            case CallRinging() if event.device == device:
                found.append(("ringing", event.caller_number))
            case CallUp() if event.device == device:
                found.append(("connected", ""))
            case LegEnded() | LegFailed() if event.device == device and found:
                found.append(("ended", ""))
    return found


def of_the_phone(events: Iterable[Event], device: str) -> Sequence[Said]:
    """Some say twice that they dial: at once, and when it rings at the other end."""
    found: list[Said] = []
    for event in events:
        if isinstance(event, PhoneSaid) and event.device == device and event.what in WORDS:
            said = event.what, event.remote.partition("@")[0]
            if not found or found[-1] != said:
                found.append(said)
    return found


def disagree(switch: Sequence[Said], phone: Sequence[Said]) -> bool:
    """The same, in the same order; a party counts where both name one."""
    return len(switch) != len(phone) or any(
        one != other or (bool(party and named) and party != named)
        for (one, party), (other, named) in zip(switch, phone, strict=True)
    )


def in_words(story: Sequence[Said]) -> str:
    return ", ".join(f"{what} {party}".strip() for what, party in story) or "nothing"
