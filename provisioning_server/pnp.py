"""SIP PnP: a phone asks the whole network where its server is, and is told its URL (reference, section 5).

`SUBSCRIBE sip:MAC%3a<mac>@…` to 224.0.1.75:5060 with `Event: ua-profile`; a known box whose one-time token is unspent
gets 200 and a NOTIFY with the URL, everybody else silence. No state is kept: a phone that misses the NOTIFY asks again.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.events import DiscoveryAnswered, DiscoveryRefused, Event
from pbx.sip.message import Malformed, Request, parse, reply
from provisioning_server.identify import UNKNOWN
from provisioning_server.respond import Office, first_url, printable

GROUP, PORT = "224.0.1.75", 5060
HOW = "pnp"
_MAC = re.compile(r"sips?:MAC(?:%3a|:)?([0-9a-f]{12})@", re.IGNORECASE)
_URI = re.compile(r"sips?:[^\s<>\x00-\x1f]{1,200}", re.IGNORECASE)
_PARAMETER = re.compile(r';\s*(vendor|model|version)\s*=\s*"?([^";]{0,40})"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    datagrams: tuple[bytes, ...] = ()
    """For where the question came from."""
    events: tuple[Event, ...] = ()


def answer(
    data: bytes, source: tuple[str, int], ours: tuple[str, int], office: Office, directory: Directory, now: Moment
) -> Told:
    """Answer a datagram that came to the group; `ours` is where the answers leave from. Never raises."""
    try:
        request = parse(data)
        if not isinstance(request, Request) or request.method != "SUBSCRIBE":
            return Told()
        if (request.get("Event") or "").partition(";")[0].strip().lower() != "ua-profile":
            return Told()
        asked = (
            _MAC.match(request.uri) or _MAC.search(request.get("To") or "") or _MAC.search(request.get("From") or "")
        )
        branch, cseq = request.via.branch, request.cseq.number
    except Malformed:
        return Told()
    if asked is None or not branch:
        return Told()
    mac, where = asked[1].lower(), f"{source[0]}:{source[1]}"
    box = directory.devices_by_mac.get(mac, ())
    why = UNKNOWN
    if box:
        first = box[0].token.get_secret_value()
        family = office.families.by_id.get(box[0].family)
        why = "" if family is not None and office.ledger.opens(mac, first, now.mono) else "its token has been used"
    if why:
        return Told(events=(DiscoveryRefused(HOW, where, mac, box[0].id if box else "", why),))
    tag = hashlib.sha256(f"{request.call_id} {mac}".encode()).hexdigest()[:12]
    contact = f"<sip:{ours[0]}:{ours[1]}>"
    accepted = reply(request, 200, to_tag=tag, headers=[("Contact", contact), ("Expires", "0")])
    notify = _notify(request, source, ours, tag, cseq + 1, first_url(office, directory, box[0]))
    said = " ".join(value for _, value in _PARAMETER.findall(request.get("Event") or ""))
    event = DiscoveryAnswered(HOW, printable(said), where, mac, box[0].id, "")
    return Told((bytes(accepted), bytes(notify)), (event,))


def _notify(request: Request, source: tuple[str, int], ours: tuple[str, int], tag: str, cseq: int, url: str) -> Request:
    """In the dialog the SUBSCRIBE made: their From is its To (RFC 6665 §4.2.2)."""
    contact = _URI.search(request.get("Contact") or "")
    uri = contact[0] if contact is not None else f"sip:{source[0]}:{source[1]}"
    to = request.get("To") or ""
    branch = hashlib.sha256(f"{request.call_id} {cseq} {tag}".encode()).hexdigest()[:16]
    headers = [
        ("Via", f"SIP/2.0/UDP {ours[0]}:{ours[1]};branch=z9hG4bK{branch};rport"),
        ("Max-Forwards", "70"),
        ("From", to if ";tag=" in to.lower() else f"{to};tag={tag}"),
        ("To", request.get("From") or ""),
        ("Call-ID", request.call_id),
        ("CSeq", f"{cseq} NOTIFY"),
        ("Contact", f"<sip:{ours[0]}:{ours[1]}>"),
        ("Event", (request.get("Event") or "").strip()),
        ("Subscription-State", "terminated;reason=timeout"),
        ("Content-Type", "application/url"),
    ]
    return Request("NOTIFY", uri, headers, url.encode())
