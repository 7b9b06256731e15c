"""Whatever is sent to an address that is described: the answer is one of those described (`make soak`)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lab.api.described import lab_description, platform_description
from lab.lab_settings import LabSettings
from lab.office import Office as LabOffice
from lab.seeds.load import load_seed
from pbx.api.http import Http
from tests.api.furnished import NAMES, furnished_office
from tests.api.office import BOOTSTRAP, ROUTES

pytestmark = pytest.mark.soak
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def _of_the_office() -> dict[str, Any]:
    """The description with names that are there: with any others nearly everything would be 404."""
    document = platform_description(ROUTES)
    for verbs in document["paths"].values():
        for operation in verbs.values():
            for parameter in operation["parameters"]:
                name, known = parameter["name"], NAMES["*"].get(parameter["name"])
                if parameter["in"] == "path" and known:
                    parameter["schema"] = {"type": "string", "enum": [unquote(known)]}
                if name in ("datetime-start", "datetime-end"):
                    parameter["schema"] = {"type": "string", "enum": ["2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"]}
    return document


LAB = schemathesis.openapi.from_dict(lab_description())
PLATFORM = schemathesis.openapi.from_dict(_of_the_office())
_CALM = settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


class Loop:
    """An event loop in a thread of its own: schemathesis waits for its answers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="module")
def platform(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    office = furnished_office(tmp_path_factory.mktemp("fuzzed"))
    app = web.Application()
    Http(lambda: office.server).route(app)
    runner = web.AppRunner(app)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}/ns-api/v2"

    yield loop.run(start())
    loop.run(runner.cleanup())
    assert office.faults == []


@pytest.fixture(scope="module")
def lab(loop: Loop) -> Iterator[str]:
    office = LabOffice(load_seed(), LabSettings(phones=False))
    loop.run(office.__aenter__())
    yield office.console_url
    loop.run(office.__aexit__(None, None, None))


@PLATFORM.parametrize()
@_CALM
def test_the_platforms_interface(case: Any, platform: str) -> None:
    _validated(case, platform)


@LAB.include(path_regex="^(?!.*/(events|trace)$)").parametrize()
@_CALM
def test_the_labs_interface(case: Any, lab: str) -> None:
    _validated(case, lab)


def _validated(case: Any, url: str) -> None:
    response = case.call(base_url=url, headers={"Authorization": f"Bearer {BOOTSTRAP}"}, timeout=20)
    case.validate_response(response, checks=CHECKS)
