"""The requests existing clients make, in their order and their manner, written down as our own and replayed.

What each was looked at for: netsapiens-asyncio logs in with JSON and places calls; netsapiens-loadgenerator builds
whole domains with an API key, numbers as numbers, and updates what answers 409; the n8n node logs in by the address;
the MCP server reads everything, logs agents in by POST and asks for records by the former names of the period.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.phones.calls import CallState
from tests.api.office import BOOTSTRAP, Office, opened, small_seed

PASSWORD = "correct horse battery"
LOGIN = {"client_id": "test", "client_secret": "test", "username": "101@acme.lab", "password": PASSWORD}


async def _office(tmp_path: Path, *, phones: bool = False) -> Office:
    office = opened(small_seed(phones=phones), tmp_path)
    await office.put("/domains/acme.lab/users/101", {"user-scope": "Office Manager"})
    await office.identities.desk.set_password("acme.lab", "101", PASSWORD)
    if phones:
        assert office.world.boot_all()
    return office


def _answered(office: Office, device: str) -> None:
    line = office.world.line(device)
    assert office.world.run(5, lambda: line.call is not None and line.call.state is CallState.INCOMING)
    office.world.press(office.world.phone(device), lambda: line.answer(office.world.now.mono))
    office.world.run(0.5)


async def test_a_program_logs_in_reads_and_places_calls_and_subscribes(tmp_path: Path) -> None:
    """As netsapiens-asyncio: a token by JSON, renewed; calls of a domain and of a user; one placed; a subscription."""
    office = await _office(tmp_path, phones=True)
    token = await office.post("/tokens", {"grant_type": "password", **LOGIN}, key="")
    assert {"access_token", "refresh_token", "expires_in", "scope", "domain", "user"} <= token.keys()
    renewal = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"], "client_id": "test"}
    key = (await office.post("/tokens", renewal, key=""))["access_token"]
    assert await office.get("/domains/acme.lab/calls", key=key) == []
    assert await office.get("/domains/acme.lab/calls/count", key=key) == {"total": 0}
    call = {
        "synchronous": "no", "call-id": "nsaio1", "dial-rule-application": "call", "call-term-user": "102",
        "call-orig-user": "101@acme.lab", "auto-answer-enabled": "no",
    }  # fmt: skip
    assert (await office.post("/domains/acme.lab/users/101/calls", call, key=key))["call-id"] == "nsaio1"
    _answered(office, "101")
    _answered(office, "102")
    (live,) = await office.get("/domains/acme.lab/calls", key=key)
    assert live["call-term-user"] == "102"
    assert (await office.get("/domains/acme.lab/users/101/calls/nsaio1", key=key))["call-orig-call-id"] == "nsaio1"
    await office.delete("/domains/acme.lab/users/101/calls/nsaio1", key=key)
    hook = {"model": "call", "post-url": "https://hook.test/ev", "domain": "acme.lab", "user": "*",
            "subscription-geo-support": "yes"}  # fmt: skip
    made = await office.post("/subscriptions", hook, key=key)
    await office.put(f"/subscriptions/{made['id']}", {"error-count": "0", "posts-count": "0"}, key=key)
    assert [row["id"] for row in await office.get("/subscriptions", key=key)] == [made["id"]]
    await office.delete(f"/subscriptions/{made['id']}", {"subscription_id": made["id"]}, key=key)


async def test_a_generator_builds_a_whole_domain(tmp_path: Path) -> None:
    """As netsapiens-loadgenerator: extensions as numbers, a site named first by a user, a queue before its user."""
    office, domain = await _office(tmp_path), "/domains/maple_syrup_co"
    await office.post("/domains", {
        "synchronous": "yes", "domain": "maple_syrup_co", "description": "Maple Syrup Co",
        "recording-configuration": "no", "language-token": "en_US", "reseller": "north", "area-code": 613,
        "caller-id-name": "Maple Syrup Co",
        "caller-id-number": "6135550100", "caller-id-number-emergency": "6135550100", "time-zone": "US/Eastern",
        "voicemail-enabled": "yes", "domain-type": "Standard", "dial-policy": "US and Canada",
    })  # fmt: skip
    configuration = {"reseller": "*", "user": "*", "user-scope": "*", "core-server": "*", "domain": "maple_syrup_co",
                     "config-name": "PORTAL_DEVICE_NDP_SERVER", "config-value": "core1"}  # fmt: skip
    await office.post("/configurations", configuration)
    assert (await office.ask("POST", "/configurations", configuration)).status == 409
    await office.put("/configurations", configuration)
    for user in range(1000, 1004):
        person = {
            "domain": "maple_syrup_co", "user": user, "name-first-name": "Zoe", "name-last-name": f"Roy {user}",
            "email-address": f"{user}@maple_syrup_co.com",
            "user-scope": "Office Manager" if user == 1000 else "Basic User",
            "site": "Ottawa", "department": "Sales", "synchronous": "yes", "recording-configuration": "yes",
        }  # fmt: skip
        await office.post(f"{domain}/users", person)
        device = {"domain": "maple_syrup_co", "user": user, "device": user, "displayName": "Zoe",
                  "device-sip-registration-password": "0123456789ab"}  # fmt: skip
        await office.post(f"{domain}/users/{user}/devices", device)
    assert (await office.ask("POST", f"{domain}/users", person)).status == 409
    await office.put(f"{domain}/users/1003", person)
    mac = {"domain": "maple_syrup_co", "device1": "sip:1000@maple_syrup_co", "server": "core1", "model": "Yealink T54W",
           "device-provisioning-mac-address": "3f0a9c11de02"}  # fmt: skip
    await office.post(f"{domain}/phones", mac)
    queue = {"domain": "maple_syrup_co", "callqueue": 4000, "description": "Sales", "synchronous": "yes",
             "callqueue-agent-dispatch-timeout-seconds": 30, "callqueue-dispatch-type": "round-robin",
             "callqueue-calculate-statistics": "yes"}  # fmt: skip
    await office.post(f"{domain}/callqueues", queue)
    companion = {"domain": "maple_syrup_co", "user": 4000, "name-first-name": "Sales", "name-last-name": "Queue",
                 "email-address": "4000@maple_syrup_co.com", "service-code": "system-queue", "user-scope": "No Portal",
                 "ring-no-answer-timeout-seconds": 120, "synchronous": "yes"}  # fmt: skip
    await office.post(f"{domain}/users", companion)
    number = {"domain": "maple_syrup_co", "phonenumber": "16135551000", "dial-rule-description": "DID for Sales",
              "dial-rule-application": "to-callqueue", "dial-rule-translation-destination-user": 4000,
              "dial-rule-translation-destination-host": "maple_syrup_co", "time_zone": "US/Eastern"}  # fmt: skip
    await office.post(f"{domain}/phonenumbers", number)
    assert (await office.ask("POST", f"{domain}/phonenumbers", number)).status == 409
    await office.put(f"{domain}/phonenumbers/16135551000", number)
    agent = {"domain": "maple_syrup_co", "callqueue-agent-id": "1001@maple_syrup_co", "callqueue": 4000,
             "callqueue-agent-priority": "1"}  # fmt: skip
    await office.post(f"{domain}/callqueues/4000/agents", agent)
    made = office.house.directory("maple_syrup_co")
    assert made is not None
    assert [user.extension for user in made.users] == ["1000", "1001", "1002", "1003"]
    assert made.queues[0].strategy == "round_robin"
    assert made.queues[0].agents[0].priority == 1
    assert made.numbers[0].routes[0].to.label == "queue:4000"
    assert made.devices_by_mac["3f0a9c11de02"][0].id == "1000"
    assert made.sites[0].name == "Ottawa"


async def test_a_flow_logs_in_by_the_address_and_pages_through_users(tmp_path: Path) -> None:
    """As the n8n node: the login in the query of a POST, pages by start and limit, one user changed."""
    office = await _office(tmp_path)
    query = "&".join(f"{name}={value}" for name, value in {"grant_type": "password", **LOGIN}.items())
    key = (await office.post(f"/tokens?{query}", key=""))["access_token"]
    seen: list[str] = []
    while page := await office.get(f"/domains/acme.lab/users?start={len(seen)}&limit=2", key=key):
        seen += [user["user"] for user in page]
    assert seen == ["101", "102", "103", "domain"]
    assert await office.get("/domains/acme.lab/users/count", key=key) == {"total": 4}
    assert [u["user"] for u in await office.get("/domains/acme.lab/users?user=102", key=key)] == ["102"]
    await office.put("/domains/acme.lab/users/102", {"name-first-name": "Bo", "synchronous": "yes"}, key=key)
    assert (await office.ask("POST", f"/tokens?{query.replace('horse', 'mouse')}", key="")).status == 401


async def test_an_assistant_reads_everything_and_logs_an_agent_in(tmp_path: Path) -> None:
    """As the MCP server: whatever there is to read, agents logged in by POST, records by start_time and end_time."""
    office = await _office(tmp_path)
    await office.post("/domains/acme.lab/callqueues", {"callqueue": "200"})
    await office.post("/domains/acme.lab/callqueues/200/agents", {"callqueue-agent-id": "102@acme.lab"})
    await office.post("/domains/acme.lab/autoattendants", {"user": "300", "attendant-name": "Main"})
    key = await _key(office)
    for path in (
        "/version", "/domains", "/domains/acme.lab", "/domains/acme.lab/billing", "/domains/~/users/~",
        "/domains/acme.lab/users/102", "/domains/acme.lab/users/102/devices", "/domains/acme.lab/phonenumbers",
        "/domains/acme.lab/callqueues", "/domains/acme.lab/callqueues/200", "/domains/acme.lab/callqueues/200/agents",
        "/domains/acme.lab/agents", "/domains/acme.lab/autoattendants", "/domains/acme.lab/users/102/answerrules",
        "/domains/acme.lab/users/102/greetings", "/domains/acme.lab/moh", "/domains/acme.lab/sites/list",
        "/domains/acme.lab/conferences", "/domains/acme.lab/contacts", "/dialplans", "/dialpolicy", "/auditlog",
        "/domains/acme.lab/cdrs?start_time=2026-01-01T00:00:00Z&end_time=2027-01-01T00:00:00Z&limit=100",
    ):  # fmt: skip
        await office.get(path, key=key)
    await office.post("/domains/acme.lab/callqueues/200/agents/102@acme.lab/logout", key=key)
    (agent,) = await office.get("/domains/acme.lab/callqueues/200/agents", key=key)
    assert agent["callqueue-agent-availability-type"] == "manual"
    await office.post("/domains/acme.lab/callqueues/200/agents/102@acme.lab/login", key=key)
    (agent,) = await office.get("/domains/acme.lab/callqueues/200/agents", key=key)
    assert agent["callqueue-agent-availability-type"] == "automatic"


async def _key(office: Office) -> str:
    made: dict[str, Any] = await office.post("/apikeys", {
        "description": "for an assistant", "domain": "acme.lab", "user": "101", "reseller": "Switchroom Telecom",
    }, key=BOOTSTRAP)  # fmt: skip
    return str(made["key"])
