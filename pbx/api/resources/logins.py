"""`/tokens`, `/jwt`, `/apikeys`: logging in, and keys for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pbx.access import SCOPES, Thing, appointable
from pbx.accounts.desk import NotLoggedIn
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.forms import TEXT, YES_NO
from pbx.api.identity import Identities, Known, fields_of
from pbx.api.routes import Handler, Route
from pbx.domain.accounts import Pass
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User
from pbx.ownership import user_thing

DESCRIBED = 12
"""Characters the description of a key has at least."""


def _identities(asked: Asked) -> Identities:
    assert asked.identities is not None
    return asked.identities


def _known(asked: Asked) -> Known:
    assert asked.known is not None
    return asked.known


def _fields(asked: Asked) -> Mapping[str, Any]:
    """Clients send a login as JSON, as a form, or in the address."""
    return {**asked.query, **asked.body}


async def _account(asked: Asked) -> tuple[Directory, User]:
    """Return whose name and password a request carries; Refused when they are nobody's."""
    fields = _fields(asked)
    login, password = str(fields.get("username", "")), str(fields.get("password", ""))
    if not login or not password:
        name = "password" if login else "username"
        raise wrong(name, None, "it is required", "send grant_type, client_id, client_secret, username and password")
    found = await _identities(asked).desk.checked(login, password, asked.address)
    if isinstance(found, NotLoggedIn):
        if found.retry_after_s:
            raise Refused(429, found.words, retry_after=math.ceil(found.retry_after_s))
        raise Refused(401, found.words)
    return found


async def _tokens(asked: Asked) -> Answer:
    fields, identities = _fields(asked), _identities(asked)
    client, grant = str(fields.get("client_id", "")), fields.get("grant_type", "")
    match grant:
        case "password":
            directory, user = await _account(asked)
        case "refresh_token":
            renewed = identities.renew(str(fields.get("refresh_token", "")))
            if renewed is None:
                raise Refused(401, "this refresh token is not known, has ended or was used")
            directory, user, client = renewed
        case "mfa":
            raise Refused(400, "no second factor is asked for here: log in with grant_type password")
        case _:
            raise wrong("grant_type", grant, "it is password or refresh_token", "send password")
    told = identities.tokens(directory, user, client)
    await asked.submit()
    return Answer(200, told, {"Cache-Control": "no-store"})


async def _new_jwt(asked: Asked) -> Answer:
    fields, identities = _fields(asked), _identities(asked)
    if fields.get("refresh"):
        renewed = identities.renew(str(fields["refresh"]))
        if renewed is None:
            raise Refused(401, "this refresh token is not known, has ended or was used")
        directory, user, _ = renewed
    else:
        directory, user = await _account(asked)
    told = identities.jwt(directory, user)
    await asked.submit()
    return Answer(200, told, {"Cache-Control": "no-store"})


async def _read_jwt(asked: Asked) -> Answer:
    known = _known(asked)
    if known.claims is not None:
        return Answer(200, {**known.claims, "apiversion": "Version 45.0"})
    actor = known.actor
    told = {
        "sub": f"{actor.extension}@{actor.domain}", "domain": actor.domain, "territory": actor.reseller,
        "user": actor.extension, "user_email": "", "user_scope": actor.scope, "displayName": actor.name,
        "apiversion": "Version 45.0",
    }  # fmt: skip
    return Answer(200, told)


async def _end_jwt(asked: Asked) -> Answer:
    known = _known(asked)
    if known.shown is None:
        raise Refused(400, "this key does not end: it is the house's own")
    _identities(asked).end(known.shown)
    await asked.submit()
    return ACCEPTED


