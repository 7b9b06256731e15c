"""The five steps of an answer: read the name, find the device, may it, overlay, render. The same for HTTP and TFTP.

Whatever is refused is answered alike, byte for byte; the reason goes to the operator as an event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from pydantic import SecretStr

from pbx.clock import Moment
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.events import ConfigRefused, ConfigRequested, ConfigServed, Event, ServerFault
from provisioning_server.families import Families, Family
from provisioning_server.identify import Claim, NoClaim, identify, split_path
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt, Value, layers, overlay
from provisioning_server.render import CannotRender, Settings, lines_of, render

VOICEMAIL_NUMBER = "5001"
NOT_FOUND = b"404 Not Found\n"
_CACHED = 4096


@dataclass(frozen=True, slots=True)
class ConfigRequest:
    protocol: str
    """`http`, `https` or `tftp`."""
    path: str
    """As asked for, decoded; with its token."""
    address: str
    user_agent: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str
    etag: str
    events: tuple[Event, ...]


@dataclass(slots=True)
class Office:
    """What answers are made of; owned by the service. `cache` keeps rendered files while nothing changes."""

    families: Families
    ledger: Ledger
    at: ServedAt
    cache: dict[tuple[object, ...], tuple[bytes, str]] = field(default_factory=dict)


def respond(request: ConfigRequest, office: Office, directory: Directory, now: Moment) -> Answer:
    """Answer one request. Never raises for anything a peer can send."""
    claim = identify(request.path, request.user_agent, office.families, directory)
    _, shown = split_path(request.path)
    asked = ConfigRequested(request.protocol, shown[:255], request.address, request.user_agent[:200], claim.mac)
    if isinstance(claim, NoClaim):
        return _refused(request, asked, claim.mac, "", claim.reason)
    device = claim.box[0] if claim.box else None
    if claim.rule.sensitive:
        if device is None:
            return _refused(request, asked, claim.mac, "", "nobody is named in the request")
        reason = office.ledger.refusal(claim.mac, device.token.get_secret_value(), claim.token, now.mono)
        if reason:
            return _refused(request, asked, claim.mac, device.id, reason)
    try:
        body, digest = _rendered(office, directory, claim, now)
    except CannotRender as error:
        fault = ServerFault("provisioning", "", str(error))
        refused = _refused(request, asked, claim.mac, device.id if device else "", str(error))
        return Answer(refused.status, refused.body, refused.content_type, "", (*refused.events, fault))
    if claim.rule.sensitive:
        office.ledger.served(claim.mac, claim.token, now.mono)
    served = ConfigServed(
        request.protocol, shown, request.address, claim.mac, device.id if device else "", claim.family.id,
        claim.rule.name, claim.rule.kind, digest, len(body), claim.rule.sensitive,
    )  # fmt: skip
    status = 304 if request.headers.get("if-none-match", "") == f'"{digest}"' else 200
    return Answer(status, body if status == 200 else b"", claim.rule.content_type, f'"{digest}"', (asked, served))


def explain(office: Office, directory: Directory, device: Device) -> dict[str, Value]:
    """Return every setting of a device by canonical name, with its origin."""
    family = office.families.by_id[device.family]
    return overlay(layers(office.families, family, directory, device, office.at))


def config_url(office: Office, device: Device) -> str:
    """The URL to type in, or to hand out by DHCP: the device's own folder, or file for families that want one."""
    family = office.families.by_id[device.family]
    token = device.token.get_secret_value()
    base = f"{office.at.base_url}/{token}" if token else office.at.base_url
    return f"{base}/{_start(family, device)}"


def _start(family: Family, device: Device) -> str:
    return family.start.replace("{mac}", device.mac or "")


def _rendered(office: Office, directory: Directory, claim: Claim, now: Moment) -> tuple[bytes, str]:
    name = claim.name.lower()
    key = (directory.domain.name, directory.revision, id(directory), claim.family.id, claim.rule.name, name, claim.mac)
    known = office.cache.get(key)
    if known is None:
        body = _render(office, directory, claim, now)
        known = (body, hashlib.sha256(body).hexdigest())
        if len(office.cache) >= _CACHED:
            office.cache.clear()
        office.cache[key] = known
    return known


def _render(office: Office, directory: Directory, claim: Claim, now: Moment) -> bytes:
    family, box = claim.family, claim.box
    if box:
        device = box[0]
        values = overlay(layers(office.families, family, directory, device, office.at))
        steady = f"{office.at.base_url}/{office.ledger.steady_token(claim.mac)}/{_start(family, device)}"
        lines = lines_of(family, directory, box, VOICEMAIL_NUMBER)
        model = device.model
    else:
        nobody = Device.model_construct(id="", extension="", password=SecretStr(""), model="", settings={})
        values = overlay(layers(office.families, family, directory, nobody, office.at))
        steady, lines, model = f"{office.at.base_url}/", [], ""
    return render(
        family, claim.rule, settings=Settings(values), lines=lines, mac=claim.mac, model=model,
        steady_url=quote(steady, safe=":/"), at=office.at, year=now.wall.year,
    )  # fmt: skip


def _refused(request: ConfigRequest, asked: ConfigRequested, mac: str, device: str, reason: str) -> Answer:
    refused = ConfigRefused(request.protocol, asked.path, request.address, mac, device, reason, 404)
    return Answer(404, NOT_FOUND, "text/plain; charset=utf-8", "", (asked, refused))
