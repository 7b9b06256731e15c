"""The firmwares the lab can imitate, by family."""

from __future__ import annotations

from lab.phones.families import cisco, further, grandstream_kin, poly_kin, yealink_kin
from lab.phones.families.grandstream import FAMILY as GRANDSTREAM
from lab.phones.families.json import FAMILY as JSON
from lab.phones.families.linphone import FAMILY as LINPHONE
from lab.phones.families.poly import FAMILY as POLY
from lab.phones.families.yealink import FAMILY as YEALINK
from lab.phones.family import Family

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        YEALINK, POLY, GRANDSTREAM, LINPHONE, JSON,
        *yealink_kin.FAMILIES, *poly_kin.FAMILIES, *grandstream_kin.FAMILIES, *cisco.FAMILIES, *further.FAMILIES,
    )
    if family is not None
}  # fmt: skip
