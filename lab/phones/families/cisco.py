"""Cisco: SPA phones, ATA 19x and multiplatform phones read a flat profile; enterprise firmware a SEP file."""

from __future__ import annotations

import re
from functools import partial

from lab.phones import spelling
from lab.phones.by_manifest import Reading, Values, family
from lab.phones.decryption import by_openssl
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
_KEY = re.compile(r"--key\s+(\S+?)[\s\]]")
_OPTIONS = re.compile(r"^\s*\[[^\]]*\]\s*")


def _profile(digest: str) -> Reading:
    """`digest` is what its firmware derives the key of an encrypted profile by."""
    return Reading(
        read=flat_elements,
        accounts=partial(spelling.accounts, spelling=_FLAT),
        server_url=lambda values: _OPTIONS.sub("", values.get("Profile_Rule", "")),
        asks_dhcp=lambda values: _OPTIONS.sub("", values.get("Profile_Rule", "/")).startswith("/"),
        opened=partial(by_openssl, digest),
        firmware=lambda values, box: _OPTIONS.sub("", values.get("Upgrade_Rule", "")),
        file_key=_file_key,
    )


def _file_key(values: Values) -> str:
    """`[--key KEY]` before the URL of the rule."""
    options = _OPTIONS.match(values.get("Profile_Rule", ""))
    found = _KEY.search(options[0]) if options else None
    return found[1] if found else ""


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
    *(family(f"cisco/{name}", _profile("md5")) for name in ("spa", "ata19x")),
    family("cisco/mpp", _profile("sha256")),
    family("cisco/sep", Reading(read=nested_elements, accounts=partial(spelling.accounts, spelling=_SEP))),
)
