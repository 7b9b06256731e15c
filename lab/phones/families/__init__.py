"""The firmwares the lab can imitate, by family."""

from __future__ import annotations

from lab.phones.families import cisco, further, grandstream, json, linphone, poly, yealink
from lab.phones.family import Family

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        *yealink.FAMILIES, *poly.FAMILIES, *grandstream.FAMILIES, *cisco.FAMILIES, *further.FAMILIES,
        linphone.FAMILY, json.FAMILY,
    )
    if family is not None
}  # fmt: skip
