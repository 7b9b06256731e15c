"""Event subscriptions: what happens is posted to an address, signed, and again when it was not taken."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pbx.access import Action, Thing
from pbx.api.answers import ACCEPTED, Answer, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.forms import TEXT, YES_NO
from pbx.api.routes import Route
from pbx.api.subscribing import EVENTS, EVERYWHERE, KIND
from pbx.ownership import domain_thing, user_thing
from pbx.store.protocol import Document, DocumentRemoved, DocumentSaved

LIVES = timedelta(days=1)
LIVES_BY_KEY = timedelta(days=20 * 365)
"""As there: one made with an API key lives as long as anybody asks."""
LONGEST_URL = 2000


def _thing(asked: Asked, row: Mapping[str, Any]) -> Thing:
    directory = asked.house.directory(str(row.get("domain", "")))
    if directory is None:
        return Thing("subscription", "", str(row.get("reseller", "")), str(row.get("id", "")))
    user = str(row.get("user", ""))
    if user in directory.users_by_extension:
        return user_thing(directory, user, "subscription", str(row.get("id", "")))
    return domain_thing(directory, "subscription", str(row.get("id", "")))


def _told(asked: Asked, row: Mapping[str, Any]) -> dict[str, Any]:
    taken, failed = asked.house.deliveries(str(row["id"]))
    expired = row["expires"] <= asked.now.wall.timestamp()
    status = "error" if (failed and not taken) or expired else "active" if taken else "pending"
    return {
        **{name: value for name, value in row.items() if name != "expires"},
        "subscription-expires-datetime": _when(row["expires"]), "status": status, "error-count": failed,
        "posts-count": taken, "current-active-server": asked.house.hostname,
    }  # fmt: skip


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _rows(asked: Asked) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return (where it is filed, the subscription) of those the actor may see."""
    sees = asked.sees("subscription")
    only = asked.domain
    for where in (EVERYWHERE, *asked.house.names()) if only in ("", EVERYWHERE) else (only,):
        for document in asked.house.documents(where, KIND).values():
            row: dict[str, Any] = json.loads(document.text)
            if sees(_thing(asked, row)):
                yield where, row


async def _list(asked: Asked) -> Answer:
    if asked.domain not in ("", EVERYWHERE):
        _ = asked.directory
    return Answer(200, [_told(asked, row) for _, row in list(_rows(asked))[asked.page()]])


def _one(asked: Asked, action: Action) -> tuple[str, dict[str, Any]]:
    name = asked.path["id"]
    found = next(((where, row) for where, row in _rows(asked) if row["id"] == name), None)
    if found is None:
        raise nothing("subscription", name)
    asked.require(action, _thing(asked, found[1]))
    return found


async def _read(asked: Asked) -> Answer:
    return Answer(200, _told(asked, _one(asked, "view")[1]))


