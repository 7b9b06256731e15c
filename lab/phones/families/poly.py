"""Poly VVX: `<mac>.cfg` → `000000000000.cfg` is a list; the files it names hold settings as XML attributes.

The optional files (licence, overrides, directory) are asked for as the firmware does; their absence is normal.
"""

from __future__ import annotations

import re
from collections.abc import Generator

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from lab.phones.family import (
    Account,
    BootFailed,
    BootScript,
    Box,
    Family,
    Fetch,
    Fetched,
    PhoneConfig,
    Resync,
    check_sync,
    expanded,
    joined,
)

_REGISTRATION = re.compile(r"^reg\.(\d{1,3})\.address$")
_TRANSPORTS = {
    "UDPOnly": "udp", "UDPonly": "udp", "DNSnaptr": "udp", "": "udp",
    "TCPOnly": "tcp", "TCPonly": "tcp", "TCPpreferred": "tcp", "TLS": "tls",
}  # fmt: skip
_PART_NUMBERS = {"VVX250": "3111-48820-001", "VVX350": "3111-48830-001", "VVX450": "3111-48840-001"}


def boot(box: Box, url: str) -> BootScript:
    names = [f"{box.mac}.cfg", "000000000000.cfg"]
    if url.endswith(".cfg"):
        url, _, own = url.rpartition("/")
        names.insert(0, own)
    master, answer = yield from _first_of(box, url, names)
    if not answer.ok:
        raise BootFailed(f"Config {answer.status or 'timeout'}", f"{names[0]} was not served")
    listed, firmware = config_files(answer.body, master), firmware_files(answer.body, master, box)
    # Before the settings come the firmware, when the list names one, and the licence; neither is waited for.
    yield from _first_of(box, url, firmware)
    yield from _first_of(box, url, [f"{box.mac}-license.cfg", "000000000000-license.cfg"])
    values: dict[str, str] = {}
    applied = [master]
    for item in listed:
        item = expanded(item, macros(box))
        name = item.rpartition("/")[2]
        answer = yield _fetch(box, item if "://" in item else joined(url, item))
        if not answer.ok:
            raise BootFailed(f"Config {answer.status or 'timeout'}", f"{name} was not served")
        values.update(read_config(answer.body, name))
        applied.append(name)
    for name in (f"{box.mac}-phone.cfg", f"{box.mac}-web.cfg"):
        answer = yield _fetch(box, joined(url, name))
        if answer.ok:
            values.update(read_config(answer.body, name))
            applied.append(name)
    name, answer = yield from _first_of(box, url, [f"{box.mac}-directory.xml", "000000000000-directory.xml"])
    if answer.ok:
        applied.append(name)
    return PhoneConfig(
        accounts(values), values, tuple(applied), server_url=server_url(values), asks_dhcp=_asks_dhcp(values)
    )


def _first_of(box: Box, url: str, names: list[str]) -> Generator[Fetch, Fetched, tuple[str, Fetched]]:
    """Ask for each until one is served; return it, or the last that was not."""
    name, answer = "", Fetched(404)
    for name in names:
        answer = yield _fetch(box, joined(url, name))
        if answer.ok:
            break
    return name, answer


def config_files(body: bytes, name: str) -> list[str]:
    """Return the names in the master file's CONFIG_FILES, in their order."""
    found = read_config(body, name).get("CONFIG_FILES")
    if found is None:
        raise BootFailed("Config bad", f"{name} has no CONFIG_FILES")
    return [item.strip() for item in found.split(",") if item.strip()]


def firmware_files(body: bytes, name: str, box: Box) -> list[str]:
    """Return the images APP_FILE_PATH makes it ask for: its part number's own, else the one for all; empty, none."""
    path = read_config(body, name).get("APP_FILE_PATH", "")
    part = macros(box)["[PHONE_PART_NUMBER]"]
    return [f"{part}.{path}", path] if path and part else [path] if path else []


