"""The town of these tests: two people with phones at different sites, a third who is barred, queues, an attendant."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from town import Town

from pbx.domain.directory import Directory


def directory(**changes: object) -> Directory:
    """Ana 101 and Ben 102 (Laval), Cleo 103 (barred, no voicemail), queues 500/501/502, attendant 400."""
    users = {
        "101": {"first_name": "Ana", "last_name": "Silva", "site": "Toronto", "voicemail_pin": "4101",
                "caller_id": 14165550101},
        "102": {"first_name": "Ben", "site": "Laval", "voicemail_pin": "4102"},
        "103": {"first_name": "Cleo", "voicemail": False, "outbound": False},
        "104": {"first_name": "Dev", "do_not_disturb": True},
    }  # fmt: skip
    for extension, fields in changes.pop("users", {}).items():  # type: ignore[attr-defined]
        users[extension] = {**users[extension], **fields}
    document = {
        "domain": {"name": "acme.lab", "area_code": "416", "caller_id": 14165550100, "music": "house"},
        "sites": [
            {"name": "Toronto", "music": "jazz", "emergency_address": "hq"},
            {"name": "Laval", "music": "folk", "area_code": "450", "caller_id": 14505550110},
        ],
        "addresses": [
            {"key": "hq", "callback": 14165550100, "caller_name": "Acme", "street": "1 Example St", "city": "Toronto",
             "region": "ON", "postal_code": "M5X 1A1", "location": "Floor 3"},
        ],
        "users": [{"extension": extension, "ring_s": 4, **fields} for extension, fields in users.items()],
        "devices": [{"id": device, "extension": device[:3], "password": "x"}
                    for device in ("101", "101a", "102", "103", "104")],
        "attendants": [
            {"extension": 400, "name": "Main", "menus": [
                {"name": "main", "first_key_s": 3, "next_key_s": 1, "tries": 2,
                 "keys": {1: "user 101", 2: "queue 500", 3: "menu more"}},
                {"name": "more", "greeting": "attendant-sales", "keys": {9: "menu main"}}]},
        ],
        "queues": [
            {"extension": 500, "name": "Care", "site": "Toronto", "agent_ring_s": 3, "max_wait_s": 20,
             "greeting": "queue-welcome", "overflow": "mailbox 101",
             "agents": [{"extension": 102, "order": 1, "wrap_up_s": 5}, {"extension": 103, "order": 2}]},
            {"extension": 501, "name": "Hunt", "strategy": "linear_hunt", "agent_ring_s": 3, "max_callers": 1,
             "agents": [{"extension": 102, "order": 1}, {"extension": 103, "order": 2}], "overflow": "hangup busy"},
            {"extension": 502, "name": "Strict", "require_agents": True, "overflow": "mailbox 101",
             "agents": [{"extension": 104, "available": False}]},
        ],
        "numbers": [
            {"number": 14165550100, "routes": [{"to": "attendant 400"}]},
            {"number": 14165550101, "caller_id_prefix": "SALES:", "routes": [{"to": "user 101"}]},
            {"number": 14165550102, "routes": [{"to": "external 14165550199"}]},
        ],
        **changes,
    }  # fmt: skip
    return Directory.model_validate(document)


@pytest.fixture
def town() -> Iterator[Town]:
    made = Town(directory())
    yield made
    assert_at_rest(made)


def assert_at_rest(town: Town) -> None:
    """After everybody hung up nothing is left over, nothing of ours went wrong."""
    from pbx.events import ServerFault

    town.run(40.0)
    assert town.seen(ServerFault) == []
    assert {name: count for name, count in town.switch.live().items() if count} == {}
