"""The lab's own plain format, which the pyVoIP phones boot from: one JSON object at one URL (`generic/json`)."""

from __future__ import annotations

import json
from typing import Any

from lab.phones.family import (
    Account,
    BootFailed,
    BootScript,
    Box,
    Family,
    Fetch,
    PhoneConfig,
    Resync,
    check_sync,
    decoded,
    joined,
)


def boot(box: Box, url: str) -> BootScript:
    name = f"{box.mac}.json"
    answer = yield Fetch(joined(url, name), _user_agent(box))
    if not answer.ok:
        raise BootFailed(f"Config {answer.status or 'timeout'}", f"{name} was not served")
    values = read_config(answer.body, name)
    found = flat(values)
    return PhoneConfig(accounts(values), found, (name,), found.get("provisioning.url", ""), asks_dhcp=False)


def read_config(body: bytes, name: str) -> dict[str, Any]:
    try:
        values = json.loads(decoded(body, name))
    except json.JSONDecodeError as fault:
        raise BootFailed("Config bad", f"{name} is not JSON: {fault}") from fault
    if not isinstance(values, dict):
        raise BootFailed("Config bad", f"{name} is not a JSON object")
    return values


def accounts(values: dict[str, Any]) -> tuple[Account, ...]:
    lines = values.get("lines")
    if not isinstance(lines, list):
        raise BootFailed("Config bad", "there is no list of lines")
    return tuple(_account(line, port) for port, line in enumerate(lines, start=1) if line.get("enabled", True))


def flat(values: object, prefix: str = "") -> dict[str, str]:
    """Return every leaf by its dotted path, as the other families' values are by the vendor's name."""
    if isinstance(values, dict):
        items = [(str(key), value) for key, value in values.items()]
    elif isinstance(values, list):
        items = [(str(at), value) for at, value in enumerate(values, start=1)]
    else:
        return {prefix: str(values)}
    found: dict[str, str] = {}
    for key, value in items:
        found.update(flat(value, f"{prefix}.{key}" if prefix else key))
    return found


def _account(line: dict[str, Any], port: int) -> Account:
    try:
        server = line["server"]
        return Account(
            port=int(line.get("number", port)),
            user=str(line["user"]),
            auth_user=str(line.get("auth_user") or line["user"]),
            password=str(line["password"]),
            domain=str(line["domain"]),
            server_host=str(server["host"]),
            server_port=int(server["port"]),
            transport=str(server.get("transport", "udp")),
            expires_s=int(line.get("expires_s", 3600)),
            label=str(line.get("label") or line["user"]),
            display_name=str(line.get("display_name") or line["user"]),
            voicemail=str(line.get("voicemail", "")),
            subscribe_mwi=bool(line.get("subscribe_mwi", False)),
        )
    except (KeyError, TypeError, AttributeError) as fault:
        raise BootFailed("Config bad", f"line {port} lacks {fault}") from fault


def _user_agent(box: Box) -> str:
    return f"Switchroom-Lab/{box.firmware} ({box.model}; {box.mac})"


FAMILY = Family(
    name="generic/json",
    dhcp_options=(66,),
    boot=boot,
    user_agent=_user_agent,
    resync=lambda event: check_sync(event, bare=Resync.RELOAD),
    default_firmware="1.6.8",
)