def read_config(body: bytes, name: str) -> dict[str, str]:
    """Return every attribute of every element: element names mean nothing to the firmware."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException) as fault:
        raise BootFailed("Config bad", f"{name} is not XML: {fault}") from fault
    return {str(key): str(value) for element in root.iter() for key, value in element.attrib.items()}


def accounts(values: dict[str, str]) -> tuple[Account, ...]:
    lines = sorted(int(match[1]) for key in values if (match := _REGISTRATION.match(key)))
    return tuple(_account(values, line) for line in lines if values[f"reg.{line}.address"])


def server_url(values: dict[str, str]) -> str:
    """A scheme in the name goes before the type; without either the firmware means FTP."""
    name = _device(values, "device.prov.serverName")
    scheme = (_device(values, "device.prov.serverType") or "FTP").lower()
    return name if not name or "://" in name else f"{scheme}://{name}"


def _asks_dhcp(values: dict[str, str]) -> bool:
    return _device(values, "device.dhcp.bootSrvUseOpt") != "Static"


def _device(values: dict[str, str], name: str) -> str:
    """`device.*` counts only when its own `.set` and the document's say so."""
    counts = values.get("device.set") == "1" and values.get(f"{name}.set") == "1"
    return values.get(name, "") if counts else ""


def macros(box: Box) -> dict[str, str]:
    return {
        "[PHONE_MAC_ADDRESS]": box.mac,
        "[PHONE_MODEL]": box.model.replace("_", ""),
        "[PHONE_PART_NUMBER]": _PART_NUMBERS.get(box.model.replace("_", ""), ""),
    }


def _account(values: dict[str, str], line: int) -> Account:
    def of(key: str, default: str = "") -> str:
        return values.get(f"reg.{line}.{key}") or default

    user, _, domain = of("address").partition("@")
    host = of("server.1.address") or values.get("voIpProt.server.1.address", "")
    if not host and not domain:
        raise BootFailed("Config bad", f"reg.{line} has no server")
    host = host or domain
    port = of("server.1.port") or values.get("voIpProt.server.1.port", "") or "5060"
    transport = of("server.1.transport") or values.get("voIpProt.server.1.transport", "")
    expires = of("server.1.expires") or values.get("voIpProt.server.1.expires", "") or "3600"
    domain = domain or host
    if of("outboundProxy.address"):
        host, port = of("outboundProxy.address"), of("outboundProxy.port", "5060")
        transport = of("outboundProxy.transport", transport)
    return Account(
        port=line,
        user=user,
        auth_user=of("auth.userId", user),
        password=of("auth.password"),
        domain=domain,
        server_host=host,
        server_port=int(port) or 5060,
        transport=_TRANSPORTS.get(transport, "udp"),
        expires_s=int(expires),
        label=of("label", user),
        display_name=of("displayName", user),
        voicemail=values.get(f"msg.mwi.{line}.callBack", ""),
        # The firmware subscribes to the address this attribute names, and not at all when it is empty.
        subscribe_mwi=bool(values.get(f"msg.mwi.{line}.subscribe")),
    )


def _model_words(model: str) -> tuple[str, str]:
    digits = re.sub(r"\D", "", model)
    letters = re.sub(r"[^A-Za-z]", "", model) or "VVX"
    return letters, digits


def _fetch(box: Box, url: str) -> Fetch:
    letters, digits = _model_words(box.model)
    return Fetch(url, f"FileTransport Polycom{letters}-{letters}_{digits}-UA/{box.firmware} Type/Application")


def _sip_user_agent(box: Box) -> str:
    letters, digits = _model_words(box.model)
    return f"Polycom{letters}-{letters}_{digits}-UA/{box.firmware}"


FAMILY = Family(
    name="poly/vvx",
    dhcp_options=(160, 66),
    boot=boot,
    user_agent=_sip_user_agent,
    resync=lambda event: check_sync(event, bare=Resync.RELOAD),
    default_firmware="6.4.3.1019",
    server_in=lambda body, name: server_url(read_config(body, name)),
)
