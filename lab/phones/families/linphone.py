"""Linphone desktop: one remote-provisioning URI, entered or scanned; XML of sections and entries.

The request carries `X-Linphone-Provisioning: 1`; anything but 200 is its start-up failure state.
"""

from __future__ import annotations

import re

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from lab.phones.by_manifest import Reading, Values, family
from lab.phones.family import Account, BootFailed, Resync, host_and_port, labelled

_NAMESPACE = "{http://www.linphone.org/xsds/lpconfig.xsd}"
_PROXY = re.compile(r"^proxy_(\d{1,3})$")
_ADDRESS = re.compile(
    r'^\s*(?:"?(?P<name>[^"<]*?)"?\s*)?<?sips?:(?:(?P<user>[^@>;]+)@)?(?P<host>[^>;]+)(?P<rest>[^>]*)>?'
)

Sections = dict[str, dict[str, str]]


def read_config(body: bytes, name: str) -> Sections:
    """Return entry → value by section; an entry without text is an empty value."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException) as fault:
        raise BootFailed("Config bad", f"{name} is not XML: {fault}") from fault
    if root.tag != f"{_NAMESPACE}config":
        raise BootFailed("Config bad", f"{name} is not in the lpconfig name space")
    found: Sections = {}
    for section in root.findall(f"{_NAMESPACE}section"):
        entries = found.setdefault(section.get("name", ""), {})
        for entry in section.findall(f"{_NAMESPACE}entry"):
            entries[entry.get("name", "")] = (entry.text or "").strip()
    return found


def accounts(sections: Sections) -> tuple[Account, ...]:
    numbers = sorted(int(match[1]) for section in sections if (match := _PROXY.match(section)))
    return tuple(_account(sections, number) for number in numbers if sections[f"proxy_{number}"].get("reg_identity"))


def _account(sections: Sections, number: int) -> Account:
    proxy = sections[f"proxy_{number}"]
    identity = _ADDRESS.match(proxy["reg_identity"])
    route = _ADDRESS.match(proxy.get("reg_route") or proxy.get("reg_proxy", ""))
    if identity is None or route is None or not identity["user"]:
        raise BootFailed("Config bad", f"proxy_{number} has no usable reg_identity or reg_proxy")
    login = _login(sections, identity["user"], identity["host"])
    host, port = host_and_port(route["host"], 5060)
    transport = re.search(r";transport=(\w+)", route["rest"])
    return Account(
        port=number + 1,
        user=identity["user"],
        auth_user=login.get("userid") or login.get("username") or identity["user"],
        password=login.get("passwd", ""),
        domain=host_and_port(identity["host"], 5060)[0],
        server_host=host,
        server_port=port,
        transport=transport[1].lower() if transport else "udp",
        expires_s=int(proxy.get("reg_expires") or "3600"),
        label=labelled(identity["user"], (identity["name"] or "").strip()),
        display_name=(identity["name"] or "").strip() or identity["user"],
        voicemail=_user_of(proxy.get("voicemail_uri") or proxy.get("mwi_server_uri", "")),
        subscribe_mwi=bool(proxy.get("mwi_server_uri")),
        ha1=login.get("ha1", ""),
        realm=login.get("realm", ""),
    )


def _login(sections: Sections, user: str, domain: str) -> dict[str, str]:
    """The credentials whose user (and domain, when told) are the account's."""
    for name, entries in sections.items():
        if name.startswith("auth_info_") and entries.get("username") == user:
            told = entries.get("domain") or entries.get("realm") or domain
            if told == domain:
                return entries
    return {}


def _user_of(address: str) -> str:
    match = _ADDRESS.match(address)
    return (match["user"] or "") if match else ""


def _flat(body: bytes, name: str) -> dict[str, str]:
    """Section and entry, as `proxy_0/reg_identity`."""
    sections = read_config(body, name)
    return {f"{section}/{key}": value for section, entries in sections.items() for key, value in entries.items()}


def _sections(values: Values) -> Sections:
    found: Sections = {}
    for path, value in values.items():
        section, _, key = path.partition("/")
        found.setdefault(section, {})[key] = value
    return found


FAMILY = family(
    "linphone/desktop",
    Reading(
        read=_flat,
        accounts=lambda values: accounts(_sections(values)),
        server_url=lambda values: values.get("misc/config-uri", ""),
        asks_dhcp=lambda values: False,
    ),
    firmware="5.2.6",
    sip_agent=lambda box: f"LinphoneDesktop/{box.firmware} (lab) LinphoneSDK/5.4",
    resync=lambda event: Resync.NOTHING,
    headers=(("X-Linphone-Provisioning", "1"),),
)
