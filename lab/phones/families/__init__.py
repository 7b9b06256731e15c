"""The firmwares the lab can imitate, one family a file."""

from __future__ import annotations

from lab.phones.families import grandstream, json, linphone, poly, yealink
from lab.phones.family import Family

FAMILIES: dict[str, Family] = {
    family.name: family for family in (yealink.FAMILY, poly.FAMILY, grandstream.FAMILY, linphone.FAMILY, json.FAMILY)
}
