"""What a phone says of itself: its action URLs and notifications, a second witness beside SIP (testing.md A2).

`{mac}.said`, for the holder of the device's key: by GET with `event`, `call` and `remote` in the query (Yealink), or by
POST of a vendor's XML, whose first element under the root names the event (Poly).
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from pbx.domain.directory import Directory
from pbx.events import PhoneSaid
from provisioning_server.families import Families
from provisioning_server.identify import Claim, split_path
from provisioning_server.manifest import FileRule

_NAME = re.compile(r"([0-9a-f]{12})\.said\Z", re.IGNORECASE)
_RULE = FileRule(name="{mac}.said", kind="device", template="")
_WORD = re.compile(r"[^\w.:@+-]")
_LONGEST = 80
_WORDS = {
    ("IncomingCallEvent", ""): "ringing",
    ("OutgoingCallEvent", ""): "dialling",
    ("OffHookEvent", ""): "off_hook",
    ("OnHookEvent", ""): "on_hook",
    ("CallStateChangeEvent", "Connected"): "connected",
    ("CallStateChangeEvent", "Disconnected"): "ended",
}
"""Poly's element and state → the word that action URLs have for it."""


def speaks(path: str, families: Families, directory: Directory) -> Claim | None:
    """Return the claim of a phone that has something to say."""
    token, name = split_path(path)
    found = _NAME.match(name)
    if found is None:
        return None
    mac = found[1].lower()
    box = directory.devices_by_mac.get(mac, ())
    family = families.by_id.get(box[0].family) if box else None
    doubt = "" if family is not None else "unknown MAC"
    return Claim(token, name, mac, family or next(iter(families.by_id.values())), _RULE, box, doubt=doubt)


def said(mac: str, device: str, query: str) -> PhoneSaid:
    """Read a query: only its words, for whoever calls chooses some of them."""
    told = dict(parse_qsl(query, max_num_fields=20) if query.count("&") < 20 else ())
    return PhoneSaid(mac, device, *(_word(told.get(name, "")) for name in ("event", "call", "remote")))


def noticed(mac: str, device: str, body: bytes) -> PhoneSaid:
    """Read a vendor's XML; what is none is an event without a name, what is not known has the vendor's own."""
    try:
        first = next(iter(fromstring(body)), None)
    except (ParseError, DefusedXmlException, ValueError):
        first = None
    if first is None:
        return PhoneSaid(mac, device, "", "", "")
    state = first.get("CallState", "")
    what = _WORDS.get((first.tag, state)) or _WORDS.get((first.tag, ""), state or first.tag)
    remote = first.findtext("CallingPartyNumber") or first.findtext("CalledPartyNumber") or ""
    return PhoneSaid(mac, device, *(_word(text) for text in (what, first.get("CallReference", ""), remote)))


def _word(text: str) -> str:
    return _WORD.sub("", text)[:_LONGEST]
