"""The redirect services of the makers, played by the lab: a phone that has nothing but a network finds us.

A phone asks the host its maker put into it. A device of the domain whose one-time token is unspent is told its URL;
whoever else asks gets the same 404. `Elsewhere` holds boxes that another customer's server still claims in the makers'
books: a phone bought second-hand is sent there, and the operator sees it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape

from pbx.clock import Moment
from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from pbx.events import DiscoveryAnswered, DiscoveryRefused, Event
from provisioning_server.identify import UNKNOWN
from provisioning_server.redirects import Redirect, Redirects
from provisioning_server.respond import NOT_FOUND, TEXT, Answer, ConfigRequest, Office, first_url, printable

HOW = "redirect"


@dataclass(slots=True)
class Desk:
    """What the services know beside the domain. Owned by whoever plays them."""

    redirects: Redirects
    elsewhere: dict[str, str] = field(default_factory=dict)
    """MAC → the URL of another customer's server."""
    activate: Callable[[str, str, str], str] = lambda code, mac, model: "activation codes are not taken here"
    """(code, MAC, model) → why not, empty when the box is assigned from now on."""


@dataclass(frozen=True, slots=True)
class _Asked:
    service: Redirect
    mac: str
    model: str
    code: str


def redirect(
    request: ConfigRequest, host: str, desk: Desk, office: Office, directory: Callable[[], Directory], now: Moment
) -> tuple[Answer, str]:
    """Answer a phone that asks `host`; the second value is where a 302 sends it. Never raises for what a peer sends.

    `directory` is asked anew after an activation code has changed it.
    """
    service = desk.redirects.by_host.get(host.lower())
    asked = _read(request, service) if service is not None else None
    if asked is None:
        return _refused(request, "", "nothing here is called so"), ""
    where = printable(request.address)
    why = _against(request, asked, office, now)
    if not why and asked.code:
        why = desk.activate(asked.code, asked.mac, asked.model)
        if why:
            office.bans.guessed(_host(request), asked.mac, asked.code, now.mono)
    if why:
        return _refused(request, asked.mac, why), ""
    if asked.mac in desk.elsewhere:
        url, device, told = desk.elsewhere[asked.mac], "", "it is bound to another server in its maker's books"
    else:
        box = directory().devices_by_mac.get(asked.mac, ())
        why = _unfit(box, office, now)
        if why:
            office.bans.guessed(_host(request), asked.mac, "", now.mono)
            return _refused(request, asked.mac, why, box[0].id if box else ""), ""
        url, device, told = first_url(office, directory(), box[0]), box[0].id, ""
    event = DiscoveryAnswered(HOW, asked.service.title, where, asked.mac, device, told)
    return _answer(asked, url, event), url if asked.service.status == 302 else ""


def _read(request: ConfigRequest, service: Redirect) -> _Asked | None:
    for pattern in service.asked:
        found = pattern.match(request.path)
        if found is not None:
            told = found.groupdict()
            return _Asked(service, (told.get("mac") or "").lower(), told.get("model") or "", told.get("code") or "")
    return None


def _against(request: ConfigRequest, asked: _Asked, office: Office, now: Moment) -> str:
    """What speaks against answering at all, before anybody is looked up."""
    if office.bans.is_banned(_host(request), now.mono):
        return "its address is banned"
    if not asked.service.certificate:
        return ""
    try:
        shown = normal_mac(request.certificate)
    except ValueError:
        shown = ""
    if shown == asked.mac:
        return ""
    shown_name = printable(request.certificate)[:40]
    return f"the certificate is that of {shown_name}" if shown_name else "no certificate"


def _unfit(box: tuple[Device, ...], office: Office, now: Moment) -> str:
    if not box:
        return UNKNOWN
    if box[0].family not in office.families.by_id:
        return "its family is not known"
    first = box[0].token.get_secret_value()
    if not first:
        return "it has no one-time token"
    return "" if office.ledger.opens(box[0].mac or "", first, now.mono) else "its one-time token has been used"


def _answer(asked: _Asked, url: str, event: Event) -> Answer:
    service = asked.service
    body = service.answer(escape(url) if "xml" in service.content_type else url, asked.mac)
    return Answer(service.status, body.encode(), service.content_type, "", (event,), None, service.title)


def _refused(request: ConfigRequest, mac: str, why: str, device: str = "") -> Answer:
    event = DiscoveryRefused(HOW, printable(request.address), mac, device, why)
    return Answer(404, NOT_FOUND, TEXT, "", (event,), None, why)


def _host(request: ConfigRequest) -> str:
    return request.address.rpartition(":")[0] or request.address
