"""Dial plans and dial policies. Policies are the domain's own and bar calls; rules of plans are kept, not obeyed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pbx.access import Action
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import with_kept
from pbx.api.destinations import APPLICATIONS
from pbx.api.forms import TEXT, YES_NO, choice
from pbx.api.resources.domains import SHAPE as DOMAIN
from pbx.api.routes import Route
from pbx.api.shapes import Field, Shape, as_refusal, kept, told
from pbx.api.shelf import Shelf
from pbx.domain.dialpolicy import CallKind
from pbx.domain.directory import Directory
from pbx.domain.platform import Platform
from pbx.domain.seed import BadSeed, read_model
from pbx.ownership import domain_thing

RULES = "/domains/{domain}/dialplans/{dialplan}/dialrules"
PLAN = "dial-rule-dial-plan"


def needed(name: str) -> Field:
    return Field(name, TEXT, required=True)


RULE = Shape("DialRule", (
    told("domain", TEXT, lambda around, row: around.domain),
    told(PLAN, TEXT, lambda around, row: around.path.get("dialplan", "")),
    needed("dial-rule-matching-to-uri"),
    told("dialrule", TEXT, lambda around, row: row["id"]),
    kept("enabled", YES_NO, "yes"),
    *(kept(f"dial-rule-matching-{name}", TEXT, "*")
      for name in ("from-uri", "day-of-week", "start-date", "end-date", "start-time", "end-time")),
    kept("dial-rule-application", choice(APPLICATIONS), "to-user"),
    kept("dial-rule-parameter", TEXT),
    kept("dial-rule-translation-destination-scheme", TEXT, "[*]"),
    needed("dial-rule-translation-destination-user"),
    *(kept(f"dial-rule-translation-{name}", TEXT, "[*]")
      for name in ("destination-host", "source-name", "source-scheme", "source-user", "source-host")),
    kept("dial-rule-description", TEXT),
))  # fmt: skip
DIAL_RULES = Shelf("dial rule", "dial plan", RULE, "", RULES, "dialrule", where=lambda asked: asked.path["dialplan"])

_PLAN = Shape("Dialplan", (
    told("domain", TEXT, lambda around, row: row.get("domain") or around.domain or "*"),
    needed(PLAN),
    kept("dial-rule-description", TEXT, ""),
))  # fmt: skip
PLANS = Shelf("dial plan", "dial plan", _PLAN, PLAN, "/domains/{domain}/dialplans", "dialplan",
              verbs=("create", "change", "delete"))  # fmt: skip
EVERYWHERE = replace(PLANS, under="/dialplans", verbs=("create",))


async def _plans(asked: Asked) -> Answer:
    """Every domain has the plan that is called like it."""
    own = [
        {"domain": directory.domain.name, PLAN: directory.domain.name, "dial-rule-description": "made with the domain"}
        for directory in asked.directories("dial plan")
    ]
    rows = [EVERYWHERE.told(asked, row) for row in EVERYWHERE.rows(asked)]
    return Answer(200, [*own, *rows][asked.page()])


# --- policies ---------------------------------------------------------------------------------------------

POLICIES = ("/dialpolicy", "/domains/{domain}/dialpolicy")


def _directory(asked: Asked) -> Directory:
    """A policy without a domain in its path is of the one the body names, else the actor's own."""
    if not asked.domain:
        names = list(asked.house.names())
        own = asked.actor.domain if asked.actor.domain in names else names[0]
        asked.path["domain"] = asked.text("domain") or asked.query.get("domain") or own
    return asked.directory


def _told(directory: Directory, name: str) -> dict[str, Any]:
    fields = directory.kept.get(f"dial policy:{name}", {})
    default = name == directory.domain.platform.dial_policy
    description = fields.get("description") or ("of whoever has no other" if default else "")
    return {"dialpolicy": name, "domain": directory.domain.name, "description": description}


