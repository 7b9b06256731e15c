"""Who may do what: one table of permissions, the presets' differences from it, and answers that say why.

A row is a kind of thing and what is done to it; a cell says how far one scope reaches: `o` own, `q` things of assigned
queues, `s` of the own site, `d` of the own domain, `r` of the reseller's domains, `a` everywhere; several add up. Rows
carry their evidence with the tags of domain-features (2.1–2.3). A Super User reaches everything (the lab engineer is
one), a user without portal nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal, assert_never, get_args

from pbx.domain.tenancy import Scope, User

Roles = Literal["generic", "n2p", "b1"]
Action = Literal["view", "edit", "create", "delete"]
Kind = Literal[
    "home", "user", "profile", "account", "scope", "site assignment", "answering rule", "time frame",
    "shared time frame", "greeting", "voicemail", "device", "attendant", "queue", "agent", "statistics", "music",
    "number", "sms number", "hardware", "secret", "call", "call record", "recording", "conference", "contact",
    "shared contact", "emergency address", "fax account", "billing", "site", "sites feature", "department", "domain",
    "reseller", "dial plan", "audit log", "api key", "subscription", "phone", "sip trace", "flow map", "test run",
    "onboarding", "mail", "view as", "clock", "fault", "snapshot", "event",
]  # fmt: skip
Reach = Literal["o", "q", "s", "d", "r", "a"]

ACTIONS: tuple[Action, ...] = get_args(Action)
KINDS: tuple[Kind, ...] = get_args(Kind)
ROLES: tuple[Roles, ...] = get_args(Roles)
SCOPES: tuple[Scope, ...] = (
    "Super User", "Reseller", "Office Manager", "Call Center Supervisor", "Site Manager", "Call Center Agent",
    "Advanced User", "Basic User", "Simple User", "NDP", "No Portal",
)  # fmt: skip
"""The widest first."""
REACHES: dict[Reach, str] = {
    "o": "own", "q": "assigned queues", "s": "own site", "d": "own domain", "r": "the reseller's domains",
    "a": "everywhere",
}  # fmt: skip

USER_FIELDS: dict[str, Kind] = {
    "scope": "scope", "site": "site assignment", "rules": "answering rule", "do_not_disturb": "answering rule",
    "ring_s": "answering rule", "call_waiting": "answering rule", "extension": "account", "login": "account",
    "status": "account", "service_code": "account", "department": "account", "dial_policy": "account",
    "max_calls": "account", "recording": "account", "caller_id": "account", "caller_id_name": "account",
    "forwarded_caller_id": "account", "area_code": "account", "emergency_caller_id": "emergency address",
    "emergency_address": "emergency address",
}  # fmt: skip
"""Field of a user → what who changes it edits; a field that is not here is of the profile."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks, with all that rights depend on."""

    name: str
    """As the audit tells it: login, name of a key, `lab engineer`."""
    scope: Scope
    domain: str = ""
    reseller: str = ""
    extension: str = ""
    site: str = ""
    queues: frozenset[str] = frozenset()
    """Extensions of the queues a supervisor was given."""
    roles: Roles = "generic"
    by: str = ""
    """Who looks through this person's eyes; empty for the person itself."""
    read_only: str = ""
    """Why nothing may be changed: viewing as another, a key made for reading."""

    @property
    def words(self) -> str:
        where = f" of {self.site}" if self.scope == "Site Manager" and self.site else ""
        home = f" in {self.domain}" if self.domain else ""
        return f"{self.name} is {self.scope}{where}{home}"


