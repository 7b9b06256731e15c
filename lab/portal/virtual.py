"""The portal and the API of a virtual world: the same pages and routes, over connections in memory.

What a browser asks is answered at once by the real HTTP server, and arrives a moment of the world later. The server has
a loop of its own in a thread of its own, for which the world waits: whoever runs a plan may have a loop already. Its
clock is the world's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from email.parser import BytesParser
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from aiohttp import web

from lab.api.ns_house import ApiHouse, Reach
from lab.api.onboarding import OnboardingApi
from lab.api.onboarding_users import OnboardingUsers
from lab.browser import Answered, Asked
from lab.console.app import Console
from lab.console.readers import Readers
from lab.console.views import (
    BoxesPage,
    BoxPage,
    CallPage,
    CallRow,
    ClockView,
    Handset,
    Health,
    PhoneCard,
    Request,
    RunView,
)
from lab.onboarding.desk import OnboardingDesk
from lab.phones.face import cards
from lab.portal.floor_plan import lay_out
from lab.portal.gate import ACTOR, Gate
from lab.portal.ledger import Ledger
from lab.portal.over_lab import Invitations, LabHouse
from lab.portal.virtual_onboarding import VirtualOnboarding
from lab.world import World
from pbx.accounts.desk import AccountDesk, forget_strangers
from pbx.api.http import Http
from pbx.api.identity import Identities
from pbx.api.server import Server, all_routes
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User
from pbx.events import ServerFault
from pbx.store.protocol import Store

T = TypeVar("T")
HOST = "127.0.0.1"
"""The name the console answers to, and the address everybody comes from: a lab's own machine."""
CARRIED_S = 0.01
"""How long an answer takes."""
_MOST_S = 30.0


class VirtualPortal:
    """Opens when it is first asked; `close` ends its loop and its thread, and whoever asks then opens it anew."""

    def __init__(self, world: World, store: Callable[[], Store], token: Callable[[int], str]) -> None:
        self._world, self._store, self._token = world, store, token
        self._open: _Open | None = None
        self.ahead_s = 0.0
        """How far the clock of its doors is ahead of the world's: links and sessions are older by that."""

    def carry(self, asked: Asked, answered: Callable[[Answered], None]) -> None:
        if self._open is None:
            self._open = _Open(_application(self._world, self._store, self._token, self._at))
        come = self._open.answer(asked)
        self._world.clockwork.later(CARRIED_S, lambda: answered(come))

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None

    def _at(self) -> float:
        return self._world.now.wall.timestamp() + self.ahead_s


