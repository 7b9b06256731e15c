"""The dial plan: what a dialled string means before anybody looks up who is there. Pure text.

Numbers are North American and stored as `1NPANXXXXXX`; service codes and feature numbers per domain-features 1.1 and 3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SERVICE_CODES = {
    "211": "social services",
    "311": "municipal services",
    "411": "directory assistance",
    "511": "travel information",
    "711": "relay service",
    "811": "health line",
    "988": "suicide crisis line",
}
"""Real services: each has a simulated desk at the lab's carrier, and no call for one reaches a telephone number."""

NEVER_BARRED = frozenset({"711", "988"})
"""Service codes no dial policy can take away (domain-features 3, K10)."""

RESERVED = {
    **SERVICE_CODES,
    "611": "the provider's support",
    "911": "emergency",
    "9911": "emergency, with the prefix for an outside line",
    "933": "the emergency test that reads back the address",
    "5000": "voicemail for any box",
    "5001": "voicemail of the calling phone",
    "5002": "hot desk",
    "5003": "a second dial tone by PIN",
    "8888": "the platform's limited view",
}
"""Never an extension, with what it is (domain-features 1.1); more of them in `why_reserved`."""

WITHHOLD = "*67"
ANY_SLOT = "***"
"""Parks in the first free slot."""

_BEFORE_A_NUMBER = re.compile(r"(?:\*(?:48|66|67|70))*")
"""Codes a number follows that is called then: none of them may keep a call from emergency."""

_SEPARATORS = re.compile(r"[\s().\-]+")
_EXTENSION = re.compile(r"[1-9][0-9]{2,4}")
_SLOT = re.compile(r"\*?(7[0-9]{2})")
_INTERCOM = re.compile(r"99([1-9][0-9]{2,3})")
_TO_MAILBOX = re.compile(r"7([1-9][0-9]{2,4}|[2-9][0-9]{9})")
_NUMBER = re.compile(r"(?:\+?1)?((?![2-9]11)[2-9][0-9]{2}[2-9][0-9]{6})")
_SOS = re.compile(r"service:sos(?:\.|\Z)", re.IGNORECASE)
_INTERNATIONAL = re.compile(r"(?:\+|011)([2-9][0-9]{6,14})")
_LOCAL = re.compile(r"(?![2-9]11)[2-9][0-9]{6}")


class Means(StrEnum):
    EMERGENCY = "emergency"
    SUPPORT = "support"
    SERVICE_CODE = "service code"
    EXTENSION = "extension"
    MAILBOX = "mailbox"
    """`7` and an extension: straight to its voicemail."""
    MAILBOX_LOGIN = "voicemail login"
    """5000: any box, asked for; 5001: the caller's own."""
    FEATURE = "feature"
    """5002 and 5003: feature codes without a star."""
    PARK = "park slot"
    """700–799: who is parked there is fetched, else the caller waits there. `*` before it only parks, `***` parks where
    it is free (`any`)."""
    INTERCOM = "intercom"
    """`99` and an extension of three or four digits: its phone answers by itself."""
    NUMBER = "number"
    INTERNATIONAL = "international"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Dialled:
    means: Means
    digits: str
    """`911`, `933`, `611`, an extension, `1NPANXXXXXX`, `+` and an international number; for `NOTHING` what was
    dialled, without separators."""
    because: str = ""
    """For `NOTHING`: why it leads nowhere."""


def why_reserved(extension: str) -> str:
    """Return what an extension that must not be given out is dialled for, empty when it is free to give.

    Beside `RESERVED`: park slots 700–799, `7` + extension, which is straight to voicemail, and `99` + extension.
    """
    if extension in RESERVED:
        return RESERVED[extension]
    if _INTERCOM.fullmatch(extension):
        return "99 and an extension, its intercom"
    if not extension.startswith("7") or not 3 <= len(extension) <= 5:
        return ""
    return "a park slot" if len(extension) == 3 else "7 and an extension, straight to its voicemail"


