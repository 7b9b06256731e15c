"""A directory small enough to read, for routing: Ana 101 (two phones), Ben 102, Chloé 103, queue 500, attendant 400."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pbx.callflow.routing import Presence
from pbx.clock import Moment
from pbx.domain.directory import Directory

OUTSIDE = "14165550142"
EVERYBODY = Presence(registered=frozenset({"101", "101a", "102", "103"}))


def moment(text: str = "2026-11-24T10:00", zone: str = "America/Toronto") -> Moment:
    """A Tuesday morning in Toronto, unless told otherwise."""
    return Moment(1000.0, datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC))


def later(at: Moment, seconds: float) -> Moment:
    return Moment(at.mono + seconds, at.wall + timedelta(seconds=seconds))


def user(extension: int, first_name: str, **fields: object) -> dict[str, object]:
    return {"extension": extension, "first_name": first_name, "ring_s": 4, **fields}


def office(*, rules: object = (), **changes: object) -> Directory:
    """The office; `rules` are those of Ana (101), other keywords replace whole sections, `ana` fields of hers."""
    ana = changes.pop("ana", {})
    document = {
        "domain": {"name": "acme.lab", "area_code": "416", "caller_id": 14165550100, "music": "house"},
        "sites": [
            {"name": "Toronto", "music": "jazz", "emergency_address": "hq"},
            {"name": "Laval", "time_zone": "America/Vancouver", "area_code": "450", "caller_id": 14505550110},
        ],
        "addresses": [
            {"key": "hq", "callback": 14165550100, "caller_name": "Acme", "street": "1 Example St", "city": "Toronto",
             "region": "ON", "postal_code": "M5X 1A1", "location": "Floor 3"},
            {"key": "lab", "callback": 14165550111, "caller_name": "Lab", "street": "2 Example St", "city": "Toronto",
             "region": "ON", "postal_code": "M5X 1A1"},
        ],
        "time_frames": [
            {"name": "office", "weekdays": {"mon-fri": "08:00-18:00"}},
            {"name": "lunch", "weekdays": {"mon-fri": "12:00-13:00"}},
            {"name": "ever", "kind": "always"},
            {"name": "christmas", "kind": "holiday", "dates": ["2026-12-25"]},
        ],
        "users": [
            {**user(101, "Ana", last_name="Silva", site="Toronto", rules=rules), **ana},
            user(102, "Ben", site="Laval"),
            user(103, "Chloé", last_name="Tremblay-Lachapelle", voicemail=False, dial_policy="Internal"),
        ],
        "devices": [{"id": i, "extension": i[:3], "password": "x"} for i in ("101", "101a", "102", "103")],
        "attendants": [
            {"extension": 400, "name": "Main", "site": "Toronto", "open_frames": ["christmas", "office"],
             "closed": "closed", "menus": [{"name": "main", "keys": {1: "user 101"}},
                                           {"name": "closed", "greeting": "attendant-closed"}, {"name": "sales"}]},
            {"extension": 401, "name": "Simple", "menus": [{"name": "day"}]},
        ],
        "queues": [
            {"extension": 500, "name": "Care", "site": "Toronto", "agents": [
                {"extension": 102, "order": 2}, {"extension": 101, "order": 1},
                {"extension": 103, "order": 3, "available": False}], "overflow": "mailbox 101"},
            {"extension": 501, "name": "Night", "require_agents": True, "music": "harp",
             "agents": [{"extension": 103, "available": False}], "overflow": "user 102"},
            {"extension": 502, "name": "Strict", "require_agents": True},
        ],
        "numbers": [
            {"number": 14165550100, "description": "Main", "site": "Toronto", "routes": [
                {"time_frame": "christmas", "to": "attendant 400/closed"},
                {"time_frame": "office", "to": "attendant 400"}, {"to": "mailbox 101"}]},
            {"number": 14165550101, "caller_id_prefix": "SALES:", "routes": [{"to": "user 102"}]},
            {"number": 14165550102, "routes": [{"to": "external 14165550199"}]},
            {"number": 14165550103, "routes": [{"time_frame": "lunch", "to": "queue 500"}]},
            {"number": 14165550104, "routes": [{"to": "queue 501"}]},
            {"number": 14165550105, "routes": [{"to": "device 101a"}]},
            {"number": 14165550106, "routes": [{"to": "voicemail-login"}]},
            {"number": 14165550107, "routes": [{"to": "queue 502"}]},
            {"number": 14165550109},
        ],
        **changes,
    }  # fmt: skip
    return Directory.model_validate(document)
