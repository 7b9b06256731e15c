"""The lab's own plain format, which the pyVoIP phones boot from: one JSON object at one URL (`generic/json`)."""

from __future__ import annotations

import json
import re

from lab.phones.by_manifest import Reading, Values, family
from lab.phones.family import Account, BootFailed, Box, decoded

_LINE = re.compile(r"lines\.(\d{1,3})\.")


def read_config(body: bytes, name: str) -> dict[str, str]:
    """Return every leaf by its dotted path, lists counted from 1."""
    try:
        values = json.loads(decoded(body, name))
    except json.JSONDecodeError as fault:
        raise BootFailed("Config bad", f"{name} is not JSON: {fault}") from fault
    if not isinstance(values, dict):
        raise BootFailed("Config bad", f"{name} is not a JSON object")
    return _flat(values)


def accounts(values: Values) -> tuple[Account, ...]:
    places = sorted({int(match[1]) for key in values if (match := _LINE.match(key))})
    if not places:
        raise BootFailed("Config bad", "there is no list of lines")
    return tuple(_account(values, place) for place in places if values.get(f"lines.{place}.enabled") != "False")


def _account(values: Values, place: int) -> Account:
    def of(key: str, default: str = "") -> str:
        return values.get(f"lines.{place}.{key}") or default

    missing = [key for key in ("user", "password", "domain", "server.host", "server.port") if not of(key)]
    if missing:
        raise BootFailed("Config bad", f"line {place} lacks {', '.join(missing)}")
    return Account(
        port=int(of("number", str(place))),
        user=of("user"),
        auth_user=of("auth_user", of("user")),
        password=of("password"),
        domain=of("domain"),
        server_host=of("server.host"),
        server_port=int(of("server.port")),
        transport=of("server.transport", "udp"),
        expires_s=int(of("expires_s", "3600")),
        label=of("label", of("user")),
        display_name=of("display_name", of("user")),
        voicemail=of("voicemail"),
        subscribe_mwi=of("subscribe_mwi") == "True",
    )


def _flat(values: object, prefix: str = "") -> dict[str, str]:
    if isinstance(values, dict):
        items = [(str(key), value) for key, value in values.items()]
    elif isinstance(values, list):
        items = [(str(at), value) for at, value in enumerate(values, start=1)]
    else:
        return {prefix: "" if values is None else str(values)}
    found: dict[str, str] = {}
    for key, value in items:
        found.update(_flat(value, f"{prefix}.{key}" if prefix else key))
    return found


def _user_agent(box: Box) -> str:
    return f"Switchroom-Lab/{box.firmware} ({box.model}; {box.mac})"


FAMILY = family(
    "generic/json",
    Reading(
        read=read_config,
        accounts=accounts,
        server_url=lambda values: values.get("provisioning.url", ""),
        asks_dhcp=lambda values: False,
    ),
    sip_agent=_user_agent,
)
