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
    """udp 0, tcp 1, tls 2, as Yealink and Grandstream count."""
    return {"udp": 0, "tcp": 1, "tls": 2}[transport]


def poly_transport(transport: str) -> str:
    return {"udp": "UDPOnly", "tcp": "TCPOnly", "tls": "TLS"}[transport]


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
    return {"none": 0, "park": 10, "speed": 13, "intercom": 14, "line": 15, "blf": 16}[kind]


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
    return {"speed": f"speed {value}", "line": "line", "none": "none"}[kind]


def mitel_key(kind: str) -> str:
    return {"blf": "blf", "speed": "speeddial", "line": "line", "park": "park", "none": "none"}[kind]


def grandstream_key(kind: str) -> str:
    return {"blf": "BLF", "speed": "SpeedDial", "park": "CallPark", "line": "Line", "none": "None"}[kind]


def grandstream_codec(name: str) -> str:
    return {"PCMU": "PCMU", "PCMA": "PCMA", "G722": "G.722"}[name]


def grandstream_srtp(policy: str) -> str:
    return {"off": "Disabled", "optional": "EnabledButNotForced", "required": "EnabledAndForced"}[policy]


def five_digits(number: int) -> str:
    """1 → `00001`, as Gigaset numbers its handsets."""
    return f"{number:05}"
