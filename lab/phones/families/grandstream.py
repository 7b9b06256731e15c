"""Grandstream HT8xx analogue adapter: `cfg<mac>` (binary), `cfg<mac>.xml`, then the model's and the common file.

P-values in `<gs_provision version="1"><config version="1">`; if a `<mac>` is present it must be the device's own.
"""

from __future__ import annotations

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
    check_sync,
    host_and_port,
    joined,
    labelled,
)

_PORTS: tuple[dict[str, str], ...] = (
    {
        "active": "P271", "server": "P47", "proxy": "P48", "user": "P35", "auth": "P36", "password": "P34",
        "name": "P3", "voicemail": "P33", "mwi": "P99", "expires": "P32", "transport": "P130",
    },
    {
        "active": "P401", "server": "P747", "proxy": "P748", "user": "P735", "auth": "P736", "password": "P734",
        "name": "P703", "voicemail": "P733", "mwi": "P709", "expires": "P732", "transport": "P830",
    },
)  # fmt: skip
"""Names of the settings of FXS ports 1 and 2."""

_TRANSPORTS = {"": "udp", "0": "udp", "1": "tcp", "2": "tls"}
_SCHEMES = {"0": "tftp", "1": "http", "2": "https"}


def boot(box: Box, url: str) -> BootScript:
    # The binary form comes first; our server has none, and the firmware does not mind.
    answer = yield _fetch(box, joined(url, f"cfg{box.mac}"))
    names = (f"cfg{box.mac}.xml", f"cfg{box.model.lower()}.xml", "cfg.xml")
    status = answer.status
    for name in names:
        answer = yield _fetch(box, joined(url, name))
        status = answer.status
        if answer.ok:
            values = read_config(answer.body, name, box.mac)
            return PhoneConfig(
                accounts(values), values, (name,), server_url(values), asks_dhcp=values.get("P145") != "0"
            )
    raise BootFailed(f"Config {status or 'timeout'}", f"{names[0]} was not served")


def read_config(body: bytes, name: str, mac: str) -> dict[str, str]:
    """Return the P-values by name (`P47`)."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException) as fault:
        raise BootFailed("Config bad", f"{name} is not XML: {fault}") from fault
    if root.tag != "gs_provision":
        raise BootFailed("Config bad", f"{name} is a <{root.tag}>, not a <gs_provision>")
    told = (root.findtext("mac") or "").strip().lower()
    if told and told != mac:
        raise BootFailed("Config bad", f"{name} is for {told}, not for {mac}")
    config = root.find("config")
    if config is None:
        raise BootFailed("Config bad", f"{name} has no <config>")
    return {str(element.tag): (element.text or "").strip() for element in config}


def accounts(values: dict[str, str]) -> tuple[Account, ...]:
    found = []
    for port, names in enumerate(_PORTS, start=1):
        if values.get(names["active"]) == "1" and values.get(names["user"]):
            found.append(_account(values, port, names))
    return tuple(found)


def server_url(values: dict[str, str]) -> str:
    """P237 is host and path; P212 says how to fetch it."""
    path = values.get("P237", "")
    scheme = _SCHEMES.get(values.get("P212", ""), "http")
    return path if not path or "://" in path else f"{scheme}://{path}"


def _account(values: dict[str, str], port: int, names: dict[str, str]) -> Account:
    def of(name: str, default: str = "") -> str:
        return values.get(names[name]) or default

    domain, domain_port = host_and_port(of("server"), 5060)
    if not domain:
        raise BootFailed("Config bad", f"FXS port {port} has no SIP server ({names['server']})")
    host, server_port = host_and_port(of("proxy"), 5060) if of("proxy") else (domain, domain_port)
    return Account(
        port=port,
        user=of("user"),
        auth_user=of("auth", of("user")),
        password=of("password"),
        domain=domain,
        server_host=host,
        server_port=server_port,
        transport=_TRANSPORTS.get(of("transport"), "udp"),
        expires_s=int(of("expires", "60")) * 60,  # in minutes on this family
        label=labelled(of("user"), of("name")),
        display_name=of("name", of("user")),
        voicemail=of("voicemail"),
        subscribe_mwi=of("mwi") == "1",
    )


def _fetch(box: Box, url: str) -> Fetch:
    return Fetch(url, f"Grandstream Model HW {box.model} V1.0A SW {box.firmware} DevId {box.mac}")


FAMILY = Family(
    name="grandstream/ht8xx",
    dhcp_options=(66, 160),
    boot=boot,
    user_agent=lambda box: f"Grandstream {box.model} {box.firmware}",
    resync=lambda event: check_sync(event, bare=Resync.RELOAD, packages=("check-sync", "resync")),
    default_firmware="1.0.5.4",
    fxs_ports=2,
)
