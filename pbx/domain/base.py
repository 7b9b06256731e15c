"""What every domain model has in common: frozen, strict about names, refusing what it does not know."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Extension = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{2,4}$")]
"""3 to 5 digits, no leading zero (domain-features 1.1); reserved numbers are refused by `directory`."""

E164 = Annotated[str, StringConstraints(pattern=r"^1[2-9][0-9]{2}[2-9][0-9]{6}$")]
"""A North American number as the platform stores it: `1NPANXXXXXX`."""

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$")]

MacAddress = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
"""Twelve lower-case hex digits (`domain.devices.normal_mac` makes one from any spelling)."""


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, str_strip_whitespace=True)
