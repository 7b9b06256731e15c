"""A small domain with one device of each family, and a service to ask: what the tests here arrange with."""

from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

from pbx.clock import Moment, moment_at
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.events import ConfigRefused, ConfigServed
from provisioning_server.families import TEMPLATES, shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import Answer, ConfigRequest, Office, respond

FAMILIES = shipped_families()
AT = ServedAt("192.0.2.10", 5060, "http://192.0.2.10:8080/p")
WRONG = "f" * 32
YEALINK, POLY, ATA, LINPHONE, JSON, BARESIP = (
    "805ec0000101", "64167f000102", "ec74d7000111", "02a6c4000107", "02a6c4000109", "02a6c4000113",
)  # fmt: skip
OWN_FILE = {
    YEALINK: f"{YEALINK}.cfg",
    POLY: f"{POLY}-settings.cfg",
    ATA: f"cfg{ATA}.xml",
    LINPHONE: f"{LINPHONE}.xml",
    JSON: f"{JSON}.json",
    BARESIP: f"baresip/{BARESIP}/accounts",
}
"""The file with the password, by MAC."""
EPOCH = datetime(2026, 11, 24, 12, tzinfo=UTC)

_DEVICES = [
    ("101", YEALINK, 1, "yealink/t4x_t5x", "T46S"),
    ("102", POLY, 1, "poly/vvx", "VVX450"),
    ("111", ATA, 1, "grandstream/ht8xx", "HT802"),
    ("112", ATA, 2, "grandstream/ht8xx", "HT802"),
    ("107", LINPHONE, 1, "linphone/desktop", "Linphone"),
    ("109", JSON, 1, "generic/json", "pyVoIP"),
    ("113", BARESIP, 1, "generic/baresip", "baresip"),
]


def small_shelf(folder: Path) -> Path:
    """Copy the shipped families of the small domain, to break them."""
    for family in ("generic/json", "grandstream/ht8xx", "linphone/desktop", "poly/vvx", "yealink/t4x_t5x"):
        shutil.copytree(TEMPLATES / family, folder / family, ignore=shutil.ignore_patterns("golden"))
        for path in (TEMPLATES / family).parent.glob("*.*"):
            shutil.copy(path, folder / family / "..")
    shutil.copy(TEMPLATES / "defaults.yaml", folder)
    return folder


def first(mac: str) -> str:
    """The one-time token of a box."""
    return hashlib.md5(mac.encode()).hexdigest()


def small_domain(**changes: object) -> Directory:
    users = [
        {"extension": number, "first_name": f"User{number}", "last_name": "Roy", "site": "Toronto"}
        for number, *_ in _DEVICES
    ]
    devices = [
        {
            "id": number, "extension": number, "mac": mac, "port": port, "family": family, "model": model,
            "password": f"secret-of-{number}", "token": first(mac),
        }
        for number, mac, port, family, model in _DEVICES
    ]  # fmt: skip
    whole = {
        "domain": {"name": "acme.lab", "time_zone": "America/Toronto"},
        "sites": [{"name": "Toronto"}],
        "users": users,
        "devices": devices,
    }
    return Directory.model_validate(whole | changes)


def with_device(directory: Directory, device: str, **changes: object) -> Directory:
    """Return the domain with one device changed."""
    devices = tuple(
        Device.model_validate({**one.model_dump(), **changes}) if one.id == device else one for one in directory.devices
    )
    return directory.replaced(devices=devices)


class Counter:
    """The counter of a provisioning server: a ledger, a clock that is told to go on, and what was said."""

    def __init__(self, directory: Directory | None = None, *, window: bool = False) -> None:
        self.directory = directory or small_domain()
        self.office = Office(FAMILIES, Ledger(b"of this installation", lan_window=window), AT)
        self.now: Moment = moment_at(1000.0, EPOCH)

    def ask(
        self, name: str, token: str = "", *, agent: str = "", protocol: str = "http", host: str = "192.0.2.50",
        method: str = "GET", tls: str = "", query: str = "", certificate: str = "", **headers: str,
    ) -> Answer:  # fmt: skip
        path = f"/p/{token}/{name}" if token else f"/p/{name}"
        told = {key.replace("_", "-"): value for key, value in headers.items()}
        request = ConfigRequest(protocol, path, f"{host}:40000", agent, told, method, tls, query, certificate)
        return respond(request, self.office, self.directory, self.now)

    def own(self, mac: str, token: str | None = None) -> Answer:
        """Ask for the file with the password, by the one-time token unless another is given."""
        return self.ask(OWN_FILE[mac], first(mac) if token is None else token)

    def steady(self, mac: str) -> str:
        return self.office.ledger.steady_token(mac, first(mac))

    def passes(self, seconds: float) -> None:
        self.now = self.now.later(seconds)


def reason(answer: Answer) -> str:
    (refused,) = [event for event in answer.events if isinstance(event, ConfigRefused)]
    return refused.reason


def served(answer: Answer) -> ConfigServed:
    (event,) = [event for event in answer.events if isinstance(event, ConfigServed)]
    return event
