"""What a user's answering rules make of a call, told a second time from domain-features 1.5 alone.

It reads the seed document, a plain dict, and nothing of the house. Where the code walks a list of conditions, this
asks one question at a time, in the order of the page.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Document = dict[str, Any]
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class State(NamedTuple):
    registered: frozenset[str]
    in_call: frozenset[str]
    quiet: frozenset[str]
    """Do not disturb by feature or phone."""


class Verdict(NamedTuple):
    sent_to: str
    """Empty when phones ring."""
    why: str
    rings: tuple[tuple[str, float, bool], ...] = ()
    """Target, delay, whether it has to confirm."""
    busy: str = ""
    unanswered: str = ""
    unreachable: str = ""
    asks_for_name: bool = False


def verdict(office: Document, called: str, caller: str, device: str, state: State, at: datetime) -> Verdict:
    """`caller` is an extension or a number as the carrier gave it, `device` the calling phone, empty from outside."""
    person = next(user for user in office["users"] if user["extension"] == called)
    rule = rule_now(office, person, at)
    fallback = f"mailbox:{called}" if person["voicemail"] else ""

    def target(option: str, otherwise: str) -> str:
        chosen = rule.get(option)
        if chosen and chosen.startswith("external") and person["dial_policy"] == "Internal":
            chosen = None
        return label(chosen) if chosen else (fallback or otherwise)

    def is_set(option: str) -> bool:
        chosen = rule.get(option)
        return bool(chosen) and not (chosen.startswith("external") and person["dial_policy"] == "Internal")

    if on_list(rule.get("block", []), caller, device):
        return Verdict("hangup:busy", "blocked")
    allowed = on_list(rule.get("allow", []), caller, device)
    spam = on_list(office["domain"]["spam_callers"], caller, device)
    if is_set("forward_on_spam") and spam and not allowed:
        return Verdict(target("forward_on_spam", ""), "spam")
    quiet = rule.get("do_not_disturb") or person["do_not_disturb"] or called in state.quiet
    if quiet and not allowed:
        return Verdict(target("forward_on_dnd", "hangup:busy"), "do not disturb")
    if is_set("forward_always"):
        return Verdict(target("forward_always", ""), "always")
    if is_set("forward_on_active") and called in state.in_call:
        return Verdict(target("forward_on_active", ""), "on active")

    together = rule.get("simultaneous_ring", [])
    reachable = ringable(office, person, together, state)
    own = [phone["id"] for phone in office["devices"] if phone["extension"] == called]
    if not any(phone in state.registered for phone in own) and (is_set("forward_offline") or not reachable):
        return Verdict(target("forward_offline", "hangup:unavailable"), "offline")

    busy = fallback or "hangup:busy"
    if is_set("forward_on_busy") and not together and office["domain"]["platform"]["busy_forwarding"] == "platform":
        busy = target("forward_on_busy", "")
    rings: dict[str, tuple[str, float, bool]] = {}
    for name, delay, confirm in reachable:
        if name != f"device:{device}":
            rings.setdefault(name, (name, delay, confirm))
    if not rings:
        return Verdict(busy, "busy")
    unanswered = target("forward_no_answer", "hangup:no-answer")
    if person["ring_s"] == 0:
        return Verdict(unanswered, "no answer")
    asks = bool(rule.get("call_screening")) and not allowed
    offline = target("forward_offline", "hangup:unavailable")
    return Verdict("", "", tuple(rings.values()), busy, unanswered, offline, asks)


def rule_now(office: Document, person: Document, at: datetime) -> Document:
    """The top enabled rule whose time frame covers the moment on the owner's clock; the default one comes last."""
    site = next((site for site in office["sites"] if site["name"] == person["site"]), {})
    zone = person.get("time_zone") or site.get("time_zone") or office["domain"]["time_zone"]
    local = at.astimezone(ZoneInfo(zone))
    named = [rule for rule in person["rules"] if rule["time_frame"] != "*"]
    default = [rule for rule in person["rules"] if rule["time_frame"] == "*"]
    for rule in [*named, *default]:
        if rule["enabled"] and (rule["time_frame"] == "*" or frame_covers(office, rule["time_frame"], local)):
            return rule
    return {}


def frame_covers(office: Document, name: str, local: datetime) -> bool:
    frame = next(frame for frame in office["time_frames"] if frame["name"] == name)
    if frame["kind"] == "holiday":
        return local.date().isoformat() in frame["dates"]
    minute = f"{local:%H:%M}"
    yesterday = local - timedelta(days=1)
    for day, started_today in ((DAYS[local.weekday()], True), (DAYS[yesterday.weekday()], False)):
        for hours in frame["weekdays"].get(day, []):
            start, end = hours.split("-")
            over_midnight = end <= start
            if started_today and start <= minute and (over_midnight or minute < end):
                return True
            if not started_today and over_midnight and minute < end:
                return True
    return False


def ringable(
    office: Document, person: Document, together: list[Document], state: State
) -> list[tuple[str, float, bool]]:
    def phones(extension: str) -> list[str]:
        return [phone["id"] for phone in office["devices"] if phone["extension"] == extension]

    found: list[tuple[str, float, bool]] = []
    for target in together or [{"target": "own", "delay_s": 0, "confirm": False}]:
        word, _, name = target["target"].partition(" ")
        if word == "external":
            found += (
                [(f"external:{name}", target["delay_s"], target["confirm"])]
                if person["dial_policy"] != "Internal"
                else []
            )
            continue
        wanted = {"own": phones(person["extension"]), "user": phones(name), "device": [name]}[word]
        found += [
            (f"device:{phone}", target["delay_s"], target["confirm"]) for phone in wanted if phone in state.registered
        ]
    return found


def on_list(entries: list[str], caller: str, device: str) -> bool:
    if device:
        return caller in entries
    digits = "".join(character for character in caller if character.isdigit())
    if not digits:
        return "anonymous" in entries or "unknown" in entries
    return digits.removeprefix("1")[-10:] in {entry.removeprefix("1")[-10:] for entry in entries if len(entry) >= 10}


def label(destination: str) -> str:
    word, _, name = destination.partition(" ")
    if word == "attendant":
        return f"attendant:{name if '/' in name else name + '/main'}"
    return f"{word}:{name}" if name else word
