"""Who is there: domain, sites, users (domain-features 1.1).

What a user leaves empty is the site's, then the domain's; `Directory` answers with the value in force, and
`pbx.domain.sites` moves users between sites.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from pbx.domain.answering import AnsweringRule
from pbx.domain.base import (
    E164,
    AreaCode,
    CallerName,
    Extension,
    Model,
    NameCode,
    Recording,
    Secret,
    ServiceCode,
    Slug,
    TimeZone,
)
from pbx.domain.mailboxes import Mailbox
from pbx.domain.platform import PRESETS, Platform, PresetName, platform, with_preset

RingTime = Annotated[int, Field(ge=0, le=3600)]
"""Seconds; 0 rings nobody."""

Scope = Literal[
    "Basic User", "Simple User", "Advanced User", "Call Center Agent", "Site Manager", "Call Center Supervisor",
    "Office Manager", "Reseller", "Super User", "NDP", "No Portal",
]  # fmt: skip
"""What a user may do in portal and API (domain-features 2.1)."""

_ADDRESS = re.compile(r"[^@\s;,]+@[^@\s;,]+")
_KEYPAD = {letter: key for key, letters in zip("23456789", ("abc", "def", "ghi", "jkl", "mno", "pqrs", "tuv", "wxyz"),
                                               strict=True) for letter in letters}  # fmt: skip


def mail_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses of a text that separates them by semicolons."""
    return tuple(filter(None, (part.strip() for part in text.split(";"))))


def _addresses(text: str) -> str:
    for address in mail_addresses(text):
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address!r} is no mail address, as ana@acme.lab; several are separated by semicolons")
    return text


def _pin(secret: SecretStr) -> SecretStr:
    digits = secret.get_secret_value()
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) >= 4):
        raise ValueError("a PIN has four digits or more and nothing else; leave it out for none")
    return secret


def _address(text: str) -> str:
    if text and not _ADDRESS.fullmatch(text):
        raise ValueError(f"{text!r} is no mail address, as office@acme.lab")
    return text


MailAddress = Annotated[str, AfterValidator(_address)]

MailAddresses = Annotated[str, AfterValidator(_addresses)]
"""Addresses separated by semicolons; empty for none."""

Pin = Annotated[Secret, AfterValidator(_pin)]


class Reseller(Model):
    """Who provides the domain to the customer (the platform's territory)."""

    name: str = "Switchroom Telecom"
    description: str = ""
    support_numbers: tuple[E164, ...] = ("18775550161",)
    """Dialled from anywhere, they reach the same support attendant as 611."""


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
    """For who waits: a sound of the domain's own by its name, else a melody of the house."""
    shuffled_music: bool | None = None
    """Own music begins at any of its pieces; None: as the domain says."""
    greeting: str = ""
    """Prompt that callers of the site's attendants and queues hear first, where those have no intro of their own."""
    caller_id_name: CallerName = ""
    ring_s: RingTime | None = None
    dial_policy: str = ""
    recording: Recording | Literal[""] = ""
    emergency_contacts: MailAddresses = ""
    """Who on site is told by mail that 911 was dialled there; empty: who the domain names."""


class Domain(Model):
    name: Slug
    """Also the SIP domain and digest realm, e.g. `acme.lab`."""
    description: str = ""
    kind: Literal["customer", "provider"] = "customer"
    """The provider's own domain has extensions that no customer's can have."""
    time_zone: TimeZone = "America/Toronto"
    area_code: AreaCode = "416"
    caller_id: E164 | None = None
    emergency_caller_id: E164 | None = None
    emergency_address: str = ""
    music: str = "default"
    shuffled_music: bool = False
    max_calls: int = Field(default=0, ge=0)
    """Concurrent calls allowed, 0 for no limit."""
    max_outside_calls: int = Field(default=0, ge=0)
    """Parties outside that may be in calls at once, whoever called; 0 for no limit. Desks do not count."""
    caller_id_name: CallerName = ""
    """Shown outside for users who have no name of their own to show."""
    ring_s: RingTime | None = None
    dial_policy: str = ""
    recording: Recording = "on demand"
    """Of users whose devices, own settings and site say nothing else."""
    emergency_contacts: MailAddresses = ""
    night_frame: str = ""
    """Shared time frame that `*74` switches on and `*75` off; empty: these codes do nothing."""
    mail_sender: MailAddress = ""
    """From whom notices by mail come; empty: as the house's settings say, else switchroom@ and the domain's name."""
    attestation: bool = False
    """Whether calls outside carry a signed word on who may show their number (STIR/SHAKEN)."""
    spam_callers: tuple[str, ...] = ()
    """Numbers whose calls answering rules may send elsewhere."""
    sites_enabled: bool = True
    """Whether there may be sites at all; support alone enables them (domain-features 2.3)."""
    max_users: int = Field(default=0, ge=0)
    """How many there may be; 0 for no limit, as in the others."""
    max_sites: int = Field(default=0, ge=0)
    max_departments: int = Field(default=0, ge=0)
    max_attendants: int = Field(default=0, ge=0)
    max_queues: int = Field(default=0, ge=0)
    max_conferences: int = Field(default=0, ge=0)
    max_fax_accounts: int = Field(default=0, ge=0)
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
        return {**value, "platform": with_preset(preset, own)}


