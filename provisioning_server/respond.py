"""The five steps of an answer: read the name, find the device, may it, overlay, render. The same for HTTP and TFTP.

Policy. A file named by a MAC is for the holder of that MAC's token: the one-time token of the device (`ledger`), then
the steady token its configuration carries. Without a token - TFTP, or a plain URL - it is served only while the
device's window is open: the ledger's `lan_window`, or the setting `provisioning.open` of the device, its user, site or
domain, which wins over it. A certificate whose name is the MAC opens its files without any of that. Files without a MAC
in their name hold no secret and need no token; a wrong one is refused all the same. Whatever is refused is answered
alike, byte for byte; the reason goes to the operator as an event. Who asks for many devices' files in vain is banned
for a while (`bans`): what no valid token opens is then refused, unless the address lies in the
`provisioning.trusted_networks` of the domain or a site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote

from pbx.clock import Moment
from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from pbx.events import (
    AddressBanned,
    ConfigRefused,
    ConfigRequested,
    ConfigServed,
    Event,
    OneShotTaken,
    ServerFault,
)
from provisioning_server.bans import Ban, Bans, Network, is_within, networks
from provisioning_server.encryption import encrypted
from provisioning_server.families import Families
from provisioning_server.firmware import Image, is_in, next_step
from provisioning_server.identify import Claim, NoClaim, identify, split_path
from provisioning_server.ledger import Admission, Key, Ledger
from provisioning_server.login import LOGIN, UNAUTHORIZED, login
from provisioning_server.manifest import Family
from provisioning_server.one_shot import OneShot, OneShots
from provisioning_server.overlay import UNSET, Scalar, ServedAt, Value, box_values, layers, line_values
from provisioning_server.render import settings_used
from provisioning_server.sheet import CannotRender, Sheet, sheet
from provisioning_server.shelf import Rendered, Shelf
from provisioning_server.uploads import NOTICE, UPLOADS, Sent, claimed, sent
from provisioning_server.vocabulary import SECRETS, is_secret
from provisioning_server.witness import said, speaks

NOT_FOUND = b"404 Not Found\n"
NOT_ALLOWED = b"405 Method Not Allowed\n"
TEXT = "text/plain; charset=utf-8"
OPEN = "provisioning.open"
ENCRYPT = "provisioning.encrypt"
PROTOCOLS = "provisioning.protocols"
"""What phones may fetch by, `https` or several in a row; anything without it. URLs name the first of http and https."""
TRUSTED = "provisioning.trusted_networks"
OF_THE_DOOR = frozenset({OPEN, PROTOCOLS, TRUSTED, UPLOADS, LOGIN})
"""Settings that no phone is told."""
_NOBODYS = "-"
"""A token that opens nothing."""
_TLS = ("TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3")
_SECRET = re.compile(r"[0-9a-fA-F]{32,}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd]")


HIDDEN = "***"
"""What stands for a password that is shown to nobody."""
BANNED = Admission(Key.NONE, "this address is banned for a while: it has tried too many names or tokens")


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
    method: str = "GET"
    tls: str = ""
    """Version of TLS, as `TLSv1.2`; empty for none, or where a proxy has it."""
    query: str = ""
    """Behind the question mark, as it came."""
    certificate: str = ""
    """Name in the certificate the phone has shown and proved; empty for none."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    content_type: str
    etag: str
    events: tuple[Event, ...]
    last_modified: datetime | None = None
    why: str = ""
    """How it came to this, for the operator; never for the peer."""
    file: Path | None = None
    """Where the body lies, when it is none to hold in memory: the shell sends it, or a part that is asked for."""
    sent: Sent | None = None
    """What the phone may send now (PUT, POST), or gets back of what it has sent: the body is for the shell to move."""


