"""What every domain model has in common: frozen, strict about names, refusing what it does not know."""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    SecretStr,
    SerializationInfo,
    StringConstraints,
)

Extension = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{2,4}$")]
"""3 to 5 digits, no leading zero (domain-features 1.1); reserved numbers are refused by `directory`."""

E164 = Annotated[str, StringConstraints(pattern=r"^1[2-9](?:[02-9][0-9]|1[02-9])[2-9][0-9]{6}$")]
"""A North American number as the platform stores it: `1NPANXXXXXX`. No area code is a service code (N11)."""

AreaCode = Annotated[str, StringConstraints(pattern=r"^[2-9](?:[02-9][0-9]|1[02-9])$")]

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]

SrtpPolicy = Literal["no", "opportunistic", "yes"]
"""Of a party's media: plain only; encrypted where both can (keys offered beside plain RTP); encrypted or refused."""

MacAddress = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
"""Twelve lower-case hex digits (`domain.devices.normal_mac` makes one from any spelling)."""


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as America/Toronto") from error
    return name


TimeZone = Annotated[str, AfterValidator(_known_zone)]


def _written(secret: SecretStr, info: SerializationInfo) -> str:
    shown = info.context is not None and info.context.get("secrets", False)
    return secret.get_secret_value() if shown else str(secret)


Secret = Annotated[SecretStr, PlainSerializer(_written, when_used="json")]
"""Masked in every dump but one with `context={"secrets": True}`, which only the store asks for."""


class Model(BaseModel):
    """Numbers are taken for strings where a string is due: a seed may say `extension: 101`."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True, coerce_numbers_to_str=True
    )
