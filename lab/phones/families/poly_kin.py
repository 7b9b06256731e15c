"""Poly's Edge E and CCX phones, which read what a VVX reads, and its OBi adapters, which do not."""

from __future__ import annotations

from functools import partial

from lab.phones import spelling
from lab.phones.by_manifest import Reading, family
from lab.phones.families import poly
from lab.phones.readers import objects
from lab.phones.spelling import Spelling

_READING = Reading(
    read=poly.read_config,
    accounts=lambda values: poly.accounts(dict(values)),
    server_url=lambda values: poly.server_url(dict(values)),
    asks_dhcp=lambda values: values.get("device.dhcp.bootSrvUseOpt") != "Static",
    listed=poly.config_files,
)

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
