"""Who is there: domain, sites, users."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from pbx.domain.answering import AnsweringRule
from pbx.domain.base import E164, AreaCode, Extension, Model, Secret, Slug, TimeZone
from pbx.domain.platform import PRESETS, Platform, PresetName, facts, platform

RingTime = Annotated[int, Field(ge=0, le=3600)]
"""Seconds; 0 rings nobody."""


class Site(Model):
    """A branch; empty values fall back to the domain's."""

    name: str = Field(min_length=1)
    time_zone: TimeZone | Literal[""] = ""
    area_code: AreaCode | Literal[""] = ""
    caller_id: E164 | None = None
    emergency_caller_id: E164 | None = None
    emergency_address: str = ""
    """Key of an `EmergencyAddress`."""
    music: str = ""
    """Music-on-hold class."""
    ring_s: RingTime | None = None


class Domain(Model):
    name: Slug
    """Also the SIP domain and digest realm, e.g. `acme.lab`."""
    description: str = ""
    time_zone: TimeZone = "America/Toronto"
    area_code: AreaCode = "416"
    caller_id: E164 | None = None
    emergency_caller_id: E164 | None = None
    emergency_address: str = ""
    music: str = "default"
    max_calls: int = Field(default=0, ge=0)
    """Concurrent calls allowed, 0 for no limit."""
    ring_s: RingTime | None = None
    preset: PresetName = "generic"
    platform: Platform = Field(default_factory=lambda: platform("generic"))
    """The preset's settings, where the domain says nothing else; kept with the domain, so that a preset which is
    corrected later changes no domain that exists."""

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        preset, own = value.get("preset", "generic"), value.get("platform", {})
        if preset not in PRESETS or not isinstance(own, dict):
            return value
        known = {name: fact.value for name, fact in facts(preset).items()}
        return {**value, "platform": {**known, **own}}


class User(Model):
    extension: Extension
    first_name: str
    last_name: str = ""
    site: str = ""
    department: str = ""
    scope: str = "Basic User"
    email: str = ""
    ring_s: RingTime | None = None
    """Ring time before no-answer forwarding (platform field `ring-no-answer-timeout-seconds`); None: as the site's."""
    voicemail: bool = True
    voicemail_pin: Secret = SecretStr("")
    do_not_disturb: bool = False
    """Set by the phone or a feature, beside the rules' own."""
    caller_id: E164 | None = None
    emergency_caller_id: E164 | None = None
    emergency_address: str = ""
    time_zone: TimeZone | Literal[""] = ""
    outbound: bool = True
    """False bars every call to the carrier; never 611, 911, 933."""
    max_calls: int = Field(default=0, ge=0)
    """Calls at once, 0 for no limit (platform field `limits-max-active-calls-total`): more are refused 503, and
    callers find the user busy; 611, 911 and 933 know no limit."""
    rules: tuple[AnsweringRule, ...] = ()
    """In order, `*` last wherever it stands; the first whose time frame covers the moment is in force."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
