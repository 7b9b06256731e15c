"""Snippets for DHCP servers: what tells a factory-fresh phone of each family where its server is.

A phone is told by its vendor class where the family has one, else by the first half of its MAC; neither is proof, so
the URL names no device and holds no token. By which protocol phones are told to come says `provisioning.protocols`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pbx.domain.directory import Directory
from provisioning_server.families import Families
from provisioning_server.manifest import Family
from provisioning_server.respond import PROTOCOLS, Office, protocols, reached_by

_WITH_URL = (160, 159, 114, 66, 161, 150, 67)
"""Options in the order in which they are preferred: those that hold a URL, then the standard one."""
_ADDRESSES = 150


@dataclass(frozen=True, slots=True)
class Told:
    """What phones of one mark are told."""

    tag: str
    vendor_class: str
    """Beginning of their option 60; empty when they are known by `ouis`."""
    ouis: tuple[str, ...]
    options: tuple[tuple[int, str], ...]
    but_not: tuple[str, ...] = ()
    """Tags of the vendor's families that are known by their vendor class."""


Reached = Callable[[Family], str]
"""The base URL of a family's phones; empty for none that they may use."""


def reached(office: Office, directory: Directory, site: str = "") -> Reached:
    """Return where families are told to come, at a site or where there is none in particular."""
    of_site = str(directory.settings.get(f"site:{site}", {}).get(PROTOCOLS, "")).split()

    def url(family: Family) -> str:
        allowed = of_site or protocols(office, directory, family)
        if not family.tftp_only:
            return reached_by(office.at, allowed)
        return office.at.tftp_url if not allowed or "tftp" in allowed else ""

    return url


def untold(families: Families, urls: Reached) -> list[str]:
    """Return the families that ask DHCP and are told nothing, for they may not fetch by what they know."""
    return sorted(family.id for family in families.by_id.values() if family.dhcp and not urls(family))


def told(families: Families, urls: Reached, host: str) -> list[Told]:
    """Return what every family is told, one entry a vendor class or, without one, a vendor."""
    marks: dict[str, tuple[Family, dict[int, str]]] = {}
    for family in sorted(families.by_id.values(), key=lambda family: (-len(family.vendor_class), family.id)):
        if not (family.dhcp and urls(family) and (family.vendor_class or family.ouis)):
            continue
        same = next((tag for tag, (other, _) in marks.items() if _alike(family, other)), "")
        tag = same or (family.id.replace("/", "-") if family.vendor_class else family.vendor)
        _, options = marks.setdefault(tag, (family, {}))
        for option, value in _choices(family, options, urls(family), host):
            options.setdefault(option, value)
    by_class = {tag: first for tag, (first, _) in marks.items() if first.vendor_class}
    return [
        Told(
            tag,
            first.vendor_class,
            () if first.vendor_class else first.ouis,
            tuple(sorted(options.items())),
            () if first.vendor_class else tuple(t for t, other in by_class.items() if other.vendor == first.vendor),
        )
        for tag, (first, options) in marks.items()
    ]


def _alike(one: Family, other: Family) -> bool:
    """A DHCP server cannot tell them apart."""
    return one.vendor == other.vendor and one.vendor_class == other.vendor_class


def _choices(family: Family, taken: dict[int, str], base_url: str, host: str) -> list[tuple[int, str]]:
    """What the family is told: the server in all of its options, or the URL in the one that is preferred here.

    An option that another family of the mark has otherwise is not taken.
    """
    if family.tftp_only:
        return [(option, host) for option in family.dhcp]
    for option in (option for option in _WITH_URL if option in family.dhcp):
        value = host if option == _ADDRESSES else f"{base_url}/{_start(family)}".rstrip("/")
        if taken.get(option, value) == value:
            return [(option, value)]
    return []


def _start(family: Family) -> str:
    """The family's own file, with what the phone itself expands; empty where it is told a folder, or cannot expand."""
    text = family.start
    for macro, fact in family.macros.items():
        text = text.replace(f"{{{fact}}}", macro)
    return text if not any(place in text for place in ("{mac}", "{MAC}", "{model}")) or family.macros else ""


def dnsmasq(marks: Iterable[Told]) -> str:
    lines = []
    for mark in marks:
        if mark.vendor_class:
            # found anywhere in option 60, and a comma would end it
            known_by = max(mark.vendor_class.split(","), key=len).strip()
            lines.append(f"dhcp-vendorclass=set:{mark.tag},{known_by}")
        lines += [f"dhcp-mac=set:{mark.tag},{_colons(oui)}:*:*:*" for oui in mark.ouis]
        tags = "".join(f"tag:!{other}," for other in mark.but_not)
        for option, value in mark.options:
            said = value if option == _ADDRESSES else _text(value)
            lines.append(f"dhcp-option=tag:{mark.tag},{tags}{option},{said}")
    return "\n".join(lines) + "\n"


