"""What the platform has and this house only keeps: SMS numbers, call dispositions, connections, routes, phone
templates, voicemail reminders by telephone. Written and read back; no call is changed by them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA
from pbx.api.forms import ANYTHING, COUNT, TEXT, YES_NO, Form, choice
from pbx.api.resources.dialling import needed
from pbx.api.routes import Route
from pbx.api.shapes import Field, Shape, kept, told
from pbx.api.shelf import Shelf
from pbx.ownership import user_thing
from pbx.store.protocol import DocumentRemoved

# --- SMS numbers ------------------------------------------------------------------------------------------

_SMS = Shape("SmsNumber", (
    needed("number"),
    Field("application", choice(("user", "callqueue", "available")), required=True),
    told("domain", TEXT, lambda around, row: row.get("domain", "")),
    kept("carrier", TEXT, ""),
    kept("dest", TEXT, ""),
    kept("mms-capable", Form({"type": "boolean"}, bool), False),
    kept("group-mms-capable", Form({"type": "boolean"}, bool), False),
))  # fmt: skip


def _goes_somewhere(asked: Asked, row: Mapping[str, Any]) -> None:
    directory, dest = asked.directory, row.get("dest", "")
    known = {"user": {*directory.users_by_extension}, "callqueue": {*directory.queues_by_extension}}
    if row["application"] in known and dest not in known[row["application"]]:
        raise wrong("dest", dest, f"there is no {row['application']} {dest}", "send one that exists, or `available`")


SMS = Shelf("SMS number", "sms number", _SMS, "number", "/domains/{domain}/smsnumbers", "smsnumber",
            check=_goes_somewhere, verbs=("list", "create", "change", "delete"))  # fmt: skip
_SMS_EVERYWHERE = replace(SMS, under="/smsnumbers", verbs=("list",))


def _own_sms(asked: Asked) -> list[dict[str, Any]]:
    user = asked.user
    asked.require("view", user_thing(asked.directory, user.extension, "profile"))
    rows = (_row(document.text) for document in asked.house.documents(asked.domain, SMS.noun).values())
    return [SMS.told(asked, {**row, "domain": asked.domain}) for row in rows if row.get("dest") == user.extension]


def _row(text: str) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(text)
    return row


async def _sms_of_user(asked: Asked) -> Answer:
    return Answer(200, _own_sms(asked)[asked.page()])


async def _sms_count(asked: Asked) -> Answer:
    return Answer(200, {"total": len(_own_sms(asked))})


# --- the others -------------------------------------------------------------------------------------------

_DISPOSITION = Shape("DispositionReason", (
    needed("call-disposition"), needed("call-disposition-reason"), needed("call-disposition-type"),
))  # fmt: skip
DISPOSITIONS = Shelf("call disposition", "queue", _DISPOSITION, "", "/domains/{domain}/dispositions", "id",
                     verbs=("list", "create"))  # fmt: skip

_CONNECTION = Shape("Connection", (
    needed("connection-orig-match-pattern"),
    told("domain", TEXT, lambda around, row: row.get("domain", "")),
    *(kept(name, TEXT) for name in (
        "description", "connection-term-match-pattern", "connection-audio-relay-enabled", "connection-address",
        "dial-plan", "dial-policy", "connection-linked-billing-user", "connection-sip-registration-username",
        "connection-sip-registration-realm", "connection-translation-request-host",
        "connection-translation-destination-host", "connection-translation-request-user",
        "connection-translation-destination-user", "connection-translation-source-user",
        "connection-translation-source-host", "connection-sip-transport-protocol", "time-zone")),
    *(kept(name, COUNT) for name in (
        "limits-max-active-calls-orig", "limits-max-active-calls-term", "limits-max-active-calls-total",
        "minimum-call-duration-seconds")),
    *(kept(name, YES_NO, "yes") for name in ("connection-orig-enabled", "connection-term-enabled")),
    *(kept(name, YES_NO, "no") for name in (
        "connection-is-carrier-trunk", "connection-record-all-calls-enabled", "connection-pcmu-only-enabled",
        "connection-require-sip-authentication-enabled", "connection-sip-authenticate-as-client-enabled")),
))  # fmt: skip
CONNECTIONS = Shelf("connection", "dial plan", _CONNECTION, "connection-orig-match-pattern",
                    "/domains/{domain}/connections", "connection", verbs=("list", "change", "delete"))  # fmt: skip


async def _connection(asked: Asked) -> Answer:
    """The platform answers one connection as a list."""
    return Answer(200, [CONNECTIONS.told(asked, CONNECTIONS.one(asked))])


async def _new_connection(asked: Asked) -> Answer:
    asked.path["domain"] = asked.needed("domain")
    return await CONNECTIONS.create(asked)


_EVERY_CONNECTION = replace(CONNECTIONS, under="/connections", verbs=("list", "count"))

_ROUTE = Shape("Route", (
    told("route-id", TEXT, lambda around, row: row["id"]),
    needed("route-destination-match-pattern"),
    *(kept(name, TEXT, "*") for name in (
        "route-source-match-pattern", "route-class", "route-match-server-hostname")),
    kept("route-is-enabled", YES_NO, "yes"),
    kept("description", TEXT, ""),
    kept("route-method", choice(("fixed", "cost", "percentage")), "fixed"),
))  # fmt: skip
ROUTES_KEPT = Shelf("route", "dial plan", _ROUTE, "", "/routes", "route-id",
                    verbs=("list", "count", "create", "change", "delete"))  # fmt: skip
_LEG = Shape("RouteConnection", (
    *(kept(name, TEXT, "*") for name in (
        "route-destination-match-pattern", "route-source-match-pattern", "route-class", "route-match-server-hostname")),
    kept("route-connection-ordinal-index", COUNT, 1),
    kept("route-connection-translation-destination-user", TEXT, "[*]"),
    needed("route-connection-translation-destination-host"),
    kept("route-connection-integer-percentage", COUNT, 50),
    kept("route-connection-integer-cost", COUNT, 0),
))  # fmt: skip
LEGS = Shelf("connection of a route", "dial plan", _LEG, "", "/routes/{route-id}/routecon", "index",
             where=lambda asked: asked.path["route-id"], verbs=("list", "create", "change", "delete"))  # fmt: skip

_CONFIGURATION = Shape("Configuration", (
    needed("config-name"), needed("config-value"),
    *(kept(name, TEXT, "*") for name in ("reseller", "user", "user-scope", "core-server")),
    kept("domain", TEXT, "*"),
))  # fmt: skip
CONFIGURATIONS = Shelf("configuration", "domain", _CONFIGURATION, "config-name", "/configurations", "config-name",
                       verbs=("list", "count", "create", "delete"))  # fmt: skip


async def _configuration(asked: Asked) -> Answer:
    """The platform answers one configuration as a list."""
    return Answer(200, [CONFIGURATIONS.told(asked, CONFIGURATIONS.one(asked))])


async def _configure(asked: Asked) -> Answer:
    """PUT on the collection changes the one the body names."""
    asked.path["config-name"] = asked.needed("config-name")
    return await CONFIGURATIONS.change(asked)


async def _count_legs(asked: Asked) -> Answer:
    LEGS.allow(asked, "view")
    every = (document for document in asked.house.store.every_document() if document.kind.startswith(LEGS.noun))
    return Answer(200, {"total": sum(1 for _ in every)})


_TEMPLATE = Shape("Phoneconfiguration", (
    needed("phoneconfiguration-name"),
    *(kept(f"phoneconfiguration-{name}", TEXT, "") for name in ("description", "brand", "model")),
    told("phoneconfiguration-domain", TEXT, lambda around, row: row.get("domain", "")),
    *(kept(f"phoneconfiguration-{name}", ANYTHING) for name in ("sidecars", "extra", "directory")),
    kept("phoneconfiguration-buttons", ANYTHING, []),
))  # fmt: skip
TEMPLATES = Shelf("phone template", "hardware", _TEMPLATE, "phoneconfiguration-name",
                  "/domains/{domain}/phonetemplates", "name")  # fmt: skip

# --- reminders of voicemail by telephone: one of each user ------------------------------------------------

_LIST = Form({"type": "array"}, lambda value: list(value) if isinstance(value, list) else [value])
_NAG = Shape("Vmailnag", (
    told("domain", TEXT, lambda around, row: around.domain),
    told("user", TEXT, lambda around, row: around.path["user"]),
    *(field for way in ("phonecall-enabled", "sms-enabled", "email-enabled")
      for field in (kept(f"voicemail-reminder-{way}", YES_NO, "no"),)),
    kept("voicemail-reminder-phonecall-phonenumber-array", _LIST, []),
    kept("voicemail-reminder-sms-phonenumber-array", _LIST, []),
    kept("voicemail-reminder-email-address-array", _LIST, []),
    kept("voicemail-reminder-interval-minutes", COUNT, 60),
))  # fmt: skip
NAGS = Shelf("voicemail reminder", "voicemail", _NAG, "", "/domains/{domain}/users/{user}/vmailnag", "one", verbs=())


def _nag(asked: Asked, action: Any) -> dict[str, Any] | None:
    user = asked.user
    asked.require(action, user_thing(asked.directory, user.extension, "voicemail"))
    found = asked.house.documents(asked.domain, NAGS.noun).get(user.extension)
    return _row(found.text) if found is not None else None


async def _nag_read(asked: Asked) -> Answer:
    row = _nag(asked, "view")
    if row is None:
        raise nothing("voicemail reminder of user", asked.path["user"])
    return Answer(200, NAGS.told(asked, row))


async def _nag_count(asked: Asked) -> Answer:
    return Answer(200, {"total": int(_nag(asked, "view") is not None)})


async def _nag_write(asked: Asked) -> Answer:
    row = _nag(asked, "edit")
    if row is None and asked.method == "PUT":
        raise nothing("voicemail reminder of user", asked.path["user"])
    written = _NAG.read(asked.body, new=False)
    await NAGS.put(asked, asked.path["user"], {"id": asked.path["user"], **(row or {}), **written.kept})
    return ACCEPTED


async def _nag_delete(asked: Asked) -> Answer:
    if _nag(asked, "edit") is None:
        raise nothing("voicemail reminder of user", asked.path["user"])
    await asked.submit(DocumentRemoved(asked.domain, NAGS.noun, asked.path["user"]))
    return ACCEPTED


_ROWS = {"type": "array", "items": _SMS.schema()}
ROUTES = (
    *SMS.routes(), *_SMS_EVERYWHERE.routes(), *DISPOSITIONS.routes(), *CONNECTIONS.routes(),
    *_EVERY_CONNECTION.routes(), *ROUTES_KEPT.routes(), *LEGS.routes(), *TEMPLATES.routes(), *CONFIGURATIONS.routes(),
    Route("GET", "/configurations/{config-name}", _configuration, "domain", "Read a configuration", None,
          {"type": "array", "items": _CONFIGURATION.schema()}),
    Route("PUT", "/configurations", _configure, "domain", "Change the configuration named in the body",
          _CONFIGURATION.schema(new=True)),
    Route("GET", "/routecon/count", _count_legs, "dial plan", "Count connections of routes", None, COUNT_SCHEMA),
    Route("GET", "/domains/{domain}/users/{user}/smsnumbers", _sms_of_user, "profile", "SMS numbers of a user", None,
          _ROWS),
    Route("GET", "/domains/{domain}/users/{user}/smsnumbers/count", _sms_count, "profile", "Count a user's SMS numbers",
          None, COUNT_SCHEMA),
    Route("GET", "/domains/{domain}/connections/{connection}", _connection, "dial plan", "Read a connection", None,
          {"type": "array", "items": _CONNECTION.schema()}),
    Route("POST", "/connections", _new_connection, "dial plan", "Create a connection", _CONNECTION.schema(new=True)),
    Route("GET", NAGS.under, _nag_read, "voicemail", "Read a voicemail reminder", None, _NAG.schema()),
    Route("GET", f"{NAGS.under}/count", _nag_count, "voicemail", "Whether there is a reminder", None, COUNT_SCHEMA),
    Route("POST", NAGS.under, _nag_write, "voicemail", "Set a voicemail reminder", _NAG.schema(change=True), None, (),
          "edit"),
    Route("PUT", NAGS.under, _nag_write, "voicemail", "Change a voicemail reminder", _NAG.schema(change=True)),
    Route("DELETE", NAGS.under, _nag_delete, "voicemail", "Remove a voicemail reminder", None, None, (), "edit"),
)  # fmt: skip