@dataclass(frozen=True, slots=True)
class Thing:
    """What is acted on (`pbx.ownership` makes them of a directory). A thing of a user bears the user's site."""

    kind: Kind
    domain: str = ""
    """Empty for what belongs to no domain, as the clock of the lab."""
    reseller: str = ""
    name: str = ""
    owners: frozenset[str] = frozenset()
    """Extensions: a call has several."""
    sites: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    """Extensions of the queues it is, or belongs to."""
    owner_scope: Scope = "Basic User"
    """Of a user's thing: nobody changes what is of somebody with a wider scope."""

    @property
    def words(self) -> str:
        return f"{self.kind} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Decision:
    """An answer with its reasons; true when it is allowed."""

    allowed: bool
    because: tuple[str, ...]
    """Sentences: who asks, what the table says, how the thing stands to it."""
    status: Literal[200, 403, 404] = 200
    """404 where the asker may not even know that there is such a thing."""
    others: tuple[Scope, ...] = ()
    """Scopes that reach further here: who can do it, or be asked to."""

    def __bool__(self) -> bool:
        return self.allowed

    def refused(self, why: str, status: Literal[403, 404]) -> Decision:
        return Decision(False, (*self.because, why) if why else self.because, status, self.others)


@dataclass(frozen=True, slots=True)
class Right:
    """One row of the table, for one preset."""

    kind: Kind
    action: Action
    reach: dict[Scope, frozenset[Reach]]
    evidence: str

    def of(self, scope: Scope) -> frozenset[Reach]:
        return self.reach.get(scope, frozenset())

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Who may at all, the widest first."""
        return tuple(scope for scope in SCOPES if self.of(scope))


def may(actor: Actor, action: Action, thing: Thing) -> Decision:
    """Return whether `actor` may do it to `thing`, and why. The reasons of a 404 are not for who asked."""
    general = may_some(actor, action, thing.kind, thing.domain, thing.reseller)
    if not general:
        return general
    right = right_of(actor.roles, thing.kind, action)
    reach = right.of(actor.scope)
    covers = next((letter for letter in REACHES if letter in reach and _COVERS[letter](actor, thing)), None)
    if covers is None:
        seen = action != "view" and bool(may(actor, "view", thing))
        return general.refused(_outside(thing), 403 if seen else 404)
    if action != "view" and _is_above(actor, thing):
        return general.refused(f"{thing.words} is of {_a(thing.owner_scope)}, whose scope is wider", 403)
    return Decision(True, (*general.because, _stands(covers, thing)), others=general.others)


def may_some(actor: Actor, action: Action, kind: Kind, domain: str, reseller: str = "") -> Decision:
    """Return whether `actor` may do it to any such thing of a domain: whether a list or a page is there at all."""
    right = right_of(actor.roles, kind, action)
    others = tuple(scope for scope in right.scopes if scope != actor.scope)
    told = Decision(True, (actor.words, _says(actor, right)), others=others)
    if not _knows_domain(actor, domain, reseller):
        return told.refused(f"{domain} is not among the domains {actor.name} knows", 404)
    if not right.of(actor.scope):
        return told.refused("", 403)
    if action != "view" and actor.read_only:
        return told.refused(actor.read_only, 403)
    return told


def kept_out(actor: Actor, why: str) -> Decision:
    """Return whether `actor` comes into a domain that is not open yet, `why` saying what for; the provider does."""
    if not why or actor.scope == "Super User":
        return Decision(True, (actor.words,))
    return Decision(False, (actor.words, why), 403, ("Super User",))


def reaches_all(actor: Actor, action: Action, kind: Kind, domain: str, reseller: str = "") -> bool:
    """Return whether every such thing of a domain is within reach: then a list needs no filter."""
    reach = right_of(actor.roles, kind, action).of(actor.scope)
    return bool(may_some(actor, action, kind, domain, reseller)) and not reach.isdisjoint(("d", "r", "a"))


def within(actor: Actor, action: Action, kind: Kind) -> Callable[[Thing], bool]:
    """Return the filter of a list of such things: true for those `actor` may do it to. Cheap enough for thousands."""
    reach = right_of(actor.roles, kind, action).of(actor.scope)
    if action != "view" and actor.read_only:
        reach = frozenset()
    tests = [_COVERS[letter] for letter in REACHES if letter in reach]
    changes = action != "view"
    return lambda thing: any(test(actor, thing) for test in tests) and not (changes and _is_above(actor, thing))


def may_appoint(actor: Actor, user: Thing, before: Scope, after: Scope) -> Decision:
    """Return whether `actor` may change a user's scope; `user` is of kind `scope`. A new user was Basic User."""
    decision = may(actor, "edit", user)
    if not decision or before == after:
        return decision
    grants = appointable(actor.roles, actor.scope)
    wrong = next((scope for scope in (after, before) if scope not in grants), None)
    if wrong is None:
        return decision
    why = f"{_a(actor.scope)} appoints {', '.join(grants)}, and neither makes nor unmakes {_a(wrong)}"
    others = tuple(scope for scope in SCOPES if {before, after} <= set(appointable(actor.roles, scope)))
    return replace(decision.refused(why, 403), others=others)