@dataclass(slots=True)
class Office:
    """What answers are made of; owned by the service."""

    families: Families
    ledger: Ledger
    at: ServedAt
    shelf: Shelf = field(default_factory=Shelf)
    bans: Bans = field(default_factory=Bans)
    images: tuple[Image, ...] = ()
    """Firmware that phones may be told of."""
    one_shots: OneShots = field(default_factory=OneShots)
    running: dict[str, str] = field(default_factory=dict)
    """MAC → version of the firmware, as its newest User-Agent has it: TFTP tells none."""


def respond(request: ConfigRequest, office: Office, directory: Directory, now: Moment) -> Answer:
    """Answer one request. Never raises for anything a peer can send."""
    answer = _answer(request, office, directory, now)
    if answer.status != 404 or not _asks_login(request, directory):
        return answer
    return answer if _is_proved(request, office, directory, now) else _challenged(answer)


def _answer(request: ConfigRequest, office: Office, directory: Directory, now: Moment) -> Answer:
    claim = identify(request.path, request.user_agent, office.families, directory)
    if isinstance(claim, Claim) and not claim.token and _asks_login(request, directory):
        claim = replace(claim, token=_token_of_login(request, office, directory, claim, now))
    asked = ConfigRequested(
        request.protocol, _shown(claim.name), request.address, printable(request.user_agent)[:200], claim.mac
    )
    if request.method in ("GET", "HEAD") and (image := _image(request.path, office)) is not None:
        return _of_firmware(request, office, directory, asked, image, now)
    allowed = _protocols(office, directory, claim) or [request.protocol]
    if request.protocol not in allowed:
        return _refused(request, asked, claim.mac, "", f"{request.protocol} is none of {', '.join(allowed)}")
    if request.method not in ("GET", "HEAD") or isinstance(claim, NoClaim):
        speaker = speaks(request.path, office.families, directory)
        if speaker is not None:
            return _heard(request, office, directory, asked, speaker, now)
        told = claim.reason if isinstance(claim, NoClaim) else "nothing of that name is taken"
        return _of_uploads(request, office, directory, asked, told, now)
    box, admission = _admitted(request, office, directory, claim, now)
    device = box[0].id if box else ""
    if admission.reason:
        ban = _counted(request, office, directory, claim, admission, now)
        return _refused(request, asked, claim.mac, device, admission.reason, *ban)
    if claim.box and claim.version:
        office.running[claim.mac] = claim.version
    if claim.rule.private:
        claim = replace(claim, box=box, mac=box[0].mac or "", model=box[0].model)
    try:
        found = _rendered(office, directory, claim, now)
    except CannotRender as fault:
        return _refused(request, asked, claim.mac, device, str(fault), ServerFault("provisioning", "", str(fault)))
    key = _key_of_file(office, directory, claim, box, admission, now)
    return _served(request, office, asked, claim, box, admission, found, now, key)


def _asks_login(request: ConfigRequest, directory: Directory) -> bool:
    return request.protocol != "tftp" and directory.settings.get("domain", {}).get(LOGIN) is True


def _token_of_login(request: ConfigRequest, office: Office, directory: Directory, claim: Claim, now: Moment) -> str:
    """Return the token a login gives; one that fits nothing when user and file, or user and token, are two boxes'."""
    mac, password = login(request.headers)
    if not mac:
        return ""
    if claim.rule.is_of_one_device:
        return password if mac == claim.mac else _NOBODYS
    whose = office.shelf.mac_of_token(directory, password, lambda one: _tokens(office, directory, one, now))
    return password if mac == whose else _NOBODYS


def _is_proved(request: ConfigRequest, office: Office, directory: Directory, now: Moment) -> bool:
    """Whether the login is that of a box, and would open its files: then what is not there is not there."""
    mac, password = login(request.headers)
    box = directory.devices_by_mac.get(mac, ())
    former = _former_token(box, now)
    return not office.ledger.admit(mac, _first_token(box), password or _NOBODYS, now.mono, former=former).reason


def _challenged(answer: Answer) -> Answer:
    events = tuple(replace(event, status=401) if isinstance(event, ConfigRefused) else event for event in answer.events)
    return replace(answer, status=401, body=UNAUTHORIZED, events=events)


