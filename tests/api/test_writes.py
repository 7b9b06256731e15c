"""What a write does: it is judged by the domain's rules, kept whole, or refused with nothing of it done."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pbx.domain.destinations import ToUser
from tests.api.office import Office, opened, small_seed

USERS = "/domains/acme.lab/users"
ANA = {
    "user": "110", "name-first-name": "Ana", "name-last-name": "Roy", "email-address": "ana@acme.lab",
    "user-scope": "Basic User",
}  # fmt: skip
SYSTEM_USER = f"{USERS}/domain"
DAYS = ("20261225", "20261226", "20261228")


async def test_a_write_is_accepted_and_answered_with_the_object_when_that_is_asked_for(office: Office) -> None:
    assert await office.post(USERS, ANA) == {"code": 202, "message": "Accepted"}
    told = await office.post(USERS, {**ANA, "user": "111", "synchronous": "yes"})
    assert (told["user"], told["name-first-name"], told["domain"]) == ("111", "Ana", "acme.lab")


async def test_what_is_there_already_is_a_conflict(office: Office) -> None:
    told = await office.ask("POST", USERS, {**ANA, "user": "101"})
    assert (told.status, told.body["code"]) == (409, 409)


async def test_the_system_user_of_a_domain_is_read_and_no_more_and_is_none_of_its_people(office: Office) -> None:
    before = office.directory
    told = await office.get(SYSTEM_USER)
    assert (told["user"], told["user-scope"], told["service-code"][:7]) == ("domain", "No Portal", "system-")
    for verb, path, body in (
        ("POST", USERS, {**ANA, "user": "domain"}), ("PUT", SYSTEM_USER, {"name-first-name": "Bo"}),
        ("DELETE", SYSTEM_USER, None),
    ):  # fmt: skip
        refused = await office.ask(verb, path, body)
        assert (refused.status, "made with its domain" in refused.body["message"]) == (409, True)
    phone = await office.ask("POST", f"{SYSTEM_USER}/devices", {"device": "110"})
    assert (phone.status, phone.body["errors"][0]["field"]) == (400, "extension")
    assert office.directory is before
    people = [row["user"] for row in await office.get(f"{USERS}/list")]
    billed = await office.get("/domains/acme.lab/billing")
    assert ("domain" in people, billed["count-users"]) == (False, len(before.people()))


async def test_a_refusal_names_field_value_rule_and_remedy_and_nothing_is_done(office: Office) -> None:
    before = office.directory
    told = await office.ask("PUT", f"{USERS}/101", {"name-first-name": "Bo", "area-code": "12"})
    assert told.status == 400
    assert [error["field"] for error in told.body["errors"]] == ["area-code"]
    assert all(told.body["errors"][0][part] for part in ("value", "rule", "remedy"))
    assert office.directory is before


async def test_a_contradiction_within_the_domain_is_told_in_the_platforms_words(office: Office) -> None:
    told = await office.ask("PUT", f"{USERS}/101", {"emergency-address-id": "nowhere"})
    assert told.status == 400
    assert told.body["errors"][0]["field"] == "emergency-address-id"


async def test_what_is_sent_as_it_was_read_changes_nothing(office: Office) -> None:
    read = await office.get(f"{USERS}/101")
    before = office.directory.users_by_extension["101"]
    await office.put(f"{USERS}/101", read)
    assert office.directory.users_by_extension["101"] == before


NUMBERS = "/domains/acme.lab/phonenumbers"


async def test_the_header_a_number_adds_is_written_read_and_kept_while_its_target_changes(office: Office) -> None:
    door = {"phonenumber": "14165550151", "dial-rule-application": "to-user-add-header",
            "dial-rule-translation-destination-user": "101", "dial-rule-parameter": "X-Door: front"}  # fmt: skip
    await office.post(NUMBERS, door)
    await office.put(f"{NUMBERS}/14165550151", await office.get(f"{NUMBERS}/14165550151"))
    await office.put(f"{NUMBERS}/14165550151", {"dial-rule-translation-destination-user": "102"})
    read = await office.get(f"{NUMBERS}/14165550151")
    assert {**door, "dial-rule-translation-destination-user": "102"}.items() <= read.items()
    (route,) = office.directory.numbers_by_digits["14165550151"].routes
    assert route.to == ToUser(extension="102", header="X-Door: front")


@pytest.mark.parametrize(
    ("application", "header", "rule"),
    [
        ("to-user-add-header", "", "the header follows the target"),
        ("to-user-add-header", "Route: <sip:elsewhere>", "header"),
    ],
)
async def test_an_application_and_its_header_belong_together(
    office: Office, application: str, header: str, rule: str
) -> None:
    body = {"phonenumber": "14165550151", "dial-rule-application": application,
            "dial-rule-translation-destination-user": "101", "dial-rule-parameter": header}  # fmt: skip
    told = await office.ask("POST", NUMBERS, body)
    (error,) = told.body["errors"]
    assert (told.status, error["field"]) == (400, "dial-rule-parameter")
    assert rule in error["rule"]


async def test_a_field_nothing_here_acts_on_is_read_back_as_it_was_written(office: Office) -> None:
    await office.put(f"{USERS}/101", {"language-token": "fr_CA"})
    assert (await office.get(f"{USERS}/101"))["language-token"] == "fr_CA"


async def test_names_nobody_knows_are_told_and_do_no_harm(office: Office) -> None:
    told = await office.ask("PUT", f"{USERS}/101", {"name-first-name": "Bo", "shoe-size": 44})
    assert (told.status, told.headers["Switchroom-Ignored"]) == (202, "shoe-size")


async def test_whoever_has_seen_another_version_is_told_what_there_is_now(office: Office) -> None:
    first = await office.ask("GET", f"{USERS}/101")
    seen = {"if-match": first.headers["ETag"]}
    assert (await office.ask("PUT", f"{USERS}/101", {"name-first-name": "Bo"}, headers=seen)).status == 202
    told = await office.ask("PUT", f"{USERS}/101", {"name-first-name": "Cy"}, headers=seen)
    assert told.status == 412
    assert told.body["yours"] == {"name-first-name": "Cy"}
    assert told.body["theirs"]["name-first-name"] == "Bo"


async def test_what_others_refer_to_is_not_deleted(office: Office) -> None:
    queue = {"callqueue": "200", "callqueue-dispatch-type": "Ring All"}
    await office.post("/domains/acme.lab/callqueues", queue)
    await office.post("/domains/acme.lab/callqueues/200/agents", {"callqueue-agent-id": "101@acme.lab"})
    told = await office.ask("DELETE", f"{USERS}/101")
    assert told.status == 409
    assert any("queue 200" in reference for reference in told.body["needed_by"])
    await office.delete("/domains/acme.lab/callqueues/200/agents/101@acme.lab")
    await office.delete(f"{USERS}/101")
    assert (await office.ask("GET", f"{USERS}/101")).status == 404


async def test_half_a_character_is_refused_and_the_next_write_goes_on(office: Office) -> None:
    told = await office.ask("PUT", f"{USERS}/101", {"language-token": "\ud800"})
    assert told.status == 400
    await office.put(f"{USERS}/101", {"language-token": "fr_CA"})
    assert (await office.ask("GET", USERS, key="\udcff")).status == 401


async def test_what_cannot_be_kept_fails_whoever_asked_and_is_not_there(office: Office) -> None:
    other = office.directory.replaced(domain=office.directory.domain.model_copy(update={"name": "other.lab"}))
    await office.house.create(other)
    broken = other.domain.model_copy(update={"description": "\ud800"})
    async with asyncio.timeout(10):
        with pytest.raises(ValueError, match="surrogate"):
            await office.house.edit("other.lab", lambda now: now.replaced(domain=broken), "", lambda old, new: ())
    assert office.house.directory("other.lab") is other


async def test_a_key_that_makes_none_lifts_no_limit_of_its_own(office: Office) -> None:
    asked = {"description": "for machines alone", "domain": "acme.lab", "ip-address": "127.0.0.1"}
    key = (await office.post("/apikeys", asked))["key"]
    wider = {"can-create-keys": "yes", "ip-address": ""}
    assert (await office.ask("PUT", f"/apikeys/{key[:12]}", wider, key=key)).status == 403
    assert (await office.ask("PUT", "/apikeys/~", wider, key=key)).status == 403
    await office.delete("/apikeys/~", key=key)
    assert (await office.ask("GET", "/apikeys/~", key=key)).status == 401


async def test_what_two_write_at_once_is_both_kept(office: Office) -> None:
    ana = f"{USERS}/101"
    await asyncio.gather(
        office.put(ana, {"name-first-name": "Bo"}),
        office.post(f"{ana}/answerrules", {"time-frame": "*", "do-not-disturb": "yes"}),
        office.post(f"{ana}/number-filters", {"phone-numbers-to-reject": {"parameters": ["16135550199"]}}),
    )
    user = office.directory.users_by_extension["101"]
    assert (user.first_name, [(rule.do_not_disturb, rule.block) for rule in user.rules]) == (
        "Bo", [(True, ("16135550199",))],
    )  # fmt: skip


async def test_the_slower_of_two_who_add_to_a_time_frame_is_told(office: Office) -> None:
    frames = "/domains/acme.lab/timeframes"
    days = [{"timeframe-specific-dates-array": [{"timeframe-specific-dates-begin-date": day}]} for day in DAYS]
    await office.post(frames, {"timeframe-name": "closed", **days.pop(0)})
    told = await asyncio.gather(*(office.ask("POST", f"{frames}/closed", day) for day in days))
    assert [one.status for one in told] == [202, 412]
    await office.post(f"{frames}/closed", days[1])
    (frame,) = office.directory.time_frames
    assert [f"{period.start:%Y%m%d}" for period in frame.periods] == list(DAYS)


async def test_what_two_write_of_the_buttons_of_a_phone_is_both_kept(tmp_path: Path) -> None:
    office = opened(small_seed(phones=True), tmp_path)
    at, mac = "/domains/acme.lab/phoneconfiguration", office.directory.devices[0].mac
    button = {"phoneconfiguration-button-order": 2, "phoneconfiguration-button-feature": "blf"}
    await office.post(at, {"phoneconfiguration-mac-address": mac})
    told = await office.get(f"{at}/{mac}")
    assert told == {"phoneconfiguration-mac-address": mac, "phoneconfiguration-domain": "acme.lab"}, "the MAC is enough"
    await asyncio.gather(
        office.put(f"{at}/{mac}", {"phoneconfiguration-buttons": [button]}),
        office.put(f"{at}/{mac}", {"phoneconfiguration-description": "lobby"}),
    )
    told = await office.get(f"{at}/{mac}")
    assert (told["phoneconfiguration-buttons"], told["phoneconfiguration-description"]) == ([button], "lobby")
    assert office.directory.devices[0].settings == {"keys.2.type": "blf"}
