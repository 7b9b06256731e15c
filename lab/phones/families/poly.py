"""Poly: VVX, Edge E and CCX phones read settings as XML attributes, of the files a list names; OBi adapters do not."""

from __future__ import annotations

import re
from functools import partial
from xml.etree.ElementTree import Element, SubElement, tostring

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from lab.phones import spelling
from lab.phones.by_manifest import Reading, Values, family
from lab.phones.family import Account, BootFailed, Box
from lab.phones.occurrences import Happened, Occurrence
from lab.phones.readers import objects
from lab.phones.spelling import Spelling

_REGISTRATION = re.compile(r"^reg\.(\d{1,3})\.address$")
_TRANSPORTS = {
    "UDPOnly": "udp", "UDPonly": "udp", "DNSnaptr": "udp", "": "udp",
    "TCPOnly": "tcp", "TCPonly": "tcp", "TCPpreferred": "tcp", "TLS": "tls",
}  # fmt: skip


def config_files(body: bytes, name: str) -> list[str]:
    """Return the names in the master file's CONFIG_FILES, in their order."""
    found = read_config(body, name).get("CONFIG_FILES")
    if found is None:
        raise BootFailed("Config bad", f"{name} has no CONFIG_FILES")
    return [item.strip() for item in found.split(",") if item.strip()]


def image(body: bytes, name: str) -> str:
    """Return the firmware APP_FILE_PATH names; empty for none."""
    return read_config(body, name).get("APP_FILE_PATH", "")


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


def _sip_user_agent(box: Box) -> str:
    letters, digits = _model_words(box.model)
    return f"Polycom{letters}-{letters}_{digits}-UA/{box.firmware}"


_NOTICES = {
    Happened.INCOMING: ("incomingEvent", "IncomingCallEvent", ""),
    Happened.OUTGOING: ("outgoingEvent", "OutgoingCallEvent", ""),
    Happened.OFF_HOOK: ("offhookEvent", "OffHookEvent", ""),
    Happened.ON_HOOK: ("onhookEvent", "OnHookEvent", ""),
    Happened.ESTABLISHED: ("callStateChangeEvent", "CallStateChangeEvent", "Connected"),
    Happened.TERMINATED: ("callStateChangeEvent", "CallStateChangeEvent", "Disconnected"),
}
"""What has happened → the switch of its notification, its element, and the state of the call."""


def _notice(values: Values, occurrence: Occurrence, box: Box) -> tuple[str, bytes] | None:
    switch, element, state = _NOTICES.get(occurrence.what, ("", "", ""))
    if values.get(f"apps.telNotification.{switch}") != "1":
        return None
    event = Element(element, {"CallReference": occurrence.call, "CallState": state} if state else {})
    facts = {"MACAddress": box.mac, "LineNumber": str(occurrence.line), "CallingPartyNumber": occurrence.remote}
    for name, text in facts.items():
        SubElement(event, name).text = text
    root = Element("PolycomIPPhone")
    root.append(event)
    return values.get("apps.telNotification.URL", ""), tostring(root)


_READING = Reading(
    read=read_config,
    accounts=lambda values: accounts(dict(values)),
    server_url=lambda values: server_url(dict(values)),
    asks_dhcp=lambda values: _asks_dhcp(dict(values)),
    listed=config_files,
    image=image,
    tells=_notice,
)

FAMILY = family("poly/vvx", _READING, firmware="6.4.3.1019", sip_agent=_sip_user_agent)

_CONFIG_URL = "X_DeviceManagement.ITSPProvisioning.ConfigURL"
_PROFILE = "VoiceService.1.VoiceProfile.1."
_OBI = Spelling(
    enabled=f"{_PROFILE}Line.{{n}}.Enable",
    user=f"{_PROFILE}Line.{{n}}.SIP.URI",
    auth_user=f"{_PROFILE}Line.{{n}}.SIP.AuthUserName",
    password=f"{_PROFILE}Line.{{n}}.SIP.AuthPassword",
    domain=f"{_PROFILE}SIP.ProxyServer",
    server=f"{_PROFILE}SIP.OutboundProxy",
    server_port=f"{_PROFILE}SIP.OutboundProxyPort",
    transport=f"{_PROFILE}SIP.ProxyServerTransport",
    expires=f"{_PROFILE}SIP.RegisterExpires",
    label=f"{_PROFILE}Line.{{n}}.X_DisplayLabel",
)

FAMILIES = (
    FAMILY,
    family("poly/edge_e", _READING),
    family("poly/ccx", _READING),
    family(
        "poly/obi",
        Reading(
            read=objects,
            accounts=partial(spelling.accounts, spelling=_OBI),
            server_url=lambda values: values.get(_CONFIG_URL, ""),
            asks_dhcp=lambda values: "$DHCP" in values.get(_CONFIG_URL, "$DHCPOPT66"),
        ),
    ),
)