def _heard(
    request: ConfigRequest, office: Office, directory: Directory, asked: ConfigRequested, claim: Claim, now: Moment
) -> Answer:
    """Take down what a phone says of itself; its body, if it posts one, is for the shell to read."""
    box, admission = _admitted(request, office, directory, claim, now)
    if admission.reason:
        status = 404 if request.method in ("GET", "HEAD") else 405
        ban = _counted(request, office, directory, claim, admission, now)
        return _refused(request, asked, claim.mac, box[0].id if box else "", admission.reason, *ban, status=status)
    if request.method in ("PUT", "POST"):
        return Answer(200, b"", TEXT, "", (), None, "", None, Sent(claim.mac, claim.name, NOTICE))
    return Answer(200, b"", TEXT, "", (said(claim.mac, box[0].id, request.query),))


def _key_of_file(
    office: Office, directory: Directory, claim: Claim, box: tuple[Device, ...], admission: Admission, now: Moment
) -> str:
    """Return the key by which the phone expects its file, empty for a plain one.

    Who comes by a steady token has read a file of ours, and knows the key it told; whoever else does not.
    """
    if not claim.rule.encrypt or admission.key not in (Key.STEADY, Key.FORMER):
        return ""
    if not _says(office, directory, claim.family, box, ENCRYPT):
        return ""
    first = _first_token(box) if admission.key is Key.STEADY else _former_token(box, now)
    return office.ledger.file_key(claim.mac, first)


def _image(path: str, office: Office) -> Image | None:
    if not office.images:
        return None
    name = split_path(path)[1].lower()
    return next((image for image in office.images if image.name.lower() == name), None)


def _of_firmware(
    request: ConfigRequest, office: Office, directory: Directory, asked: ConfigRequested, image: Image, now: Moment
) -> Answer:
    if _is_banned(request, office, directory, now):
        return _refused(request, asked, asked.mac, "", BANNED.reason)
    why = f"firmware {image.version} of {image.family}"
    served = ConfigServed(
        request.protocol, asked.path, request.address, asked.mac, "", image.family, image.path.name, "firmware", "", 0,
        False, why,
    )  # fmt: skip
    return Answer(200, b"", "application/octet-stream", "", (asked, served), None, why, image.path)


def _of_uploads(
    request: ConfigRequest, office: Office, directory: Directory, asked: ConfigRequested, told: str, now: Moment
) -> Answer:
    """Answer who sends a file, or asks for one it has sent. All that is refused is refused alike: 405, or 404."""
    takes = request.method in ("PUT", "POST")
    status = 404 if request.method in ("GET", "HEAD") else 405
    found = claimed(request.path, office.families, directory)
    if found is None or not (takes or (status == 404 and found[1].kind != "log")):
        return _refused(request, asked, asked.mac, "", told, status=status)
    claim, upload = found
    box, admission = _admitted(request, office, directory, claim, now)
    device = box[0].id if box else ""
    if admission.reason:
        ban = _counted(request, office, directory, claim, admission, now) if takes else []
        return _refused(request, asked, claim.mac, device, admission.reason, *ban, status=status)
    if not _says(office, directory, claim.family, box, UPLOADS):
        return _refused(request, asked, claim.mac, device, f"{UPLOADS} is off", status=status)
    why = f"{upload.kind} of {device}, opened by {admission.key.value}"
    return Answer(200, b"", TEXT, "", (asked,), None, why, None, sent(claim, upload))


def explain(office: Office, directory: Directory, device: Device, now: Moment) -> list[Value]:
    """Return every setting of a device and of its line by canonical name, with its origin; no passwords."""
    family = office.families.by_id[device.family]
    stack = layers(office.families, family, directory, office.at, device=device)
    once = office.one_shots.of(device.mac or "", now.wall)
    stack += [once.layer] if once is not None else []
    told = (box_values(stack) | line_values(stack, device.port)).values()
    return sorted((_hidden(value) if is_secret(value.name) else value for value in told), key=lambda one: one.name)