class _Open:
    """A server and the loop it runs on."""

    def __init__(self, app: web.Application) -> None:
        self._thread = ThreadPoolExecutor(1, "portal")
        self._loop = asyncio.new_event_loop()
        self._runner = web.AppRunner(app, access_log=None)
        self._run(self._runner.setup())

    def answer(self, asked: Asked) -> Answered:
        return self._run(self._answer(asked))

    def close(self) -> None:
        self._run(self._runner.cleanup())
        self._run(self._loop.shutdown_default_executor())
        self._loop.close()
        self._thread.shutdown()

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self._thread.submit(self._loop.run_until_complete, coroutine).result()

    async def _answer(self, asked: Asked) -> Answered:
        assert self._runner.server is not None
        protocol, connection = self._runner.server(), _Connection()
        protocol.connection_made(connection)
        protocol.data_received(_written(asked))
        async with asyncio.timeout(_MOST_S):
            await connection.over.wait()
        protocol.connection_lost(None)
        head, _, body = bytes(connection.said).partition(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        headers = BytesParser().parsebytes(rest, headersonly=True)
        cookies = tuple(headers.get_all("Set-Cookie", ()))
        return Answered(int(first.split()[1]), headers.get("Location", ""), cookies, body)


class _Connection(asyncio.Transport):
    """The server's end of a connection in memory: it keeps what is said until it is closed."""

    def __init__(self) -> None:
        super().__init__({"peername": (HOST, 0)})
        self.said = bytearray()
        self.over = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.said += data

    def is_closing(self) -> bool:
        return self.over.is_set()

    def close(self) -> None:
        self.over.set()

    def abort(self) -> None:
        self.over.set()

    def pause_reading(self) -> None:
        """Everything has been said."""

    def resume_reading(self) -> None:
        """Everything has been said."""


def _written(asked: Asked) -> bytes:
    headers = {"Host": HOST, "Connection": "close", **asked.headers, "Content-Length": str(len(asked.body))}
    lines = [f"{asked.method} {asked.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + asked.body


def _application(
    world: World, store: Callable[[], Store], token: Callable[[int], str], at: Callable[[], float]
) -> web.Application:
    """Return the application of the portal and of `/ns-api/v2`, composed as a lab on sockets composes them."""

    def failed(where: str, fault: Exception) -> None:
        world.publish(ServerFault("api", "", f"{where[:200]}: {type(fault).__name__}: {fault}"))

    def apply(directory: Directory, what: str) -> None:
        forget_strangers(store(), world.directory, directory)
        world.apply(directory, what)

    api = ApiHouse(Reach(
        directory=lambda: world.directory, apply=apply, store=store, switch=lambda: world.switch,
        command=world.command_switch, now=lambda: world.now, token=token, bus=world.bus,
        recordings=lambda: Path("recordings"), catalogue=lambda: (), trace=lambda call: (),
    ))  # fmt: skip
    api.recall()
    domains = lambda: tuple(api.directories())  # noqa: E731 - asked in three places
    house = LabHouse(world, store, domains)
    accounts = AccountDesk(store, domains, lambda: token(40), at)
    gate = Gate(accounts, domains, lambda: world.directory.domain.name, lab=True)
    console = Console(_Source(world), reader=Readers(gate, lambda: world.directory))
    invitations = Invitations(world, accounts, f"http://{HOST}")
    ledger = Ledger(store, api.adopt, lambda: token(16), at, house.durable)

    async def invite(request: web.Request, directory: Directory, user: User) -> str:
        return invitations.send(request[ACTOR].name, directory, user)

    lay_out(console, gate, ledger, house, invite)
    identities = Identities(accounts, store, api.directories, token, at, token(64).encode())
    server = Server(api, identities, failed, all_routes())
    Http(lambda: server).route(console.app)
    desk = OnboardingDesk(VirtualOnboarding(world, api, token, f"http://{HOST}"))
    accounts.closed = desk.closed
    OnboardingApi(lambda: desk, gate.reseller_to_be).route(console.app)
    OnboardingUsers(lambda: desk).route(console.app)
    return console.app


class _Source:
    """What a console of a virtual world shows beside the portal: its phones. Nothing is kept of calls and runs."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def domain(self) -> str:
        return self._world.directory.domain.name

    def phones(self) -> Sequence[PhoneCard]:
        return [card for phone in self._world.phones for card in cards(phone, self._world.now)]

    def handset(self, device: str) -> Handset | None:
        return None

    def press(self, device: str, button: str, argument: str) -> str:
        return "phones of a virtual world are pressed by plans alone"

    def calls(self) -> Sequence[CallRow]:
        return ()

    def call(self, call: str) -> CallPage | None:
        return None

    def boxes(self, words: str, standing: str) -> BoxesPage:
        return BoxesPage(0, ())

    def box(self, mac: str) -> BoxPage | None:
        return None

    def runs(self) -> Sequence[RunView]:
        return ()

    def run(self, run: str) -> RunView | None:
        return None

    def report(self, run: str) -> str | None:
        return None

    def evidence(self, run: str, case: str, name: str) -> Path | None:
        return None

    def requests(self) -> Sequence[Request]:
        return ()

    def answer(self, number: int, answer: str, by: str) -> str:
        return "Nobody is asked anything here."

    def health(self) -> Health:
        return Health(self._world.alive, {"sip": self._world.alive})

    def clock(self) -> ClockView:
        local = self._world.now.wall.astimezone(ZoneInfo(self._world.directory.domain.time_zone))
        return ClockView(f"{local:%a %d %b %Y %H:%M %Z}", f"{local:%a %H:%M}")