async def _end_of(asked: Asked) -> Answer:
    """End one JWT by its `jti`, or every token of a user by `user@domain`."""
    name, identities = asked.path["jti"], _identities(asked)
    extension, at, domain = name.partition("@")
    if at:
        directory = asked.house.directory(domain)
        if directory is None or extension not in directory.users_by_extension:
            raise nothing("user", name)
        own = (domain, extension) == (asked.actor.domain, asked.actor.extension)
        asked.require("edit", user_thing(directory, extension, "profile" if own else "account"))
        identities.desk.revoke(domain, extension, ("token", "refresh"))
    else:
        own = (_known(asked).claims or {}).get("jti") == name
        if not (own or asked.actor.scope == "Super User") or not identities.end_jti(name):
            raise nothing("JWT", name)
    await asked.submit()
    return ACCEPTED


# --- keys -------------------------------------------------------------------------------------------------


def _told(shown: Pass, reseller: str) -> dict[str, Any]:
    more = fields_of(shown)
    return {
        "key-id": shown.first, "description": shown.description, "reseller": more.get("reseller") or reseller,
        "domain": shown.domain or "*", "user": shown.extension or "*", "user-scope": shown.scope,
        "ip-address": shown.addresses, "readonly": YES_NO.tell(shown.read_only),
        "can-create-keys": more.get("can-create-keys", "no"), "allowed-models": more.get("allowed-models", "*"),
        "created-datetime": _when(shown.made_at), "lastused-datetime": _when(shown.used_at) or None,
    }  # fmt: skip


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}" if at else ""


def _thing(asked: Asked, shown: Pass) -> Thing:
    directory = asked.house.directory(shown.domain) if shown.domain else None
    if directory is not None and shown.extension:
        return user_thing(directory, shown.extension, "api key", shown.first)
    reseller = directory.reseller.name if directory is not None else str(fields_of(shown).get("reseller", ""))
    return Thing("api key", shown.domain, reseller, shown.first)


def _seen(asked: Asked) -> list[Pass]:
    sees = asked.sees("api key")
    return [shown for shown in _identities(asked).every_key() if sees(_thing(asked, shown))]


async def _keys(asked: Asked) -> Answer:
    return Answer(200, [_told(shown, asked.actor.reseller) for shown in _seen(asked)[asked.page()]])


async def _own_key(asked: Asked) -> Answer:
    shown = _known(asked).shown
    if shown is None or shown.kind != "key":
        raise Refused(404, "who asks does so with no API key of the store")
    return Answer(200, _told(shown, asked.actor.reseller))


def _one(asked: Asked) -> Pass:
    name = asked.path["key_id"][:12]
    found = next((shown for shown in _seen(asked) if shown.first == name), None)
    if found is None:
        raise nothing("API key", name)
    return found


async def _key(asked: Asked) -> Answer:
    return Answer(200, [_told(_one(asked), asked.actor.reseller)])


def _described(asked: Asked) -> None:
    description = asked.text("description")
    if len(description) < DESCRIBED:
        rule = f"it has {DESCRIBED} characters or more"
        raise wrong("description", description, rule, "say what the key is for")


def _makes_keys(asked: Asked) -> None:
    shown = _known(asked).shown
    if shown is not None and shown.kind == "key" and fields_of(shown).get("can-create-keys") != "yes":
        raise Refused(403, "this key makes and changes no keys")


async def _new_key(asked: Asked) -> Answer:
    _described(asked)
    domain, user = asked.text("domain"), asked.text("user")
    domain, user = "" if domain == "*" else domain, "" if user == "*" else user
    scope = asked.text("user-scope") or ("Office Manager" if domain else "Reseller")
    known = next((one for one in SCOPES if one == scope), None)
    if known is None:
        raise wrong("user-scope", scope, f"it is one of {', '.join(SCOPES)}", "send one of them")
    directory = asked.house.directory(domain) if domain else None
    if domain and directory is None:
        raise nothing("domain", domain)
    if user and (directory is None or user not in directory.users_by_extension):
        raise nothing("user", user)
    if user and directory is not None:
        own = directory.users_by_extension[user].scope
        wider = SCOPES.index(known) < SCOPES.index(own)
        known = own if wider or not asked.text("user-scope") else known
    reseller = directory.reseller.name if directory else asked.text("reseller")
    named = user_thing(directory, user, "api key") if user and directory is not None else None
    asked.require("create", named or Thing("api key", domain, reseller))
    grants = (*appointable(asked.actor.roles, asked.actor.scope), asked.actor.scope)
    if known not in grants:
        raise Refused(403, f"{asked.actor.scope} makes no key of a {known}")
    _makes_keys(asked)
    names = ("description", "reseller", "ip-address", "readonly", "can-create-keys", "allowed-models")
    fields = {name: asked.body[name] for name in names if name in asked.body}
    text, made = _identities(asked).new_key(known, domain, user, asked.actor.name, fields)
    await asked.submit()
    return Answer(200, {**_told(made, asked.actor.reseller), "key": text}, {"Cache-Control": "no-store"})


