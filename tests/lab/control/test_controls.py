"""Commands under way: each is given once, its outcome is that of whoever gave it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer

from lab.control.caller import Address
from lab.control.controls import DRIVERS, Controls
from lab.errors import UserError
from lab.supervisor import Supervisor
from pbx.clock import moment_at
from pbx.events import PhoneSaid, Stamped
from tests.lab.control import emulations
from tests.test_plans.toy_office import EPOCH

DRIVER = DRIVERS["baresip"]


@pytest.fixture
async def pressed() -> AsyncIterator[tuple[Controls, list[str]]]:
    """The controls of one softphone, and the buttons it felt."""
    felt: list[str] = []
    server = TestServer(emulations.baresip(lambda action, argument: felt.append(f"{action} {argument}".strip())))
    await server.start_server()
    supervisor = Supervisor(lambda name, fault: felt.append(f"{name}: {fault}"))
    url = str(server.make_url("")).rstrip("/")
    yield Controls(supervisor, lambda device: Address(url), {}), felt
    await supervisor.close()
    await server.close()


async def done(controls: Controls, action: str, argument: str = "") -> None:
    async with asyncio.timeout(10):
        while not controls.do("231", DRIVER, action, argument):
            await asyncio.wait([asyncio.get_running_loop().create_task(_turn())])


async def _turn() -> None:
    """Let the loop go round once."""


async def test_a_button_is_pressed_once_however_often_it_is_asked_after(pressed):
    controls, felt = pressed
    await done(controls, "dial", "102")
    await done(controls, "dial", "103")
    assert felt == ["dial 102", "dial 103"]


async def test_what_became_of_a_command_nobody_asks_after_is_no_news_to_the_next(pressed):
    controls, felt = pressed
    assert not controls.do("231", DRIVER, "hangup", "")  # the case was over before the phone had answered
    await done(controls, "dial", "102")
    await done(controls, "hangup")
    assert felt[-2:] == ["dial 102", "hangup"]


def test_what_a_phone_says_that_it_hears_is_kept_for_plans():
    controls = Controls(Supervisor(lambda name, fault: None), lambda device: None, {})
    at = moment_at(7.0, EPOCH)
    for seq, (what, sound) in enumerate([("ringing", "102"), ("hears", "prompt:digit-1")]):
        controls.take(Stamped(seq, at, PhoneSaid("02b0b0000231", "231", what, "", sound)))
    assert [(heard.at, heard.sound) for heard in controls.heard("231")] == [(at.mono, "prompt:digit-1")]
    assert controls.heard("232") == []


def test_a_driver_there_is_not_is_refused_by_name():
    controls = Controls(Supervisor(lambda name, fault: None), lambda device: None, {})
    with pytest.raises(UserError, match="there is no driver 'nokia'"):
        controls.name("231", "nokia")
