"""Plans: YAML → a frozen model; every complaint names file and line, all of them at once (testing.md A4)."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from pbx.events import event_kinds, field_names
from test_plans.bench import ACTIONS, ATTRIBUTES, CAPABILITIES, KEYS, OPERATIONS, VIAS
from test_plans.located import read_located
from test_plans.model import (
    BINDS,
    CONTINUE,
    FIGURES,
    ONCE,
    SEVERITIES,
    STOP,
    BadPlan,
    Case,
    Plan,
    Role,
    Step,
    Verb,
    flat,
    seconds,
)
from test_plans.needs import NO_ROLES, mentioned, needed, references, told_of

__all__ = ["BadPlan", "Case", "Plan", "Role", "Step", "Verb", "flat", "load_plan", "read_plan", "seconds"]

_PLAN_KEYS = (
    "plan", "id", "title", "tags", "covers", "seed", "include", "vars", "roles", "defaults", "fragments", "cases",
    "later",
)  # fmt: skip
_TAKEN_KEYS = ("of", "id", "title", "tags", "covers", "severity", "roles", "serial", "timeout", "without",
               "holds")  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}\Z")
SHIPPED = Path(__file__).with_name("plans")
_CASE_KEYS = ("id", "title", "tags", "covers", "severity", "roles", "steps", "teardown", "serial", "timeout", "retry",
              "on_fail", "holds")  # fmt: skip
_ROLE_KEYS = ("can", "traits", "without", "family", "model", "site", "outside", "same_box", "bind", "note")
_DEFAULT_KEYS = ("within",)
_DURATIONS = ("within", "for", "silent_for")
_COUNTS = ("count", "rows")
_NEEDED = {
    "dial": "to", "fax": "to", "transfer": "to", "press": "keys", "watch": "extension", "be": "device",
    "register": "device",
}  # fmt: skip
_MOST_BYTES = 2_000_000


def load_plan(path: Path, verbs: Mapping[str, Verb]) -> Plan:
    """Read a plan file; `verbs` is what steps may say. BadPlan names every problem."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise BadPlan([f"{path}:0: cannot be read: {error.strerror or error}"], str(path)) from None
    except UnicodeDecodeError as error:
        raise BadPlan([f"{path}:0: byte {error.start} is not UTF-8"], str(path)) from None
    if len(raw) > _MOST_BYTES:
        raise BadPlan([f"{path}:0: larger than {_MOST_BYTES} bytes"], str(path))
    return _read(text, str(path), verbs, (path.parent, SHIPPED), ())


def read_plan(text: str, source: str, verbs: Mapping[str, Verb]) -> Plan:
    """Return the plan of YAML `text`; what it includes are plans of the house. BadPlan names every problem."""
    return _read(text, source, verbs, (SHIPPED,), ())