def _checked(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    model, url = row.get("model", ""), str(row.get("post-url", ""))
    if model not in EVENTS:
        raise wrong("model", model, f"it is one of {', '.join(EVENTS)}", "send call")
    if not _is_postable(url):
        raise wrong("post-url", url, "it is an address posts can go to", "send https://host/path")
    domain, user = str(row.get("domain") or EVERYWHERE), str(row.get("user") or EVERYWHERE)
    directory = asked.house.directory(domain)
    if domain != EVERYWHERE and directory is None:
        raise wrong("domain", domain, f"there is no domain {domain}", "send one there is, or *")
    if user != EVERYWHERE and (directory is None or user not in directory.users_by_extension):
        raise wrong("user", user, f"there is no user {user} in {domain}", "send one there is, or *")
    return {**row, "domain": domain, "user": user}


def _is_postable(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= LONGEST_URL


def _sent(asked: Asked) -> dict[str, Any]:
    names = ("model", "post-url", "subscription-geo-support", "reseller", "domain", "user", "preferred-server")
    row: dict[str, Any] = {name: asked.body[name] for name in names if name in asked.body}
    for name, value in row.items():
        if not isinstance(value, str):
            raise wrong(name, None, "it is a text", "send a text")
    if row.get("user") == "~":
        row["user"] = asked.actor.extension
    if row.get("domain") == "~":
        row["domain"] = asked.actor.domain
    return row


async def _create(asked: Asked) -> Answer:
    usual = {
        "subscription-geo-support": "yes", "user-scope": asked.actor.scope, "reseller": asked.actor.reseller or "*",
        "domain": asked.domain or asked.actor.domain or EVERYWHERE, "user": EVERYWHERE,
        "preferred-server": asked.house.hostname,
    }  # fmt: skip
    row = _checked(asked, {**usual, **_sent(asked), **({"domain": asked.domain} if asked.domain else {})})
    asked.require("create", _thing(asked, row))
    name = asked.house.token(32).lower()
    row |= {"id": name, "subscription-creation-datetime": _when(asked.now.wall.timestamp()),
            "expires": _expiry(asked)}  # fmt: skip
    await _keep(asked, row)
    return Answer(200, {**_told(asked, row), "secret": asked.house.proof(name)}, {"Cache-Control": "no-store"})


def _expiry(asked: Asked) -> float:
    """Return when it ends, in POSIX seconds: what is asked for, between now and as long as who asks may have."""
    now = asked.now.wall
    latest = now + (LIVES_BY_KEY if asked.known is not None and asked.known.by_key else LIVES)
    text = asked.text("subscription-expires-datetime")
    if not text:
        return latest.timestamp()
    try:
        moment = datetime.fromisoformat(text.replace(" ", "T"))
    except ValueError:
        raise wrong("subscription-expires-datetime", text, "it is no moment", "send 2026-12-31 00:00:00") from None
    return max(now, min(latest, moment if moment.tzinfo else moment.replace(tzinfo=UTC))).timestamp()


async def _keep(asked: Asked, row: Mapping[str, Any]) -> None:
    await asked.submit(DocumentSaved(Document(str(row["domain"]), KIND, str(row["id"]), json.dumps(row))))


async def _change(asked: Asked) -> Answer:
    where, row = _one(asked, "edit")
    new = _checked(asked, {**row, **_sent(asked)})
    asked.require("edit", _thing(asked, new))
    if "subscription-expires-datetime" in asked.body:
        new["expires"] = _expiry(asked)
    if new["domain"] != where:
        await asked.submit(DocumentRemoved(where, KIND, str(row["id"])))
    await _keep(asked, new)
    return ACCEPTED


async def _delete(asked: Asked) -> Answer:
    where, row = _one(asked, "delete")
    await asked.submit(DocumentRemoved(where, KIND, str(row["id"])))
    return ACCEPTED


_NAMES = ("id", "model", "post-url", "reseller", "domain", "user", "status", "subscription-expires-datetime")
_TOLD = {"type": "object", "properties": {**dict.fromkeys(_NAMES, TEXT.schema),
         "subscription-geo-support": YES_NO.schema}}  # fmt: skip
_NEW = {**_TOLD, "required": ["model", "post-url"]}


def _of(under: str) -> tuple[Route, ...]:
    one = f"{under}/{{id}}"
    return (
        Route("GET", under, _list, "subscription", "List subscriptions", None, {"type": "array", "items": _TOLD},
              ("start", "limit")),
        Route("POST", under, _create, "subscription", "Subscribe", _NEW, _TOLD),
        Route("GET", one, _read, "subscription", "Read a subscription", None, _TOLD),
        Route("PUT", one, _change, "subscription", "Change a subscription", _TOLD),
        Route("DELETE", one, _delete, "subscription", "Unsubscribe"),
    )  # fmt: skip


ROUTES = (*_of("/subscriptions"), *_of("/domains/{domain}/subscriptions"))
