"""From canonical values to what vendors write: one place, tested by tables (provisioning 3.4). Time is in `clocks`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

_POLY_CODECS = {"PCMU": "G711_Mu", "PCMA": "G711_A", "G722": "G722"}
_PAYLOAD_TYPES = {"PCMU": 0, "PCMA": 8, "G722": 9}
_CLOCK_RATES = {"PCMU": 8000, "PCMA": 8000, "G722": 16000}


def dscp_to_tos(dscp: int) -> int:
    """46 → 184: DSCP is the upper six bits of the TOS byte (RFC 2474 §3)."""
    if not 0 <= dscp <= 63:
        raise ValueError(f"DSCP {dscp} is not 0–63")
    return dscp << 2


def whole_minutes(seconds: int) -> int:
    """Seconds as minutes, rounded up; never 0, which would mean the factory's hour."""
    return max(1, -(-seconds // 60))


def transport_number(transport: str) -> int:
    """udp 0, tcp 1, tls 2, as Yealink and Grandstream count; naptr 3, which Yealink alone knows."""
    return {"udp": 0, "tcp": 1, "tls": 2, "naptr": 3}[transport]


def poly_transport(transport: str) -> str:
    return {"udp": "UDPOnly", "tcp": "TCPOnly", "tls": "TLS", "naptr": "DNSnaptr"}[transport]


def codec_names(text: str) -> list[str]:
    """`PCMU, PCMA` → the names in order of preference; ValueError for one we do not know."""
    return list(_codecs(text))


@lru_cache(maxsize=256)
def _codecs(text: str) -> tuple[str, ...]:
    names = [name.strip().upper() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in _PAYLOAD_TYPES:
            raise ValueError(f"codec {name!r} is none of {', '.join(_PAYLOAD_TYPES)}")
    return tuple(dict.fromkeys(names))


def rank(name: str, codecs: list[str]) -> int:
    """The place of a codec in the order of preference, from 1; 0 when it is not wanted."""
    return codecs.index(name) + 1 if name in codecs else 0


def nth(items: Sequence[Any], place: int) -> Any:
    """The item in that place, from 1."""
    return items[place - 1]


def nth_or_last(items: Sequence[Any], place: int) -> Any:
    """The item in that place, from 1; the last fills the places behind it."""
    return items[min(place, len(items)) - 1]


def url_folder(url: str) -> str:
    """`http://host/a/b.bin` → `host/a`, as Grandstream wants it."""
    return url.partition("://")[2].rpartition("/")[0]


def upper(text: str) -> str:
    return text.upper()


def srtp_number(policy: str) -> int:
    """off 0, optional 1, required 2, as Yealink and Grandstream count."""
    return {"off": 0, "optional": 1, "required": 2}[policy]


def poly_codec(name: str) -> str:
    return _POLY_CODECS[name]


def payload_type(name: str) -> int:
    """The static payload type (RFC 3551 §6), which is also Grandstream's vocoder number."""
    return _PAYLOAD_TYPES[name]


def clock_rate(name: str) -> int:
    """Sampling rate as baresip writes it behind the name."""
    return _CLOCK_RATES[name]


def yealink_dtmf(method: str) -> int:
    return {"inband": 0, "rfc4733": 1, "info": 2}[method]


def grandstream_dtmf(method: str) -> tuple[int, int, int]:
    """Three methods in order of preference: 100 in the audio, 101 RFC 4733, 102 SIP INFO."""
    first = {"inband": 100, "rfc4733": 101, "info": 102}[method]
    return (first, *(other for other in (101, 102, 100) if other != first))  # type: ignore[return-value]


def yealink_key(kind: str) -> int:
    return {
        "none": 0, "pickup": 9, "park": 10, "dtmf": 11, "speed": 13, "intercom": 14, "line": 15, "blf": 16, "url": 17,
        "multicast": 24, "ldap": 38,
    }[kind]  # fmt: skip


# --- what a vendor calls a transport, a way of sending digits, a policy, a key ------------------------------


def grandstream_protocol(scheme: str) -> int:
    """Of P212 and its like; Htek counts so, too."""
    return {"tftp": 0, "http": 1, "https": 2}[scheme]


def fanvil_protocol(scheme: str) -> int:
    return {"tftp": 2, "http": 4, "https": 5}[scheme]


def fanvil_transport(transport: str) -> int:
    return {"udp": 0, "tcp": 1, "tls": 3}[transport]


def mitel_transport(transport: str) -> int:
    return {"udp": 1, "tcp": 2, "tls": 4}[transport]


def sep_transport(transport: str) -> int:
    return {"tcp": 1, "udp": 2, "tls": 3}[transport]


def gigaset_transport(transport: str) -> int:
    return {"udp": 1, "tcp": 2, "tls": 3}[transport]


def gigaset_dtmf(method: str) -> int:
    return {"inband": 1, "rfc4733": 2, "info": 4}[method]


def cisco_dtmf(method: str) -> str:
    return {"rfc4733": "AVT", "info": "INFO", "inband": "InBand"}[method]


def fanvil_dtmf(method: str) -> int:
    return {"inband": 0, "rfc4733": 1, "info": 2}[method]


def mitel_dtmf(method: str) -> int:
    return 1 if method == "info" else 0


def snom_dtmf(method: str) -> str:
    return "sip_info_only" if method == "info" else "off"


def htek_dtmf(method: str) -> int:
    return {"rfc4733": 0, "inband": 1, "info": 2}[method]


def vtech_dtmf(method: str) -> str:
    return {"rfc4733": "rfc2833", "inband": "inband", "info": "info"}[method]


def snom_savp(policy: str) -> str:
    return {"off": "off", "optional": "optional", "required": "mandatory"}[policy]


def zoiper_dtmf(method: str) -> str:
    return {"rfc4733": "rfc_2833", "inband": "inband", "info": "SIP_info_numeric"}[method]


def acrobits_transport(transport: str) -> str:
    return {"udp": "udp", "tcp": "tcp", "tls": "tls+sip:"}[transport]


def cisco_codec(name: str) -> str:
    return {"PCMU": "G711u", "PCMA": "G711a", "G722": "G722"}[name]


def sep_codec(name: str) -> str:
    return {"PCMU": "g711ulaw", "PCMA": "g711alaw", "G722": "g722"}[name]


def mitel_codecs(codecs: list[str]) -> str:
    """`payload=0;ptime=20;silsupp=off,payload=8;…` in order of preference."""
    return ",".join(f"payload={_PAYLOAD_TYPES[name]};ptime=20;silsupp=off" for name in codecs)


def lower_list(names: list[str]) -> str:
    """`pcmu,pcma`"""
    return ",".join(names).lower()


def listed(names: list[str]) -> str:
    """`PCMU,PCMA`"""
    return ",".join(names)


def dscp_to_hex_tos(dscp: int) -> str:
    """46 → `0xb8`."""
    return f"0x{dscp_to_tos(dscp):02x}"


def cisco_key(kind: str, value: str, domain: str) -> str:
    """The extended function of a line key: `fnc=blf+sd+cp;sub=201@host`, `fnc=sd;ext=201@host`; else nothing."""
    return {
        "blf": f"fnc=blf+sd+cp;sub={value}@{domain}",
        "park": f"fnc=prk;sub={value}@{domain}",
        "speed": f"fnc=sd;ext={value}@{domain}",
    }.get(kind, "")


def snom_key(kind: str, value: str, domain: str, pickup: str) -> str:
    """`blf sip:201@host|*8`, `speed 201`, `line`."""
    if kind == "blf":
        return f"blf sip:{value}@{domain}" + (f"|{pickup}" if pickup else "")
    verb = {"speed": "speed", "line": "line", "none": "none", "park": "orbit", "dtmf": "dtmf"}[kind]
    return verb if kind in ("line", "none") else f"{verb} {value}"


def mitel_key(kind: str) -> str:
    return {"blf": "blf", "speed": "speeddial", "line": "line", "park": "park", "none": "none"}[kind]


def grandstream_key(kind: str) -> str:
    return {
        "blf": "BLF", "speed": "SpeedDial", "park": "CallPark", "line": "Line", "none": "None", "dtmf": "DialDTMF",
        "intercom": "Intercom", "multicast": "MulticastPaging", "ldap": "LDAPSearch",
    }[kind]  # fmt: skip


def grandstream_key_number(kind: str) -> int:
    """The mode of a GXP's multi-purpose key."""
    return {"speed": 0, "blf": 1, "dtmf": 5, "park": 9, "intercom": 10, "ldap": 11}[kind]


def grandstream_codec(name: str) -> str:
    return {"PCMU": "PCMU", "PCMA": "PCMA", "G722": "G.722"}[name]


def grandstream_srtp(policy: str) -> str:
    return {"off": "Disabled", "optional": "EnabledButNotForced", "required": "EnabledAndForced"}[policy]


def five_digits(number: int) -> str:
    """1 → `00001`, as Gigaset numbers its handsets."""
    return f"{number:05}"


# --- lists in one text, places, seconds ------------------------------------------------------------------------------


def part(text: str, place: int) -> str:
    """The item in that place, from 1, of `192.0.2.1, 192.0.2.2`; empty when there is none."""
    items = _items(text)
    return items[place - 1] if place <= len(items) else ""


@lru_cache(maxsize=256)
def _items(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def group_address(groups: str, place: int) -> str:
    """`224.0.1.116:10000 Everybody, …` → the address in that place, from 1; empty when there is none."""
    address = part(groups, place).partition(" ")[0]
    host, colon, port = address.rpartition(":")
    if address and not (colon and host and port.isdecimal()):
        raise ValueError(f"{address!r} is no multicast group: 224.0.1.116:10000 Everybody")
    return address


def group_host(groups: str, place: int) -> str:
    return group_address(groups, place).rpartition(":")[0]


def group_port(groups: str, place: int) -> str:
    return group_address(groups, place).rpartition(":")[2]


def group_label(groups: str, place: int) -> str:
    return part(groups, place).partition(" ")[2].strip()


def groups_alone(groups: str) -> str:
    """The addresses without what the groups are called: `224.0.1.116:10000,239.0.0.5:10000`."""
    return ",".join(group_address(groups, place) for place in range(1, len(_items(groups)) + 1))


def octet(address: str, place: int) -> int:
    """One of the four numbers of an IPv4 address, from 1: Grandstream has a parameter for each. ValueError."""
    numbers = address.split(".")
    if len(numbers) != 4 or not all(number.isdecimal() and int(number) < 256 for number in numbers):
        raise ValueError(f"{address!r} is no IPv4 address")
    return int(numbers[place - 1])


def host_port(host: str, port: int | str) -> str:
    """`host:port`; empty without a host."""
    return f"{host}:{port}" if host else ""


def rings_of_six(seconds: int) -> int:
    """Seconds as rings of six seconds, which Yealink counts, rounded up."""
    return -(-seconds // 6)


def rings_of_five(seconds: int) -> int:
    """Seconds as rings of about five seconds, rounded up."""
    return -(-seconds // 5)


def whole_hours(seconds: int) -> int:
    """Seconds as hours, rounded up."""
    return max(1, -(-seconds // 3600))


def hour_of(at: str) -> int:
    """`03:00` → 3."""
    return int(at[:2])


def minute_of(at: str) -> int:
    return int(at[3:])


def later(at: str, seconds: int) -> str:
    """A time of day some seconds after another, a day having 24 hours: `23:30` and 3600 → `00:30`."""
    minutes = (int(at[:2]) * 60 + int(at[3:]) + seconds // 60) % 1440
    return f"{minutes // 60:02}:{minutes % 60:02}"


def minutes_after_midnight(at: str) -> int:
    return int(at[:2]) * 60 + int(at[3:])


def without_percent(search: str, mark: str) -> str:
    """An LDAP filter with another mark in the place of what is typed."""
    return search.replace("%", mark)


# --- languages, tones, dates ---------------------------------------------------------------------------------------

_ENGLISH_NAMES = {
    "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch",
    "pt": "Portuguese",
}  # fmt: skip
_NATIVE_NAMES = {
    "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano", "nl": "Nederlands",
    "pt": "Português",
}  # fmt: skip
_POLY_LANGUAGES = {
    "de": "German_Germany", "en": "English_United_States", "es": "Spanish_Spain", "fr": "French_France",
    "it": "Italian_Italy", "nl": "Dutch_Netherlands", "pt": "Portuguese_Portugal",
}  # fmt: skip
_COUNTRY_NAMES = {
    "AU": "Australia", "CA": "United States", "DE": "Germany", "ES": "Spain", "FR": "France", "GB": "Great Britain",
    "IT": "Italy", "MX": "Mexico", "NL": "Netherlands", "US": "United States",
}  # fmt: skip
_SNOM_TONES = {
    "AU": "AUS", "CA": "USA", "DE": "GER", "ES": "ESP", "FR": "FRA", "GB": "GBR", "IT": "ITA", "MX": "MEX",
    "NL": "NLD", "US": "USA",
}  # fmt: skip
_MITEL_TONES = {
    "AU": "Australia", "CA": "US", "DE": "Germany", "ES": "Europe", "FR": "France", "GB": "UK", "IT": "Italy",
    "MX": "Mexico", "NL": "Europe", "US": "US",
}  # fmt: skip


def english_name(language: str) -> str:
    """`fr` → `French`."""
    return _ENGLISH_NAMES[language]


def native_name(language: str) -> str:
    """`fr` → `Français`."""
    return _NATIVE_NAMES[language]


def handset_language(language: str) -> int:
    """The number a Yealink handset has for a language, of those whose number has been seen."""
    return {"en": 0, "fr": 1, "de": 2, "it": 3, "es": 6}[language]


def snom_language(language: str) -> str:
    """As `native_name`, but Spanish has no tilde there."""
    return "Espanol" if language == "es" else native_name(language)


def poly_language(language: str) -> str:
    return _POLY_LANGUAGES[language]


def yealink_tones(country: str) -> str:
    """The country as Yealink calls the set of its tones; Canada's are those of the United States."""
    return _COUNTRY_NAMES[country]


def snom_tones(country: str) -> str:
    return _SNOM_TONES[country]


def mitel_tones(country: str) -> str:
    return _MITEL_TONES[country]


def fanvil_tones(country: str) -> int | str:
    """The number of a country's tones where it has been seen; empty for the others, whose number has not."""
    return {"CA": 18, "DE": 2, "ES": 33, "FR": 25, "GB": 13, "IT": 21, "NL": 5, "US": 11}.get(country, "")


def yealink_date(form: str) -> int:
    return {"YYYY-MM-DD": 2, "DD/MM/YYYY": 3, "MM/DD/YYYY": 4}[form]


def mitel_date(form: str) -> int:
    return {"YYYY-MM-DD": 2, "DD/MM/YYYY": 3, "MM/DD/YYYY": 6}[form]


def grandstream_date(form: str) -> int:
    return {"YYYY-MM-DD": 0, "MM/DD/YYYY": 1, "DD/MM/YYYY": 2}[form]


def url_scheme(url: str) -> str:
    """`https`, `http` or `tftp`; http for what names none. ValueError for another."""
    scheme = url.partition("://")[0].lower() if "://" in url else "http"
    if scheme not in ("https", "http", "tftp"):
        raise ValueError(f"{url!r} is no URL that phones fetch by")
    return scheme


def profile_rule(url: str, key: str, user: str, password: str) -> str:
    """Cisco's rule: `[--uid u --pwd p --key k]url`, with what there is of it."""
    options = (("--uid", user), ("--pwd", password), ("--key", key))
    if any(character in value for _, value in options for character in " ]"):
        raise ValueError("a rule of Cisco's has no place for a user or a password with a blank or a bracket")
    said = " ".join(f"{name} {value}" for name, value in options if value)
    return f"[{said}]{url}" if said else url


def cisco_groups(groups: str) -> str:
    """`pggrp=224.0.1.116:10000;name=Everybody;num=800;listen=yes;` for each group, numbered from 800."""
    return "".join(
        f"pggrp={group_address(groups, place)};name={_plain(group_label(groups, place))};num={799 + place};listen=yes;"
        for place in range(1, min(len(_items(groups)), 5) + 1)
    )


def _plain(text: str) -> str:
    """Without what ends a field of a script."""
    return "".join(character for character in text if character not in ";=")


def cisco_clock(at: str) -> str:
    """`03:00` → `0300`."""
    return at.replace(":", "")


def fanvil_log_word(level: int) -> str:
    return ("ERROR", "ERROR", "ERROR", "ERROR", "WARN", "INFO", "INFO", "DEBUG")[level]


def snom_log_level(level: int) -> int:
    """Snom counts to 9, which is everything."""
    return 9 if level == 7 else level


def cisco_log_word(level: int) -> str:
    return ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")[level]


def cisco_log_level(level: int) -> int:
    """RFC 5424 severity → 0 nothing but faults, to 3 everything."""
    return (0, 0, 0, 0, 1, 1, 2, 3)[level]


def cisco_date(form: str) -> str:
    """Cisco knows two orders: the day comes first, or the month."""
    return "day/month" if form == "DD/MM/YYYY" else "month/day"


def sep_date(form: str) -> str:
    """The beginning of a `dateTemplate`."""
    return {"": "D/M/Y", "YYYY-MM-DD": "Y-M-D", "DD/MM/YYYY": "D/M/Y", "MM/DD/YYYY": "M/D/Y"}[form]


def poly_date_form(form: str) -> str:
    return {"YYYY-MM-DD": "YYYY/MM/DD", "DD/MM/YYYY": "DD/MM/YYYY", "MM/DD/YYYY": "MM/DD/YYYY"}[form]


def sep_hours(form: str) -> str:
    """The end of a `dateTemplate`: A for hours from 1 to 12, nothing for 24; twelve where nobody says."""
    return "" if form == "24" else "A"


# --- logs ------------------------------------------------------------------------------------------------------------


def poly_syslog(transport: str) -> int:
    return {"udp": 1, "tcp": 2, "tls": 3}[transport]


def poly_log_level(level: int) -> int:
    """RFC 5424 severity → 1 debug, 2 information, 3 warnings, 4 errors, 5 what is fatal."""
    return (5, 5, 5, 4, 3, 2, 2, 1)[level]


def grandstream_log_level(level: int) -> int:
    """RFC 5424 severity → 1 debug, 2 information, 3 warnings, 4 errors."""
    return (4, 4, 4, 4, 3, 2, 2, 1)[level]


def grandstream_log_word(level: int) -> str:
    return ("Error", "Error", "Error", "Error", "Warning", "Info", "Info", "Debug")[level]


def grandstream_auto(mode: str) -> str:
    return {"off": "No", "interval": "YesUpgradeMin", "daily": "YesUpgradeHourOfDay"}[mode]


def grandstream_date_word(form: str) -> str:
    return {"YYYY-MM-DD": "yyyy-mm-dd", "DD/MM/YYYY": "dd-mm-yyyy", "MM/DD/YYYY": "mm-dd-yyyy"}[form]


def word(text: str, place: int) -> str:
    """The word in that place, from 1; empty when there is none."""
    words = text.split()
    return words[place - 1] if place <= len(words) else ""


def panasonic_language(language: str) -> str:
    return {"de": "de", "en": "en-US", "es": "es-ES", "fr": "fr-FR", "it": "it", "nl": "nl", "pt": "pt-PT"}[language]


def vtech_date(form: str) -> str:
    return {"YYYY-MM-DD": "YY/MM/DD", "DD/MM/YYYY": "DD/MM/YY", "MM/DD/YYYY": "MM/DD/YY"}[form]


def gigaset_tones(country: str) -> str:
    """The set of tones by its country's name; `Retail` for those whose name has not been seen."""
    return {"DE": "Germany", "ES": "Spain", "FR": "France"}.get(country, "Retail")


def audiocodes_period(mode: str) -> str:
    return {"off": "POWERUP", "interval": "HOURLY", "daily": "DAILY"}[mode]


def obi_method(mode: str) -> str:
    return {"off": "System Start", "interval": "Periodically", "daily": "Time Of Day"}[mode]


def obi_time(at: str, random_s: int) -> str:
    """`03:00+60`: from three on, within the hour."""
    return f"{at}+{random_s // 60}"
