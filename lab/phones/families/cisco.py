"""Cisco: SPA phones, ATA 19x and multiplatform phones read a flat profile; enterprise firmware a SEP file."""

from __future__ import annotations

from functools import partial

from lab.phones import spelling
from lab.phones.by_manifest import Reading, family
from lab.phones.readers import flat_elements, nested_elements
from lab.phones.spelling import Spelling

_FLAT = Spelling(
    enabled="Line_Enable_{n}_",
    user="User_ID_{n}_",
    auth_user="Auth_ID_{n}_",
    password="Password_{n}_",
    domain="Proxy_{n}_",
    server="Outbound_Proxy_{n}_",
    transport="SIP_Transport_{n}_",
    expires="Register_Expires_{n}_",
    name="Display_Name_{n}_",
    label="Short_Name_{n}_",
    voicemail="Voice_Mail_Number",
    mwi="Mailbox_ID_{n}_",
)
_PROFILE = Reading(
    read=flat_elements,
    accounts=partial(spelling.accounts, spelling=_FLAT),
    server_url=lambda values: values.get("Profile_Rule", ""),
    asks_dhcp=lambda values: values.get("Profile_Rule", "/").startswith("/"),
)

_LINE = "sipProfile/sipLines/line[{n}]/"
_SEP = Spelling(
    user=f"{_LINE}name",
    auth_user=f"{_LINE}authName",
    password=f"{_LINE}authPassword",
    domain=f"{_LINE}proxy",
    server="sipProfile/sipProxies/outboundProxy",
    server_port="sipProfile/sipProxies/outboundProxyPort",
    transport="transportLayerProtocol",
    transports={"": "tcp", "1": "tcp", "2": "udp", "3": "tls"},
    expires="sipProfile/sipStack/timerRegisterExpires",
    name=f"{_LINE}displayName",
    label=f"{_LINE}featureLabel",
    voicemail=f"{_LINE}messagesNumber",
)

FAMILIES = (
    *(family(f"cisco/{name}", _PROFILE) for name in ("spa", "ata19x", "mpp")),
    family("cisco/sep", Reading(read=nested_elements, accounts=partial(spelling.accounts, spelling=_SEP))),
)
