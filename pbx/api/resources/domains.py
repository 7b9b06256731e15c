"""`/domains` and `/resellers`: who is there. One domain is served by the house's switch, the others are configured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pbx.access import Thing
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA, with_ignored, with_kept
from pbx.api.forms import AREA, COUNT, NUMBER, TEXT, YES_NO
from pbx.api.resources.users import RECORDING
from pbx.api.routes import Route
from pbx.api.shapes import Shape, as_refusal, changed, kept, made, ours, told
from pbx.domain.directory import Directory
from pbx.domain.tenancy import Domain, Reseller
from pbx.ownership import domain_thing

_ONE = "/domains/{domain}"


def _live(around: Any, outside: bool) -> int:
    asked, directory = around
    switch = asked.house.switch_of(directory.domain.name)
    if switch is None:
        return 0
    return int(switch.parties.outside if outside else switch.live()["calls"])


SHAPE = Shape("Domain", (
    ours("domain", TEXT, "name", required=True),
    told("reseller", TEXT, lambda around, domain: around[1].reseller.name),
    ours("description", TEXT, "description"),
    kept("music-on-hold-enabled", YES_NO, "yes"),
    kept("music-on-ring-enabled", YES_NO, "no"),
    ours("music-on-hold-randomized-enabled", YES_NO, "shuffled_music"),
    kept("dial-plan", TEXT),
    ours("dial-policy", TEXT, "dial_policy",
         told=lambda around, domain: domain.dial_policy or domain.platform.dial_policy),
    ours("email-send-from-address", TEXT, "mail_sender"),
    kept("single-sign-on-enabled", YES_NO, "no"),
    ours("area-code", AREA, "area_code"),
    ours("caller-id-name", TEXT, "caller_id_name"),
    ours("caller-id-number", NUMBER, "caller_id"),
    ours("caller-id-number-emergency", NUMBER, "emergency_caller_id"),
    kept("limits-max-subcriber-resources-total", COUNT, 0),
    ours("limits-max-active-calls-total", COUNT, "max_calls"),
    ours("limits-max-active-calls-offnet", COUNT, "max_outside_calls"),
    ours("limits-max-call-queues", COUNT, "max_queues"),
    ours("limits-max-auto-attendants", COUNT, "max_attendants"),
    ours("limits-max-conferences", COUNT, "max_conferences"),
    ours("limits-max-departments", COUNT, "max_departments"),
    ours("limits-max-users", COUNT, "max_users"),
    ours("limits-max-sites", COUNT, "max_sites"),
    ours("limits-max-fax-accounts", COUNT, "max_fax_accounts"),
    ours("time-zone", TEXT, "time_zone"),
    kept("email-send-smtp-hostname", TEXT),
    kept("email-send-smtp-port", TEXT),
    kept("email-send-smtp-username", TEXT),
    told("active-calls-total-current", COUNT, lambda around, domain: _live(around, outside=False)),
    told("active-calls-against-license-count", COUNT, lambda around, domain: _live(around, outside=False)),
    told("active-calls-offnet-current", COUNT, lambda around, domain: _live(around, outside=True)),
    told("count-subcriber-resources-total", COUNT, lambda around, domain: len(around[1].users)),
    ours("emergency-address-id", TEXT, "emergency_address"),
    kept("voicemail-enabled", YES_NO, "yes"),
    ours("recording-configuration", RECORDING, "recording"),
    kept("voicemail-transcription-enabled", TEXT, "no"),
    kept("language-token", TEXT, "en_US"),
    kept("is-domain-locked", YES_NO, "no"),
    ours("is-stir-enabled", YES_NO, "attestation"),
    kept("is-ivr-forward-change-blocked", YES_NO, "no"),
))  # fmt: skip
_FILED = "domain:"


def told_domain(asked: Asked, directory: Directory) -> dict[str, Any]:
    return SHAPE.tell((asked, directory), directory.domain, directory.kept.get(_FILED, {}))


def _seen(asked: Asked) -> list[Directory]:
    sees = asked.sees("domain")
    return [directory for directory in asked.directories("domain") if sees(domain_thing(directory, "domain"))]


async def _list(asked: Asked) -> Answer:
    return Answer(200, [told_domain(asked, directory) for directory in _seen(asked)[asked.page()]])


async def _count(asked: Asked) -> Answer:
    return Answer(200, {"total": len(_seen(asked))})


async def _exists(asked: Asked) -> Answer:
    found = asked.house.directory(asked.domain)
    return Answer(200, {"total": int(found is not None and asked.sees("domain")(domain_thing(found, "domain")))})


async def _read(asked: Asked) -> Answer:
    directory = asked.directory
    asked.require("view", domain_thing(directory, "domain", directory.domain.name))
    return Answer(200, told_domain(asked, directory))


async def _create(asked: Asked) -> Answer:
    written = SHAPE.read(asked.body, new=True)
    reseller = asked.needed("reseller")
    name = str(written.values["name"])
    asked.require("create", Thing("domain", name, reseller, name))
    if asked.house.directory(name) is not None:
        raise Refused(409, f"there is a domain {name!r} already")
    domain = made(Domain, {}, written.values, SHAPE)
    known = next((one.reseller for at in asked.house.names() if (one := asked.house.directory(at)) is not None
                  and one.reseller.name == reseller), Reseller(name=reseller))  # fmt: skip
    try:
        directory = Directory(domain=domain, reseller=known)
    except ValueError as error:
        raise as_refusal(error, SHAPE, written.values, ("domain",)) from None
    directory = with_kept(directory, _FILED, {"dial-plan": name, **written.kept})
    await asked.house.create(directory)
    return with_ignored(Answer(200, told_domain(asked, directory)) if asked.synchronous else ACCEPTED, written)


async def _change(asked: Asked) -> Answer:
    body: Mapping[str, Any] = asked.body
    now = told_domain(asked, asked.directory)
    written = SHAPE.read({k: v for k, v in body.items() if now.get(k) != v or k not in now}, new=False)
    if written.values.get("name", asked.domain) != asked.domain:
        raise wrong("domain", written.values["name"], "a domain's name cannot be changed", "create another domain")

    def edit(directory: Directory) -> Directory:
        asked.require("edit", domain_thing(directory, "domain", directory.domain.name))
        new = changed(directory.domain, written.values, SHAPE)
        try:
            return with_kept(directory.replaced(domain=new), _FILED, written.kept)
        except ValueError as error:
            raise as_refusal(error, SHAPE, written.values, ("domain",)) from None

    directory = await asked.edit(edit, "domain")
    return with_ignored(Answer(200, told_domain(asked, directory)) if asked.synchronous else ACCEPTED, written)


async def _delete(asked: Asked) -> Answer:
    directory = asked.directory
    asked.require("delete", domain_thing(directory, "domain", directory.domain.name))
    await asked.house.remove(asked.domain)
    return ACCEPTED


async def _billing(asked: Asked) -> Answer:
    """What is counted for the bill, beside the domain's fields."""
    directory = asked.directory
    asked.require("view", domain_thing(directory, "billing"))
    counted = {
        "count-users": len([user for user in directory.users if not user.hidden]),
        "count-devices": len(directory.devices),
        "count-phone-numbers": len(directory.numbers), "count-call-queues": len(directory.queues),
        "count-auto-attendants": len(directory.attendants), "count-conferences": len(directory.conferences),
        "count-sites": len(directory.sites), "count-fax-accounts": len(directory.fax_accounts),
    }  # fmt: skip
    return Answer(200, told_domain(asked, directory) | counted)


