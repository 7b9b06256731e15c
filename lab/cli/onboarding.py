"""The story of a packet as text or JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from lab.errors import BAD_INPUT, UserError
from lab.onboarding.packet import Packet, final_order
from lab.onboarding.reading import NORTHSIDE, load_packet
from lab.onboarding.rehearsal import Story, Told, begins_by_default
from lab.seeds.located import SeedError


def told(path: Path, begins: str, number: int, *, mails: bool, as_json: bool) -> tuple[str, bool]:
    """Return (what to print, whether the customer is live); UserError when packet or moment cannot be read."""
    try:
        packet = load_packet(NORTHSIDE if str(path) == NORTHSIDE.stem and not path.exists() else path)
    except SeedError as error:
        raise UserError(error.happened, error.why, error.remedy, error.reference, BAD_INPUT) from None
    story = Story(packet, _moment(begins, packet), number)
    lines = list(story.tell())
    live = story.case.done("live")
    return (_document(story, lines, live) if as_json else "\n".join(_text(story, lines, mails=mails))), live


def _moment(text: str, packet: Packet) -> datetime:
    if not text:
        return begins_by_default(packet, datetime.fromtimestamp(time.time(), UTC).date())
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(packet.time_zone))
    except ValueError:
        raise UserError(
            f"--begins {text!r} is no moment", "it is not written as a date with a time",
            "write it as 2026-11-02T09:00", "docs/onboarding.md", BAD_INPUT,
        ) from None  # fmt: skip


def _text(story: Story, lines: list[Told], *, mails: bool) -> Iterator[str]:
    for line in lines:
        yield f"{line.at:%a %Y-%m-%d %H:%M} {'✓' if line.good else '✗'} {line.what}"
        yield from (f"                       {detail}" for detail in line.detail)
    letters = story.outbox.letters()
    yield f"\n{len(letters)} letters:"
    for caught in letters:
        yield f"  to {', '.join(caught.to)}: {caught.subject}"
        if mails:
            yield from (f"    {text}" for text in caught.text.splitlines())


def _document(story: Story, lines: list[Told], live: bool) -> str:
    shown = {
        "live": live,
        "order": final_order(story.packet),
        "story": [
            {"at": line.at.isoformat(), "what": line.what, "good": line.good, "detail": line.detail} for line in lines
        ],
        "letters": [
            {"to": caught.to, "subject": caught.subject, "text": caught.text} for caught in story.outbox.letters()
        ],
    }
    return json.dumps(shown, ensure_ascii=False)
