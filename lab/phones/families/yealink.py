"""Yealink T4x/T5x: `<mac>.boot` → `y000000000000.boot`, else the model's common file and `<mac>.cfg`.

Text files whose first line is `#!version:1.0.0.1`; `key = value`; `%NULL%` clears to the factory value.
"""

from __future__ import annotations

import re

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
    expanded,
    joined,
)

COMMON_FILE_IDS = {
    "T41S": "68", "T42S": "67", "T43U": "107", "T46S": "66", "T46U": "108", "T48S": "65", "T48U": "109",
    "T53": "95", "T53W": "95", "T54W": "96", "T57W": "97", "T58W": "150",
}  # fmt: skip
"""The NN of `y0000000000NN.cfg` (provisioning.md 1.2)."""

_FIRST_LINE = "#!version:"
_INCLUDE = re.compile(r"^include:config\s*[<\"]?([^>\"]+?)[>\"]?\s*$")
_ACCOUNT = re.compile(r"^account\.(\d{1,3})\.enable$")
_TRANSPORTS = {"": "udp", "0": "udp", "1": "tcp", "2": "tls"}
_NULL = "%NULL%"


def boot(box: Box, url: str) -> BootScript:
    found = None
    for name in (f"{box.mac}.boot", "y000000000000.boot"):
        answer = yield _fetch(box, joined(url, name))
        if answer.ok:
            found = read_boot(decoded(answer.body, name), name)
            break
    wanted = found if found is not None else [_common_file(box.model), f"{box.mac}.cfg"]
    values: dict[str, str] = {}
    applied = []
    for item in wanted:
        item = expanded(item, {"$MAC": box.mac, "$mac": box.mac, "$MODEL": box.model})
        target = item if "://" in item else joined(url, item)
        name = item.rpartition("/")[2]
        answer = yield _fetch(box, target)
        if answer.ok:
            values.update(read_config(decoded(answer.body, name), name))
            applied.append(name)
        elif name == f"{box.mac}.cfg" or answer.status == 0:
            raise BootFailed(f"Config {answer.status or 'timeout'}", f"{name} was not served")
    return PhoneConfig(
        accounts(values),
        values,
        tuple(applied),
        server_url=values.get("static.auto_provision.server.url", ""),
        asks_dhcp=values.get("static.auto_provision.dhcp_option.enable") != "0",
    )


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


def _common_file(model: str) -> str:
    return f"y{COMMON_FILE_IDS.get(model, '96').rjust(12, '0')}.cfg"


def _fetch(box: Box, url: str) -> Fetch:
    return Fetch(url, f"Yealink SIP-{box.model} {box.firmware} {box.mac_colons}")


FAMILY = Family(
    name="yealink/t4x_t5x",
    dhcp_options=(160, 161, 66, 43),
    boot=boot,
    user_agent=lambda box: f"Yealink SIP-{box.model} {box.firmware}",
    resync=lambda event: check_sync(event, bare=Resync.REBOOT),
    default_firmware="96.86.0.100",
)