def _resellers(asked: Asked) -> list[dict[str, Any]]:
    sees = asked.sees("reseller")
    found: dict[str, list[Directory]] = {}
    for directory in asked.directories("reseller"):
        if sees(domain_thing(directory, "reseller")):
            found.setdefault(directory.reseller.name, []).append(directory)
    return [
        {"reseller": name, "description": them[0].reseller.description, "domains-total": len(them),
         "users-total": sum(len(one.users) for one in them), "active-calls-against-license-count": 0,
         "active-calls-offnet-current": 0}
        for name, them in found.items()
    ]  # fmt: skip


async def _list_resellers(asked: Asked) -> Answer:
    return Answer(200, _resellers(asked)[asked.page()])


async def _count_resellers(asked: Asked) -> Answer:
    return Answer(200, {"total": len(_resellers(asked))})


async def _reseller(asked: Asked) -> Answer:
    name = asked.path["reseller"]
    found = next((row for row in _resellers(asked) if row["reseller"] == name), None)
    if found is None:
        raise nothing("reseller", name)
    return Answer(200, found)


async def _count_of_reseller(asked: Asked) -> Answer:
    name = asked.path["reseller"]
    return Answer(200, {"total": sum(row["reseller"] == name for row in _resellers(asked))})


_RESELLER = {"type": "object", "properties": {"reseller": TEXT.schema}, "required": ["reseller"]}
_TOLD = SHAPE.schema()
_NEW = {**SHAPE.schema(new=True), "required": ["domain", "reseller"]}
_NEW["properties"] = {**_NEW["properties"], "reseller": TEXT.schema}

ROUTES = (
    Route("GET", "/domains", _list, "domain", "List domains", None, {"type": "array", "items": _TOLD},
          ("start", "limit")),
    Route("POST", "/domains", _create, "domain", "Create a domain", _NEW, _TOLD),
    Route("GET", "/domains/count", _count, "domain", "Count domains", None, COUNT_SCHEMA),
    Route("GET", _ONE, _read, "domain", "Read a domain", None, _TOLD),
    Route("PUT", _ONE, _change, "domain", "Change a domain", SHAPE.schema(change=True), _TOLD),
    Route("DELETE", _ONE, _delete, "domain", "Delete a domain"),
    Route("GET", f"{_ONE}/count", _exists, "domain", "Whether there is a domain", None, COUNT_SCHEMA),
    Route("GET", f"{_ONE}/billing", _billing, "billing", "What a domain is billed for", None, _TOLD),
    Route("GET", "/resellers", _list_resellers, "reseller", "List resellers", None,
          {"type": "array", "items": _RESELLER}, ("start", "limit")),
    Route("GET", "/resellers/count", _count_resellers, "reseller", "Count resellers", None, COUNT_SCHEMA),
    Route("GET", "/resellers/{reseller}/count", _count_of_reseller, "reseller", "Whether there is a reseller", None,
          COUNT_SCHEMA),
    Route("GET", "/resellers/{reseller}", _reseller, "reseller", "Read a reseller", None, _RESELLER),
)  # fmt: skip