def changed_kinds(before: User, after: User) -> tuple[Kind, ...]:
    """Return what somebody edits who makes one of the other, each kind once."""
    names = (name for name in type(before).model_fields if getattr(before, name) != getattr(after, name))
    return tuple(dict.fromkeys(USER_FIELDS.get(name, "profile") for name in names))


def appointable(roles: Roles, scope: Scope) -> tuple[Scope, ...]:
    """Return the scopes that somebody of a scope may give and take away."""
    if scope == "Super User":
        return SCOPES
    return _APPOINTS[roles].get(scope, ())


def right_of(roles: Roles, kind: Kind, action: Action) -> Right:
    """Return the row; where the table has none, nobody but a Super User may."""
    return _table(roles).get((kind, action)) or Right(kind, action, _SUPER, "not among the portal's rights")


def table(roles: Roles) -> tuple[Right, ...]:
    """Return every row of a preset, in the order of the table."""
    return tuple(_table(roles).values())


# --- why --------------------------------------------------------------------------------------------------


def _says(actor: Actor, right: Right) -> str:
    reach = right.of(actor.scope)
    may_or_not = f"may {right.action}" if reach else f"may not {right.action}"
    how_far = f" of {_and(REACHES[letter] for letter in REACHES if letter in reach)}" if reach else ""
    return f"{_a(actor.scope)} {may_or_not} {_several(right.kind)}{how_far} (roles {actor.roles}: {right.evidence})"


def _stands(letter: Reach, thing: Thing) -> str:
    match letter:
        case "o":
            return f"{thing.words} is the asker's own"
        case "q":
            return f"{thing.words} belongs to queue {_and(sorted(thing.queues))}"
        case "s":
            return f"{thing.words} is in site {_and(sorted(thing.sites))}"
        case "d":
            return f"{thing.words} is in domain {thing.domain}"
        case "r":
            return f"{thing.words} is in {thing.domain}, a domain of {thing.reseller}"
        case "a":
            return f"{thing.words} is within everything"
        case _:
            assert_never(letter)


def _outside(thing: Thing) -> str:
    owner = f"of user {_and(sorted(thing.owners))}" if thing.owners else "nobody's own"
    site = f"in site {_and(sorted(thing.sites))}" if thing.sites else "in no site"
    queues = f", of queue {_and(sorted(thing.queues))}" if thing.queues else ""
    return f"{thing.words} is {owner}, {site}{queues}: outside that reach"


def _a(scope: Scope) -> str:
    return f"{'an' if scope[0] in 'AO' else 'a'} {scope}"


def _several(kind: Kind) -> str:
    match kind:
        case "home" | "statistics" | "music" | "billing" | "voicemail" | "hardware" | "sites feature" | "mail":
            return kind
        case "emergency address":
            return "emergency addresses"
        case _:
            return f"{kind}s"


def _and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


# --- how far --------------------------------------------------------------------------------------------


def _knows_domain(actor: Actor, domain: str, reseller: str) -> bool:
    """Another's domain is unknown: no answer tells whether there is one."""
    if not domain or actor.scope in ("Super User", "NDP"):
        return True
    if actor.scope == "Reseller":
        return bool(actor.reseller) and reseller == actor.reseller
    return domain == actor.domain


