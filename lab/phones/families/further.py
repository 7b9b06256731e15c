"""Further makers' firmwares, each a table of how it spells an account."""

from __future__ import annotations

from functools import partial

from lab.phones import spelling
from lab.phones.by_manifest import Reading, Values, family
from lab.phones.family import Box, Family
from lab.phones.occurrences import Happened, Occurrence, filled_in
from lab.phones.readers import flat_elements, named_values, nested_elements, text_lines
from lab.phones.spelling import Spelling

_SNOM = Spelling(
    enabled="phone-settings/user_active[{n}]",
    user="phone-settings/user_name[{n}]",
    auth_user="phone-settings/user_pname[{n}]",
    password="phone-settings/user_pass[{n}]",
    domain="phone-settings/user_host[{n}]",
    server="phone-settings/user_outbound[{n}]",
    expires="phone-settings/user_expiry[{n}]",
    name="phone-settings/user_realname[{n}]",
    label="phone-settings/user_idle_text[{n}]",
    voicemail="phone-settings/user_mailbox[{n}]",
)

_FANVIL = Spelling(
    enabled="sip/line[{n}]/EnableReg",
    user="sip/line[{n}]/PhoneNumber",
    auth_user="sip/line[{n}]/RegisterUser",
    password="sip/line[{n}]/RegisterPswd",
    domain="sip/line[{n}]/RegisterAddr",
    server="sip/line[{n}]/ProxyAddr",
    server_port="sip/line[{n}]/ProxyPort",
    transport="sip/line[{n}]/Transport",
    transports={"": "udp", "0": "udp", "1": "tcp", "3": "tls"},
    expires="sip/line[{n}]/RegisterTTL",
    name="sip/line[{n}]/DisplayName",
    label="sip/line[{n}]/SipName",
    voicemail="sip/line[{n}]/MWINum",
)

_MITEL = Spelling(
    user="sip line{n} user name",
    auth_user="sip line{n} auth name",
    password="sip line{n} password",
    domain="sip line{n} registrar ip",
    server="sip line{n} outbound proxy",
    server_port="sip line{n} outbound proxy port",
    transport="sip transport protocol",
    transports={"": "udp", "0": "udp", "1": "udp", "2": "tcp", "4": "tls"},
    expires="sip line{n} registration period",
    name="sip line{n} display name",
    label="sip line{n} screen name",
    voicemail="sip line{n} vmail",
    mwi="sip explicit mwi subscription",
)

_PANASONIC = Spelling(
    user="SIP_URI_{n}",
    auth_user="SIP_AUTHID_{n}",
    password="SIP_PASS_{n}",
    domain="SIP_RGSTR_ADDR_{n}",
    server="SIP_PRXY_ADDR_{n}",
    server_port="SIP_PRXY_PORT_{n}",
    transport="SIP_TRANSPORT_{n}",
    transports={"": "udp", "0": "udp", "1": "tcp", "2": "tls"},
    expires="REG_EXPIRE_TIME_{n}",
    name="DISPLAY_NAME_{n}",
    voicemail="VM_NUMBER_{n}",
    mwi="VM_SUBSCRIBE_ENABLE",
)

_ALGO = Spelling(
    user="sip.u{n}.user",
    auth_user="sip.u{n}.auth",
    password="sip.u{n}.pwd",
    domain="sip.proxy",
    server="sip.obproxy",
    transport="sip.transp",
    expires="sip.regexp",
)

_GIGASET = Spelling(
    user="SipAccount.{n5}.UserName",
    auth_user="SipAccount.{n5}.AuthName",
    password="SipAccount.{n5}.AuthPassword",
    domain="SipProvider.0.Domain",
    server="SipProvider.0.OutboundProxyAddress",
    server_port="SipProvider.0.OutboundProxyPort",
    transport="SipProvider.0.TransportProtocol",
    transports={"": "udp", "1": "udp", "2": "tcp", "3": "tls"},
    expires="SipProvider.0.RegServerRefreshTimer",
    name="SipAccount.{n5}.DisplayName",
    voicemail="SipAccount.{n5}.VoiceMailMailbox",
    mwi="SipProvider.0.MWISubscription",
)