def _hidden(value: Value) -> Value:
    def mask(said: Scalar) -> Scalar:
        return HIDDEN if said else said

    stack = tuple((layer, mask(said)) for layer, said in value.stack)
    return Value(value.name, mask(value.value), value.layer, stack)


def passwords(office: Office, directory: Directory, device: Device, now: Moment) -> set[str]:
    """Return what the layers say of a device's passwords, as they may stand in its files beside that of its line."""
    family = office.families.by_id[device.family]
    stack = layers(office.families, family, directory, office.at, device=device)
    once = office.one_shots.of(device.mac or "", now.wall)
    stack += [once.layer] if once is not None else []
    return {str(layer.settings[name]) for layer in stack for name in SECRETS & layer.settings.keys()} - {""}


def written(office: Office, directory: Directory, device: Device, now: Moment) -> set[str]:
    """Return the names of the settings that the files of the device's box hold. Raises CannotRender."""
    family = office.families.by_id[device.family]
    whole = directory.devices_by_mac.get(device.mac or "", (device,))
    used: set[str] = set()
    for rule in family.files:
        box = whole if rule.is_of_one_device else ()
        paper = sheet_of(office, directory, Claim("", "", device.mac or "", family, rule, box, device.model), now)
        used |= settings_used(paper)
    return used


def unused(office: Office, directory: Directory, device: Device, now: Moment) -> list[str]:
    """Return names that somebody set for the device's box but that its family writes nowhere. Raises CannotRender."""
    used = written(office, directory, device, now) | OF_THE_DOOR
    if "firmware.url" in used:
        used |= {"firmware.target", "firmware.share"}
    used |= {re.sub(r"^lines\.\d+\.", "lines.*.", name) for name in used}
    whole = directory.devices_by_mac.get(device.mac or "", (device,))
    return sorted(set().union(*(_set_for(directory, each) for each in whole)) - used)


def current(office: Office, directory: Directory, name: str, user_agent: str, now: Moment) -> Rendered | None:
    """Return what a file would be if it were served now, whoever asks; None for a name nobody has. CannotRender."""
    claim = identify(name, user_agent, office.families, directory)
    if isinstance(claim, NoClaim) or (claim.rule.is_of_one_device and not claim.box):
        return None
    return _rendered(office, directory, claim, now)


def file_names(office: Office, device: Device) -> list[str]:
    """Return the names under which the device's family is served, its own MAC and model put in."""
    family = office.families.by_id[device.family]
    names = [family.name_of(rule, device.mac or "", device.model) for rule in family.files]
    return [name for name in names if name]


def base_url(office: Office, directory: Directory, family: Family, box: tuple[Device, ...] = ()) -> str:
    """Where a family's phones, or one box, are to fetch from, by the first of http and https that they may use."""
    return reached_by(office.at, protocols(office, directory, family, box)) or office.at.base_url


def reached_by(at: ServedAt, allowed: Sequence[str]) -> str:
    """Return the base URL by the first of http and https in `allowed`, by TFTP where that is all; empty for none."""
    first = next((name for name in allowed if name != "tftp"), "tftp" if allowed else "http")
    return {"http": at.base_url, "https": at.secure_url, "tftp": at.tftp_url}.get(first, "")


def protocols(office: Office, directory: Directory, family: Family, box: tuple[Device, ...] = ()) -> list[str]:
    """Return what a family's phones, or one box, may fetch by; empty for anything."""
    return str(_said(office, directory, family, box, PROTOCOLS) or "").split()


def config_url(office: Office, directory: Directory, device: Device) -> str:
    """The URL to type in, or to hand out by DHCP: the device's own folder, or file for families that want one.

    It holds the one-time token; the steady one for a phone that cannot be told another URL by its configuration.
    """
    family = office.families.by_id[device.family]
    token = device.token.get_secret_value()
    if token and family.keeps_its_url:
        token = office.ledger.steady_token(device.mac or "", token)
    base = base_url(office, directory, family, (device,))
    base = f"{base}/{token}" if token else base
    return f"{base}/{family.start_of(device.mac or '', device.model)}"