_COVERS: dict[Reach, Callable[[Actor, Thing], bool]] = {
    "o": lambda actor, thing: _home(actor, thing) and bool(actor.extension) and actor.extension in thing.owners,
    "q": lambda actor, thing: _home(actor, thing) and not actor.queues.isdisjoint(thing.queues),
    "s": lambda actor, thing: _home(actor, thing) and bool(actor.site) and actor.site in thing.sites,
    "d": lambda actor, thing: _home(actor, thing),
    "r": lambda actor, thing: bool(actor.reseller) and thing.reseller == actor.reseller,
    "a": lambda actor, thing: True,
}


def _home(actor: Actor, thing: Thing) -> bool:
    return bool(actor.domain) and thing.domain == actor.domain


def _is_above(actor: Actor, thing: Thing) -> bool:
    """A site manager who sets an office manager's password would be one."""
    own = thing.domain == actor.domain and actor.extension in thing.owners
    return bool(thing.owners) and not own and _RANK[thing.owner_scope] > _RANK[actor.scope]


_RANK: dict[Scope, int] = {
    "Super User": 4, "Reseller": 3, "NDP": 3, "Office Manager": 2, "Call Center Supervisor": 1, "Site Manager": 1,
    "Call Center Agent": 0, "Advanced User": 0, "Basic User": 0, "Simple User": 0, "No Portal": 0,
}  # fmt: skip


# --- the table --------------------------------------------------------------------------------------------

_COLUMNS: tuple[Scope, ...] = (
    "Reseller", "Office Manager", "Call Center Supervisor", "Site Manager", "Call Center Agent", "Advanced User",
    "Basic User", "Simple User", "NDP",
)  # fmt: skip
_EVERYWHERE: Reach = "a"
_SUPER: dict[Scope, frozenset[Reach]] = {"Super User": frozenset({_EVERYWHERE})}

