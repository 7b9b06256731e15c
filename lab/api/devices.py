"""`/api/v1/devices` and `/api/v1/orders`: the boxes of the domain, and what is bought.

* `GET /api/v1/devices?q=&standing=&offset=&limit=`: boxes by MAC, each with its lines and whether it is behind.
* `GET /api/v1/devices/{mac}`, `GET /api/v1/devices/{mac}/card?secrets=1&by=`.
* `POST /api/v1/devices/import?dry=1`: a CSV file or spreadsheet as the body; every row that is wrong, and why.
* `POST /api/v1/devices/{mac}/{deed}` with JSON: `assign` {extension, model?, family?, line?, transport?, label?,
  settings?, across_sites?}, `swap` {with, model?, family?}, `release`, `retire`, `stock` {model?, family?, serial?,
  shipment?}, `forget` (of a stranger).
* `POST /api/v1/activations` {extension}: a code to type into a phone nobody knows (Cisco's service carries it here).
* `GET /api/v1/orders`, `POST /api/v1/orders` {number, supplier?, ordered_on?, lines: [{model, quantity}]},
  `POST /api/v1/orders/{number}/shipments` {number, carrier?, shipped_on?, boxes: [{mac, model?}]},
  `POST /api/v1/shipments/{number}/arrived` {on?}.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from json import JSONDecodeError
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, Field

from lab.api.refusal import refused
from lab.console.views import STANDINGS
from lab.devices import DeviceDesk, DeviceRow, LineRow
from lab.floor import real_token
from lab.service import Lab
from pbx.domain.base import Model
from pbx.domain.devices import normal_mac
from pbx.domain.directory import Directory
from pbx.domain.hardware import HardwareOrder, OrderLine, Shipment
from pbx.domain.seed import BadSeed, read_model
from pbx.events import SecretsRevealed
from provisioning_server.families import shipped_families
from provisioning_server.inventory import Refused, Wish
from provisioning_server.purchasing import arrived, ordered, shipped, states
from provisioning_server.spreadsheet import MOST_BYTES, BadTable, read_rows

MOST_ROWS = 10_000
M = TypeVar("M", bound=BaseModel)


class _Assign(Model):
    extension: str
    model: str = ""
    family: str = ""
    line: int | None = None
    transport: str | None = None
    label: str | None = None
    across_sites: bool = False
    settings: dict[str, str | int | bool] = Field(default_factory=dict)


class _Activation(Model):
    extension: str


class _Swap(Model):
    with_: str
    model: str = ""
    family: str = ""


class _Stock(Model):
    model: str = ""
    family: str = ""
    serial: str = ""
    shipment: str = ""


class _Order(Model):
    number: str
    supplier: str = ""
    ordered_on: date | None = None
    lines: tuple[OrderLine, ...]


class _Box(Model):
    mac: str
    model: str = ""


class _Shipment(Model):
    number: str
    carrier: str = ""
    shipped_on: date | None = None
    boxes: tuple[_Box, ...] = ()


class _Arrival(Model):
    on: date | None = None


@dataclass(slots=True)
class Devices:
    """Adds its routes to an application."""

    lab: Lab
    desk: DeviceDesk

    def route(self, app: web.Application) -> None:
        add = app.router
        add.add_get("/api/v1/devices", self._list)
        add.add_post("/api/v1/devices/import", self._import)
        add.add_get("/api/v1/devices/{mac}", self._one)
        add.add_get("/api/v1/devices/{mac}/card", self._card)
        add.add_post("/api/v1/devices/{mac}/{deed}", self._do)
        add.add_post("/api/v1/activations", self._activation)
        add.add_get("/api/v1/orders", self._orders)
        add.add_post("/api/v1/orders", self._order)
        add.add_post("/api/v1/orders/{number}/shipments", self._ship)
        add.add_post("/api/v1/shipments/{number}/arrived", self._arrive)

    async def _list(self, request: web.Request) -> web.Response:
        query = request.query
        standing = query.get("standing", "")
        if standing and standing not in STANDINGS:
            return refused(400, f"there is no standing {standing!r}", "boxes stand otherwise", ", ".join(STANDINGS))
        offset, limit = _number(query.get("offset", "0")), _number(query.get("limit", "100"))
        if offset is None or limit is None:
            return refused(400, "the part asked for is not understood", "offset and limit count rows", "write digits")
        rows = self.desk.rows(query.get("q", ""), standing)
        shown = self.desk.with_state(rows[offset : offset + min(limit, MOST_ROWS)])
        return web.json_response({"total": len(rows), "offset": offset, "rows": [_document(row) for row in shown]})

    async def _one(self, request: web.Request) -> web.Response:
        row = self.desk.row(_mac(request))
        if row is None:
            return _nobody(request)
        return web.json_response(_document(row))

    async def _card(self, request: web.Request) -> web.Response:
        secrets, by = request.query.get("secrets") == "1", request.query.get("by", "").strip()
        if secrets and not by:
            return refused(400, "nothing is revealed", "nobody says who asks", "add by=NAME: it is written down")
        try:
            card = self.desk.card(request.match_info["mac"], secrets=secrets)
        except Refused as no:
            return _no(no, 404)
        if secrets:
            self.lab.publish(SecretsRevealed(card.mac, f"{by[:80]} from {request.remote or 'here'}"))
        return web.json_response(asdict(card), headers={"Cache-Control": "no-store"})

    async def _import(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > MOST_BYTES:
            return refused(413, "the table was not read", f"it has more than {MOST_BYTES} bytes", "send a part of it")
        data = bytearray()
        async for chunk in request.content.iter_any():
            data += chunk
            if len(data) > MOST_BYTES:
                return refused(413, "the table was not read", f"it has more than {MOST_BYTES} bytes", "send a part")
        dry = request.query.get("dry") == "1"
        try:
            result = self.desk.take_in(read_rows(bytes(data)), dry=dry)
        except BadTable as bad:
            return refused(400, "the table was not read", str(bad), "docs/inventory.md shows one")
        told = asdict(result) | {"dry": dry}
        return web.json_response(told)

    async def _do(self, request: web.Request) -> web.Response:
        deeds: dict[str, Callable[[str, Any], object]] = {
            "assign": self._assign, "swap": self._swap, "stock": self._stock,
            "release": self._release, "retire": self._retire, "forget": self._forget,
        }  # fmt: skip
        deed = deeds.get(request.match_info["deed"])
        if deed is None:
            named = request.match_info["deed"]
            return refused(404, f"{named!r} cannot be done to a box", "it is none of the deeds", ", ".join(deeds))
        body = await _body(request)
        if isinstance(body, web.Response):
            return body
        try:
            return web.json_response(deed(request.match_info["mac"], body))
        except Refused as no:
            return _no(no)
        except BadSeed as bad:
            return _bad(bad)

    def _assign(self, mac: str, body: Any) -> object:
        asked = read_model(_Assign, body)
        wish = Wish(asked.line, asked.transport, asked.label, dict(asked.settings) or None, asked.across_sites)
        model, family = asked.model, asked.family
        stranger = self.desk.quarantine.of(_plain(mac))
        if stranger is not None and not (model or family):
            model, family = stranger.model, stranger.family
        made = self.desk.change(lambda draft: draft.assign(mac, asked.extension, model=model, family=family, wish=wish))
        return {"device": made.id, "mac": made.mac, "line": made.port, "family": made.family, "model": made.model}

    def _swap(self, mac: str, body: Any) -> object:
        body = {"with_": body["with"], **{k: v for k, v in body.items() if k != "with"}} if "with" in body else body
        asked = read_model(_Swap, body)
        made = self.desk.change(lambda draft: draft.swap(mac, asked.with_, model=asked.model, family=asked.family))
        return asdict(made)

    def _stock(self, mac: str, body: Any) -> object:
        asked = read_model(_Stock, body)
        item = self.desk.change(lambda draft: draft.stock(mac, **asked.model_dump()))
        return item.model_dump(mode="json")

    def _release(self, mac: str, body: Any) -> object:
        return {"devices": self.desk.change(lambda draft: draft.release(mac))}

    def _retire(self, mac: str, body: Any) -> object:
        self.desk.change(lambda draft: draft.retire(mac))
        return {"retired": True}

    def _forget(self, mac: str, body: Any) -> object:
        return {"forgotten": self.desk.quarantine.forget(_plain(mac))}

    async def _activation(self, request: web.Request) -> web.Response:
        body = await _body(request)
        if isinstance(body, web.Response):
            return body
        try:
            made = self.desk.issue_code(read_model(_Activation, body).extension)
        except Refused as no:
            return _no(no)
        except BadSeed as bad:
            return _bad(bad)
        return web.json_response(asdict(made), headers={"Cache-Control": "no-store"})

    # --- orders ---------------------------------------------------------------------------------------

    async def _orders(self, request: web.Request) -> web.Response:
        rows = [asdict(state) | {"open": state.open} for state in states(self.lab.directory)]
        return web.json_response([row | {"ordered_on": row["ordered_on"].isoformat()} for row in rows])

    async def _order(self, request: web.Request) -> web.Response:
        today = self.lab.now.wall.date()

        def made(body: Any) -> Callable[[Directory, Mapping[str, str]], Directory]:
            asked = read_model(_Order, body)
            told = asked.model_dump() | {"ordered_on": asked.ordered_on or today}
            order = read_model(HardwareOrder, told)
            return lambda directory, elsewhere: ordered(directory, shipped_families(), order)

        return await self._bought(request, made)

    async def _ship(self, request: web.Request) -> web.Response:
        today, number = self.lab.now.wall.date(), request.match_info["number"]

        def made(body: Any) -> Callable[[Directory, Mapping[str, str]], Directory]:
            asked = read_model(_Shipment, body)
            told = {"number": asked.number, "order": number, "carrier": asked.carrier}
            shipment = read_model(Shipment, told | {"shipped_on": asked.shipped_on or today})
            boxes = [(box.mac, box.model) for box in asked.boxes]
            return lambda directory, elsewhere: shipped(
                directory, shipped_families(), elsewhere, real_token, shipment, boxes
            )

        return await self._bought(request, made)

    async def _arrive(self, request: web.Request) -> web.Response:
        today, number = self.lab.now.wall.date(), request.match_info["number"]

        def made(body: Any) -> Callable[[Directory, Mapping[str, str]], Directory]:
            on = read_model(_Arrival, body).on or today
            return lambda directory, elsewhere: arrived(directory, number, on)

        return await self._bought(request, made)

    async def _bought(
        self, request: web.Request, made: Callable[[Any], Callable[[Directory, Mapping[str, str]], Directory]]
    ) -> web.Response:
        body = await _body(request)
        if isinstance(body, web.Response):
            return body
        try:
            self.desk.replace(made(body))
        except Refused as no:
            return _no(no)
        except BadSeed as bad:
            return _bad(bad)
        return await self._orders(request)


def _document(row: DeviceRow) -> dict[str, Any]:
    """The row and its lines by field; `asdict` copies deeply, which ten thousand rows feel."""
    told = {name: getattr(row, name) for name in DeviceRow.__slots__}
    return told | {"lines": [{name: getattr(line, name) for name in LineRow.__slots__} for line in row.lines]}


async def _body(request: web.Request) -> Any:
    """The JSON object of the body, an empty one when there is none; the refusal of anything else."""
    if not request.can_read_body:
        return {}
    try:
        body = await request.json()
    except (JSONDecodeError, UnicodeDecodeError, LookupError):
        body = None
    if isinstance(body, dict):
        return body
    return refused(
        400, "what to do is not understood", "the body is no JSON object", 'send one, as {"extension": "101"}'
    )


def _mac(request: web.Request) -> str:
    return _plain(request.match_info["mac"])


def _plain(text: str) -> str:
    try:
        return normal_mac(text)
    except ValueError:
        return ""


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _nobody(request: web.Request) -> web.Response:
    mac = request.match_info["mac"]
    return refused(404, f"there is no box {mac!r}", "neither a device, the stock nor a stranger has that MAC",
                   "GET /api/v1/devices")  # fmt: skip


def _no(no: Refused, status: int = 409) -> web.Response:
    return refused(status, no.happened, no.why, no.remedy)


def _bad(bad: BadSeed) -> web.Response:
    why = "; ".join(problem.sentence for problem in bad.problems[:8])
    return refused(400, "what to do is not understood", why, "mend the fields named")
