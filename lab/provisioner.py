"""The provisioning server as a lab's phones reach it: what discovery tells each, and the answer in virtual time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from urllib.parse import unquote, urlsplit

from lab.inventory import Station
from lab.phones.family import Fetch, Fetched
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.events import Event
from pbx.sip.address import Peer
from provisioning_server import pnp
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.one_shot_desk import say_once
from provisioning_server.overlay import Scalar, ServedAt
from provisioning_server.redirect import Desk, redirect
from provisioning_server.redirects import shipped_redirects
from provisioning_server.respond import ConfigRequest, Office, config_url, respond, tftp_name
from provisioning_server.uploads import NOTICE, Sent
from provisioning_server.witness import noticed


def discovery_url(office: Office, directory: Directory, station: Station, tftp_url: str) -> str:
    """Return what DHCP (or a person) tells a factory-fresh box: its own HTTP URL, or the TFTP server."""
    if station.told == "nothing":
        return ""
    if station.told == "tftp":
        return tftp_url
    return config_url(office, directory, directory.devices_by_id[station.device])


def virtual_office(sip: Peer, host: str, secret: bytes) -> Office:
    """Return the office of a virtual world: its window is open, as on a lab's own network."""
    at = ServedAt(sip.host, sip.port, f"http://{host}/p", secure_url=f"https://{host}/p", tftp_url=f"tftp://{host}")
    return Office(shipped_families(), Ledger(secret, lan_window=True), at)


class VirtualProvisioner:
    """Answers fetches by `respond` itself: the same bytes as over a socket."""

    def __init__(
        self,
        office: Office,
        directory: Callable[[], Directory],
        publish: Callable[[Event], None],
        tftp_url: str,
    ) -> None:
        self.office, self._directory, self._publish, self._tftp_url = office, directory, publish, tftp_url
        self.desk = Desk(shipped_redirects())
        self.uploads: dict[tuple[str, str], bytes] = {}
        """(MAC, name) → what the phone has sent."""

    def url(self, station: Station) -> str:
        return discovery_url(self.office, self._directory(), station, self._tftp_url)

    def first_url(self, device: str) -> str:
        known = self._directory().devices_by_id[device]
        return f"{self.office.at.base_url}/{known.token.get_secret_value()}/{tftp_name(self.office, known)}"

    def reopen(self, mac: str) -> None:
        self.office.ledger.reopen(mac)

    def say_once(self, device: str, settings: Mapping[str, Scalar], now: Moment) -> None:
        self._publish(say_once(self.office, self._directory(), device, settings, now))

    def fetch(self, wanted: Fetch, address: str, now: Moment) -> Fetched:
        parts = urlsplit(wanted.url)
        if parts.hostname in self.desk.redirects.by_host:
            return self._redirected(wanted, parts.hostname or "", address, now)
        if parts.hostname != urlsplit(self.office.at.base_url).hostname:
            return Fetched(0)
        path = unquote(parts.path)
        is_tftp = wanted.protocol == "tftp"
        request = ConfigRequest(
            wanted.protocol,
            path.lstrip("/") if is_tftp else path,
            address,
            "" if is_tftp else wanted.user_agent,
            {} if is_tftp else {name.lower(): value for name, value in wanted.headers},
            wanted.method,
            query=parts.query,
        )
        answer = respond(request, self.office, self._directory(), now)
        for event in answer.events:
            self._publish(event)
        if answer.sent is not None:
            return self._uploaded(answer.sent, wanted)
        if answer.file is not None:
            return _in_parts(answer.file.read_bytes(), request.headers)
        return Fetched(answer.status, answer.body)

    def _uploaded(self, sent: Sent, wanted: Fetch) -> Fetched:
        """What phones have sent lies here, and is given back to them."""
        if sent.kind == NOTICE:
            box = self._directory().devices_by_mac.get(sent.mac, ())
            self._publish(noticed(sent.mac, box[0].id if box else "", wanted.body))
            return Fetched(200)
        if wanted.method != "GET":
            self.uploads[sent.mac, sent.name] = wanted.body
            return Fetched(201)
        body = self.uploads.get((sent.mac, sent.name))
        return Fetched(404) if body is None else Fetched(200, body)

    def discovered(self, data: bytes, source: tuple[str, int], ours: tuple[str, int], now: Moment) -> tuple[bytes, ...]:
        """Answer a phone that asks everybody by SIP PnP."""
        told = pnp.answer(data, source, ours, self.office, self._directory(), now)
        for event in told.events:
            self._publish(event)
        return told.datagrams

    def _redirected(self, wanted: Fetch, host: str, address: str, now: Moment) -> Fetched:
        parts = urlsplit(wanted.url)
        asked = f"{parts.path}?{parts.query}" if parts.query else parts.path
        request = ConfigRequest("https", asked, address, wanted.user_agent, certificate=wanted.certificate)
        answer, location = redirect(request, host, self.desk, self.office, self._directory, now)
        for event in answer.events:
            self._publish(event)
        return Fetched(answer.status, answer.body, location)


def _in_parts(image: bytes, headers: Mapping[str, str]) -> Fetched:
    """As the server's shell sends a file: from where it is asked for on, if it is the one asked for."""
    etag = f'"{hashlib.sha256(image).hexdigest()[:16]}"'
    begins = headers.get("range", "").removeprefix("bytes=").removesuffix("-")
    if not begins.isdecimal() or headers.get("if-range", etag) != etag:
        return Fetched(200, image, etag=etag)
    return Fetched(206, image[int(begins) :], etag=etag) if int(begins) < len(image) else Fetched(416, etag=etag)