_GENERIC = """
#                                              Re OM CS SM Ag Ad Ba Si ND
home              | view                    | r  d  q  s  o  o  o  o  - | V: each portal begins with it (2.2)
user              | view                    | r  d  -  s  -  -  -  -  - | seed: site managers have a Users tab
user              | create delete           | r  d  -  -  -  -  -  -  - | C: n2p leaves it to support
profile           | view edit               | r  d  o  os o  o  o  o  - | seed: supervisors change no profiles
account           | view                    | r  d  o  os o  o  o  o  - | I: login, limits, caller ID, dial policy
account           | edit                    | r  d  -  -  -  -  -  -  - | I: money and names are the office's
scope             | edit                    | r  d  -  -  -  -  -  -  - | V: within what a scope may appoint (2.1)
site assignment   | edit                    | r  d  -  -  -  -  -  -  - | seed: office managers assign users to sites
answering rule    | view edit create delete | r  d  o  os o  o  o  o  - | seed: site's users, not for supervisors
time frame        | view edit create delete | r  d  o  os o  o  o  o  - | seed: private ones, as answering rules
shared time frame | view                    | r  d  -  d  -  -  -  -  - | V: only office managers make them
shared time frame | edit create delete      | r  d  -  -  -  -  -  -  - | V: only office managers make them (1.4)
greeting          | view edit create delete | r  d  o  os o  o  o  o  - | V: each has the own greetings (2.2)
voicemail         | view edit delete        | r  d  o  o  o  o  o  o  - | I: messages are their owner's and the office's
device            | view                    | r  d  o  os o  o  o  o  a | I: the Phones tab of a user
device            | edit create delete      | r  d  -  s  -  -  -  -  a | I: as phone hardware
attendant         | view edit               | r  d  -  s  -  -  -  -  - | C: n2p's document grants it, b1 denies
attendant         | create delete           | r  d  -  -  -  -  -  -  - | I: numbers lead to them
queue             | view edit               | r  d  q  s  -  -  -  -  - | seed: of their queues, of their site
queue             | create delete           | r  d  -  -  -  -  -  -  - | V: supervisors do not (onecloud)
agent             | view edit               | r  d  q  s  o  -  -  -  - | V: own log-in and status, or the queue's
agent             | create delete           | r  d  q  s  -  -  -  -  - | seed: queue settings and assigned users
statistics        | view                    | r  d  q  s  o  -  -  -  - | seed: all call-centre metrics; I: of a site
music             | view edit create delete | r  d  -  -  -  -  -  -  - | seed: office managers, not supervisors
number            | view edit               | r  d  -  -  -  -  -  -  - | V: office managers route them
number            | create delete           | r  -  -  -  -  -  -  -  - | I: numbers are ordered
sms number        | view edit               | r  d  -  -  -  -  -  -  - | I: as numbers
sms number        | create delete           | r  -  -  -  -  -  -  -  - | I: as numbers
hardware          | view edit               | r  d  -  s  -  -  -  -  a | V: b1; label, status and resync, no secrets
hardware          | create delete           | r  d  -  -  -  -  -  -  a | I: assigning a delivered box
secret            | view                    | -  -  -  -  -  -  -  -  a | V: console 4.3, the audit knows who looked
call              | view                    | r  d  oq os o  o  o  o  - | V: as the call history
call              | create edit delete      | r  d  oq os o  o  o  o  - | I: click to call, hold, transfer, hang up
call record       | view                    | r  d  oq os o  o  o  o  - | seed: site managers see their users' logs
recording         | view                    | r  d  oq os o  o  o  o  - | V: as the call history (2.2)
recording         | delete                  | r  d  -  -  -  -  -  -  - | I: evidence is not its subject's to remove
conference        | view edit               | r  d  o  os o  o  o  o  - | V: the own room, the site's (2.2)
conference        | create delete           | r  d  -  -  -  -  -  -  - | I: they take extensions
contact           | view edit create delete | r  o  o  o  o  o  o  o  - | V: the own address book (2.2)
shared contact    | view                    | r  d  d  d  d  d  d  d  - | V: everybody reads it (2.2)
shared contact    | edit create delete      | r  d  -  -  -  -  -  -  - | V: the office writes it (2.2)
emergency address | view edit create delete | r  d  -  -  -  -  -  -  - | V: preferences of office managers (2.1)
fax account       | view edit create delete | r  d  -  -  -  -  -  -  - | I: as numbers, ordered with them
billing           | view edit               | r  d  -  -  -  -  -  -  - | V: invoices and contacts, office managers
site              | view                    | r  d  -  s  -  -  -  -  - | seed: a site manager's own
site              | edit                    | r  d  -  -  -  -  -  -  - | seed: music and greetings by office managers
site              | create delete           | r  -  -  -  -  -  -  -  - | V: support only (2.2)
sites feature     | view                    | r  d  -  -  -  -  -  -  - | seed: whether it is enabled
sites feature     | edit                    | r  -  -  -  -  -  -  -  - | V: support only (2.2)
department        | view                    | r  d  -  s  -  -  -  -  - | I: labels of users
domain            | view                    | r  d  -  -  -  -  -  -  - | V: office managers do not edit it (luminate)
domain            | edit create delete      | r  -  -  -  -  -  -  -  - | V: resellers make domains
reseller          | view                    | r  -  -  -  -  -  -  -  - | V: hierarchy of scopes (2.1)
dial plan         | view                    | r  d  -  -  -  -  -  -  - | I: permissions and translations
dial plan         | edit create delete      | r  -  -  -  -  -  -  -  - | I: what calls cost
audit log         | view                    | r  d  -  -  -  -  -  -  - | V: every actor visible (console 1.1)
api key           | view create delete      | r  d  -  -  -  -  -  -  - | I: by default nobody below the office
subscription      | view edit create delete | r  d  o  o  o  o  o  o  - | I: events of what one sees
phone             | view                    | r  d  oq s  o  o  o  o  - | console 4.3: the lab floor
phone             | edit                    | r  o  o  o  o  o  o  o  - | console 4.3: picking up, keys, reboot
sip trace         | view                    | r  d  -  -  -  -  -  -  - | console 4.3: others read plain language
flow map          | view                    | r  d  q  s  o  o  o  o  - | console 4.3
test run          | view edit               | r  d  -  s  -  -  -  -  - | console 4.3: signing the own part
test run          | create                  | r  -  -  -  -  -  -  -  - | console 4.3
onboarding        | view edit               | r  d  -  -  -  -  -  -  - | console 4.3: partner and client do their part
onboarding        | create                  | r  -  -  -  -  -  -  -  - | seed: the partner's or the agent's order
mail              | view                    | r  d  o  o  o  o  o  o  - | console 4.3: the outbox
view as           | create                  | r  d  -  -  -  -  -  -  - | V: masquerade, never as who is above
"""
"""Clock, faults, snapshots, events and what else has no row are the lab's: a Super User's."""