_AUDIOCODES = Spelling(
    enabled="voip/line/{n0}/enabled",
    user="voip/line/{n0}/id",
    auth_user="voip/line/{n0}/auth_name",
    password="voip/line/{n0}/auth_password",
    domain="voip/signalling/sip/proxy_address",
    server="voip/signalling/sip/sip_outbound_proxy/addr",
    server_port="voip/signalling/sip/sip_outbound_proxy/port",
    transport="voip/signalling/sip/transport_protocol",
    expires="voip/signalling/sip/registration_expires",
    name="voip/line/{n0}/description",
    label="voip/line/{n0}/extension_display",
    voicemail="voip/services/msg_waiting_ind/voice_mail_number",
    mwi="voip/services/msg_waiting_ind/subscribe",
)

_VTECH = Spelling(
    enabled="sip_account.{n}.sip_account_enable",
    user="sip_account.{n}.user_id",
    auth_user="sip_account.{n}.authentication_name",
    password="sip_account.{n}.authentication_access_password",
    domain="sip_account.{n}.primary_sip_server_address",
    server="sip_account.{n}.primary_outbound_proxy_server_address",
    server_port="sip_account.{n}.primary_outbound_proxy_server_port",
    transport="sip_account.{n}.transport_mode",
    expires="sip_account.{n}.primary_registration_expires",
    name="sip_account.{n}.display_name",
    label="sip_account.{n}.label",
    voicemail="sip_account.{n}.access_code_retrieve_voicemail",
    mwi="sip_account.{n}.mwi_enable",
)

_ACROBITS = Spelling(
    user="username", auth_user="authUsername", password="password", domain="host", server="proxy",
    transport="transport", transports={"udp": "udp", "tcp": "tcp", "tls+sip:": "tls"}, label="title",
    voicemail="voiceMailNumber", mwi="subscribeForVoicemail",
)  # fmt: skip

_ZOIPER = Spelling(
    enabled="accounts/account/register_on_startup",
    user="accounts/account/username",
    auth_user="accounts/account/SIP_auth_username",
    password="accounts/account/password",
    domain="accounts/account/SIP_domain",
    server="accounts/account/SIP_outbound_proxy",
    transport="accounts/account/SIP_transport_type",
    expires="accounts/account/reregistration_time",
    name="accounts/account/SIP_callerId",
    label="accounts/account/name",
    voicemail="accounts/account/voicemail_check_extension",
)


def _mitel_url(values: Values) -> str:
    if not values.get("http server"):
        return ""
    where = f"{values['http server']}:{values.get('http port', '80')}/{values.get('http path', '')}"
    return f"{values.get('download protocol', 'TFTP').lower()}://{where}"


def _fanvil_url(values: Values) -> str:
    scheme = {"2": "tftp", "4": "http", "5": "https"}.get(values.get("ap/FlashProtocol", ""), "http")
    return f"{scheme}://{values['ap/FlashServerIP']}" if values.get("ap/FlashServerIP") else ""


def _algo_url(values: Values) -> str:
    server = values.get("prov.server.static", "")
    return f"{values.get('prov.download.method')}://{server}/{values.get('prov.download.cfgpath')}" if server else ""


def _table(
    name: str, syntax: str, spelled: Spelling, url: str = "", asks_dhcp: str = "", *, most: int = 16
) -> Family | None:
    """`syntax` is `elements`, `paths`, `named` or what separates name and value; `url` and `asks_dhcp` are names."""
    readers = {"elements": flat_elements, "paths": nested_elements, "named": named_values}
    return family(
        name,
        Reading(
            read=readers[syntax] if syntax in readers else partial(_lines, separator=syntax),
            accounts=partial(spelling.accounts, spelling=spelled, most=most),
            server_url=lambda values: values.get(url, ""),
            asks_dhcp=lambda values: values.get(asks_dhcp, "") not in ("0", "N", "STATIC"),
        ),
    )