class User(Model):
    extension: Extension
    first_name: str
    last_name: str = ""
    site: str = ""
    department: str = ""
    """A label; it need not be made before, and is none of the sites' names."""
    scope: Scope = "Basic User"
    login: str = Field(default="", pattern=r"^\S*$", max_length=120)
    """Unique in the directory; empty: extension@domain."""
    status: Literal["standard", "new", "reset", "pwd reset"] = "standard"
    """Of the account, read only; what the portal asks of the user at the next login."""
    service_code: ServiceCode = ""
    """`system-queue`, `system-aa`, …: no person; nobody sees it in a directory."""
    email: MailAddresses = ""
    ring_s: RingTime | None = None
    """Ring time before no-answer forwarding (platform field `ring-no-answer-timeout-seconds`); None: as the site's."""
    voicemail: bool = True
    voicemail_pin: Pin = SecretStr("")
    mailbox: Mailbox = Mailbox()
    dial_by_name: NameCode | Literal[""] = ""
    """Empty: the keys of the first three letters of the last name, or of the first where there is no last."""
    audio_directory: bool = True
    """Callers of an attendant find this user by name."""
    visual_directory: bool = True
    """Shown in the directory of phones and portal."""
    do_not_disturb: bool = False
    """Set by the phone or a feature, beside the rules' own."""
    caller_id: E164 | None = None
    caller_id_name: CallerName = ""
    """Shown outside; empty: the own name, folded to ASCII and cut to 15 characters."""
    caller_id_hidden: bool = False
    """Every call is made as with `*67`; never one for emergency or support."""
    forwarded_caller_id: Literal["", "original", "own"] = ""
    """Whom calls show that this user's rules send outside; empty: as the platform does."""
    emergency_caller_id: E164 | None = None
    emergency_address: str = ""
    time_zone: TimeZone | Literal[""] = ""
    area_code: AreaCode | Literal[""] = ""
    """Completes seven dialled digits."""
    dial_policy: str = ""
    """Which calls outside are allowed, by the name of a policy; empty: as the site's. 711 and 988 are always."""
    dial_policy_with_pin: str = ""
    """Which are allowed once the PIN was entered (5003, `*48`): for telephones anybody passes; empty: the same."""
    max_calls: int = Field(default=0, ge=0)
    """Calls at once, 0 for no limit (platform field `limits-max-active-calls-total`): more are refused 503, and
    callers find the user busy; 611, 911 and 933 know no limit."""
    recording: Recording | Literal[""] = ""
    """Of conversations: by code when the user wants it, always, or never; empty: as the site's. What one of the user's
    devices says goes before it."""
    shuffled_music: bool | None = None
    """Of whom this user lets wait; None: as the site's."""
    call_waiting: bool = True
    """False: in a call the user is busy for others."""
    rules: tuple[AnsweringRule, ...] = ()
    """In order, `*` last wherever it stands; the first whose time frame covers the moment is in force."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def emails(self) -> tuple[str, ...]:
        return mail_addresses(self.email)

    @property
    def name_code(self) -> str:
        """The three keys that mean this user in dial by name, empty for a name without a letter."""
        return self.dial_by_name or _keys(self.last_name) or _keys(self.first_name)

    @property
    def hidden(self) -> bool:
        return bool(self.service_code)


def _keys(name: str) -> str:
    """Return the keys of a name's first three letters; a shorter name is filled up with 0, accents do not count."""
    letters = [letter for letter in unicodedata.normalize("NFKD", name).lower() if letter in _KEYPAD]
    return "".join(_KEYPAD[letter] for letter in letters[:3]).ljust(3, "0") if letters else ""
