"""Devices: what registers. A user's first device id is the extension, further ones add a letter."""

from __future__ import annotations

from datetime import datetime
from string import ascii_lowercase
from typing import Literal

from pydantic import AwareDatetime, Field, SecretStr

from pbx.domain.base import DEVICE_ID, E164, Extension, MacAddress, Model, Recording, Secret, Settings, SrtpPolicy
from pbx.domain.base import normal_mac as normal_mac

Nat = Literal["automatic", "never", "always"]


class FormerCredentials(Model):
    """What a device had before its credentials were rotated."""

    password: Secret
    token: Secret = SecretStr("")
    until: AwareDatetime
    """From then on they open nothing."""


class Device(Model):
    id: str = Field(pattern=DEVICE_ID)
    """Also the SIP authentication user and user part of the address of record."""
    extension: Extension
    password: Secret
    mac: MacAddress | None = None
    port: int = Field(default=1, ge=1, le=32)
    """Line of the phone, or FXS port of the ATA: several devices may share a MAC."""
    family: str = ""
    """`vendor/family` of `device_templates`, e.g. `yealink/t4x_t5x`."""
    model: str = ""
    label: str = ""
    """What the screen shows; empty means extension and name."""
    transport: Literal["udp", "tcp", "tls"] = "udp"
    srtp: SrtpPolicy = "no"
    token: Secret = SecretStr("")
    """One-time provisioning token; empty leaves only what the policy allows without one."""
    former: FormerCredentials | None = None
    """Taken beside the new ones for a while, so that a phone which has not fetched its new file keeps working."""
    caller_id: E164 | None = None
    """Shown on outside calls; more specific than the user's."""
    emergency_caller_id: E164 | None = None
    emergency_address: str = ""
    fax: bool = False
    """A fax machine is at this port: its calls are of G.711 alone, which a modem survives, or T.38."""
    hot_desk: bool = False
    """Users may log in here (5002): it is their telephone until they log out, and its own user's no more."""
    auto_answer: bool = False
    """Every call asks it to answer by itself, as an intercom does (platform field `auto-answer-enabled`)."""
    ignored_for_presence: bool = False
    """Registered or not, it does not say that its user is there: a telephone in a hall, or one that is always on."""
    recording: Recording | Literal[""] = ""
    """Of conversations on it; empty: as its user's."""
    unsolicited_mwi: bool = False
    """Tell it of messages although it has not subscribed: at each change, and when it registers anew."""
    nat: Nat = "automatic"
    """Whether it is behind a NAT: seen by what it names of itself; `never`, it is reached at the very addresses it
    names; `always`, its media may come from any port of where its signalling comes from (platform field
    `device-sip-nat-traversal-enabled`)."""
    user_agents: tuple[str, ...] = ()
    """Patterns (`Yealink*`) of User-Agents it may register by; empty for any (platform field of the same purpose)."""
    settings: Settings = Field(default_factory=dict)
    """Device layer of the configuration, canonical names (provisioning 3.4)."""

    @property
    def home(self) -> str:
        """The extension of whose desk it stands at, whoever has logged in there."""
        return self.id.rstrip(ascii_lowercase)

    def passwords_at(self, moment: datetime) -> tuple[str, ...]:
        """Return what the device may prove itself with: its password, and the former one while that is taken."""
        former = self._former_at(moment)
        own = self.password.get_secret_value()
        return (own, former.password.get_secret_value()) if former is not None else (own,)

    def former_token_at(self, moment: datetime) -> str:
        """Return the one-time token before the rotation, empty when it counts no more."""
        former = self._former_at(moment)
        return former.token.get_secret_value() if former is not None else ""

    def _former_at(self, moment: datetime) -> FormerCredentials | None:
        return self.former if self.former is not None and moment < self.former.until else None

    def rotated(self, password: str, token: str, until: datetime) -> Device:
        """Return the device with new credentials, those it has now taken until `until`."""
        former = FormerCredentials(password=self.password, token=self.token, until=until)
        return self.model_copy(update={"password": SecretStr(password), "token": SecretStr(token), "former": former})

    def with_credentials(self, password: str, token: str) -> Device:
        """Return the device with new credentials, those of before taken no more."""
        return self.model_copy(update={"password": SecretStr(password), "token": SecretStr(token), "former": None})
