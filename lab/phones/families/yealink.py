"""Yealink: text files whose first line is `#!version:1.0.0.1`; `key = value`; `%NULL%` clears to the factory value."""

from __future__ import annotations

import re

from lab.phones.by_manifest import Reading, Values, family
from lab.phones.decryption import by_yealink
from lab.phones.family import Account, BootFailed, Box, Resync, check_sync, decoded
from lab.phones.occurrences import Happened, Occurrence, filled_in

_FIRST_LINE = "#!version:"
_INCLUDE = re.compile(r"^include:config\s*[<\"]?([^>\"]+?)[>\"]?\s*$")
_ACCOUNT = re.compile(r"^account\.(\d{1,3})\.enable$")
_TRANSPORTS = {"": "udp", "0": "udp", "1": "tcp", "2": "tls"}
_NULL = "%NULL%"


def read_boot(text: str, name: str) -> list[str]:
    """Return the files a `.boot` file includes, in its order."""
    lines = _lines(text, name)
    return [match[1] for line in lines if (match := _INCLUDE.match(line))]


def read_config(text: str, name: str) -> dict[str, str]:
    """Return the file's values by key; a repeated key keeps its last value, as on the phone."""
    values = {}
    for line in _lines(text, name):
        key, equals, value = line.partition("=")
        if not equals:
            continue  # the firmware skips what it cannot read and goes on with the next line
        value = value.strip()
        values[key.strip()] = "" if value == _NULL else value
    return values


def accounts(values: dict[str, str]) -> tuple[Account, ...]:
    lines = sorted(int(match[1]) for key in values if (match := _ACCOUNT.match(key)))
    return tuple(_account(values, line) for line in lines if values[f"account.{line}.enable"] == "1")


def _account(values: dict[str, str], line: int) -> Account:
    def of(key: str, default: str = "") -> str:
        return values.get(f"account.{line}.{key}") or default

    user, domain = of("user_name"), of("sip_server.1.address")
    if not user or not domain:
        raise BootFailed("Config bad", f"account.{line} is enabled without user or server")
    host, port = domain, of("sip_server.1.port", "5060")
    if of("outbound_proxy_enable") == "1" and of("outbound_proxy.1.address"):
        host, port = of("outbound_proxy.1.address"), of("outbound_proxy.1.port", "5060")
    return Account(
        port=line,
        user=user,
        auth_user=of("auth_name", user),
        password=of("password"),
        domain=domain,
        server_host=host,
        server_port=int(port) or 5060,
        transport=_TRANSPORTS.get(of("sip_server.1.transport_type"), "udp"),
        expires_s=int(of("sip_server.1.expires", "3600")),
        label=of("label", user),
        display_name=of("display_name", user),
        voicemail=values.get(f"voice_mail.number.{line}", ""),
        subscribe_mwi=of("subscribe_mwi") == "1",
    )


def _lines(text: str, name: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    if not lines[0].startswith(_FIRST_LINE):
        raise BootFailed("Config bad", f"{name} does not begin with {_FIRST_LINE}1.0.0.1")
    return [line for line in (raw.strip() for raw in lines) if line and not line.startswith("#")]


_ACTIONS = {
    Happened.STARTED: "setup_completed", Happened.REGISTERED: "registered", Happened.UNREGISTERED: "unregistered",
    Happened.REGISTER_FAILED: "register_failed", Happened.OFF_HOOK: "off_hook", Happened.ON_HOOK: "on_hook",
    Happened.INCOMING: "incoming_call", Happened.OUTGOING: "outgoing_call",
    Happened.ESTABLISHED: "call_established", Happened.TERMINATED: "call_terminated",
    Happened.HELD: "hold", Happened.RESUMED: "unhold",
    Happened.DND_ON: "dnd_on", Happened.DND_OFF: "dnd_off",
}  # fmt: skip


def _action(values: Values, occurrence: Occurrence, box: Box) -> tuple[str, bytes]:
    facts = {"$mac": box.mac, "$model": box.model, "$firmware": box.firmware}
    url = values.get(f"action_url.{_ACTIONS[occurrence.what]}", "")
    return filled_in(url, occurrence, facts, "$call_id"), b""


_READING = Reading(
    read=lambda body, name: read_config(decoded(body, name), name),
    accounts=lambda values: accounts(dict(values)),
    server_url=lambda values: values.get("static.auto_provision.server.url", ""),
    asks_dhcp=lambda values: values.get("static.auto_provision.dhcp_option.enable") != "0",
    listed=lambda body, name: read_boot(decoded(body, name), name),
    opened=by_yealink,
    file_key=lambda values: values.get("static.auto_provision.aes_key_16.mac", ""),
    firmware=lambda values, box: values.get("static.firmware.url", ""),
    tells=_action,
)

FAMILY = family(
    "yealink/t4x_t5x",
    _READING,
    firmware="96.86.0.100",
    sip_agent=lambda box: f"Yealink SIP-{box.model} {box.firmware}",
    resync=lambda event: check_sync(event, bare=Resync.REBOOT),
)
FAMILIES = (FAMILY, *(family(f"yealink/{name}", _READING) for name in ("t2x_t3x", "t7x_t8x", "cp", "dect")))
"""Older and newer desk phones, conference phones and DECT bases read what a T4x reads."""