def _lines(body: bytes, name: str, separator: str) -> dict[str, str]:
    return text_lines(body, name, separator)


_SNOM_ACTIONS = {
    Happened.STARTED: "setup_url", Happened.REGISTER_FAILED: "reg_failed", Happened.OFF_HOOK: "offhook_url",
    Happened.ON_HOOK: "onhook_url", Happened.INCOMING: "incoming_url", Happened.OUTGOING: "outgoing_url",
    Happened.ESTABLISHED: "connected_url", Happened.TERMINATED: "disconnected_url",
    Happened.HELD: "hold", Happened.RESUMED: "unhold",
    Happened.DND_ON: "dnd_on_url", Happened.DND_OFF: "dnd_off_url",
}  # fmt: skip


def _snom_action(values: Values, occurrence: Occurrence, box: Box) -> tuple[str, bytes]:
    url = values.get(f"phone-settings/action_{_SNOM_ACTIONS.get(occurrence.what, '')}", "")
    return filled_in(url, occurrence, {"$mac": box.mac}, "$call-id"), b""


_FANVIL_ACTIONS = {
    Happened.STARTED: "BootCompleted", Happened.REGISTERED: "RegOn", Happened.UNREGISTERED: "RegOff",
    Happened.REGISTER_FAILED: "RegFailed", Happened.INCOMING: "IncomingCall", Happened.OUTGOING: "OutgoingCall",
    Happened.ESTABLISHED: "CallActive", Happened.TERMINATED: "CallStop", Happened.HELD: "HoldOn",
    Happened.RESUMED: "HoldOff", Happened.DND_ON: "DNDOn", Happened.DND_OFF: "DNDOff",
}  # fmt: skip


def _fanvil_action(values: Values, occurrence: Occurrence, box: Box) -> tuple[str, bytes] | None:
    if values.get("cti/EnabledActionUrl") != "1":
        return None
    url = values.get(f"cti/{_FANVIL_ACTIONS.get(occurrence.what, '')}Url", "")
    return filled_in(url, occurrence, {"$mac": box.mac}, "$call_id"), b""


FAMILIES = (
    family(
        "snom/d",
        Reading(
            nested_elements,
            partial(spelling.accounts, spelling=_SNOM, most=12),
            lambda values: values.get("phone-settings/setting_server", ""),
            firmware=lambda values, box: values.get("phone-settings/firmware", ""),
            tells=_snom_action,
        ),
    ),
    family(
        "fanvil/x",
        Reading(
            nested_elements,
            partial(spelling.accounts, spelling=_FANVIL),
            _fanvil_url,
            lambda values: values.get("ap/opt/DHCPOption") != "0",
            tells=_fanvil_action,
        ),
    ),
    _table("panasonic/hdv", "=", _PANASONIC, "CFG_STANDARD_FILE_PATH", "OPTION66_ENABLE"),
    _table("gigaset/nx70", "named", _GIGASET, "Provisioning.global.ProvisioningServer", most=9),
    _table("audiocodes/400hd", "=", _AUDIOCODES, "provisioning/configuration/url", "provisioning/method"),
    _table("vtech/vcs", "=", _VTECH, "provisioning.server_address"),
    _table("acrobits/groundwire", "elements", _ACROBITS, most=1),
    _table("zoiper/desktop", "paths", _ZOIPER, most=1),
    family(
        "mitel/sip",
        Reading(partial(_lines, separator=":"), partial(spelling.accounts, spelling=_MITEL), _mitel_url),
    ),
    family(
        "algo/ip",
        Reading(
            partial(_lines, separator="="),
            partial(spelling.accounts, spelling=_ALGO, most=1),
            _algo_url,
            lambda values: values.get("prov.server.method") != "static",
        ),
    ),
)