async def _change_key(asked: Asked) -> Answer:
    shown = _one(asked)
    if "description" in asked.body:
        _described(asked)
    asked.require("create", _thing(asked, shown))
    _makes_keys(asked)  # or it would lift its own limits
    names = ("description", "ip-address", "readonly", "can-create-keys", "allowed-models")
    _identities(asked).change_key(shown, {name: asked.body[name] for name in names if name in asked.body})
    await asked.submit()
    return ACCEPTED


async def _end_key(asked: Asked) -> Answer:
    shown = _one(asked)
    asked.require("delete", _thing(asked, shown))
    _identities(asked).end(shown)
    await asked.submit()
    return ACCEPTED


def _own(act: Handler) -> Handler:
    """`~`: the key that asks."""

    async def act_on_own(asked: Asked) -> Answer:
        asked.path["key_id"] = _known(asked).key
        return await act(asked)

    return act_on_own


_LOGIN = {"type": "object", "properties": dict.fromkeys(
    ("grant_type", "client_id", "client_secret", "username", "password", "refresh_token"), TEXT.schema)}  # fmt: skip
_TOKEN = {"type": "object", "properties": dict.fromkeys(
    ("access_token", "refresh_token", "token_type", "scope", "domain", "user"), TEXT.schema)}  # fmt: skip
_JWT = {"type": "object", "properties": dict.fromkeys(("token", "refresh"), TEXT.schema)}
_KEY = {"type": "object", "properties": dict.fromkeys(
    ("description", "key-id", "reseller", "domain", "user", "user-scope", "ip-address", "readonly",
     "can-create-keys"), TEXT.schema)}  # fmt: skip

ROUTES = (
    Route("POST", "/tokens", _tokens, None, "Log in, or renew a token", _LOGIN, _TOKEN),
    Route("GET", "/jwt", _read_jwt, "home", "Who the token stands for", None, {"type": "object"}),
    Route("POST", "/jwt", _new_jwt, None, "Log in for a JSON Web Token, or renew one", _LOGIN, _JWT),
    Route("DELETE", "/jwt", _end_jwt, "home", "End the token", None, None, (), "view"),
    Route("DELETE", "/jwt/{jti}", _end_of, "home", "End a JWT, or every token of a user", None, None, (), "view"),
    Route("GET", "/apikeys", _keys, "api key", "List API keys", None, {"type": "array", "items": _KEY},
          ("start", "limit")),
    Route("POST", "/apikeys", _new_key, "api key", "Create an API key",
          {**_KEY, "required": ["description"]}, _KEY),
    Route("GET", "/apikeys/~", _own_key, "home", "The key that asks", None, _KEY),
    Route("PUT", "/apikeys/~", _own(_change_key), "api key", "Change the key that asks", _KEY, None, (), "create"),
    Route("DELETE", "/apikeys/~", _own(_end_key), "api key", "End the key that asks"),
    Route("GET", "/apikeys/{key_id}", _key, "api key", "Read an API key", None, {"type": "array", "items": _KEY}),
    Route("PUT", "/apikeys/{key_id}", _change_key, "api key", "Change an API key", _KEY, None, (), "create"),
    Route("DELETE", "/apikeys/{key_id}", _end_key, "api key", "End an API key"),
)  # fmt: skip