_DIFFERENCES: dict[Roles, str] = {
    "generic": "",
    "n2p": """
user              | create delete           | r  -  -  -  -  -  -  -  - | V: support adds and removes users (2.1)
device            | edit create delete      | r  d  -  -  -  -  -  -  a | seed: site managers have no inventory tab
hardware          | view edit               | r  d  -  -  -  -  -  -  a | seed: site managers have no inventory tab
site              | create delete           | -  -  -  -  -  -  -  -  - | seed: configuration requires the support team
sites feature     | edit                    | -  -  -  -  -  -  -  -  - | seed: support is responsible for enabling it
""",
    "b1": """
user              | create delete           | r  d  -  s  -  -  -  -  - | V: site managers manage their users (b1)
scope             | edit                    | r  d  -  s  -  -  -  -  - | C: of the users they make
shared time frame | view                    | r  d  -  -  -  -  -  -  - | V: not for site managers (b1)
attendant         | view edit               | r  d  -  -  -  -  -  -  - | V: not for site managers (b1)
queue             | create delete           | r  d  -  s  -  -  -  -  - | V: site managers manage site queues (b1)
music             | view edit create delete | r  d  -  s  -  -  -  -  - | V: of site queues (b1)
""",
}

_PEOPLE: tuple[Scope, ...] = ("Basic User", "Simple User", "Advanced User", "Call Center Agent")
_APPOINTS: dict[Roles, dict[Scope, tuple[Scope, ...]]] = {
    "generic": {
        "Office Manager": (*_PEOPLE, "Call Center Supervisor", "Office Manager", "No Portal"),
        "Reseller": (*_PEOPLE, "Call Center Supervisor", "Site Manager", "Office Manager", "No Portal"),
    },
    # V: to Basic, Agent, Supervisor alone; no other office manager. seed: support appoints site managers.
    "n2p": {
        "Office Manager": ("Basic User", "Call Center Agent", "Call Center Supervisor"),
        "Reseller": (*_PEOPLE, "Call Center Supervisor", "Office Manager", "No Portal"),
    },
    "b1": {
        "Site Manager": _PEOPLE,
        "Office Manager": (*_PEOPLE, "Call Center Supervisor", "Office Manager", "No Portal"),
        "Reseller": (*_PEOPLE, "Call Center Supervisor", "Site Manager", "Office Manager", "No Portal"),
    },
}
"""Preset → scope → which scopes it gives and takes away; a Super User all, who is not here none."""


@cache
def _table(roles: Roles) -> dict[tuple[Kind, Action], Right]:
    return {(right.kind, right.action): right for text in (_GENERIC, _DIFFERENCES[roles]) for right in _rights(text)}


def _rights(text: str) -> Iterable[Right]:
    for line in text.strip().splitlines():
        if line.startswith("#"):
            continue
        name, actions, cells, evidence = map(str.strip, line.split("|"))
        kind = next(kind for kind in KINDS if kind == name)
        letters = (frozenset(letter for letter in REACHES if letter in cell) for cell in cells.split())
        reach = _SUPER | dict(zip(_COLUMNS, letters, strict=True))
        yield from (Right(kind, action, reach, evidence) for action in ACTIONS if action in actions.split())
