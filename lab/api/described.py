"""The descriptions of both interfaces (OpenAPI 3.1), and the page that shows them: `/api/docs`.

The lab's own is this table: one line an address; a test holds it against what is served. Swagger UI comes from the
static files of an installed package and loads nothing from elsewhere; what starts it is a script of ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib import metadata
from importlib.resources import files
from pathlib import Path
from typing import Any

from aiohttp import web

from pbx.api.openapi import description
from pbx.api.resources.version import API_VERSION
from pbx.api.routes import Routes

ADDRESSES = """
GET    /api/v1/calls | Calls, newest first | | rows
GET    /api/v1/calls/{call} | A call: its ladder, its reasons, its sound | | object
GET    /api/v1/calls/{call}/{document} | What was kept of a call: capture, ladder, reasons, or all of it | | file
GET    /api/v1/events | What happens, as it happens; Last-Event-ID goes on from there | | stream
GET    /api/v1/map | Every way a call can take, those taken at a moment, and what is wrong with them | | object
GET    /api/v1/why | Where a call would go, and why; none is placed | | object
GET    /api/v1/trace | Lines for a terminal | | stream
GET    /api/v1/phones | The phones of the lab | | rows
POST   /api/v1/phones | Plug in a phone for each device that has none on the floor | | rows
GET    /api/v1/phones/{device} | A phone | | object
GET    /api/v1/phones/{device}/provision | What a phone would be told | | object
GET    /api/v1/phones/{device}/provision/{part} | Part of it | | file
GET    /api/v1/phones/{device}/uploads | What a phone has sent | | rows
GET    /api/v1/phones/{device}/uploads/{name} | One of these files | | file
GET    /api/v1/phones/{device}/handset | A phone in the hand: screen, state, what it hears, buttons | | object
POST   /api/v1/phones/{device}/press | Press a button, as dial with a number | do:string argument:string | object
POST   /api/v1/phones/{device}/resync | Tell a phone to fetch its file | reboot:boolean | object
POST   /api/v1/phones/{device}/reveal | Tell a phone's secrets | | object
POST   /api/v1/phones/{device}/one-shot | Say values of a phone for once | | object
DELETE /api/v1/phones/{device}/one-shot | Lift them (?by=) | | object
POST   /api/v1/phones/{device}/rotate | Give a phone new credentials | overlap_s:number | object
GET    /api/v1/one-shots | What is said of phones for once | | rows
GET    /api/v1/devices | Boxes by MAC | | object
GET    /api/v1/devices/{mac} | A box | | object
GET    /api/v1/devices/{mac}/card | The card that goes with a box | | file
POST   /api/v1/devices/import | Boxes of a CSV file or spreadsheet | | object
POST   /api/v1/devices/{mac}/{deed} | assign, swap, release, retire, stock or forget a box | extension:string | object
POST   /api/v1/activations | A code to type into a phone nobody knows | extension:string | object
GET    /api/v1/onboarding | Customers on their way from forms to live | | rows
POST   /api/v1/onboarding | Begin with a packet of forms, as YAML | | object
GET    /api/v1/onboarding/{domain} | Stages, next moves, the audit, the final order of a customer | | object
PUT    /api/v1/onboarding/{domain} | Hand in newer forms | | object
POST   /api/v1/onboarding/{domain}/steps | Take a step | step:string note:string about:string | object
GET    /api/v1/onboarding/{domain}/flow | The approximate call flow, for approval | | rows
GET    /api/v1/onboarding/{domain}/plan | The test plan of its first week | | file
GET    /api/v1/onboarding/{domain}/users.csv | The spreadsheet of users, as CSV | | file
GET    /api/v1/onboarding/{domain}/users.xlsx | The spreadsheet of users, as XLSX | | file
POST   /api/v1/onboarding/{domain}/users | Import the spreadsheet; with dry=1 only what would come of it | | object
POST   /api/v1/onboarding/{domain}/users/undo | Take the newest import back | | object
GET    /api/v1/exchanges | Domains beside the first that are served | | rows
POST   /api/v1/exchanges/{domain} | Serve a domain, with the lab's phones | | object
DELETE /api/v1/exchanges/{domain} | Take a domain out of service | | nothing
GET    /api/v1/orders | What is bought | | rows
POST   /api/v1/orders | Write an order down | number:string | object
POST   /api/v1/orders/{number}/shipments | Write a shipment down | number:string | object
POST   /api/v1/shipments/{number}/arrived | A shipment has arrived | on:string | object
GET    /api/v1/queues | Figures and agents of queues | | rows
PUT    /api/v1/queues/{queue}/agents/{agent} | Log an agent in or out | status:string | object
GET    /api/v1/mailboxes | Mailboxes | | rows
GET    /api/v1/mailboxes/{box} | The messages of a mailbox | | object
PUT    /api/v1/mailboxes/{box}/{message} | Move a message | folder:string | object
DELETE /api/v1/mailboxes/{box}/{message} | Delete a message | | nothing
GET    /api/v1/mailboxes/{box}/{message}/sound | The sound of a message | | file
POST   /api/v1/mailboxes/{box}/{message}/forward | Send a message on | to:string | object
DELETE /api/v1/mailboxes/{box}/lock | Let the owner try its PIN again | | nothing
GET    /api/v1/prompts | Prompts that are kept, and those that ship | | object
PUT    /api/v1/prompts/{name} | Keep a prompt: a sound file, or a text that is spoken | text:string | object
DELETE /api/v1/prompts/{name} | Remove a prompt | | nothing
GET    /api/v1/prompts/{name}/sound | The sound of a prompt | | file
POST   /api/v1/prompts/{name}/call | Record a prompt by telephone | extension:string | object
GET    /api/v1/recordings | Conversations that were recorded | | rows
GET    /api/v1/recordings/{recording} | The sound of one | | file
DELETE /api/v1/recordings/{recording} | Remove one | | nothing
GET    /api/v1/faxes | Faxes | | rows
POST   /api/v1/faxes | Send a fax | | object
GET    /api/v1/faxes/{id}/{kind} | The pages of a fax | | file
GET    /api/v1/outbox | Mail that was sent | | object
DELETE /api/v1/outbox | Empty the outbox | | nothing
GET    /api/v1/outbox/{number} | A letter | | file
POST   /api/v1/outbox/again | Try now whatever mail waits | | nothing
POST   /api/v1/reset | Begin anew with calls, mail or a phone | calls:boolean mail:boolean phone:string | object
GET    /api/v1/clock | The hour time frames go by, and where to jump | | object
POST   /api/v1/clock | jump, run, pause, real | do:string at:string rate:string | object
GET    /api/v1/guide | What a person is to do | | rows
POST   /api/v1/guide/{number} | Answer a request of a run | answer:string by:string | object
GET    /api/v1/faults | What ails the lines of the lab's phones | | object
DELETE /api/v1/faults | End every fault | | object
POST   /api/v1/faults/{link} | Spoil a line, by a preset or by figures | | object
DELETE /api/v1/faults/{link} | End the fault of a line | | object
POST   /api/v1/faults/{link}/drop | Lose the next messages of a line | | object
GET    /api/v1/hot-desks | Hot desks and their guests | | rows
DELETE /api/v1/hot-desks/{device}/guest | Send a guest away | | nothing
GET    /api/v1/provisioning/dhcp | What a DHCP server needs to tell phones | | object
GET    /api/v1/provisioning/bans | Who is banned from provisioning | | rows
DELETE /api/v1/provisioning/bans/{place} | Lift a ban | | nothing
POST   /api/v1/previews | What a run of a plan would do | | object
POST   /api/v1/runs | Run a plan | | object
GET    /api/v1/runs/{run} | How a run goes | | object
GET    /api/v1/runs/{run}/evidence.zip | What was kept of every case of a run | | file
GET    /api/v1/runs/{run}/{document} | What was written of a run | | file
POST   /api/v1/runs/{run}/{word} | Say something to a run | | object
GET    /api/v1/webhooks | Posts to subscribers, newest first | | rows
"""
"""Method and address | what it is | JSON that is sent | what is answered."""
_PARTS = {name: {"type": "string"} for name in ("happened", "why", "remedy", "reference")}
_ERROR = {
    "type": "object",
    "properties": {"error": {"type": "object", "properties": _PARTS}},
    "required": ["error"],
}
_REFUSALS = {400: "Something in it is not understood", 401: "Nobody knows who asks", 403: "Whoever asks may not",
             404: "There is no such thing", 409: "What there is stands against it", 410: "It is gone",
             413: "It is too long", 415: "It is of another kind", 503: "What it needs is not there"}  # fmt: skip
_PARAMETER = re.compile(r"\{([^}:]+)[^}]*\}")
_UI = ("swagger-ui.css", "swagger-ui-bundle.js")


def lab_description(served: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
    """Return the description of `/api/v1`; what is `served` (method, path) beside the table is told without words."""
    paths: dict[str, dict[str, Any]] = {}
    for line in ADDRESSES.strip().splitlines():
        address, told, sent, answered = (part.strip() for part in line.split("|"))
        method, path = address.split()
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, told, sent, answered)
    for method, path in served:
        paths.setdefault(path, {}).setdefault(method.lower(), _operation(method, path, path, "", "anything"))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Switchroom, the lab", "version": metadata.version("switchroom")},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}, "schemas": {"Error": _ERROR},
        },
        "security": [{}, {"bearer": []}],
    }  # fmt: skip


def _operation(method: str, path: str, told: str, sent: str, answered: str) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PARAMETER.findall(path)
    ]
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}_{re.sub(r'[^a-z0-9]+', '_', path)}".strip("_"), "summary": told,
        "tags": [path.split("/")[3]], "parameters": parameters, "responses": _responses(answered),
    }  # fmt: skip
    if sent:
        fields = dict(part.split(":") for part in sent.split())
        schema = {"type": "object", "properties": {name: {"type": kind} for name, kind in fields.items()}}
        operation["requestBody"] = {"content": {"application/json": {"schema": schema}}}
    return operation


def _responses(answered: str) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    found: dict[str, Any] = {str(status): {"description": told, "content": error} for status, told in _REFUSALS.items()}
    match answered:
        case "nothing":
            done: dict[str, Any] = {}
            found["204"] = {"description": "Done"}
        case "rows":
            done = {"application/json": {"schema": {"type": "array"}}}
        case "object":
            done = {"application/json": {"schema": {"type": "object"}}}
        case "stream":
            done = {"text/event-stream": {"schema": {"type": "string"}}, "text/plain": {"schema": {"type": "string"}}}
        case _:
            done = {"*/*": {"schema": {}}}
    for status in ("200", "201", "202"):
        found[status] = {"description": "As asked", **({"content": done} if done else {})}
    return found


class Described:
    """Adds both descriptions, and the page that shows them, to an application."""

    def __init__(self, routes: Callable[[], Routes]) -> None:
        self._routes = routes
        self._app: web.Application | None = None

    def route(self, app: web.Application) -> None:
        self._app = app
        app.router.add_get("/api/openapi.json", self._lab)
        app.router.add_get("/ns-api/v2/openapi.json", self._platform)
        app.router.add_get("/api/docs", self._page)
        app.router.add_get("/api/docs/start.js", self._start)
        app.router.add_get("/api/docs/{name}", self._file)

    async def _lab(self, request: web.Request) -> web.Response:
        return web.json_response(lab_description(addresses(self._app)))

    async def _platform(self, request: web.Request) -> web.Response:
        return web.json_response(platform_description(self._routes()))

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=_PAGE, content_type="text/html")

    async def _start(self, request: web.Request) -> web.StreamResponse:
        return web.Response(text=_START, content_type="text/javascript")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name not in _UI:
            raise web.HTTPNotFound
        return web.FileResponse(Path(str(files("swagger_ui"))) / "static" / name)


def addresses(app: web.Application | None) -> list[tuple[str, str]]:
    """Return (method, path) of whatever an application serves of `/api/v1`."""
    found = []
    for route in app.router.routes() if app is not None else ():
        path = route.resource.canonical if route.resource is not None else ""
        if path.startswith("/api/v1") and route.method not in ("HEAD", "*"):
            found.append((route.method, re.sub(r"\{([^}:]+)[^}]*\}", r"{\1}", path)))
    return found


def platform_description(routes: Routes) -> dict[str, Any]:
    """Return the description of `/ns-api/v2`."""
    return description(routes.all, "Switchroom, the platform's API", "/ns-api/v2", API_VERSION)


_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · Switchroom</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<script src="/api/docs/swagger-ui-bundle.js" defer></script>
<script src="/api/docs/start.js" defer></script>
</head>
<body>
<main id="api"></main>
<noscript>The descriptions are <a href="/ns-api/v2/openapi.json">/ns-api/v2/openapi.json</a> and
<a href="/api/openapi.json">/api/openapi.json</a>.</noscript>
</body>
</html>
"""
_START = """"use strict";
addEventListener("DOMContentLoaded", () => {
  const lab = new URLSearchParams(location.search).get("of") === "lab";
  const which = lab ? "/api/openapi.json" : "/ns-api/v2/openapi.json";
  SwaggerUIBundle({url: which, dom_id: "#api", validatorUrl: null, deepLinking: false,
                   presets: [SwaggerUIBundle.presets.apis], queryConfigEnabled: false, docExpansion: "none"});
});
"""
