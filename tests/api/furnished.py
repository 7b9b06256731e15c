"""An office with one of everything, the names of it, and a value for each field a client may send."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pbx.api.house import PhoneModel
from pbx.callflow.ports import CallRecordingSaved, MessageSaved, PromptSaved, RecordSaved
from pbx.domain.history import CallRecord, Message
from pbx.domain.kept import CallRecording, KeptPrompt
from pbx.media.wav import write_wav
from tests.api.office import Office, opened, small_seed

MAC, OTHER_MAC = "001565aabb01", "001565aabb02"
AT = 1_795_000_000.0
DOMAIN = "/domains/acme.lab"
NUMBER = "14165550123"
T54W = PhoneModel("yealink", "T54W", "yealink/t4x_t5x", 16, 0, 27)
SOUND = b"\xff" * 8000

NAMES: dict[str, dict[str, Any]] = {
    "*": {
        "domain": "acme.lab", "user": "101", "device": "101", "reseller": "Switchroom%20Telecom", "callqueue": "200",
        "queue": "200", "callqueue-agent-id": "101@acme.lab", "status": "lunch", "agent": "101", "phonenumber": NUMBER,
        "timeframe": "*", "id": "office", "prompt": "Prompt_300001", "site": "Ottawa", "department": "Sales",
        "folder": "new", "filename": "m1", "index": "1", "language": "en-US", "callid": "c-0001", "call_id": "c-0001",
        "address_id": "hq", "emergency-address-id": "hq", "endpoint": "14165550199", "dialplan": "acme.lab",
        "policy": "Local", "smsnumber": "14165550177", "connection-orig-match-pattern": "sip%3Atrunk", "country": "CA",
        "region": "ON", "year": "2026", "conference": "400", "participant": "c-0001", "name": "reception", "mac": MAC,
        "make": "yealink", "model": "T54W", "server": "switchroom", "config-name": "PORTAL_LOGO",
    },
    "GET /domains/{domain}/dialpolicy/{policy}/permission/{id}": {"id": "local"},
    "GET /dialpolicy/{policy}/permission/{id}": {"id": "local"},
    "PUT /domains/{domain}/dialpolicy/{policy}/permission/{id}": {"id": "local"},
    "PUT /dialpolicy/{policy}/permission/{id}": {"id": "local"},
    "DELETE /domains/{domain}/dialpolicy/{policy}/permission/{id}": {"id": "local"},
    "DELETE /dialpolicy/{policy}/permission/{id}": {"id": "local"},
    "POST /domains": {"domain": "mapleco"},
    "DELETE /domains/{domain}": {"domain": "spare"},
    "POST /domains/{domain}/users": {"user": "110", "login-username": "ana110"},
    "DELETE /domains/{domain}/users/{user}": {"user": "103"},
    "POST /domains/{domain}/users/{user}/devices": {"device": "101b", "device-provisioning-mac-address": None},
    "PUT /configurations": {"config-name": "PORTAL_LOGO"},
    "DELETE /domains/{domain}/users/{user}/devices/{device}": {"user": "103", "device": "103"},
    "POST /domains/{domain}/phonenumbers": {"phonenumber": "14165550150"},
    "POST /domains/{domain}/phones": {"device-provisioning-mac-address": OTHER_MAC},
    "POST /phones": {"device-provisioning-mac-address": OTHER_MAC},
    "POST /domains/{domain}/sites": {"site": "Hull"},
    "POST /domains/{domain}/callqueues": {"callqueue": "210"},
    "DELETE /domains/{domain}/callqueues/{callqueue}": {"callqueue": "201"},
    "POST /domains/{domain}/callqueues/{callqueue}/agents": {"callqueue-agent-id": "102@acme.lab"},
    "POST /domains/{domain}/users/{user}/answerrules": {"time-frame": "office"},
    "POST /domains/{domain}/autoattendants": {"user": "310"},
    "GET /domains/{domain}/users/{user}/autoattendants/{prompt}": {"user": "300"},
    "PUT /domains/{domain}/users/{user}/autoattendants/{prompt}": {"user": "300"},
    "DELETE /domains/{domain}/users/{user}/autoattendants/{prompt}": {"user": "300"},
    "POST /domains/{domain}/timeframes": {"timeframe-name": "evenings", "timeframe-type": "always"},
    "POST /domains/{domain}/users/{user}/timeframes": {"timeframe-name": "own evenings", "timeframe-type": "always"},
    "PUT /domains/{domain}/timeframes/{id}": {"timeframe-name": None, "type": None},
    "PUT /domains/{domain}/users/{user}/timeframes/{id}": {"id": "own", "timeframe-type": None, "type": None},
    "POST /domains/{domain}/users/{user}/timeframes/{id}": {"id": "own"},
    "GET /domains/{domain}/users/{user}/timeframes/{id}": {"id": "own"},
    "DELETE /domains/{domain}/users/{user}/timeframes/{id}": {"id": "own"},
    "DELETE /domains/{domain}/timeframes/{id}": {"id": "spare"},
    "POST /domains/{domain}/addresses": {"emergency-address-id": "annex"},
    "POST /domains/{domain}/users/{user}/addresses": {"emergency-address-id": "annex"},
    "POST /domains/{domain}/addresses/endpoints": {"address-callback-number": "14165550188", "location-id": "annex"},
    "POST /domains/{domain}/smsnumbers": {"number": "14165550178", "dest": "101"},
    "PUT /domains/{domain}/smsnumbers/{smsnumber}": {"dest": "101"},
    "POST /connections": {"connection-orig-match-pattern": "sip:other"},
    "POST /configurations": {"config-name": "PORTAL_COLOUR"},
    "POST /domains/{domain}/conferences": {"aor": "410@acme.lab"},
    "POST /domains/{domain}/phonetemplates": {"phoneconfiguration-name": "lobby"},
    "PUT /domains/{domain}/phonetemplates/{name}": {"phoneconfiguration-name": "reception"},
    "POST /domains/{domain}/phoneconfiguration": {"phoneconfiguration-mac-address": "001565aabb03"},
    "POST /dialpolicy": {"dialpolicy": "Nothing"},
    "PUT /dialpolicy/{policy}": {"dialpolicy": None}, "PUT /domains/{domain}/dialpolicy/{policy}": {"dialpolicy": None},
    "DELETE /dialpolicy/{policy}": {"policy": "Internal"},
    "DELETE /domains/{domain}/dialpolicy/{policy}": {"policy": "Internal"},
    "POST /domains/{domain}/dialplans": {"dial-rule-dial-plan": "other"},
    "POST /dialplans": {"dial-rule-dial-plan": "third"},
    "PUT /domains/{domain}/dialplans/{dialplan}": {"dialplan": "spare"},
    "DELETE /domains/{domain}/dialplans/{dialplan}": {"dialplan": "spare"},
    "DELETE /domains/{domain}/addresses/{emergency-address-id}": {"emergency-address-id": "spare"},
    "DELETE /domains/{domain}/users/{user}/addresses/{address_id}": {"address_id": "spare"},
    "DELETE /domains/{domain}/addresses/endpoints/{endpoint}": {"endpoint": "14165550166"},
    "GET /domains/{domain}/users/{user}/vmailnag": {"user": "102"},
    "PUT /domains/{domain}/users/{user}/vmailnag": {"user": "102"},
    "DELETE /domains/{domain}/users/{user}/vmailnag": {"user": "102"},
    "POST /domains/{domain}/moh": {"index": None}, "POST /domains/{domain}/users/{user}/moh": {"index": None},
    "POST /domains/{domain}/users/{user}/greetings": {"index": None},
    "POST /domains/{domain}/users/{user}/voicemails/{folder}/{filename}/forward": {},
    "PUT /domains/{domain}/users/{user}/devices/{device}": {"device": None, "device-provisioning-mac-address": None},
    "PUT /domains/{domain}/callqueues/{callqueue}": {"callqueue": None},
    "PUT /domains/{domain}": {"domain": None, "reseller": None},
}  # fmt: skip
"""Address → names in it, and fields of its body, that are other than everywhere; None leaves a field out."""

KEYS: dict[str, str] = {}
"""Address → who asks; `~` for those that are about whoever asks."""
SAMPLES: dict[str, Any] = {
    "datetime-start": "2026-01-01T00:00:00Z", "datetime-end": "2027-12-31T00:00:00[Canada/Eastern]", "servers": "all",
    "type": "json", "domain": "acme.lab", "reseller": "Switchroom Telecom", "synchronous": "yes", "user": "101",
    "name-first-name": "Ana", "name-last-name": "Roy", "email-address": "ana@acme.lab", "user-scope": "Basic User",
    "time-zone": "US/Eastern", "area-code": 613, "caller-id-number": "16135550100", "caller-id-name": "Maple Co",
    "dial-policy": "US and Canada", "site": "Ottawa", "department": "Sales", "voicemail-login-pin": "4821",
    "directory-name-number-dtmf-mapping": 262, "ring-no-answer-timeout-seconds": 25,
    "description": "for the tests alone",
    "limits-max-users": 50, "limits-max-active-calls-total": 5, "device-provisioning-mac-address": MAC,
    "device-models-brand-and-model": "Yealink T54W", "device-provisioning-sip-uri-1": "sip:102@acme.lab",
    "notes": "by the door", "phonenumber": NUMBER, "dial-rule-application": "to-user",
    "dial-rule-translation-destination-user": "101", "dial-rule-description": "Main", "dial-rule-parameter": "x",
    "callqueue-dispatch-type": "Ring All", "callqueue-agent-dispatch-timeout-seconds": 20,
    "callqueue-agent-availability-type": "automatic", "time-frame": "*", "is-active": True, "enabled": "yes",
    "simultaneous-ring": {"enabled": "yes", "parameters": ["<OwnDevices>", "confirm_16135550199;delay=10"]},
    "forward-no-answer": {"enabled": "yes", "parameters": ["vmail_101"]},
    "phone-numbers-to-reject": {"enabled": "yes", "parameters": ["16135550111"]}, "attendant-name": "Main",
    "auto-attendant": {"no-key-press": "repeat", "option-1": {"destination-application": "to-callqueue",
                                                              "destination-user": "200"}},
    "script": "hello", "device-provisioning-sip-uri-2": "",
    "base64_file": "UklGRg==", "index": 1, "company": "Maple Co", "email": "ana@acme.lab",
    "phonenumber-work": "16135550122", "phonenumber-cell": "", "phonenumber-fax": "", "phonenumber-home": "",
    "name-middle-name": "", "address-name": "Annex", "caller-name": "Acme", "address-line-1": "1 Example Street",
    "address-city": "Ottawa", "address-state-province-abbreviation": "ON", "address-postal-code": "K1A 0A1",
    "address-country-abbreviation": "CA", "address-location-description": "Floor 2", "carrier": "none",
    "voicemail-reminder-email-enabled": "yes", "voicemail-reminder-interval-minutes": 30,
    "dial-rule-matching-to-uri": "sip:611@*", "permission-match": "local", "permission-mode": "permit",
    "permission-reason": "near", "application": "user", "route-destination-match-pattern": "sip:1*",
    "route-connection-translation-destination-host": "trunk.test", "route-method": "fixed", "model": "call",
    "post-url": "https://hook.test/ev", "username": "101@acme.lab", "password": "correct horse battery",
    "client_id": "test", "client_secret": "test", "call-id": "t-0001", "call-term-user": "102", "destination": "102",
    "voicemail-forward-new-destination": "102", "phoneconfiguration-domain": "acme.lab", "config-value": "x",
    "phoneconfiguration-buttons": [{"phoneconfiguration-button-order": 2, "phoneconfiguration-button-feature": "blf",
                                    "phoneconfiguration-button-type": "line", "phoneconfiguration-button-locked": 0,
                                    "phoneconfiguration-button-target": "102"}],
    "timeframe-days-of-week-array": [{"timeframe-weekly-monday-begin-time-1": "0900",
                                      "timeframe-weekly-monday-end-time-1": "1700"}],
    "number": "14165550178", "dest": "101", "address-callback-number": "14165550188", "update_only": "yes",
}  # fmt: skip
"""Field → what a client sends for it, unless the address says otherwise."""


def furnished_office(folder: Path) -> Office:
    """Return an office of three users, with one of everything the API knows."""
    office = opened(small_seed(), folder, catalogue=lambda: (T54W,), sound=_sound)
    asyncio.run(_furnish(office, folder))
    return office


async def _sound(content: bytes, text: str) -> bytes:
    """No engine speaks here."""
    return SOUND


async def _furnish(office: Office, folder: Path) -> None:
    post, put = office.post, office.put
    await post(f"{DOMAIN}/sites", {"site": "Ottawa"})
    await put(f"{DOMAIN}/users/101", {"site": "Ottawa", "department": "Sales", "user-scope": "Office Manager"})
    await post("/domains", {"domain": "spare", "reseller": "Switchroom Telecom"})
    for name, kind in (("office", "days-of-week"), ("spare", "always")):
        week = {"timeframe-days-of-week-array": SAMPLES["timeframe-days-of-week-array"]} if kind[0] == "d" else {}
        await post(f"{DOMAIN}/timeframes", {"timeframe-name": name, "timeframe-type": kind, **week})
    week = {"timeframe-days-of-week-array": SAMPLES["timeframe-days-of-week-array"]}
    await post(f"{DOMAIN}/users/101/timeframes", {"timeframe-name": "own", **week})
    await post(f"{DOMAIN}/users/101/answerrules", {"time-frame": "*", "enabled": "yes"})
    for queue in ("200", "201"):
        await post(f"{DOMAIN}/callqueues", {"callqueue": queue, "description": queue})
    await post(f"{DOMAIN}/callqueues/200/agents", {"callqueue-agent-id": "101@acme.lab"})
    await post(f"{DOMAIN}/phonenumbers", {"phonenumber": NUMBER, "dial-rule-translation-destination-user": "101"})
    await post(f"{DOMAIN}/autoattendants", {"attendant-name": "Main", "user": "300", "auto-attendant": {}})
    await post(f"{DOMAIN}/conferences", {"aor": "400", "name": "Room"})
    line = {"device-provisioning-sip-uri-1": "sip:101@acme.lab", "device-models-brand-and-model": "Yealink T54W"}
    await post(f"{DOMAIN}/phones", {"device-provisioning-mac-address": MAC, **line})
    buttons = {"phoneconfiguration-buttons": [], "phoneconfiguration-description": "x", "phoneconfiguration-brand": "y",
               "phoneconfiguration-model": "T54W", "phoneconfiguration-domain": "acme.lab"}  # fmt: skip
    await post(f"{DOMAIN}/phoneconfiguration", {"phoneconfiguration-mac-address": MAC, **buttons})
    other = {"device-provisioning-mac-address": "001565aabb03", "device-provisioning-sip-uri-1": "sip:103@acme.lab"}
    await post(f"{DOMAIN}/phones", other)
    for key, number in (("hq", "14165550199"), ("spare", "14165550166")):
        place = {name: SAMPLES[name] for name in SAMPLES if name.startswith("address-") and "callback" not in name}
        await post(f"{DOMAIN}/addresses", {**place, "emergency-address-id": key, "caller-name": "Acme",
                                           "address-callback-number": number})  # fmt: skip
    for under in (f"{DOMAIN}/contacts", f"{DOMAIN}/users/101/contacts"):
        NAMES.setdefault(f"of {under}", {})["contact_id"] = (await post(under, {"name-first-name": "Zoe"}))["unique-id"]
    await _furnish_kept(office)
    await _furnish_history(office, folder)
    _name_what_was_made(office)


async def _furnish_kept(office: Office) -> None:
    post = office.post
    await post(f"{DOMAIN}/smsnumbers", {"number": "14165550177", "application": "user", "dest": "101"})
    await post("/connections", {"connection-orig-match-pattern": "sip:trunk", "domain": "acme.lab"})
    await post("/configurations", {"config-name": "PORTAL_LOGO", "config-value": "x"})
    await post(f"{DOMAIN}/phonetemplates", {"phoneconfiguration-name": "reception"})
    await post(f"{DOMAIN}/dialplans", {"dial-rule-dial-plan": "spare"})
    kinds = ("call-disposition", "call-disposition-reason", "call-disposition-type")
    await post(f"{DOMAIN}/dispositions", dict.fromkeys(kinds, "x"))
    await post(f"{DOMAIN}/users/102/vmailnag", {"voicemail-reminder-email-enabled": "yes"})
    rule = {"synchronous": "yes", "dial-rule-matching-to-uri": "sip:611@*",
            "dial-rule-translation-destination-user": "101"}  # fmt: skip
    made = NAMES["*"]
    made["dialrule"] = (await post(f"{DOMAIN}/dialplans/acme.lab/dialrules", rule))["dialrule"]
    route = {"synchronous": "yes", "route-destination-match-pattern": "sip:1*"}
    made["route-id"] = (await post("/routes", route))["route-id"]
    leg = {"synchronous": "yes", "route-connection-translation-destination-host": "trunk.test"}
    await post(f"/routes/{made['route-id']}/routecon", leg)
    made["subscription"] = (await post(f"{DOMAIN}/subscriptions", {"model": "call", "post-url": "http://hook.test/"}))[
        "id"
    ]
    key = {"description": "for the tests alone", "domain": "acme.lab", "reseller": "Switchroom Telecom"}
    made["key_id"] = (await post("/apikeys", key))["key-id"]
    await office.post(f"{DOMAIN}/backup")
    await office.identities.desk.set_password("acme.lab", "101", SAMPLES["password"])
    login = {name: SAMPLES[name] for name in ("username", "password")}
    token = (await post("/tokens", {**login, "grant_type": "password"}, key=""))["access_token"]
    renewed = (await post("/tokens", {**login, "grant_type": "password"}, key=""))["refresh_token"]
    NAMES["POST /tokens"] = {"grant_type": "refresh_token", "refresh_token": renewed}
    KEYS.update({"~": token, "DELETE /jwt": (await post("/jwt", login, key=""))["token"]})
    key |= {"user": "101"}
    KEYS["GET /apikeys/~"] = (await post("/apikeys", key))["key"]
    KEYS["GET /jwt"] = spent = (await post("/jwt", login, key=""))["token"]
    made["jti"] = (await office.get("/jwt", key=spent))["jti"]
    made["uid"] = "101@acme.lab"


async def _furnish_history(office: Office, folder: Path) -> None:
    store = office.world.history
    for name in ("sound-1", "talk-1"):
        write_wav(folder / f"{name}.wav", SOUND)
    for folder_name, message in (("new", "m1"), ("saved", "m2"), ("trash", "m3")):
        store.submit(MessageSaved(Message(message, "101", folder_name, "sound-1", 1.0, "102", "", AT)))
    for owner, name in (("", "moh-1"), ("", "msg-1"), ("", "moh-101-1"), ("", "msg-101-1"), ("101", "1")):
        store.submit(PromptSaved(KeptPrompt(owner, name, "sound-1", 1.0, "upload", at=AT)))
    store.submit(CallRecordingSaved(CallRecording("talk-1", "c-0001", "101", "101", "102", "always", AT, 1.0)))
    answered = CallRecord(
        "c-0001", "101", "Ana", "101", "102", "102", "ANSWERED", "internal", AT, AT + 1, AT + 5, 4.0, 16, "user:102"
    )
    missed = CallRecord(
        "c-0002", "16135550199", "", "", NUMBER, "", "CANCELLED", "inbound", AT, 0.0, AT + 30, 0.0, 16,
        "queue:200 > user:101",
    )  # fmt: skip
    for record in (answered, missed):
        store.submit(RecordSaved(record))


def _name_what_was_made(office: Office) -> None:
    """Ids that were made belong to the addresses they are of."""
    made = NAMES["*"]
    for under in ("/subscriptions", "/domains/{domain}/subscriptions"):
        for verb in ("GET", "PUT", "DELETE"):
            NAMES.setdefault(f"{verb} {under}/{{id}}", {})["id"] = made["subscription"]
    for under in ("/domains/{domain}/contacts", "/domains/{domain}/users/{user}/contacts"):
        own = NAMES[f"of {under.replace('{domain}', 'acme.lab').replace('{user}', '101')}"]["contact_id"]
        for verb in ("GET", "PUT", "DELETE"):
            NAMES.setdefault(f"{verb} {under}/{{contact_id}}", {})["contact_id"] = own
    leg = next(iter(office.house.documents("", f"connection of a route:{made['route-id']}")))
    for verb in ("PUT", "DELETE"):
        NAMES.setdefault(f"{verb} /routes/{{route-id}}/routecon/{{index}}", {})["index"] = leg
