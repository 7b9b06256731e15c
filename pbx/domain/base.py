"""What every domain model has in common: frozen, strict about names, refusing what it does not know."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    SerializationInfo,
    StringConstraints,
    ValidationInfo,
)

EXTENSION_FORM = r"[1-9][0-9]{2,4}|[2-9](?:[02-9][0-9]|1[02-9])[2-9][0-9]{6}"
_EXTENSION = rf"^(?:{EXTENSION_FORM})$"
_E164 = r"^1[2-9](?:[02-9][0-9]|1[02-9])[2-9][0-9]{6}$"
OUTSIDE_FORM = r"1[2-9](?:[02-9][0-9]|1[02-9])[2-9][0-9]{6}|\+[2-9][0-9]{6,14}"
_OUTSIDE = rf"^(?:{OUTSIDE_FORM})$"
_AREA_CODE = r"^[2-9](?:[02-9][0-9]|1[02-9])$"
_SLUG = r"^[a-z0-9][a-z0-9._-]*$"
_NOT_HEX = re.compile(r"[^0-9a-f]")
_NAME_CODE = r"^[1-9][0-9]{2}$"
_CALLER_NAME = r"^[ -~]{0,15}$"
_SERVICE_CODE = r"^(system-[a-z0-9-]+)?$"
DEVICE_ID = r"^(?:[0-9]{3,5}|[2-9][0-9]{9})[a-z]{0,2}$"

Extension = Annotated[str, StringConstraints(pattern=_EXTENSION)]
"""3 to 5 digits, or 10 as a number has; no leading zero (domain-features 1.1). `directory` refuses reserved ones."""

E164 = Annotated[str, StringConstraints(pattern=_E164)]
"""A North American number as the platform stores it: `1NPANXXXXXX`. No area code is a service code (N11)."""

OutsideNumber = Annotated[str, StringConstraints(pattern=_OUTSIDE)]
"""As `E164`, or `+` and an international number (ITU-T E.164)."""

AreaCode = Annotated[str, StringConstraints(pattern=_AREA_CODE)]

Slug = Annotated[str, StringConstraints(pattern=_SLUG)]

NameCode = Annotated[str, StringConstraints(pattern=_NAME_CODE)]

CallerName = Annotated[str, StringConstraints(pattern=_CALLER_NAME)]
"""As a trunk carries it: ASCII, at most 15 characters (CNAM, domain-features 1.8)."""

ServiceCode = Annotated[str, StringConstraints(pattern=_SERVICE_CODE)]

Recording = Literal["no", "on demand", "always"]
"""Of conversations: never, by code when a party wants it, or each of them."""

SrtpPolicy = Literal["no", "opportunistic", "yes"]
"""Of a party's media: plain only; encrypted where both can (keys offered beside plain RTP); encrypted or refused."""


def normal_mac(text: str) -> str:
    """Return twelve lower-case hex digits of any usual spelling; ValueError when it is not a MAC."""
    digits = _NOT_HEX.sub("", text.lower())
    if len(digits) != 12 or len(text) > 17:
        raise ValueError(f"{text!r} is not a MAC address: 12 hex digits, with or without separators")
    return digits


def _any_spelling(value: object) -> object:
    return normal_mac(value) if isinstance(value, str) else value


MacAddress = Annotated[str, BeforeValidator(_any_spelling)]
"""Twelve lower-case hex digits, read from any usual spelling."""

RULES = {
    _EXTENSION: "an extension has 3 to 5 digits, the first not 0, as 101; or 10, as a telephone number",
    _E164: "a number is written with 11 digits, as 14165550100",
    _OUTSIDE: "a number is written with 11 digits, as 14165550100, or abroad with + before it, as +442079460000",
    _AREA_CODE: "an area code has 3 digits, as 416, and is no service code",
    _SLUG: "lower-case letters, digits, dot, hyphen and underscore, as acme.lab",
    _NAME_CODE: "a dial-by-name code is 100 to 999: the keys of three letters of the name",
    _CALLER_NAME: "a caller name is at most 15 plain ASCII characters; shorten it and leave accents out",
    _SERVICE_CODE: "a service code begins with system-, as system-queue",
    DEVICE_ID: "a device is the extension, then at most two letters, as 101a",
}
"""Pattern → the rule in words, with an example: what is told to who broke it."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as America/Toronto") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


def _written(secret: SecretStr, info: SerializationInfo) -> str:
    seal = (info.context or {}).get("secrets", False)
    if not seal:
        return str(secret)
    return str(seal(secret.get_secret_value())) if callable(seal) else secret.get_secret_value()


def _read(value: object, info: ValidationInfo) -> object:
    unseal = (info.context or {}).get("unseal")
    return unseal(value) if unseal is not None and isinstance(value, str) else value


Secret = Annotated[SecretStr, BeforeValidator(_read), PlainSerializer(_written, when_used="json")]
"""Masked in every dump but one with `context={"secrets": True}` or `{"secrets": seal}`, which only the store asks for.

`seal` makes of the text what may be written down; `context={"unseal": unseal}` of a validation reads that again.
"""


def _settings_written(settings: dict[str, str | int | bool], info: SerializationInfo) -> dict[str, str | int | bool]:
    return {
        name: _written(SecretStr(str(value)), info) if name.endswith("password") else value
        for name, value in settings.items()
    }


def _settings_read(value: object, info: ValidationInfo) -> object:
    unseal = (info.context or {}).get("unseal")
    if unseal is None or not isinstance(value, dict):
        return value
    return {
        name: unseal(one) if str(name).endswith("password") and isinstance(one, str) else one
        for name, one in value.items()
    }


Settings = Annotated[
    dict[str, str | int | bool],
    BeforeValidator(_settings_read),
    PlainSerializer(_settings_written, when_used="json"),
]
"""Of phones, by canonical name (provisioning 3.4); what is called a password is written down as `Secret` is."""


class Model(BaseModel):
    """Numbers are taken for strings where a string is due: a seed may say `extension: 101`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True, coerce_numbers_to_str=True
    )
