"""Linphone desktop: one remote-provisioning URI, entered or scanned; XML of sections and entries.

The request carries `X-Linphone-Provisioning: 1`; anything but 200 is its start-up failure state.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from lab.phones.family import (
    Account,
    BootFailed,
    BootScript,
    Box,
    Family,
    Fetch,
    PhoneConfig,
    Resync,
    host_and_port,
    labelled,
)

_NAMESPACE = "{http://www.linphone.org/xsds/lpconfig.xsd}"
_PROXY = re.compile(r"^proxy_(\d{1,3})$")
_ADDRESS = re.compile(
    r'^\s*(?:"?(?P<name>[^"<]*?)"?\s*)?<?sips?:(?:(?P<user>[^@>;]+)@)?(?P<host>[^>;]+)(?P<rest>[^>]*)>?'
)

Sections = dict[str, dict[str, str]]


def boot(box: Box, url: str) -> BootScript:
    answer = yield Fetch(url, _user_agent(box), (("X-Linphone-Provisioning", "1"),))
    if not answer.ok:
        raise BootFailed(f"Config {answer.status or 'timeout'}", "remote provisioning failed")
    name = urlsplit(url).path.rpartition("/")[2]
    sections = read_config(answer.body, name)
    values = {f"{section}/{key}": value for section, entries in sections.items() for key, value in entries.items()}
    return PhoneConfig(accounts(sections), values, (name,), values.get("misc/config-uri", ""), asks_dhcp=False)


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


def _user_agent(box: Box) -> str:
    return f"LinphoneDesktop/{box.firmware} (lab) LinphoneSDK/5.4"


FAMILY = Family(
    name="linphone/desktop",
    dhcp_options=(),
    boot=boot,
    user_agent=_user_agent,
    resync=lambda event: Resync.NOTHING,
    default_firmware="5.2.6",
)