def first_url(office: Office, directory: Directory, device: Device) -> str:
    """As `config_url`, always by the one-time token: for ways that do not prove who asks."""
    family = office.families.by_id[device.family]
    start = family.start_of(device.mac or "", device.model)
    base = base_url(office, directory, family, (device,))
    return f"{base}/{device.token.get_secret_value()}/{start}"


def tftp_name(office: Office, device: Device) -> str:
    """The name under which TFTP has the device's own configuration."""
    family = office.families.by_id[device.family]
    rule = next(rule for rule in family.files if rule.is_of_one_device and rule.kind == "device")
    return family.name_of(rule, device.mac or "", device.model)


def _admitted(
    request: ConfigRequest, office: Office, directory: Directory, claim: Claim, now: Moment
) -> tuple[tuple[Device, ...], Admission]:
    """Return whose file it is and whether the request may have it. The work is the same for known and unknown MACs."""
    if request.tls and _TLS.index(request.tls) < _TLS.index(f"TLSv{claim.family.capabilities.tls_min}"):
        return (), Admission(Key.NONE, f"{request.tls} is too old for {claim.family.id}")
    if request.certificate and claim.rule.is_of_one_device:
        return _by_certificate(request.certificate, claim)
    if not claim.token and _is_banned(request, office, directory, now):
        return (), BANNED
    if claim.rule.is_of_one_device:
        box, mac = claim.box, claim.mac
    elif not claim.token:
        return (), Admission(Key.NONE, "no token" if claim.rule.private else "")
    else:
        mac = office.shelf.mac_of_token(directory, claim.token, lambda mac: _tokens(office, directory, mac, now))
        box = directory.devices_by_mac.get(mac, ())
    first = _first_token(box)
    window = None if claim.token else _says(office, directory, claim.family, box, OPEN)
    admission = office.ledger.admit(mac, first, claim.token, now.mono, window=window, former=_former_token(box, now))
    if claim.rule.is_of_one_device and not box:
        return (), Admission(Key.NONE, claim.doubt)
    return box, admission


def _by_certificate(name: str, claim: Claim) -> tuple[tuple[Device, ...], Admission]:
    """What it says is proved: no token, window or ban matters, and no other device's file is served by it."""
    try:
        mac = normal_mac(name)
    except ValueError:
        mac = ""
    if mac != claim.mac:
        return (), Admission(Key.NONE, f"the certificate is that of {printable(name)[:40]}")
    return claim.box, Admission(Key.CERTIFICATE) if claim.box else Admission(Key.NONE, claim.doubt)


def _says(office: Office, directory: Directory, family: Family, box: tuple[Device, ...], name: str) -> bool | None:
    """What the layers say of a yes or no; None when none speaks of it."""
    said = _said(office, directory, family, box, name)
    return None if said is None else said is True


def _protocols(office: Office, directory: Directory, claim: Claim | NoClaim) -> list[str]:
    """Return what may be fetched by, empty for anything."""
    if isinstance(claim, NoClaim):
        return str(directory.settings.get("domain", {}).get(PROTOCOLS, "")).split()
    return protocols(office, directory, claim.family, claim.box)


def _said(office: Office, directory: Directory, family: Family, box: tuple[Device, ...], name: str) -> Scalar | None:
    """What the layers say, looked up once while the snapshot holds; None when none speaks of it."""

    def read() -> Scalar | None:
        stack = layers(office.families, family, directory, office.at, device=box[0] if box else None)
        said = [layer.settings[name] for layer in stack if name in layer.settings]
        return said[-1] if said and said[-1] != UNSET else None

    return office.shelf.said(directory, (name, family.id, box[0].id if box else ""), read)