def kea(marks: Iterable[Told]) -> str:
    marks = list(marks)
    codes = sorted({option for mark in marks for option, _ in mark.options if option not in (66, 67)})
    definitions = [
        {"name": f"phones-{code}", "code": code, "type": "ipv4-address" if code == _ADDRESSES else "string"}
        for code in codes
    ]
    classes = [
        {
            "name": mark.tag,
            "test": _kea_test(mark),
            "option-data": [
                {"name": {66: "tftp-server-name", 67: "boot-file-name"}.get(option, f"phones-{option}"), "data": value}
                for option, value in mark.options
            ],
        }
        for mark in marks
    ]
    return json.dumps({"Dhcp4": {"option-def": definitions, "client-classes": classes}}, indent=2) + "\n"


def _kea_test(mark: Told) -> str:
    if mark.vendor_class:
        return f"substring(option[60].hex,0,{len(mark.vendor_class)}) == '{mark.vendor_class}'"
    prefixes = " or ".join(f"substring(pkt4.mac,0,3) == 0x{oui}" for oui in mark.ouis)
    return " and ".join([f"({prefixes})", *(f"not member('{other}')" for other in mark.but_not)])


def isc(marks: Iterable[Told]) -> str:
    marks = list(marks)
    tests = {mark.tag: _isc_test(mark) for mark in marks}
    codes = sorted({option for mark in marks for option, _ in mark.options if option not in (66, 67)})
    lines = [f"option phones-{code} code {code} = {'ip-address' if code == _ADDRESSES else 'text'};" for code in codes]
    for mark in marks:
        lines += ["", f'class "{mark.tag}" {{', f"  match if {_isc_but(tests, mark)};"]
        for option, value in mark.options:
            name = {66: "tftp-server-name", 67: "bootfile-name"}.get(option, f"phones-{option}")
            lines.append(f"  option {name} {value if option == _ADDRESSES else _text(value)};")
        lines.append("}")
    return "\n".join(lines) + "\n"


def _isc_test(mark: Told) -> str:
    if mark.vendor_class:
        return f'substring(option vendor-class-identifier, 0, {len(mark.vendor_class)}) = "{mark.vendor_class}"'
    return " or ".join(f"substring(hardware, 1, 3) = {_colons(oui)}" for oui in mark.ouis)


def _isc_but(tests: dict[str, str], mark: Told) -> str:
    return " and ".join([f"({tests[mark.tag]})", *(f"not ({tests[other]})" for other in mark.but_not)])


def windows(marks: Iterable[Told]) -> str:
    """PowerShell, for the server's own options and policies; the first policy that fits a phone decides."""
    marks = list(marks)
    lines = []
    for code in sorted({option for mark in marks for option, _ in mark.options if option not in (66, 67)}):
        kind = "IPv4Address" if code == _ADDRESSES else "String"
        lines.append(f"Add-DhcpServerv4OptionDefinition -Name 'Phones {code}' -OptionId {code} -Type {kind}")
    for mark in marks:
        lines += ["", *_policy(mark)]
        lines += [
            f"Set-DhcpServerv4OptionValue -PolicyName {_single(mark.tag)} -OptionId {option} -Value {_single(value)}"
            for option, value in mark.options
        ]
    return "\n".join(lines) + "\n"


def _policy(mark: Told) -> Iterator[str]:
    tag = _single(mark.tag)
    if mark.vendor_class:
        yield f"Add-DhcpServerv4Class -Name {tag} -Type Vendor -Data {_single(mark.vendor_class)}"
        yield f"Add-DhcpServerv4Policy -Name {tag} -Condition OR -VendorClass EQ,{_single(mark.tag + '*')}"
        return
    prefixes = ",".join(f"'{oui.upper()}*'" for oui in mark.ouis)
    yield f"Add-DhcpServerv4Policy -Name {tag} -Condition OR -MacAddress EQ,{prefixes}"


def _colons(oui: str) -> str:
    return ":".join(oui[at : at + 2] for at in (0, 2, 4))


def _text(value: str) -> str:
    return json.dumps(value)


def _single(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


KINDS: dict[str, Callable[[Iterable[Told]], str]] = {"dnsmasq": dnsmasq, "kea": kea, "isc": isc, "windows": windows}