def withholds_number(text: str) -> bool:
    """Tell whether the caller dialled `*67` first, so as not to be shown; emergency and support know no such wish."""
    return may_withhold(text) and _SEPARATORS.sub("", text).startswith(WITHHOLD)


def may_withhold(text: str) -> bool:
    """Tell whether the caller of `text` may keep its number back."""
    return read_dialled(text, "").means not in (Means.EMERGENCY, Means.SUPPORT)


def is_always_taken(text: str) -> bool:
    """Tell whether nothing may stand in the way of a call to `text`: emergency, 611 and the crisis line (K08, K10)."""
    dialled = read_dialled(_BEFORE_A_NUMBER.sub("", _SEPARATORS.sub("", text), count=1), "")
    return dialled.means in (Means.EMERGENCY, Means.SUPPORT) or dialled.digits == "988"


def read_dialled(text: str, area_code: str, outside_prefix: str = "") -> Dialled:
    """Return what `text` means; seven digits are completed with `area_code`, the prefix for an outside line may lead.

    Emergency comes before everything else: with and without the prefix 9 (K03), and as `urn:service:sos`
    (RFC 5031), which is how some softphones put it. `*67` before it changes who is shown, not who is called.
    """
    bare = text.partition(";")[0]
    digits = _SEPARATORS.sub("", bare).removeprefix(WITHHOLD)
    if digits in ("911", "9911") or _SOS.match(bare):
        return Dialled(Means.EMERGENCY, "911")
    found = _read(digits, area_code)
    if found.means is Means.NOTHING and outside_prefix and digits.startswith(outside_prefix):
        outside = _read(digits.removeprefix(outside_prefix), area_code)
        if outside.means in (Means.NUMBER, Means.INTERNATIONAL):
            return outside
    return found


def _read(digits: str, area_code: str) -> Dialled:
    if digits == "933":
        return Dialled(Means.EMERGENCY, "933")
    if digits == "611":
        return Dialled(Means.SUPPORT, "611")
    if digits in SERVICE_CODES:
        return Dialled(Means.SERVICE_CODE, digits)
    if digits in ("5000", "5001"):
        return Dialled(Means.MAILBOX_LOGIN, digits)
    if digits in ("5002", "5003"):
        return Dialled(Means.FEATURE, digits)
    if mailbox := _TO_MAILBOX.fullmatch(digits):
        return Dialled(Means.MAILBOX, mailbox[1])
    if digits == ANY_SLOT:
        return Dialled(Means.PARK, "any")
    if (slot := _SLOT.fullmatch(digits)) and slot[1] != "711":
        return Dialled(Means.PARK, slot[1])
    if intercom := _INTERCOM.fullmatch(digits):
        return Dialled(Means.INTERCOM, intercom[1])
    if _EXTENSION.fullmatch(digits):
        return Dialled(Means.EXTENSION, digits)
    if number := _NUMBER.fullmatch(digits):
        return Dialled(Means.NUMBER, f"1{number[1]}")
    if _LOCAL.fullmatch(digits):
        return Dialled(Means.NUMBER, f"1{area_code}{digits}")
    if abroad := _INTERNATIONAL.fullmatch(digits):
        return Dialled(Means.INTERNATIONAL, f"+{abroad[1]}")
    return Dialled(Means.NOTHING, digits, _why_nothing(digits))


def normal_number(text: str) -> str:
    """Return a caller's or blocked number as stored, `1NPANXXXXXX`; what is no such number comes back bare."""
    bare = _SEPARATORS.sub("", text)
    number = _NUMBER.fullmatch(bare)
    return f"1{number[1]}" if number else bare


def _why_nothing(digits: str) -> str:
    if not digits:
        return "nothing was dialled"
    if digits.startswith("*"):
        return "no such feature code"
    if re.match(r"\+(?!1)|011", digits):
        return "no international number: 7 to 15 digits after 011 or +, the first of them not 1"
    if not re.fullmatch(r"\+?[0-9]+", digits):
        return "not digits"
    return "no extension and no number of seven, ten or eleven digits"