def _is_banned(request: ConfigRequest, office: Office, directory: Directory, now: Moment) -> bool:
    host = _host(request.address)
    return office.bans.is_banned(host, now.mono) and not is_within(host, _trusted(office, directory)[0])


def _counted(
    request: ConfigRequest, office: Office, directory: Directory, claim: Claim, admission: Admission, now: Moment
) -> list[Event]:
    """Count a refusal as a guess, whatever its reason; the one that leads to a ban is told to the operator."""
    host = _host(request.address)
    if admission is BANNED or (not claim.token and _asks_login(request, directory)):
        return []  # where a login is asked for, everybody's first request has none
    trusted, wrong = _trusted(office, directory)
    if is_within(host, trusted):
        return []
    ban = office.bans.guessed(host, claim.mac, claim.token, now.mono)
    told: list[Event] = [_banned(request, ban, now)] if ban is not None else []
    if told and wrong:
        told.append(ServerFault("provisioning", "", f"{TRUSTED} names what is no network: {', '.join(wrong)}"))
    return told


def _banned(request: ConfigRequest, ban: Ban, now: Moment) -> AddressBanned:
    return AddressBanned(request.protocol, ban.place, ban.guesses, round(ban.until - now.mono))


def _trusted(office: Office, directory: Directory) -> tuple[list[Network], list[str]]:
    def read() -> tuple[list[Network], list[str]]:
        owners = (said for owner, said in directory.settings.items() if owner == "domain" or owner.startswith("site:"))
        return networks(str(said[TRUSTED]) for said in owners if TRUSTED in said)

    return office.shelf.trusted(directory, read)


def _served(
    request: ConfigRequest,
    office: Office,
    asked: ConfigRequested,
    claim: Claim,
    box: tuple[Device, ...],
    admission: Admission,
    found: Rendered,
    now: Moment,
    key: str,
) -> Answer:
    whole = encrypted(claim.rule.encrypt, found.body, key) if key else found.body
    why = f"{claim.rule.name} of {claim.family.id}"
    if admission.key is not Key.NONE:
        why += f", opened by {admission.key.value}"
    if claim.doubt:
        why += f"; {claim.doubt}"
    why += ", encrypted" if key else ""
    once = _once(office, claim, now)
    why += f", with the {once.layer.name}" if once is not None else ""
    etag = f'"{found.sha256}{"-e" if key else ""}"'
    status = 304 if _unchanged(request.headers, etag, found.since) else 200
    if request.method == "HEAD":
        return Answer(status, whole, claim.rule.content_type, etag, (asked,), found.since, why)
    if box and (claim.rule.sensitive or admission.key is Key.STEADY):
        office.ledger.used(box[0].mac or "", _first_token(box), admission, now.mono)
    served = ConfigServed(
        request.protocol, asked.path, request.address, box[0].mac or "" if box else claim.mac, box[0].id if box else "",
        claim.family.id, claim.rule.name, claim.rule.kind, found.sha256, len(found.body), claim.rule.sensitive, why,
    )  # fmt: skip
    body = whole if status == 200 else b""
    told = (asked, served) if once is None else (asked, served, *_taken(office, once, claim.rule.name, now))
    return Answer(status, body, claim.rule.content_type, etag, told, found.since, why)


def _once(office: Office, claim: Claim, now: Moment) -> OneShot | None:
    """What is said of the file for once."""
    return office.one_shots.over(claim.rule.name, claim.mac, now.wall) if claim.box else None


def _taken(office: Office, once: OneShot, file: str, now: Moment) -> list[Event]:
    after = once.taken(file, now.wall)
    if after is once:
        return []
    office.one_shots.put(after)
    return [OneShotTaken(once.mac, file, ended=after.is_fetched)]


