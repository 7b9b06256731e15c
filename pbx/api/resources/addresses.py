"""Emergency addresses, and endpoints: callback numbers with their address. Here an address has one of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pbx.api.answers import Answer, wrong
from pbx.api.asked import Asked
from pbx.api.collection import Around, Collection, every
from pbx.api.forms import COUNT, NUMBER, TEXT, Form
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, kept, ours, told
from pbx.domain.directory import Directory
from pbx.domain.emergency import EmergencyAddress
from pbx.ownership import domain_thing

UNDER, ENDPOINTS = "/domains/{domain}/addresses", "/domains/{domain}/addresses/endpoints"
OF_USER = "/domains/{domain}/users/{user}/addresses"


def _pidf(address: EmergencyAddress) -> str:
    """The civic address as PIDF-LO writes it (RFC 4119), one element a part."""
    parts = (("country", "CA"), ("A1", address.region), ("A3", address.city), ("RD", address.street),
             ("LOC", address.location), ("PC", address.postal_code))  # fmt: skip
    inside = "".join(f"<{name}>{_escaped(value)}</{name}>" for name, value in parts if value)
    return f"<civicAddress>{inside}</civicAddress>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _users(around: Around, address: EmergencyAddress) -> int:
    return sum(user.emergency_address == address.key for user in around[1].users)


SHAPE = Shape("Address", (
    ours("emergency-address-id", TEXT, "key", "location-id"),
    told("domain", TEXT, lambda around, address: around[1].domain.name),
    told("user", TEXT, lambda around, address: around[0].path.get("user", "*")),
    kept("address-name", TEXT),
    ours("address-callback-number", Form(TEXT.schema, NUMBER.read), "callback", "callid_nmbr"),
    ours("caller-name", TEXT, "caller_name", required=True),
    ours("address-line-1", TEXT, "street"),
    ours("address-line-2", TEXT, "location"),
    ours("address-city", TEXT, "city"),
    ours("address-state-province-abbreviation", TEXT, "region"),
    ours("address-postal-code", TEXT, "postal_code"),
    kept("address-country-abbreviation", TEXT, "CA"),
    kept("address-location-description", TEXT),
    told("address-formatted-pidflo", TEXT, lambda around, address: _pidf(address)),
    kept("carrier", TEXT),
    told("count-users-configured", COUNT, _users),
    told("address-formatted-pretty", TEXT, lambda around, address: address.line),
))  # fmt: skip


def _callback(asked: Asked) -> str:
    directory = asked.directory
    user = directory.users_by_extension.get(asked.path.get("user", ""))
    number = user.emergency_caller_id if user is not None else None
    return number or directory.domain.emergency_caller_id or directory.domain.caller_id or ""


def _prepared(asked: Asked) -> Mapping[str, Any]:
    body = dict(asked.body)
    if asked.method == "POST":
        key = asked.text("emergency-address-id") or asked.text("location-id") or asked.text("address-callback-number")
        body["emergency-address-id"] = key or f"a-{asked.house.token(8)}"
        body.setdefault("address-name", asked.text("caller-name"))
    return body


def _fresh(asked: Asked, written: Written) -> Mapping[str, Any]:
    blank = dict.fromkeys(("street", "city", "region", "postal_code"), "")
    return {**blank, "callback": _callback(asked)}


def _of_user(asked: Asked, directory: Directory) -> Iterable[EmergencyAddress]:
    """Those the user may choose from: all of the domain's; its own alone when that is asked for."""
    key = asked.user.emergency_address
    only = asked.query.get("show_only_personal") == "yes"
    return (address for address in directory.addresses if not only or address.key == key)


class Addresses(Collection):
    """Created at once, whatever `synchronous` says: the platform answers with the address."""

    async def create(self, asked: Asked) -> Answer:
        asked.body = {**asked.body, "synchronous": "yes"}
        answer = await super().create(asked)
        told_now: Mapping[str, Any] = answer.body
        old = {
            "object": "address", "domain": asked.domain, "singular": 1, "action": "create", "controller": "address",
            "format": "json", "apiVer": "2.0", "user": asked.path.get("user", "*"),
            "address_id": told_now["emergency-address-id"], "address_name": told_now.get("address-name", ""),
            "callid_nmbr": told_now["address-callback-number"], "address_line_1": told_now["address-line-1"],
            "address_line_2": told_now["address-line-2"], "city": told_now["address-city"],
            "state_code": told_now["address-state-province-abbreviation"], "zip": told_now["address-postal-code"],
            "country_code": told_now["address-country-abbreviation"], "location": told_now["address-line-2"],
            "carrier": told_now.get("carrier", ""), "public_ip": "",
        }  # fmt: skip
        return replace(
            answer, body={**told_now, **old, "address-formatted-pidflo": {"xml": told_now["address-formatted-pidflo"]}}
        )


ADDRESSES = Addresses(
    noun="emergency address", right="emergency address", shape=SHAPE, model=EmergencyAddress, section="addresses",
    key="key", named="emergency-address-id", under=UNDER, parameter="address_id", items=every("addresses"),
    thing=lambda directory, address: domain_thing(directory, "emergency address", address.key),
    removed_as="address", prepared=_prepared, fresh=_fresh,
)  # fmt: skip
PERSONAL = replace(ADDRESSES, under=OF_USER, items=_of_user)


class Endpoints(Collection):
    """A callback number with its address, asked for by the number."""

    def filed(self, item: Any) -> str:
        return f"emergency address:{item.key}"

    async def delete(self, asked: Asked) -> Answer:
        asked.path["address_id"] = self.one(asked, asked.directory).key
        return await ADDRESSES.delete(asked)


POINTS = Endpoints(
    noun="emergency endpoint", right="emergency address", shape=SHAPE, model=EmergencyAddress, section="addresses",
    key="key", named="emergency-address-id", under=ENDPOINTS, parameter="endpoint", items=every("addresses"),
    thing=ADDRESSES.thing, removed_as=None, prepared=_prepared, fresh=_fresh,
    verbs=("list", "create", "change", "delete"),
    find=lambda asked, directory, name: directory.addresses_by_callback.get(name)
    or directory.addresses_by_callback.get(f"1{name}"),
)  # fmt: skip


async def _validate(asked: Asked) -> Answer:
    """What is missing is said; whether the place exists no simulator knows."""
    needed = ("caller-name", "address-line-1", "address-city", "address-state-province-abbreviation",
              "address-postal-code")  # fmt: skip
    for name in needed:
        asked.needed(name)
    region = asked.text("address-state-province-abbreviation")
    if not (len(region) == 2 and region.isascii() and region.isalpha()):
        rule = "it is the two letters of a state or province"
        raise wrong("address-state-province-abbreviation", region, rule, "send ON")
    fixed = {
        "domain": asked.domain, "object": "address", "action": "validate", "http_method": "POST", "singular": 1,
        "controller": "address", "format": "json", "apiVer": "2.0", "address-formatted-pidflo": {}, "carrier": "",
        "address-line-2": "", "address-name": "", "emergency-address-id": "", "address-country-abbreviation": "CA",
    }  # fmt: skip
    return Answer(200, {**fixed, **{name: value for name, value in asked.body.items() if name != "synchronous"}})


ROUTES = (
    *ADDRESSES.routes(),
    *POINTS.routes(),
    *PERSONAL.routes(),
    Route("POST", f"{UNDER}/validate", _validate, "emergency address", "Check an emergency address",
          SHAPE.schema(new=True), SHAPE.schema(), (), "view"),
)  # fmt: skip
