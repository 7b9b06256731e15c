"""Grandstream: P-values (GXP phones, HT adapters) and aliases (GRP). Htek's firmware is of the same house of numbers.

If a file says `<mac>`, it must be the device's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from lab.phones import spelling
from lab.phones.by_manifest import Reading, Values, family
from lab.phones.decryption import by_openssl
from lab.phones.family import BootFailed, Box, Resync, check_sync
from lab.phones.occurrences import Happened, Occurrence, filled_in
from lab.phones.readers import document, flat_elements, named_values
from lab.phones.spelling import Spelling

_NUMBERS = {"": "udp", "0": "udp", "1": "tcp", "2": "tls"}


def _account(first: str, hundredth: str) -> tuple[str, ...]:
    """The first account's number, then that of the further ones: 4xx, 5xx, 6xx, 17xx, 18xx."""
    return (first, *(f"P{base}{hundredth}" for base in ("4", "5", "6", "17", "18")))


_GXP = Spelling(
    enabled=_account("P271", "01"),
    user=_account("P35", "04"),
    auth_user=_account("P36", "05"),
    password=_account("P34", "06"),
    domain=_account("P47", "02"),
    server=_account("P48", "03"),
    transport=_account("P130", "48"),
    transports=_NUMBERS,
    expires=_account("P32", "12"),
    expires_unit_s=60,
    name=_account("P3", "07"),
    label=_account("P270", "17"),
    voicemail=_account("P33", "26"),
    mwi=_account("P99", "15"),
)

_GRP = Spelling(
    enabled="account.{n}.enable",
    user="account.{n}.sip.userid",
    auth_user="account.{n}.sip.subscriber.userid",
    password="account.{n}.sip.subscriber.password",
    domain="account.{n}.sip.server.1.address",
    server="account.{n}.sip.outboundProxy.1.address",
    transport="account.{n}.sip.transport",
    transports=_NUMBERS,
    expires="account.{n}.sip.registerExpiration",
    expires_unit_s=60,
    name="account.{n}.sip.subscriber.name",
    label="account.{n}.name",
    voicemail="account.{n}.sip.voicemail.number",
    mwi="account.{n}.sip.subscribe.forMwi",
)

_HT = Spelling(
    enabled=("P271", "P401"), user=("P35", "P735"), auth_user=("P36", "P736"), password=("P34", "P734"),
    domain=("P47", "P747"), server=("P48", "P748"), transport=("P130", "P830"), transports=_NUMBERS,
    expires=("P32", "P732"), expires_unit_s=60, name=("P3", "P703"), voicemail=("P33", "P733"), mwi=("P99", "P709"),
)  # fmt: skip
"""FXS ports 1 and 2."""

_HTEK = Spelling(
    enabled="P271", user="P35", auth_user="P36", password="P34", domain="P47", server="P48", transport="P130",
    transports=_NUMBERS, expires="P32", expires_unit_s=60, name="P3", label="P20000", voicemail="P33", mwi="P99",
)  # fmt: skip


def _p_values(body: bytes, name: str, root: str) -> dict[str, str]:
    found = document(body, name)
    if found.tag != root or found.find("config") is None:
        raise BootFailed("Config bad", f"{name} is no <{root}> with a <config>")
    return flat_elements(body, name)


def _mac(body: bytes) -> str:
    return (document(body, "it").findtext("mac") or "").strip().lower()


def _url(values: Values, path: str, protocol: str) -> str:
    where = values.get(path, "")
    scheme = {"0": "tftp", "2": "https"}.get(values.get(protocol, ""), "http")
    return f"{scheme}://{where}" if where else ""


_GRP_ACTIONS = {
    Happened.STARTED: "setupCompleted", Happened.REGISTERED: "registered", Happened.UNREGISTERED: "unregistered",
    Happened.OFF_HOOK: "offHook", Happened.ON_HOOK: "onHook", Happened.INCOMING: "incomingCall",
    Happened.OUTGOING: "outgoingCall", Happened.ESTABLISHED: "establishedCall",
    Happened.TERMINATED: "terminatedCall", Happened.HELD: "holdCall", Happened.RESUMED: "unholdCall",
    Happened.DND_ON: "openDnd", Happened.DND_OFF: "closedDnd",
}  # fmt: skip
_GXP_ACTIONS = {
    Happened.STARTED: "P8304", Happened.REGISTERED: "P8305", Happened.UNREGISTERED: "P8306",
    Happened.OFF_HOOK: "P8308", Happened.ON_HOOK: "P8309", Happened.INCOMING: "P8310", Happened.OUTGOING: "P8311",
    Happened.ESTABLISHED: "P8313", Happened.TERMINATED: "P8314", Happened.HELD: "P8324", Happened.RESUMED: "P8325",
    Happened.DND_ON: "P8316", Happened.DND_OFF: "P8317",
}  # fmt: skip
_HTEK_ACTIONS = {
    Happened.STARTED: "P3701", Happened.REGISTERED: "P3702", Happened.UNREGISTERED: "P3703",
    Happened.REGISTER_FAILED: "P3704", Happened.OFF_HOOK: "P3705", Happened.ON_HOOK: "P3706",
    Happened.INCOMING: "P3707", Happened.OUTGOING: "P3708", Happened.ESTABLISHED: "P3709",
    Happened.TERMINATED: "P3710", Happened.HELD: "P3722", Happened.RESUMED: "P3723", Happened.DND_ON: "P3711",
    Happened.DND_OFF: "P3712",
}  # fmt: skip


def _action(
    values: Values, occurrence: Occurrence, box: Box, names: Mapping[Happened, str], before: str = ""
) -> tuple[str, bytes]:
    url = values.get(before + names.get(occurrence.what, ""), "")
    return filled_in(url, occurrence, {"$mac": box.mac}, "$call_id"), b""


def _with_numbers(
    root: str, spelled: Spelling, most: int, actions: Mapping[Happened, str] = MappingProxyType({})
) -> Reading:
    return Reading(
        read=lambda body, name: _p_values(body, name, root),
        accounts=partial(spelling.accounts, spelling=spelled, most=most),
        server_url=lambda values: _url(values, "P237", "P212"),
        asks_dhcp=lambda values: values.get("P145") != "0",
        whose=_mac,
        opened=partial(by_openssl, "md5"),
        file_key=lambda values: values.get("P1359", ""),
        tells=partial(_action, names=actions),
    )


FAMILY = family(
    "grandstream/ht8xx",
    _with_numbers("gs_provision", _HT, 2),
    resync=lambda event: check_sync(event, bare=Resync.RELOAD, packages=("check-sync", "resync")),
)
FAMILIES = (
    FAMILY,
    family("grandstream/gxp", _with_numbers("gs_provision", _GXP, 6, _GXP_ACTIONS)),
    family("htek/uc", _with_numbers("hl_provision", _HTEK, 1, _HTEK_ACTIONS)),
    family(
        "grandstream/grp",
        Reading(
            read=lambda body, name: _p_values(body, name, "gs_provision") | named_values(body, name),
            accounts=partial(spelling.accounts, spelling=_GRP),
            server_url=lambda values: (
                f"{values['provisioning.config.protocol'].lower()}://{values['provisioning.config.serverPath']}"
                if values.get("provisioning.config.serverPath")
                else _url(values, "P237", "P212")
            ),
            asks_dhcp=lambda values: values.get("provisioning.override.dhcp.allowCommonOptions") != "No",
            tells=partial(_action, names=_GRP_ACTIONS, before="ons.actionUrl."),
            whose=_mac,
        ),
    ),
)
