"""Subscribers are told what they asked for, signed, in order, and again when they did not take it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pbx.api.subscribing import TRIES
from pbx.api.webhooks import Webhooks
from pbx.domain.queues import AgentStatus
from tests.api.office import Office, opened, small_seed

UNDER = "/domains/acme.lab/subscriptions"
HOOK = {"post-url": "http://hook.test/ev"}


class Receiver:
    """Takes posts, or answers with what it was told to."""

    def __init__(self) -> None:
        self.got: list[tuple[str, Any, Mapping[str, str], bytes]] = []
        self.answers: list[int | OSError] = []

    async def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.got.append((url, json.loads(body), headers, body))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, OSError):
            raise answer
        return answer


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def office(tmp_path: Path, receiver: Receiver) -> Any:
    office = opened(small_seed(), tmp_path)
    hooks = Webhooks(office.house, receiver, back_off_s=(0.0,) * (TRIES - 1))
    office.house.delivered = lambda name: hooks.counts.get(name, (0, 0))
    office.house.proof = lambda name: f"proof of {name}"
    office.world.bus.subscribe(hooks.take)
    await office.post("/domains/acme.lab/callqueues", {"callqueue": "200"})
    await office.post("/domains/acme.lab/callqueues/200/agents", {"callqueue-agent-id": "101@acme.lab"})
    yield office
    await hooks.close()


def _lunch(office: Office, status: AgentStatus = AgentStatus.LUNCH) -> None:
    office.world.command_switch(lambda switch, now: switch.set_agent_status("101", status, now))


async def _posts(receiver: Receiver, number: int) -> None:
    async with asyncio.timeout(10):
        while len(receiver.got) < number:
            await asyncio.to_thread(lambda: None)


async def test_a_subscriber_is_told_of_its_model_alone(office: Office, receiver: Receiver) -> None:
    told = await office.post(UNDER, {**HOOK, "model": "agent"})
    assert (told["status"], told["domain"], told["user"]) == ("pending", "acme.lab", "*")
    _lunch(office)
    await office.put("/domains/acme.lab/users/102", {"name-first-name": "Bo"})
    await _posts(receiver, 1)
    ((url, rows, _, _),) = receiver.got
    assert url == HOOK["post-url"]
    assert (rows[0]["callqueue"], rows[0]["status"]) == ("200", "lunch")
    assert (await office.get(f"{UNDER}/{told['id']}"))["status"] == "active"


async def test_a_post_is_proved_by_its_signature(office: Office, receiver: Receiver) -> None:
    told = await office.post(UNDER, {**HOOK, "model": "agent"})
    _lunch(office)
    await _posts(receiver, 1)
    _, _, headers, body = receiver.got[0]
    proof = hmac.new(
        told["secret"].encode(), headers["Switchroom-Timestamp"].encode() + b"." + body, hashlib.sha256
    ).hexdigest()
    assert headers["Switchroom-Signature"] == f"sha256={proof}"


async def test_what_was_not_taken_is_posted_again_before_what_came_later(office: Office, receiver: Receiver) -> None:
    receiver.answers = [500, ConnectionRefusedError("refused")]
    await office.post(UNDER, {**HOOK, "model": "agent"})
    _lunch(office)
    _lunch(office, AgentStatus.AVAILABLE)
    await _posts(receiver, 4)
    assert [rows[0]["status"] for _, rows, _, _ in receiver.got] == ["lunch", "lunch", "lunch", "available"]
    assert [headers["Switchroom-Try"] for _, _, headers, _ in receiver.got] == ["1", "2", "3", "1"]


async def test_one_that_never_takes_anything_is_in_error(office: Office, receiver: Receiver) -> None:
    receiver.answers = [404] * TRIES
    told = await office.post(UNDER, {**HOOK, "model": "agent"})
    _lunch(office)
    await _posts(receiver, TRIES)
    now = await office.get(f"{UNDER}/{told['id']}")
    assert (now["status"], now["error-count"], now["posts-count"]) == ("error", TRIES, 0)


async def test_one_about_a_user_is_told_of_nobody_else(office: Office, receiver: Receiver) -> None:
    await office.post(UNDER, {**HOOK, "model": "agent", "user": "102"})
    await office.post("/domains/acme.lab/callqueues/200/agents", {"callqueue-agent-id": "102@acme.lab"})
    _lunch(office)
    office.world.command_switch(lambda switch, now: switch.set_agent_status("102", AgentStatus.BREAK, now))
    await _posts(receiver, 1)
    assert [rows[0]["callqueue-agent-id"] for _, rows, _, _ in receiver.got] == ["102@acme.lab"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", "weather"),
        ("post-url", "ftp://hook.test"),
        ("post-url", "http://["),
        ("user", "999"),
        ("domain", "nowhere"),
    ],
)
async def test_what_cannot_be_told_is_refused(office: Office, field: str, value: str) -> None:
    told = await office.ask("POST", "/subscriptions", {**HOOK, "model": "agent", "domain": "acme.lab", field: value})
    assert (told.status, told.body["errors"][0]["field"]) == (400, field)


async def test_one_of_another_reseller_is_told_nothing_of_this_ones_domain(office: Office, receiver: Receiver) -> None:
    for reseller in ("another", office.directory.reseller.name):
        url = f"http://hook.test/{reseller or 'own'}"
        await office.post("/subscriptions", {"model": "agent", "post-url": url, "domain": "*", "reseller": reseller})
    _lunch(office)
    await _posts(receiver, 1)
    assert not [url for url, *_ in receiver.got if url.endswith("another")]


async def test_one_ends_now_at_the_earliest_and_with_a_token_tomorrow_at_the_latest(office: Office) -> None:
    row = {**HOOK, "model": "agent", "subscription-expires-datetime": "0001-01-01T00:00:00+14:00"}
    made = await office.post(UNDER, row)
    assert made["subscription-expires-datetime"] == f"{office.world.now.wall:%Y-%m-%d %H:%M:%S}"
    token = office.identities.desk.issue("token", "acme.lab", "101")
    office.world.apply(office.directory.with_user(
        office.directory.users_by_extension["101"].model_copy(update={"scope": "Office Manager"})), "")  # fmt: skip
    await office.put(f"{UNDER}/{made['id']}", {"subscription-expires-datetime": "2099-01-01 00:00:00"}, key=token)
    (told,) = await office.get(UNDER)
    assert told["subscription-expires-datetime"] == f"{office.world.now.wall + timedelta(days=1):%Y-%m-%d %H:%M:%S}"


async def test_who_has_unsubscribed_is_told_nothing(office: Office, receiver: Receiver) -> None:
    told = await office.post(UNDER, {**HOOK, "model": "agent"})
    await office.delete(f"{UNDER}/{told['id']}")
    _lunch(office)
    await asyncio.to_thread(lambda: None)
    assert receiver.got == []
