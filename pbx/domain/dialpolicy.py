"""Dial policies: which kinds of outside calls a user may make (the platform's dial permissions, domain-features 1.1).

The policies there are, and the one of users who have none of their own, are settings of the platform.
"""

from __future__ import annotations

from enum import StrEnum

from pbx.domain.dialplan import SERVICE_CODES


class CallKind(StrEnum):
    """What a call outside is to the bill. Emergency, 611, 711 and 988 are none of these: nothing bars them."""

    LOCAL = "local"
    """In the caller's own area code."""
    NATIONAL = "national"
    """US and Canada, their territories included."""
    TOLL_FREE = "toll-free"
    CARIBBEAN = "caribbean"
    """Other countries of the North American plan: dialled like next door, billed like abroad."""
    INTERNATIONAL = "international"
    PREMIUM = "premium"
    """Area code 900, exchange 976."""
    DIRECTORY = "directory assistance"
    """411 and 555-1212."""
    SERVICE = "service code"
    """211, 311, 511, 811."""


_TOLL_FREE = frozenset({"800", "833", "844", "855", "866", "877", "888"})
_CARIBBEAN = frozenset(
    {
        "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784", "809",
        "829", "849", "868", "869", "876",
    }
)  # fmt: skip
"""Area codes of the plan outside US and Canada (NANPA)."""


def kind_of_call(number: str, area_code: str) -> CallKind:
    """Return what a call to `number` is: `1NPANXXXXXX`, `+` and an international number, or a service code."""
    if number in SERVICE_CODES:
        return CallKind.DIRECTORY if number == "411" else CallKind.SERVICE
    if number.startswith("+"):
        return CallKind.INTERNATIONAL
    area, exchange, line = number[1:4], number[4:7], number[7:]
    if area in _TOLL_FREE:
        return CallKind.TOLL_FREE
    if area == "900" or exchange == "976":
        return CallKind.PREMIUM
    if (exchange, line) == ("555", "1212"):
        return CallKind.DIRECTORY
    if area in _CARIBBEAN:
        return CallKind.CARIBBEAN
    return CallKind.LOCAL if area == area_code else CallKind.NATIONAL