def _policy(asked: Asked, action: Action) -> tuple[Directory, str]:
    directory, name = _directory(asked), asked.path["policy"]
    asked.require(action, domain_thing(directory, "dial plan", name))
    if name not in directory.domain.platform.dial_policies:
        raise nothing("dial policy", name)
    return directory, name


async def _policies(asked: Asked) -> Answer:
    rows = [
        _told(directory, name)
        for directory in asked.directories("dial plan")
        for name in directory.domain.platform.dial_policies
    ]
    return Answer(200, rows[asked.page()])


async def _read(asked: Asked) -> Answer:
    return Answer(200, _told(*_policy(asked, "view")))


async def _create(asked: Asked) -> Answer:
    directory, name = _directory(asked), asked.needed("dialpolicy")
    asked.require("create", domain_thing(directory, "dial plan", name))
    if name in directory.domain.platform.dial_policies:
        raise Refused(409, f"there is a dial policy {name!r} already")
    after = await _edit(asked, name, lambda now: ())
    return Answer(200, _told(after, name)) if asked.synchronous else ACCEPTED


async def _change(asked: Asked) -> Answer:
    _, name = _policy(asked, "edit")
    after = await _edit(asked, name, lambda now: now)
    return Answer(200, _told(after, name)) if asked.synchronous else ACCEPTED


async def _edit(asked: Asked, name: str, change: Any) -> Directory:
    def edit(directory: Directory) -> Directory:
        policies = dict(directory.domain.platform.dial_policies)
        policies[name] = tuple(change(policies.get(name, ())))
        description = asked.text("description")
        return with_kept(_with(directory, policies), f"dial policy:{name}",
                         {"description": description} if description else {})  # fmt: skip

    return await asked.edit(edit, f"dial policy {name}")


def _with(directory: Directory, policies: dict[str, tuple[CallKind, ...]]) -> Directory:
    try:
        platform = read_model(Platform, {**dict(directory.domain.platform), "dial_policies": policies})
        domain = directory.domain.model_copy(update={"platform": platform})
        return directory.replaced(domain=domain)
    except BadSeed as bad:
        raise Refused(409, str(bad)) from None
    except ValueError as error:
        raise as_refusal(error, DOMAIN, {}) from None


async def _delete(asked: Asked) -> Answer:
    _, name = _policy(asked, "delete")

    def edit(directory: Directory) -> Directory:
        policies = {known: kinds for known, kinds in directory.domain.platform.dial_policies.items() if known != name}
        return _with(directory, policies).with_kept(f"dial policy:{name}", {})

    await asked.edit(edit, f"dial policy {name}")
    return ACCEPTED


# --- permissions: the kinds of calls a policy allows -------------------------------------------------------


def _rows(directory: Directory, name: str) -> list[dict[str, Any]]:
    allowed = directory.domain.platform.dial_policies[name]
    return [
        {"dialpolicy": name, "domain": directory.domain.name, "permission-match": kind.value,
         "permission-mode": "permit" if kind in allowed else "deny", "permission-reason": f"{kind.value} calls",
         "permission-id": kind.name.lower()}
        for kind in CallKind
    ]  # fmt: skip


async def _permissions(asked: Asked) -> Answer:
    return Answer(200, _rows(*_policy(asked, "view"))[asked.page()])


def _permission(asked: Asked, directory: Directory, name: str) -> dict[str, Any]:
    wanted = asked.path["id"]
    found = next((row for row in _rows(directory, name) if row["permission-id"] == wanted), None)
    if found is None:
        raise nothing("permission", wanted)
    return found


async def _permission_read(asked: Asked) -> Answer:
    return Answer(200, _permission(asked, *_policy(asked, "view")))


