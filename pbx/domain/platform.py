"""The platform a domain stands for: its defaults and quirks as settings, named sets of them as data.

A preset is a file of `pbx/domain/presets/`; each value in it carries its evidence (tags of domain-features). A domain
names its preset and may set any of it otherwise. No code asks for a preset's name.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import Field, model_validator

from pbx.domain.base import Model
from pbx.domain.dialpolicy import CallKind

PresetName = Literal["generic", "n2p", "oit"]
PRESETS: tuple[PresetName, ...] = ("generic", "n2p", "oit")
"""`generic` holds every setting, the others what they do otherwise."""


class Platform(Model):
    """How the platform behaves; the defaults are those of the preset `generic`."""

    ring_s: int = Field(ge=0, le=3600)
    """Ring time of users for whom neither user, site nor domain says more."""
    busy_forwarding: Literal["platform", "inert"]
    """`inert`: forward-when-busy is shown but does nothing for people."""
    read_back_933: bool
    """933 reads back number and address; a US providers' feature, unconfirmed in Canada."""
    emergency_flow: Literal["direct", "operator"]
    """`direct`: 911 reaches the local desk, which is told the location; `operator`: a national call centre first, which
    asks and confirms it. Who has no address on file comes to the call centre either way."""
    extension_lengths: tuple[int, ...] = Field(min_length=1)
    """Digits an extension may have."""
    also_reserved: tuple[str, ...]
    """Further extensions nobody may have, `x` standing for any digit: `9xx`."""
    pin_shortest: int = Field(ge=4, le=10)
    """Digits of a voicemail PIN chosen at the telephone."""
    pin_tries: int = Field(ge=1, le=10)
    """Wrong PINs that end a call."""
    pin_lock_after: int = Field(ge=1)
    """Wrong PINs in a row, over all calls, that lock a mailbox."""
    pin_lock_min: int = Field(ge=1)
    """Minutes a mailbox is locked."""
    email_required: bool
    """A user without a mail address is refused."""
    recall_transfers: bool
    """Who was transferred and reaches nobody goes back to whoever transferred; False: the call ends."""
    recording_beep: bool
    """Both parties hear a beep when the recording of their conversation begins."""
    codes_in_calls: bool
    """`*80 *81 *98 *99` are heard in the middle of a conversation. Telephone-events are part of the sound, so a user's
    conversation then passes the switch even where media could go directly."""
    hold_recall_s: float = Field(ge=0)
    """A party on hold for so long rings whoever holds it; 0: never."""
    park_any: tuple[int, int]
    """First and last of the slots that `***` takes by itself."""
    park_callback_s: float = Field(gt=0)
    """A party parked at 720–799 rings whoever parked it after so long."""
    domain_name_least: int = Field(ge=1)
    """Characters a domain's name has at least."""
    phone_redirects: Literal["followed", "ignored"]
    """A phone that answers 302 forwards by itself: `followed` by its owner's dial policy, or taken for no answer."""
    roles: Literal["generic", "n2p", "b1"]
    """Which differences from the table of permissions hold (`pbx.access`)."""
    missing_references: Literal["refused", "kept"]
    """What becomes of numbers, forwards and agents that name what is deleted: the deletion is refused, or they stay."""
    forwarded_caller_id: Literal["original", "own"]
    """Whom a call shows that a user's rules sent outside: the caller (`[*]`), or that user."""
    outside_prefix: str = Field(pattern=r"^[0-9]?$")
    """Digit that may lead a number outside; empty for none. 911 takes a 9 always."""
    dial_policies: dict[str, tuple[CallKind, ...]]
    """Name → kinds of calls it allows; nothing else of the outside but emergency, 611, 711 and 988."""
    dial_policy: str
    """That of users for whom neither user, site nor domain names another."""

    @model_validator(mode="after")
    def _policy_exists(self) -> Platform:
        if self.dial_policy not in self.dial_policies:
            raise ValueError(f"there is no dial policy {self.dial_policy}; there are {', '.join(self.dial_policies)}")
        return self


class Fact(Model):
    """One value of a preset, with how well it is known."""

    value: bool | int | float | str | tuple[int, ...] | tuple[str, ...] | dict[str, tuple[str, ...]]
    tag: Literal["V", "API", "seed", "C", "I"]
    """Verified page, published specification, onboarding document, sources conflict, inferred."""
    because: str


@cache
def facts(preset: PresetName) -> dict[str, Fact]:
    """Return what a preset says, with its evidence; what it leaves out is as in `generic`."""
    text = resources.files("pbx.domain.presets").joinpath(f"{preset}.yaml").read_text("utf-8")
    own = {name: Fact.model_validate(fact) for name, fact in yaml.safe_load(text).items()}
    return own if preset == "generic" else {**facts("generic"), **own}


def platform(preset: PresetName, changed: dict[str, Any] | None = None) -> Platform:
    """Return the settings of a preset with what a domain sets otherwise."""
    return Platform.model_validate(with_preset(preset, changed or {}))


def with_preset(preset: PresetName, changed: dict[str, Any]) -> dict[str, Any]:
    """Return a preset's values, `changed` before them; a table is added to and not replaced."""
    found: dict[str, Any] = {name: fact.value for name, fact in facts(preset).items()}
    for name, value in changed.items():
        known = found.get(name)
        found[name] = {**known, **value} if isinstance(known, dict) and isinstance(value, dict) else value
    return found