def _unchanged(headers: Mapping[str, str], etag: str, since: datetime) -> bool:
    """RFC 9110 §13.2.2: If-None-Match decides; If-Modified-Since only without it."""
    given = headers.get("if-none-match", "")
    if given:
        return given.strip() == "*" or etag in [item.strip().removeprefix("W/") for item in given.split(",")]
    try:
        return since <= parsedate_to_datetime(headers["if-modified-since"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return False


def _rendered(office: Office, directory: Directory, claim: Claim, now: Moment) -> Rendered:
    ranges = tuple(some.covers(claim.version) for some in claim.family.firmware)
    runs = _runs(office, claim) if office.images else ""
    once = _once(office, claim, now)
    said = tuple(once.settings.items()) if once is not None else ()
    mac = claim.mac if claim.box else ""
    name = (claim.family.id, claim.rule.name, mac, claim.model, ranges, now.wall.year, runs, said)
    return office.shelf.file(directory, name, lambda: sheet_of(office, directory, claim, now), now.wall)


def _runs(office: Office, claim: Claim) -> str:
    """The version the phone runs, as it says now or said last."""
    return claim.version or office.running.get(claim.mac, "")


def _told_firmware(office: Office, claim: Claim, base: str, target: str, share: int) -> str:
    """Return the URL of the image that is a phone's next step; empty when it has none, or is not in yet."""
    if not is_in(claim.mac, target, share):
        return ""
    image = next_step(office.images, claim.family.id, claim.model, _runs(office, claim), target)
    return f"{base}/{quote(image.name)}" if image is not None else ""


def sheet_of(office: Office, directory: Directory, claim: Claim, now: Moment) -> Sheet:
    base, key = base_url(office, directory, claim.family, claim.box), ""
    url, once = f"{base}/", _once(office, claim, now)
    if claim.box:
        key = office.ledger.file_key(claim.mac, _first_token(claim.box))
        steady = office.ledger.steady_token(claim.mac, _first_token(claim.box))
        url += f"{steady}/{claim.family.start_of(claim.mac, claim.model)}"
    return sheet(
        office.families, claim.family, claim.rule, directory, office.at, box=claim.box,
        mac=claim.mac if claim.box else "", model=claim.model, version=claim.version,
        steady_url=quote(url, safe=":/[]"), year=now.wall.year, file_key=key, once=once.layer if once else None,
        firmware=lambda target, share: _told_firmware(office, claim, base, target, share),
    )  # fmt: skip


def _refused(
    request: ConfigRequest, asked: ConfigRequested, mac: str, device: str, reason: str, *also: Event, status: int = 404
) -> Answer:
    refused = ConfigRefused(request.protocol, asked.path, request.address, mac, device, reason, status)
    body = NOT_FOUND if status == 404 else NOT_ALLOWED
    return Answer(status, body, TEXT, "", (asked, refused, *also), None, reason)


def _first_token(box: tuple[Device, ...]) -> str:
    return box[0].token.get_secret_value() if box else ""


def _set_for(directory: Directory, device: Device) -> set[str]:
    """Names that domain, site, user and device settings speak of."""
    user = directory.users_by_extension.get(device.extension)
    owners = ("domain", f"site:{user.site if user else ''}", f"user:{device.extension}")
    return set(device.settings).union(*(directory.settings.get(owner, {}) for owner in owners))


def _former_token(box: tuple[Device, ...], now: Moment) -> str:
    return box[0].former_token_at(now.wall) if box else ""


def _tokens(office: Office, directory: Directory, mac: str, now: Moment) -> tuple[str, ...]:
    """Every token that may open something of the box: whether it does is for the ledger to say."""
    box = directory.devices_by_mac[mac]
    first, former = _first_token(box), _former_token(box, now)
    return first, *(office.ledger.steady_token(mac, text) for text in ((first, former) if former else (first,)))


def _host(address: str) -> str:
    return address.rpartition(":")[0] or address


def _shown(name: str) -> str:
    """The file name without anything that may be a token in the wrong place."""
    return _SECRET.sub("…", printable(name))[:255]


def printable(text: str) -> str:
    """Text of a peer as it may stand in an event."""
    return _UNPRINTABLE.sub("?", text)