async def _permission_create(asked: Asked) -> Answer:
    _, name = _policy(asked, "edit")
    match = asked.needed("permission-match")
    kind = next((kind for kind in CallKind if match in (kind.value, kind.name.lower())), None)
    if kind is None:
        kinds = ", ".join(kind.value for kind in CallKind)
        raise wrong("permission-match", match, f"it is a kind of call: {kinds}", "send one of them")
    after = await _permit(asked, name, kind)
    row = next(row for row in _rows(after, name) if row["permission-match"] == kind.value)
    return Answer(200, row) if asked.synchronous else ACCEPTED


async def _permission_change(asked: Asked) -> Answer:
    directory, name = _policy(asked, "edit")
    row = _permission(asked, directory, name)
    after = await _permit(asked, name, CallKind(row["permission-match"]))
    return Answer(200, _permission(asked, after, name)) if asked.synchronous else ACCEPTED


async def _permit(asked: Asked, name: str, kind: CallKind, mode: str = "") -> Directory:
    mode = mode or asked.needed("permission-mode")
    if mode not in ("permit", "deny"):
        raise wrong("permission-mode", mode, "it is permit or deny", "send permit")

    def changed(now: tuple[CallKind, ...]) -> tuple[CallKind, ...]:
        left = tuple(known for known in now if known is not kind)
        return (*left, kind) if mode == "permit" else left

    return await _edit(asked, name, changed)


async def _permission_delete(asked: Asked) -> Answer:
    directory, name = _policy(asked, "edit")
    row = _permission(asked, directory, name)
    await _permit(asked, name, CallKind(row["permission-match"]), "deny")
    return ACCEPTED


_POLICY = {"type": "object", "properties": dict.fromkeys(("dialpolicy", "domain", "description"), TEXT.schema)}
_PERMISSION = {"type": "object", "properties": {**dict.fromkeys(
    ("dialpolicy", "domain", "permission-match", "permission-reason", "permission-id"), TEXT.schema),
    "permission-mode": {"type": "string", "enum": ["permit", "deny"]}}}  # fmt: skip


def _policy_routes(under: str) -> tuple[Route, ...]:
    one, all_ = f"{under}/{{policy}}", f"{under}/{{policy}}/permission"
    each = f"{all_}/{{id}}"
    many, several = {"type": "array", "items": _POLICY}, {"type": "array", "items": _PERMISSION}
    new = {**_PERMISSION, "required": ["permission-match", "permission-mode"]}
    return (
        Route("GET", one, _read, "dial plan", "Read a dial policy", None, _POLICY),
        Route("PUT", one, _change, "dial plan", "Change a dial policy", _POLICY, _POLICY),
        Route("DELETE", one, _delete, "dial plan", "Delete a dial policy"),
        Route("GET", all_, _permissions, "dial plan", "What a dial policy permits", None, several, ("start", "limit")),
        Route("POST", all_, _permission_create, "dial plan", "Permit or deny a kind of call", new, _PERMISSION, (),
              "edit"),
        Route("GET", each, _permission_read, "dial plan", "Whether a kind of call is permitted", None, _PERMISSION),
        Route("PUT", each, _permission_change, "dial plan", "Permit or deny a kind of call", _PERMISSION, _PERMISSION),
        Route("DELETE", each, _permission_delete, "dial plan", "Deny a kind of call", None, None, (), "edit"),
        *((Route("GET", under, _policies, "dial plan", "List dial policies", None, many, ("start", "limit")),
           Route("POST", under, _create, "dial plan", "Create a dial policy",
                 {**_POLICY, "required": ["dialpolicy"]}, _POLICY)) if under == POLICIES[0] else ()),
    )  # fmt: skip


ROUTES = (
    *DIAL_RULES.routes(),
    *PLANS.routes(),
    *EVERYWHERE.routes(),
    Route("GET", "/dialplans", _plans, "dial plan", "List dial plans", None,
          {"type": "array", "items": _PLAN.schema()}, ("start", "limit")),
    *(route for under in POLICIES for route in _policy_routes(under)),
)  # fmt: skip
