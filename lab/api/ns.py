"""`/ns-api/v2` of a running lab: composed once the lab has started, and served on the console's port."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from collections.abc import Callable, Sequence

from aiohttp import web

from lab.api.ns_house import ApiHouse, Reach, Served
from lab.service import Lab
from pbx.accounts.desk import AccountDesk
from pbx.api.house import PhoneModel
from pbx.api.http import Http
from pbx.api.identity import RANDOM, Identities, key_text
from pbx.api.server import Server, all_routes
from pbx.api.subscribing import EVENTS, Delivery
from pbx.api.webhooks import Poster, Webhooks
from pbx.domain.directory import Directory
from pbx.events import ServerFault

TOLD_OF = frozenset(kind for kinds in EVENTS.values() for kind in kinds)
_LETTERS = string.ascii_letters + string.digits


class NsApi:
    """Adds its routes to an application; `open` is called when the lab has started."""

    def __init__(self, lab: Lab, accounts: AccountDesk, trace: Callable[[str], Sequence[str]]) -> None:
        self._lab, self._accounts, self._trace = lab, accounts, trace
        self._house: ApiHouse | None = None
        self._server: Server | None = None
        self._webhooks: Webhooks | None = None
        self._poster = Poster()
        self.routes = all_routes()
        self.exchange_of: Callable[[str], Served | None] = lambda domain: None
        """The exchange of a domain beside the lab's own; set before `open`."""
        self.key = ""
        """An API key of a Super User that always holds: who has the installation's secret has the house."""

    def ready(self, console_url: str) -> dict[str, object]:
        """Return what a script needs to use it."""
        return {"api": {"url": f"{console_url}/ns-api/v2", "key": self.key}}

    def route(self, app: web.Application) -> None:
        app.router.add_get("/api/v1/webhooks", self._deliveries)
        Http(self._open).route(app)

    def deliveries(self) -> Sequence[Delivery]:
        """Return the posts to subscribers that are kept, newest first."""
        return list(reversed(self._webhooks.newest)) if self._webhooks is not None else []

    async def _deliveries(self, request: web.Request) -> web.Response:
        """`GET /api/v1/webhooks`: posts to subscribers, newest first, each with its tries."""
        rows = [
            {"id": it.id, "subscription": it.subscription, "url": it.url, "at": it.made_at, "tries": it.tries,
             "done": it.done, "body": it.body.decode("utf-8", "replace")}
            for it in self.deliveries()
        ]  # fmt: skip
        return web.json_response(rows)

    def open(self) -> None:
        lab = self._lab
        vault = lab.vault
        house = self._house = ApiHouse(Reach(
            directory=lambda: lab.directory, apply=lab.apply, store=lambda: lab.store, switch=lambda: lab.switch,
            command=lab.command_switch, now=lambda: lab.now, token=token, bus=lab.bus,
            recordings=lambda: lab.recordings, catalogue=self._catalogue, trace=self._trace,
            seal=vault.seal, unseal=vault.unseal,
            hostname=lab.settings.host,
        ))  # fmt: skip
        house.exchange_of = self.exchange_of
        house.recall()
        at: Callable[[], float] = lambda: lab.now.wall.timestamp()  # noqa: E731 - asked in three places
        self.key = key_text("nss_", _letters_of(lab.secret, b"api key"))
        identities = Identities(
            self._accounts,
            lambda: lab.store,
            house.directories,
            token,
            at,
            _derived(lab.secret, b"api tokens"),
            self.key,
        )
        self._server = Server(house, identities, self._failed, self.routes)
        proof = _derived(lab.secret, b"webhooks")
        house.proof = lambda name: hmac.new(proof, name.encode(), "sha256").hexdigest()
        self._webhooks = hooks = Webhooks(house, self._poster)
        house.delivered = lambda name: hooks.counts.get(name, (0, 0))
        lab.bus.subscribe(hooks.take, TOLD_OF)

    def domains(self) -> Sequence[Directory]:
        """Every domain there is: the one the switch serves, and those that are configured beside it."""
        return tuple(self._house.directories()) if self._house is not None else (self._lab.directory,)

    def adopt(self, directory: Directory, what: str) -> None:
        """Take what somebody has made of a domain."""
        if self._house is None:
            raise web.HTTPServiceUnavailable
        self._house.adopt(directory, what)

    def take_over(self, directory: Directory) -> None:
        """Note what an exchange has made of its domain."""
        if self._house is not None:
            self._house.take_over(directory)

    def directory(self, domain: str) -> Directory | None:
        return self._house.directory(domain) if self._house is not None else None

    async def close(self) -> None:
        if self._webhooks is not None:
            await self._webhooks.close()
        await self._poster.close()

    def _open(self) -> Server:
        if self._server is None:
            raise web.HTTPServiceUnavailable
        return self._server

    def _catalogue(self) -> Sequence[PhoneModel]:
        families = self._lab.provisioning.office.families.by_id.values()
        return [
            PhoneModel(family.vendor, model.model, family.id, model.lines or 1,
                       (model.lines or 1) if family.type == "ata" else 0, model.keys or 0)
            for family in families for model in family.models.values()
        ]  # fmt: skip

    def _failed(self, where: str, fault: Exception) -> None:
        self._lab.publish(ServerFault("api", "", f"{where[:200]}: {type(fault).__name__}: {fault}"))


def token(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def _derived(secret: bytes, use: bytes) -> bytes:
    return hmac.new(secret, b"switchroom " + use, hashlib.sha256).digest()


def _letters_of(secret: bytes, use: bytes) -> str:
    octets = b"".join(_derived(secret, use + bytes([part])) for part in range(2))
    return "".join(_LETTERS[octet % len(_LETTERS)] for octet in octets)[:RANDOM]