def _read(
    text: str, source: str, verbs: Mapping[str, Verb], shelves: tuple[Path, ...], inside: tuple[str, ...]
) -> Plan:
    """`inside` names the plans that include this one."""
    try:
        document, lines = read_located(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 0
        raise BadPlan([f"{source}:{line}: not YAML: {error.problem}"], source) from None
    except yaml.YAMLError as error:
        line = text.count("\n", 0, getattr(error, "position", 0)) + 1
        raise BadPlan([f"{source}:{line}: not YAML: {getattr(error, 'reason', error)}"], source) from None
    return _Reader(source, verbs, lines, shelves, inside).plan(document, text)


class _Reader:
    def __init__(
        self,
        source: str,
        verbs: Mapping[str, Verb],
        lines: Mapping[int, int],
        shelves: tuple[Path, ...],
        inside: tuple[str, ...],
    ) -> None:
        self._source, self._verbs, self._lines = source, verbs, lines
        self._shelves, self._inside = shelves, inside
        self._included: dict[str, Plan] = {}
        self._problems: list[str] = []
        self._fields = {kind: frozenset(field_names(cls)) for kind, cls in event_kinds().items()}

    def plan(self, document: object, text: str) -> Plan:
        if not isinstance(document, dict):
            raise BadPlan([f"{self._source}:1: a plan is a mapping that begins with `plan: 1`"], self._source)
        self._keys(document, _PLAN_KEYS, "a plan")
        if document.get("plan") != 1:
            self._say(document, "this reader knows `plan: 1`")
        variables = self._map(document, "vars")
        shared = {name: self._role(name, value, document) for name, value in self._map(document, "roles").items()}
        fragments = {
            str(name): self._steps(value, document) for name, value in self._map(document, "fragments").items()
        }
        self._include(document, variables)
        cases: list[Case] = []
        known: set[str] = set()
        common = tuple(map(str, self._list(document, "tags")))
        for item in self._list(document, "cases"):
            if isinstance(item, dict) and "of" in item:
                found = self._taken(item)
            else:
                own = self._case(item, document, shared, fragments, variables)
                found = [own] if own is not None else []
            for case in found:
                if case.id in known:
                    self._say(item, f"case {case.id} stands twice")
                known.add(case.id)
                cases.append(replace(case, tags=tuple(dict.fromkeys((*common, *case.tags)))))
        if not document.get("cases"):
            self._say(document, "a plan has cases")
        defaults = self._map(document, "defaults")
        self._keys(defaults, _DEFAULT_KEYS, "defaults")
        within_s = self._duration(document, defaults.get("within", "15s"), "defaults within")
        if self._problems:
            raise BadPlan(sorted(self._problems, key=_place), self._source)
        return Plan(
            str(document.get("id", "plan")),
            str(document.get("title", "")),
            tuple(cases),
            variables,
            fragments,
            within_s,
            {str(key): str(value) for key, value in self._map(document, "later").items()},
            self._source,
            str(document.get("seed", "")),
            {name: self._line(value) for name, value in self._map(document, "roles").items()},
            sha256("\n".join([text, *(plan.sha256 for plan in self._included.values())]).encode()).hexdigest(),
        )

    # --- cases of other plans -------------------------------------------------------------------------

    def _include(self, document: Mapping[str, Any], variables: Mapping[str, Any]) -> None:
        for name, values in self._map(document, "include").items():
            if not _NAME.match(str(name)) or name in self._inside or len(self._inside) > 3:
                self._say(
                    document, f"include {name!r}: " + ("it includes itself" if name in self._inside else "no name")
                )
                continue
            path = next((shelf / f"{name}.yaml" for shelf in self._shelves if (shelf / f"{name}.yaml").is_file()), None)
            if path is None:
                near = _nearest(str(name), (found.stem for shelf in self._shelves for found in shelf.glob("*.yaml")))
                self._say(document, f"there is no plan {name!r} to include{near}")
                continue
            try:
                plan = _read(path.read_text("utf-8"), str(path), self._verbs, self._shelves, (*self._inside, str(name)))
            except BadPlan as bad:
                self._problems += bad.problems
                continue
            said = values if isinstance(values, dict) else {}
            for variable in said:
                if variable not in plan.variables:
                    self._say(values, f"{name} has no variable {variable!r}{_nearest(str(variable), plan.variables)}")
            self._included[str(name)] = replace(plan, variables={**plan.variables, **said}, cases=plan.cases)

    def _taken(self, item: Mapping[str, Any]) -> list[Case]:
        """`of: office/A08`, or `of: office/G02-*` for several, which keep their ids."""
        self._keys(item, _TAKEN_KEYS, "a case of another plan")
        name, _, wanted = str(item["of"]).partition("/")
        plan = self._included.get(name)
        if plan is None:
            self._say(item, f"of: no plan {name!r} is included{_nearest(name, self._included)}")
            return []
        left_out = set(map(str, self._list(item, "without")))
        found = [case for case in plan.cases if fnmatch.fnmatchcase(case.id, wanted) and case.id not in left_out]
        if not found:
            near = _nearest(wanted, (case.id for case in plan.cases))
            self._say(item, f"plan {name} has no case {wanted!r}{near}")
        if len(found) > 1 and "id" in item:
            self._say(item, f"{wanted!r} are {len(found)} cases: they keep their own ids")
        return [self._as_said(item, replace(case, home=case.home or plan)) for case in found]

    def _as_said(self, item: Mapping[str, Any], case: Case) -> Case:
        roles = {role.name: role for role in case.roles}
        for name, value in self._map(item, "roles").items():
            if name not in roles:
                self._say(item, f"case {case.id} has no role {name!r}{_nearest(str(name), roles)}")
                continue
            said = self._role(str(name), value, item)
            roles[str(name)] = replace(said, can=said.can | roles[str(name)].can)
        severity = str(item.get("severity", case.severity))
        if severity not in SEVERITIES:
            self._say(item, f"severity {severity!r} is none of {', '.join(SEVERITIES)}{_nearest(severity, SEVERITIES)}")
        return replace(
            case,
            id=str(item.get("id", case.id)),
            title=str(item.get("title", case.title)),
            severity=severity,
            roles=tuple(roles.values()),
            tags=(*case.tags, *map(str, self._list(item, "tags"))),
            covers=(*case.covers, *map(str, self._list(item, "covers"))),
            serial=case.serial or item.get("serial") is True,
            holds=(*case.holds, *map(str, self._list(item, "holds"))),
            timeout_s=self._duration(item, item["timeout"], "timeout") if "timeout" in item else case.timeout_s,
            line=self._line(item),
        )

    # --- cases and roles ------------------------------------------------------------------------------

    def _case(
        self,
        item: object,
        near: object,
        shared: Mapping[str, Role],
        fragments: Mapping[str, tuple[Step, ...]],
        variables: Mapping[str, Any],
    ) -> Case | None:
        if not isinstance(item, dict) or not str(item.get("id") or ""):
            self._say(item if isinstance(item, dict) else near, "a case is a mapping with an id")
            return None
        name = str(item["id"])
        self._keys(item, _CASE_KEYS, f"case {name}")
        steps = self._steps(item.get("steps"), item)
        teardown = self._steps(item["teardown"], item) if "teardown" in item else ()
        own = {str(role): self._role(str(role), value, item) for role, value in self._map(item, "roles").items()}
        known = {**shared, **own}
        every = tuple(flat((*steps, *teardown), fragments))
        self._check_uses(every, fragments, variables)
        needs = needed(every)
        for step in every:
            self._check_references(step, known, variables)
        roles = []
        for role in sorted({*needs, *own}):
            if role in known:
                roles.append(replace(known[role], can=known[role].can | needs.get(role, frozenset())))
                self._check_bound(item, known[role], known)
        self._check_marks(every)
        severity = str(item.get("severity", "major"))
        if severity not in SEVERITIES:
            self._say(item, f"severity {severity!r} is none of {', '.join(SEVERITIES)}{_nearest(severity, SEVERITIES)}")
        on_fail = str(item.get("on_fail", STOP))
        if on_fail not in (STOP, CONTINUE):
            self._say(item, f"on_fail is {STOP} or {CONTINUE}, not {on_fail!r}")
        return Case(
            name, str(item.get("title", "")), severity, tuple(roles), steps, self._line(item),
            tuple(map(str, self._list(item, "covers"))), tuple(map(str, self._list(item, "tags"))),
            item.get("serial") is True, self._duration(item, item.get("timeout", "60s"), "timeout"),
            self._retries(item), teardown, on_fail, tuple(map(str, self._list(item, "holds"))),
        )  # fmt: skip

    def _retries(self, item: Mapping[str, Any]) -> int:
        wanted = item.get("retry", 0)
        if isinstance(wanted, dict):
            self._keys(wanted, ("max",), "retry")
            wanted = wanted.get("max", 0)
        return self._count(item, wanted, "retry")

    def _role(self, name: str, value: object, near: object) -> Role:
        if not isinstance(value, dict):
            self._say(near, f"role {name} is a mapping like {{can: [dial]}}")
            return Role(name)
        self._keys(value, _ROLE_KEYS, f"role {name}")
        can = frozenset(map(str, self._list(value, "can")))
        for one in sorted(can - CAPABILITIES):
            self._say(value, f"role {name}: nothing can {one!r}{_nearest(one, CAPABILITIES)}")
        bind = str(value.get("bind", ONCE))
        if bind not in BINDS:
            self._say(value, f"role {name}: bind is {', '.join(BINDS)}, not {bind!r}{_nearest(bind, BINDS)}")
        return Role(
            name, can, frozenset(map(str, self._list(value, "traits"))),
            frozenset(map(str, self._list(value, "without"))), str(value.get("family", "*")),
            str(value.get("model", "*")), str(value.get("site", "")), value.get("outside") is True,
            str(value.get("same_box", "")), bind,
        )  # fmt: skip

    def _check_bound(self, item: object, role: Role, known: Mapping[str, Role]) -> None:
        other = role.same_box or (role.site[1:] if role.site[:1] in ("=", "!") else "")
        if other and other not in known:
            self._say(item, f"role {role.name} leans on role {other!r}{_nearest(other, known)}")

    # --- steps ----------------------------------------------------------------------------------------

    def _steps(self, items: object, near: object) -> tuple[Step, ...]:
        if not isinstance(items, list) or not items:
            self._say(near, "steps are a list with at least one step")
            return ()
        return tuple(step for item in items if (step := self._step(item, near)) is not None)

    def _step(self, item: object, near: object) -> Step | None:
        if not isinstance(item, dict) or not item:
            self._say(near, f"a step is a mapping that begins with its verb, not {item!r}")
            return None
        name = next((str(key) for key in item if key in self._verbs), None)
        if name is None:
            first = str(next(iter(item)))
            self._say(item, f"unknown verb {first!r}{_nearest(first, self._verbs)}")
            return None
        verb = self._verbs[name]
        self._keys(item, (name, *verb.arguments), f"step {name}")
        if verb.kinds and str(item[name]) not in verb.kinds:
            hint = _nearest(str(item[name]), verb.kinds) or f": it knows {', '.join(sorted(verb.kinds))}"
            self._say(item, f"{name} knows no {str(item[name])!r}{hint}")
        for missing in sorted(verb.needed.get(str(item[name]), frozenset()) - item.keys()):
            self._say(item, f"{name} {item[name]} needs `{missing}`")
        self._check_values(item, name)
        arguments = {key: value for key, value in item.items() if key == name or key in verb.arguments}
        if name == "repeat":
            self._count(item, item[name], "repeat")
            arguments["steps"] = self._steps(item.get("steps"), item)
        elif name == "parallel":
            branches = self._list(item, name)
            arguments[name] = tuple(self._steps(b if isinstance(b, list) else [b], item) for b in branches)
        return Step(name, arguments, self._line(item))

    def _check_values(self, item: Mapping[str, Any], verb: str) -> None:
        for name in _DURATIONS:
            if name in item:
                self._duration(item, item[name], name)
        for name in _COUNTS:
            if name in item:
                self._count(item, item[name], name)
        match verb:
            case "wait":
                self._duration(item, item[verb], verb)
            case "do":
                self._check_action(item)
            case "expect" | "expect_all" | "expect_order" | "expect_none":
                self._check_events(item, verb)
            case "measure" if item[verb] == "audio":
                between = item.get("between")
                if not isinstance(between, list) or len(between) != 2 or between[0] == between[1]:
                    self._say(item, "measure audio is between two roles, like [caller, desk]")
            case "measure" if item[verb] == "delay":
                self._check_delay(item)
            case "measure" if "role" not in item or (item[verb] == "hears" and "sound" not in item):
                self._say(item, f"measure {item[verb]} names its role" + (" and sound" * (item[verb] == "hears")))
            case "measure" if item[verb] == "digits" and "reads" not in item:
                self._say(item, "measure digits says what it `reads`")
            case "measure" if item[verb] == "rtp":
                for part in ("where", "fail", "warn"):
                    for name in self._map(item, part):
                        if name not in FIGURES:
                            self._say(item, f"media has no {str(name)!r}{_nearest(str(name), FIGURES)}")
            case "human" if "done_when" not in item and "ask" not in item:
                self._say(item, "human needs `done_when` (an event that proves it) or `ask` (a question)")
            case "human" if "done_when" in item:
                proof = item["done_when"]
                proof = proof if isinstance(proof, dict) else {"event": proof}
                self._check_event(item, proof.get("event"), proof.get("where") or {})

    def _check_delay(self, item: Mapping[str, Any]) -> None:
        for part in ("first", "then"):
            kind = str(item.get(part, ""))
            if kind not in self._fields:
                self._say(item, f"measure delay: {part} is no event: {kind!r}{_nearest(kind, self._fields)}")
            elif item.get("by") not in self._fields[kind]:
                self._say(item, f"measure delay: {kind} has no {item.get('by')!r} to tell one from another by")

    def _check_action(self, item: Mapping[str, Any]) -> None:
        who, dot, action = str(item["do"]).partition(".")
        if not dot:
            self._say(item, f"do names who and what, like caller.dial, not {who!r}")
            return
        if "via" in item and (who == "pbx" or item["via"] not in VIAS):
            what = "`via` is the way to a device" if who == "pbx" else f"via is one of {', '.join(VIAS)}"
            self._say(item, f"{what}, not {item['via']!r}")
        known = OPERATIONS if who == "pbx" else ACTIONS
        if action not in known:
            self._say(item, f"{who} has no action {action!r}{_nearest(action, known)}")
        elif who == "pbx":
            missing = sorted(OPERATIONS[action] - set(item))
            if missing:
                self._say(item, f"pbx.{action} needs {', '.join(missing)}")
        elif action in _NEEDED and _NEEDED[action] not in item:
            self._say(item, f"{action} needs `{_NEEDED[action]}`")

    def _check_events(self, item: Mapping[str, Any], verb: str) -> None:
        entries = item[verb] if isinstance(item[verb], list) else [item[verb]]
        shared = item.get("where") or {}
        if not entries:
            self._say(item, f"{verb} names an event")
        for entry in entries:
            if isinstance(entry, dict) and len(entry) == 1:
                kind, where = next(iter(entry.items()))
            else:
                kind, where = entry, {}
            self._check_event(item, kind, where or {}, shared)

    def _check_event(self, item: Mapping[str, Any], kind: object, *conditions: object) -> None:
        known = self._fields.get(str(kind))
        if known is None:
            self._say(item, f"unknown event {str(kind)!r}{_nearest(str(kind), self._fields)}")
            return
        for part in conditions:
            if not isinstance(part, dict):
                self._say(item, f"conditions of {kind} are a mapping, not {part!r}")
                continue
            for name in part:
                if name not in known and name != "role":
                    self._say(item, f"{kind} has no {str(name)!r}{_nearest(str(name), [*known, 'role'])}")

    # --- what must hold across a case -----------------------------------------------------------------

    def _check_uses(
        self, steps: Iterable[Step], fragments: Mapping[str, tuple[Step, ...]], variables: Mapping[str, Any]
    ) -> None:
        for step in steps:
            name = str(step.arguments.get("use", ""))
            if step.verb != "use":
                continue
            if name not in fragments:
                self._at(step.line, f"there is no fragment {name!r}{_nearest(name, fragments)}")
            elif any(
                inner.verb == "use" and inner.arguments["use"] == name for inner in flat(fragments[name], fragments)
            ):
                self._at(step.line, f"fragment {name!r} uses itself")
            given = step.arguments.get("with") or {}
            for variable in given if isinstance(given, dict) else ():
                if variable not in variables:
                    self._at(step.line, f"with: there is no variable {variable!r}{_nearest(str(variable), variables)}")
            if not isinstance(given, dict):
                self._at(step.line, f"with is a mapping of variables, not {given!r}")

    def _check_references(self, step: Step, known: Mapping[str, Role], variables: Mapping[str, Any]) -> None:
        for role in mentioned(step):
            if role not in known and role not in NO_ROLES:
                self._at(step.line, f"there is no role {role!r}{_nearest(role, known)}")
        for _, key, attribute in told_of(step):
            if key and key not in KEYS:
                self._at(step.line, f"a phone has no key {key!r}{_nearest(key, KEYS)}")
            elif attribute and attribute not in ATTRIBUTES:
                self._at(step.line, f"a device has no {attribute!r}{_nearest(attribute, ATTRIBUTES)}")
        for name, attribute in references(step):
            if name in NO_ROLES or name in variables:
                continue
            if name not in known:
                self._at(step.line, f"${name} is neither a role nor a variable{_nearest(name, [*known, *variables])}")
            elif attribute and attribute not in ATTRIBUTES:
                self._at(step.line, f"a device has no {attribute!r}{_nearest(attribute, ATTRIBUTES)}")

    def _check_marks(self, steps: Iterable[Step]) -> None:
        marks = {"start"}
        for step in steps:
            wanted = str(step.arguments.get("from", "start"))
            if wanted not in marks:
                self._at(step.line, f"no step before this one is named {wanted!r}{_nearest(wanted, marks)}")
            if "as" in step.arguments:
                marks.add(str(step.arguments["as"]))

    # --- values ---------------------------------------------------------------------------------------

    def _duration(self, near: object, value: object, what: str) -> float:
        try:
            return seconds(value)
        except ValueError as error:
            self._say(near, f"{what}: {error}")
            return 0.0

    def _count(self, near: object, value: object, what: str) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1000:
            return value
        self._say(near, f"{what} is a whole number up to 1000, not {value!r}")
        return 0

    def _map(self, near: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = near.get(key) or {}
        if isinstance(value, dict):
            return value
        self._say(near, f"{key} is a mapping")
        return {}

    def _list(self, near: Mapping[str, Any], key: str) -> list[Any]:
        value = near.get(key) or []
        if isinstance(value, list):
            return value
        self._say(near, f"{key} is a list")
        return []

    def _keys(self, item: Mapping[str, Any], allowed: Iterable[str], what: str) -> None:
        known = list(allowed)
        for key in item:
            if key not in known:
                self._say(item, f"{what} has no {str(key)!r}{_nearest(str(key), known)}")

    def _line(self, item: object) -> int:
        return self._lines.get(id(item), 0)

    def _say(self, item: object, text: str) -> None:
        self._at(self._line(item), text)

    def _at(self, line: int, text: str) -> None:
        problem = f"{self._source}:{line}: {text}"
        if problem not in self._problems:  # a fragment is read once and used often
            self._problems.append(problem)


def _place(problem: str) -> tuple[str, int]:
    """File and line, as a reader goes through them."""
    found = re.match(r"(.*?):(\d+): ", problem)
    return (found[1], int(found[2])) if found else ("", 0)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
