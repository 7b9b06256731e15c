"""A domain with one phone of every family the lab can imitate."""

from __future__ import annotations

from lab.phones.families import FAMILIES
from pbx.domain.directory import Directory
from provisioning_server.families import shipped_families

SHIPPED = shipped_families().by_id
NAMES = sorted(FAMILIES)
EXTENSION = {name: str(1201 + at) for at, name in enumerate(NAMES)}


def every_family() -> Directory:
    users = [{"extension": number, "first_name": "Ana", "last_name": 'A"B<C>&D'} for number in EXTENSION.values()]
    devices = [
        {
            "id": number, "extension": number, "mac": f"02a6c40{int(number):05d}", "family": name,
            "model": next(iter(SHIPPED[name].models), name), "password": f"secret-of-{number}",
            "token": f"{int(number):032x}", "transport": SHIPPED[name].capabilities.transports[0],
        }
        for name, number in EXTENSION.items()
    ]  # fmt: skip
    whole = {"domain": {"name": "acme.lab", "time_zone": "America/Toronto"}, "users": users, "devices": devices}
    return Directory.model_validate(whole)
