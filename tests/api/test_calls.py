"""Live calls by somebody who is at no phone: placed, read, held, transferred, refused, ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.phones.calls import CallState
from pbx.events import SipRequest
from tests.api.office import Office, opened, small_seed

OF_101, OF_102 = "/domains/acme.lab/users/101/calls", "/domains/acme.lab/users/102/calls"
PERIOD = "datetime-start=2026-01-01T00:00:00Z&datetime-end=2027-01-01T00:00:00Z"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    office = opened(small_seed(phones=True), tmp_path)
    assert office.world.boot_all()
    return office


def _answer(office: Office, device: str) -> None:
    line = office.world.line(device)
    assert office.world.run(5, lambda: line.call is not None and line.call.state is CallState.INCOMING), device
    office.world.press(office.world.phone(device), lambda: line.answer(office.world.now.mono))
    office.world.run(0.5)


async def _placed(office: Office, **more: Any) -> dict[str, Any]:
    """A call of 101 to 102 that is up."""
    body = {"synchronous": "yes", "call-id": "t-0001", "call-term-user": "102", **more}
    told: dict[str, Any] = await office.post(OF_101, body)
    _answer(office, "101")
    _answer(office, "102")
    return told


def _state(office: Office, device: str) -> CallState | None:
    call = office.world.line(device).call
    return call.state if call is not None and call.state is not CallState.ENDED else None


async def test_the_callers_phone_rings_first_then_the_other_side_is_called(office: Office) -> None:
    told = await _placed(office)
    assert told["call-id"] == "t-0001"
    assert (_state(office, "101"), _state(office, "102")) == (CallState.UP, CallState.UP)
    (call,) = await office.get("/domains/acme.lab/calls")
    assert (call["call-orig-user"], call["call-term-user"], call["call-dialed-number"]) == ("101", "102", "102")
    assert await office.get("/domains/acme.lab/calls/count") == {"total": 1}
    assert (await office.get(f"{OF_101}/t-0001"))["call-session-id"] == call["call-session-id"]


async def test_a_field_that_is_no_yes_or_no_is_refused_by_name(office: Office) -> None:
    body = {"call-id": "t-0002", "call-term-user": "102", "auto-answer-enabled": "maybe"}
    told = await office.ask("POST", OF_101, body)
    assert told.status == 400
    (fault,) = told.body["errors"]
    assert (fault["field"], fault["value"]) == ("auto-answer-enabled", "maybe")


async def test_a_call_is_ended_and_its_record_is_read(office: Office) -> None:
    await _placed(office)
    office.world.run(3)
    await office.delete(f"{OF_101}/t-0001")
    office.world.run(1)
    assert await office.get("/domains/acme.lab/calls") == []
    (record,) = await office.get(f"/domains/acme.lab/cdrs?{PERIOD}")
    assert (record["call-orig-from-user"], record["call-term-user"]) == ("101", "102")
    assert record["call-talking-duration-seconds"] >= 3
    (own,) = await office.get(f"/domains/acme.lab/users/101/cdrs?{PERIOD}")
    assert (own["type"], own["number"]) == (1, "102")
    assert (await office.get(f"/domains/acme.lab/cdrs/count?{PERIOD}"))["total"] == 1


async def test_the_other_party_is_transferred_and_the_transferor_leaves(office: Office) -> None:
    await _placed(office)
    told = await office.ask("PATCH", f"{OF_101}/t-0001/transfer", {"call-term-user": "103"})
    assert told.status == 202
    _answer(office, "103")
    assert (_state(office, "102"), _state(office, "103")) == (CallState.UP, CallState.UP)
    assert _state(office, "101") is None


async def test_a_transfer_to_nobody_is_refused_and_the_call_goes_on(office: Office) -> None:
    await _placed(office)
    told = await office.ask("PATCH", f"{OF_101}/t-0001/transfer", {"call-term-user": "999"})
    assert told.status == 409
    assert (_state(office, "101"), _state(office, "102")) == (CallState.UP, CallState.UP)


async def test_two_calls_of_one_user_are_joined(office: Office) -> None:
    await _placed(office)
    await office.ask("PATCH", f"{OF_101}/t-0001/hold")
    line = office.world.line("101")
    office.world.press(office.world.phone("101"), lambda: line.dial("103", office.world.now.mono))
    _answer(office, "103")
    second = next(call for call in await office.get(OF_101) if call["call-term-user"] == "103")
    joined = {"call-destination-session-id": second["call-session-id"], "hostname": "switchroom"}
    assert (await office.ask("PATCH", f"{OF_101}/t-0001/transfer", joined)).status == 202
    office.world.run(1)
    (call,) = await office.get("/domains/acme.lab/calls")
    assert {call["call-orig-user"], call["call-term-user"]} == {"102", "103"}


async def test_hold_plays_music_to_the_other_side_until_it_is_taken_back(office: Office) -> None:
    await _placed(office)
    assert (await office.ask("PATCH", f"{OF_101}/t-0001/hold")).status == 202
    call = next(iter(office.world.switch.calls()))
    other = next(leg for leg in call.legs.values() if leg.extension == "102")
    assert other.sound is not None
    assert other.sound[0].label.startswith("moh:")
    assert (await office.ask("PATCH", f"{OF_101}/t-0001/unhold")).status == 202
    assert other.sound is None


async def test_a_call_that_rings_is_refused_for_its_owner(office: Office) -> None:
    line = office.world.line("101")
    office.world.press(office.world.phone("101"), lambda: line.dial("102", office.world.now.mono))
    office.world.run(1)
    (call,) = await office.get(OF_102)
    await office.delete(f"{OF_102}/{call['call-session-id']}/reject")
    office.world.run(1)
    assert _state(office, "102") is None


async def test_nobody_is_called_for_whom_no_phone_is_registered(office: Office) -> None:
    await office.post("/domains/acme.lab/users", {
        "user": "110", "name-first-name": "Ana", "name-last-name": "", "email-address": "a@acme.lab",
        "user-scope": "Basic User",
    })  # fmt: skip
    told = await office.ask("POST", "/domains/acme.lab/users/110/calls", {"call-term-user": "102"})
    assert (told.status, "registered" in told.body["message"]) == (409, True)
    told = await office.ask("POST", OF_101, {"call-term-user": "102", "call-orig-user": "102"})
    assert told.body["errors"][0]["field"] == "call-orig-user"


async def test_a_phone_that_rings_is_asked_to_answer(office: Office) -> None:
    line = office.world.line("101")
    office.world.press(office.world.phone("101"), lambda: line.dial("102", office.world.now.mono))
    office.world.run(1)
    (call,) = await office.get(OF_102)
    assert (await office.ask("PATCH", f"{OF_102}/{call['call-session-id']}/answer")).status == 202
    sent = [stamped.event for stamped in office.world.bus.since(0) if isinstance(stamped.event, SipRequest)]
    assert any(event.method == "NOTIFY" and "Event: talk" in event.text for event in sent if event.device == "102")
    assert (await office.ask("PATCH", f"{OF_101}/{call['call-session-id']}/answer")).status == 409
