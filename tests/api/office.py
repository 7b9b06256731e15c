"""An office of the virtual world behind the API, asked without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from lab.api.ns_house import ApiHouse, Reach
from lab.rehearsal import virtual_world
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.world import World
from pbx.accounts.desk import AccountDesk
from pbx.api.answers import Answer
from pbx.api.identity import Identities, key_text
from pbx.api.server import Request, Routes, Server, all_routes
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User
from pbx.store.memory import MemoryStore

BOOTSTRAP = key_text("nss_", "lab" * 16)
ROUTES: Routes = all_routes()


@dataclass
class Told:
    """What was answered."""

    status: int
    body: Any
    headers: Mapping[str, str]


@dataclass
class Office:
    """The house, its server, and who asks."""

    world: World
    house: ApiHouse
    identities: Identities
    server: Server
    faults: list[str] = field(default_factory=list)

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str = BOOTSTRAP,
        headers: Mapping[str, str] | None = None, address: str = "127.0.0.1", form: Mapping[str, Any] | None = None,
    ) -> Told:  # fmt: skip
        where, _, query = path.partition("?")
        asked = Request(
            method, where, dict(part.partition("=")[::2] for part in query.split("&") if part),
            {"authorization": f"Bearer {key}", **(headers or {})} if key else dict(headers or {}),
            json.dumps(body).encode() if body is not None else b"", address, form,
        )  # fmt: skip
        answer: Answer = await self.server.answer(asked)
        json.dumps(answer.body if answer.kind == "application/json" else None)  # whatever is told can be written down
        return Told(answer.status, answer.body, answer.headers)

    async def get(self, path: str, **more: Any) -> Any:
        told = await self.ask("GET", path, **more)
        assert told.status == 200, (path, told)
        return told.body

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        told = await self.ask("POST", path, body, **more)
        assert told.status in (200, 202), (path, told)
        return told.body

    async def put(self, path: str, body: Any, **more: Any) -> Any:
        told = await self.ask("PUT", path, body, **more)
        assert told.status in (200, 202), (path, told)
        return told.body

    async def delete(self, path: str, body: Any = None, **more: Any) -> Any:
        told = await self.ask("DELETE", path, body, **more)
        assert told.status in (200, 202), (path, told)
        return told.body

    @property
    def store(self) -> MemoryStore:
        store = self.house.store
        assert isinstance(store, MemoryStore)
        return store

    @property
    def directory(self) -> Directory:
        return self.world.directory


def small_seed(users: int = 3, *, phones: bool = False) -> Seed:
    """Return a domain with some users, a device each, and nothing else; with `phones` each is a box to plug in."""
    people = tuple(User(extension=f"{101 + n}", first_name=f"User{n}", last_name="Roy") for n in range(users))
    box = {"family": "yealink/t4x_t5x", "model": "T54W"} if phones else {}
    devices = tuple(
        Device(
            id=user.extension, extension=user.extension, password=SecretStr(f"secret {user.extension}"),
            mac=f"805ec000{user.extension:0>4}" if phones else None, **box,
        )
        for user in people
    )  # fmt: skip
    document = {"domain": {"name": "acme.lab", "caller_id": "14165550100"}, "users": people, "devices": devices}
    return Seed(Directory.model_validate(document), LabSeed())


def opened(seed: Seed, tmp_path: Path, **more: Any) -> Office:
    world = virtual_world(seed, 7)
    numbers = count()
    store = world.history
    faults: list[str] = []

    def token(length: int) -> str:
        return f"{next(numbers):x}tokenTOKEN0123456789abcdefghijklmnopqrstuvwxyzXYZ"[:length].ljust(length, "q")

    house = ApiHouse(Reach(
        directory=lambda: world.directory, apply=world.apply, store=lambda: store, switch=lambda: world.switch,
        command=world.command_switch, now=lambda: world.now, token=token, bus=world.bus,
        recordings=lambda: tmp_path, trace=lambda call: (), **{"catalogue": lambda: (), **more},
    ))  # fmt: skip
    house.recall()
    desk = AccountDesk(lambda: store, house.directories, lambda: token(40), lambda: world.now.wall.timestamp())
    identities = Identities(
        desk, lambda: store, house.directories, token, lambda: world.now.wall.timestamp(), b"signs" * 8, BOOTSTRAP
    )

    def failed(where: str, fault: Exception) -> None:
        faults.append(f"{where}: {fault!r}")
        raise fault

    return Office(world, house, identities, Server(house, identities, failed, ROUTES), faults)
