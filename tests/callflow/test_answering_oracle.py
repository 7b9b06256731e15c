"""Ten thousand random cases: the evaluator of answering rules says what the oracle says."""

import ast
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from pbx.callflow.routing import Asked, Forward, Presence, resolve_user
from pbx.clock import Moment
from pbx.domain.directory import Directory
from tests.callflow import answering_oracle
from tests.callflow.answering_oracle import State, Verdict, verdict

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

USERS = ("101", "102", "103")
PHONES = ("101", "101a", "102", "103", "103b")
FORWARDS = (
    None, None, "user 102", "user 103", "mailbox 101", "queue 500", "attendant 400", "attendant 400/closed",
    "external 14165550190", "device 101a", "hangup busy", "support",
)  # fmt: skip
FIELDS = ("forward_always", "forward_on_active", "forward_on_busy", "forward_no_answer", "forward_offline",
          "forward_on_dnd", "forward_on_spam")  # fmt: skip
LISTED = ("14165550142", "4165550142", "16135550150", "102", "103", "anonymous", "unknown")
CALLERS = (
    ("14165550142", ""), ("+14165550142", ""), ("4165550142", ""), ("16135550150", ""), ("", ""), ("anonymous", ""),
    ("101", "101a"), ("102", "102"), ("103", "103b"),
)  # fmt: skip
DIRECTORIES, QUESTIONS = 500, 20


def rare(chance: Random, probability: float) -> bool:
    return chance.random() < probability


def an_office(chance: Random) -> dict[str, object]:
    """Rules of every shape; whatever is forwarded to has a mailbox."""
    return {
        "domain": {"name": "acme.lab", "time_zone": "America/Toronto",
                   "spam_callers": chance.sample(LISTED, k=chance.choice((0, 1, 2))),
                   "platform": {"busy_forwarding": chance.choice(("platform", "inert"))}},
        "sites": [{"name": "West", "time_zone": "America/Vancouver"}, {"name": "East"}],
        "time_frames": [
            {"name": "day", "kind": "days-of-week", "weekdays": {
                day: ["08:00-12:00", "13:00-17:30"] for day in ("mon", "tue", "wed", "fri")}},
            {"name": "night", "kind": "days-of-week", "weekdays": {"tue": ["22:00-06:00"], "sat": ["00:00-00:00"]}},
            {"name": "feast", "kind": "holiday", "dates": ["2026-11-24", "2026-11-27"]},
        ],
        "users": [a_user(chance, extension) for extension in USERS],
        "devices": [{"id": phone, "extension": phone[:3], "password": "x"} for phone in PHONES],
        "attendants": [{"extension": "400", "name": "A", "menus": [{"name": "main"}, {"name": "closed"}]}],
        "queues": [{"extension": "500", "name": "Q"}],
    }  # fmt: skip


def a_user(chance: Random, extension: str) -> dict[str, object]:
    frames = chance.sample(("day", "night", "feast", "*"), k=chance.randint(0, 4))
    return {
        "extension": extension, "first_name": "U", "site": chance.choice(("West", "East", "")),
        "time_zone": chance.choice(("", "", "Asia/Tokyo")), "dial_policy": "" if rare(chance, 0.7) else "Internal",
        "voicemail": extension == "101" or rare(chance, 0.7), "do_not_disturb": rare(chance, 0.1),
        "ring_s": chance.choice((0, 4, 25, 25)), "rules": [a_rule(chance, frame) for frame in frames],
    }  # fmt: skip


def a_rule(chance: Random, frame: str) -> dict[str, object]:
    targets = ("own", "user 102", "device 101a", "device 103b", "external 14165550190", "external 14165550191")
    return {
        "time_frame": frame, "enabled": rare(chance, 0.8), "do_not_disturb": rare(chance, 0.2),
        "call_screening": rare(chance, 0.2),
        **{name: chance.choice(FORWARDS) if rare(chance, 0.5) else None for name in FIELDS},
        "simultaneous_ring": [{"target": target, "delay_s": chance.choice((0, 5, 15)), "confirm": rare(chance, 0.3)}
                              for target in chance.sample(targets, k=chance.choice((0, 0, 1, 2, 4)))],
        "block": chance.sample(LISTED, k=chance.choice((0, 0, 1, 2))),
        "allow": chance.sample(LISTED, k=chance.choice((0, 0, 1, 3))),
    }  # fmt: skip


def some(chance: Random, names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(name for name in names if rare(chance, 0.5))


def as_verdict(result: object) -> Verdict:
    if isinstance(result, Forward):
        return Verdict(result.destination.label, result.why)
    rings = tuple((ringing.target.label, ringing.delay_s, ringing.confirm) for ringing in result.targets)
    ends = (result.on_busy.label, result.on_no_answer.label, result.on_offline.label)
    return Verdict("", "", rings, *ends, result.screening)


@pytest.mark.parametrize("part", range(5))
def test_ten_thousand_cases_come_out_as_the_oracle_says(part):
    chance = Random(f"answering rules {part}")
    outcomes = set()
    for _ in range(DIRECTORIES // 5):
        office = an_office(chance)
        directory = Directory.model_validate(office)
        for _ in range(QUESTIONS):
            caller, device = chance.choice(CALLERS)
            called, at = (
                chance.choice(USERS),
                datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=chance.randrange(20160)),
            )
            state = State(some(chance, PHONES), some(chance, USERS), frozenset(n for n in USERS if rare(chance, 0.1)))
            asked = Asked(called, caller, device, device[:3])
            presence = Presence(state.registered, state.in_call, state.quiet)
            found = as_verdict(resolve_user(directory, called, asked, presence, Moment(0.0, at)).result)
            expected = verdict(office, called, caller, device, state, at)
            assert found == expected, (office["users"], called, caller, device, state, at)
            outcomes.add(found.why)
    assert outcomes == {"", "blocked", "spam", "do not disturb", "always", "on active", "offline", "busy", "no answer"}


def test_the_oracle_knows_nothing_of_the_house():
    tree = ast.parse(Path(answering_oracle.__file__).read_text("utf-8"))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in imported if name and name.split(".")[0] in ("pbx", "lab", "test_plans")]
