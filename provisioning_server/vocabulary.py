"""The canonical names of settings: what each is, and what its value may be (provisioning 3.4). No family is known here.

What belongs to a line is `lines.*.<leaf>`; `keys.K.<leaf>` and `expansion.M.keys.K.<leaf>` have the leaves of `KEYS`.
An empty text says that nobody sets it: the phone's own value holds, or there is none. Values come from
`device_templates/defaults.yaml` and the layers above it; whatever a formula asks for is looked at here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Scalar = str | int | bool


@dataclass(frozen=True, slots=True)
class Kind:
    """What a setting may be."""

    what: Literal["yes or no", "number", "word", "text", "host", "clock", "codes", "secret"]
    about: str
    low: int = 0
    high: int = 0
    words: tuple[str, ...] = ()
    may_be_empty: bool = False
    """Nobody need set it."""

    def refuses(self, value: Scalar) -> str:
        """Return why the value is none of these, as the end of a sentence; empty when it is one."""
        if self.may_be_empty and value == "":
            return ""
        match self.what:
            case "yes or no":
                return "" if isinstance(value, bool) else "neither true nor false"
            case "number":
                whole = isinstance(value, int) and not isinstance(value, bool)
                return "" if whole and self.low <= int(value) <= self.high else f"not a number from {self.span}"
            case "word":
                return "" if value in self.words else f"none of {', '.join(self.words)}"
        text = str(value)
        pattern = _PATTERNS.get(self.what)
        if isinstance(value, bool) or (pattern is not None and not pattern.fullmatch(text)):
            return f"not {_FORMS[self.what]}"
        return ""

    @property
    def span(self) -> str:
        return f"{self.low} to {self.high}"

    @property
    def form(self) -> str:
        """What it may be, for people."""
        match self.what:
            case "number":
                form = f"{self.low}–{self.high}"
            case "word":
                form = ", ".join(f"`{word}`" for word in self.words)
            case _:
                form = self.what
        return f"{form}, or empty" if self.may_be_empty and self.what != "text" else form


_HOST = r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]|[0-9a-fA-F:.]+)"
_PATTERNS = {
    "host": re.compile(rf"{_HOST}(?:\s*,\s*{_HOST})*"),
    "clock": re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d"),
    "codes": re.compile(r"[0-9*#+A-Da-d.]+"),
}
_FORMS = {
    "host": "a host name or address, or several with commas between them",
    "clock": "a time of day, 00:00 to 23:59",
    "codes": "a number or code: digits, * and #",
    "text": "text",
    "secret": "text",
}
LANGUAGES = ("de", "en", "es", "fr", "it", "nl", "pt")
COUNTRIES = ("AU", "CA", "DE", "ES", "FR", "GB", "IT", "MX", "NL", "US")


def _yes(about: str) -> Kind:
    return Kind("yes or no", about)


def _number(about: str, low: int, high: int, *, may_be_empty: bool = False) -> Kind:
    return Kind("number", about, low, high, may_be_empty=may_be_empty)


def _word(about: str, *words: str, may_be_empty: bool = False) -> Kind:
    return Kind("word", about, words=words, may_be_empty=may_be_empty)


def _text(about: str) -> Kind:
    return Kind("text", about, may_be_empty=True)


def _host(about: str) -> Kind:
    return Kind("host", about, may_be_empty=True)


def _codes(about: str) -> Kind:
    return Kind("codes", about, may_be_empty=True)


def _secret(about: str) -> Kind:
    return Kind("secret", about, may_be_empty=True)


EVENTS = (
    "started", "registered", "unregistered", "register_failed", "off_hook", "on_hook", "ringing", "dialling",
    "connected", "ended", "hold", "resume", "dnd_on", "dnd_off",
)  # fmt: skip
"""What a phone can tell of (`features.action_urls.<event>`)."""

VOCABULARY: Mapping[str, Kind] = {
    # --- a line
    "lines.*.enabled": _yes("whether the line is in use"),
    "lines.*.label": _text("what the screen shows beside its key"),
    "lines.*.display_name": _text("the name its calls show"),
    "lines.*.user": _text("user part of its address"),
    "lines.*.auth_user": _text("the user it proves to be"),
    "lines.*.domain": _host("SIP domain and realm"),
    "lines.*.server.host": _host("the switch, as a proxy for everything"),
    "lines.*.server.port": _number("its port", 1, 65535),
    "lines.*.transport": _word("how SIP travels; naptr: as the domain's DNS says", "udp", "tcp", "tls", "naptr"),
    "lines.*.registrar.host": _host("where it registers, if not with the domain"),
    "lines.*.registrar.port": _number("that port; empty for the server's", 1, 65535, may_be_empty=True),
    "lines.*.outbound_proxy.host": _host("a proxy before the switch; empty: the switch itself"),
    "lines.*.outbound_proxy.port": _number("its port; empty for the server's", 1, 65535, may_be_empty=True),
    "lines.*.backup.host": _host("a second switch, asked when the first does not answer"),
    "lines.*.backup.port": _number("its port; empty for the server's", 1, 65535, may_be_empty=True),
    "lines.*.expires": _number("seconds a registration is asked for", 30, 86_400),
    "lines.*.codecs": _text("in order of preference: PCMU, PCMA, G722"),
    "lines.*.dtmf": _word("how keys are sent in a call", "rfc4733", "inband", "info"),
    "lines.*.srtp": _word("encryption of media", "off", "optional", "required"),
    "lines.*.voicemail": _text("number of the mailbox"),
    "lines.*.mwi_subscribe": _yes("whether it subscribes to waiting messages"),
    "lines.*.shared_line": _yes("whether it is one appearance of a line that several phones have"),
    "lines.*.auto_answer": _yes("whether it answers every call by itself"),
    "lines.*.call_waiting": _yes("whether a second call knocks; the user's own setting"),
    "lines.*.digit_map": _text("patterns after which dialling is complete, as the maker writes them"),
    "lines.*.nat_keepalive": _number("seconds between packets that hold a NAT open, 0 for none", 0, 3600),
    "lines.*.stun": _host("STUN server (port 3478)"),
    # --- the network
    "network.vlan.id": _number("VLAN of the phone, 0 for none", 0, 4094),
    "network.vlan.priority": _number("802.1p priority in it", 0, 7),
    "network.pc_vlan.id": _number("VLAN of the port for a computer, 0 for none", 0, 4094),
    "network.lldp": _yes("whether the switch may tell it a VLAN by LLDP"),
    "network.cdp": _yes("the same by CDP"),
    "network.dscp.sip": _number("DSCP of signalling", 0, 63),
    "network.dscp.rtp": _number("DSCP of media", 0, 63),
    "network.dns": _host("name servers, two at most; empty: DHCP's"),
    "network.ntp": _host("time servers, two at most"),
    "network.mtu": _number("largest packet in octets; empty: the phone's own", 576, 1500, may_be_empty=True),
    # --- what its screen shows
    "time.zone": Kind("text", "IANA zone"),
    "time.format": _word("hours on its screen", "12", "24", may_be_empty=True),
    "time.date_format": _word("dates on its screen", "YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY", may_be_empty=True),
    "locale.language": _word("language of its screen", *LANGUAGES, may_be_empty=True),
    "locale.country": _word("whose tones it plays, where nothing else is said", *COUNTRIES, may_be_empty=True),
    "locale.tones": _word("whose tones it plays; empty: its country's", *COUNTRIES, may_be_empty=True),
    # --- who may do what at the phone
    "security.admin_user": _text("administrator of its web page, where that is not fixed"),
    "security.admin_password": _secret("the administrator's password; empty: as it is"),
    "security.user_password": _secret("password of whoever uses it; empty: as it is"),
    "security.web_enabled": _yes("whether it has a web page"),
    "security.ca_url": _text("where the authority's certificate is that it is to trust"),
    "security.verify_server": _yes("whether it refuses a server whose certificate it does not trust"),
    "security.client_cert": _text("where its own certificate is, for TLS"),
    # --- how it fetches
    "provisioning.user": _text("asked for by a server in front of this one"),
    "provisioning.password": _secret("the same server's password"),
    "provisioning.resync.mode": _word("when it asks again by itself", "off", "interval", "daily"),
    "provisioning.resync.interval": _number("seconds between two times (`interval`)", 60, 2_592_000),
    "provisioning.resync.at": Kind("clock", "time of day (`daily`)"),
    "provisioning.resync.random": _number("at most so many seconds later, by chance", 0, 86_400),
    "provisioning.dhcp_enabled": _yes("whether it asks DHCP for a server at each boot"),
    "provisioning.pnp_enabled": _yes("whether it asks by SIP multicast"),
    "provisioning.redirect_enabled": _yes("whether it asks its maker"),
    "provisioning.encrypt": _yes("whether its files are encrypted, once it has the key"),
    "firmware.target": _text("version it is to run"),
    "firmware.share": _number("so many of a hundred phones begin", 0, 100),
    "firmware.url": _text("of the image; the roll-out sets it"),
    "firmware.auto": _yes("whether it looks for firmware by itself"),
    # --- directories
    "phonebook.enabled": _yes("whether it gets the domain's directory"),
    "phonebook.title": _text("what the directory is called"),
    "phonebook.xml_url": _text("a directory of somebody else's, instead"),
    "phonebook.ldap.host": _host("LDAP server"),
    "phonebook.ldap.port": _number("its port", 1, 65535),
    "phonebook.ldap.base": _text("where the search begins: `ou=people,dc=acme`"),
    "phonebook.ldap.user": _text("as whom it binds; empty: as nobody"),
    "phonebook.ldap.password": _secret("that one's password"),
    "phonebook.ldap.name_filter": _text("search by name; % stands for what is typed"),
    "phonebook.ldap.number_filter": _text("search by number; % stands for it"),
    "phonebook.ldap.name_attributes": _text("attributes shown as the name, blanks between"),
    "phonebook.ldap.number_attributes": _text("attributes with numbers, blanks between"),
    # --- what it can do
    "features.dnd": _yes("whether it has a do-not-disturb of its own, beside the switch's"),
    "features.forward.always": _codes("where the phone itself sends every call"),
    "features.forward.busy": _codes("where it sends calls while busy"),
    "features.forward.no_answer": _codes("where it sends calls that are not answered"),
    "features.forward.after_s": _number("seconds it rings before that", 6, 120),
    "features.pickup_code": _codes("code before the extension whose call is picked up"),
    "features.group_pickup_code": _codes("code that picks up any call of the group"),
    "features.park.code": _codes("code that parks a call"),
    "features.park.retrieve_code": _codes("code before the slot from which a call is fetched"),
    "features.intercom.allow": _yes("whether it answers by itself where a call asks for it"),
    "features.paging.groups": _text("multicast groups it plays: `224.0.1.116:10000 Everybody, …`, five at most"),
    "action_urls.enabled": _yes("whether it tells us what happens at it"),
    **{f"features.action_urls.{event}": _text(f"URL it asks when `{event}` happens, instead") for event in EVENTS},
    "syslog.host": _host("where it sends its log"),
    "syslog.port": _number("that port", 1, 65535),
    "syslog.level": _number("what it sends: 0 emergencies alone, 7 everything (RFC 5424 §6.2.1)", 0, 7),
    "syslog.transport": _word("how", "udp", "tcp", "tls"),
    "remote_control.enabled": _yes("whether it takes keys and calls from outside"),
    "remote_control.allow": _text("from which addresses"),
    "expansion.modules": _number("how many key modules stand beside it", 0, 6),
}  # fmt: skip
"""By canonical name. Beside them a family knows its keys (`KEYS`) and `vendor.raw.<name>`."""

KEYS: Mapping[str, Kind] = {
    "type": _word(
        "what it does", "none", "line", "speed", "blf", "park", "pickup", "intercom", "dtmf", "url", "multicast", "ldap"
    ),
    "line": _number("line it uses", 1, 32),
    "value": _text("number, address, group or digits"),
    "label": _text("what is written beside it"),
    "pickup_code": _text("code by which a ringing neighbour's call is picked up"),
}
"""Leaves of a programmable key, on the phone and on its modules."""

CHECKED: Mapping[str, Kind] = {
    name.removeprefix("lines.*."): kind
    for name, kind in VOCABULARY.items()
    if kind.what not in ("text", "secret") and name != "lines.*.enabled"
}
"""What is looked at when it is asked for, by the name formulas have for it: of a line its leaf."""
SECRETS = frozenset(name for name, kind in VOCABULARY.items() if kind.what == "secret")


def is_secret(name: str) -> bool:
    """Whether a setting's value is shown to nobody."""
    return name in SECRETS
