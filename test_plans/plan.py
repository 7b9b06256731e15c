"""Plans: YAML → a frozen model; every complaint names file and line (testing.md A4)."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pbx.events import event_kinds

SEVERITIES = ("blocker", "major", "minor")
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\Z")
_SCALE = {"ms": 0.001, None: 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
_PLAN_KEYS = ("plan", "id", "title", "tags", "covers", "vars", "roles", "defaults", "fragments", "cases", "later")
_CASE_KEYS = ("id", "title", "tags", "covers", "severity", "roles", "steps", "serial", "timeout", "retry")
_ROLE_KEYS = ("can", "traits", "without", "family", "model", "site", "outside", "same_box", "note")


class BadPlan(Exception):
    """A plan that cannot be run; one problem a line, each `file:line: what`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Role:
    """Who may take part: bound to what is registered, never to an extension."""

    name: str
    can: frozenset[str] = frozenset()
    traits: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    """Traits it must not have."""
    family: str = "*"
    """Glob over `vendor/family`."""
    model: str = "*"
    site: str = ""
    """A site's name; `=caller` the same as that role's, `!caller` another one."""
    outside: bool = False
    same_box: str = ""
    """The role whose hardware this one shares (the other port of an ATA)."""


@dataclass(frozen=True, slots=True)
class Step:
    verb: str
    arguments: Mapping[str, Any]
    line: int

    def text(self) -> str:
        main = self.arguments.get(self.verb)
        rest = {key: value for key, value in self.arguments.items() if key != self.verb}
        words = ", ".join(f"{key} {_words(value)}" for key, value in rest.items())
        return f"{self.verb} {_words(main)}" + (f" ({words})" if words else "")


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    title: str
    severity: str
    roles: tuple[Role, ...]
    steps: tuple[Step, ...]
    line: int
    covers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    serial: bool = False
    timeout_s: float = 120.0
    retries: int = 0

    @property
    def group(self) -> str:
        return self.id[0]


@dataclass(frozen=True, slots=True)
class Plan:
    id: str
    title: str
    cases: tuple[Case, ...]
    variables: Mapping[str, Any]
    fragments: Mapping[str, tuple[Step, ...]]
    within_s: float
    later: Mapping[str, str] = field(default_factory=dict)
    """Sub-cases left out, and why."""
    source: str = ""


def seconds(value: object) -> float:
    """Read `3s`, `200ms`, `1m` or a number of seconds; ValueError when it is none."""
    found = _SECONDS.match(str(value).strip())
    if found is None:
        raise ValueError(f"{value!r} is no length of time, like 3s or 200ms")
    return float(found[1]) * _SCALE[found[2]]


def load_plan(path: Path, verbs: Mapping[str, frozenset[str]]) -> Plan:
    """Read a plan file; `verbs` maps each verb to the arguments it takes. BadPlan names every problem."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadPlan([f"{path}:0: cannot be read: {error}"]) from None
    return read_plan(text, str(path), verbs)


def read_plan(text: str, source: str, verbs: Mapping[str, frozenset[str]]) -> Plan:
    reader = _Reader(source, verbs)
    try:
        loader = _Located(text)
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise BadPlan([f"{source}:{line}: not YAML: {getattr(error, 'problem', error)}"]) from None
    return reader.plan(document, loader.lines)


class _Located(yaml.SafeLoader):
    """Remembers on which line each mapping began."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lines: dict[int, int] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=True)
        self.lines[id(mapping)] = node.start_mark.line + 1
        return mapping


def _construct(loader: _Located, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node)


_Located.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct)


class _Reader:
    def __init__(self, source: str, verbs: Mapping[str, frozenset[str]]) -> None:
        self._source = source
        self._verbs = verbs
        self._problems: list[str] = []
        self._lines: dict[int, int] = {}
        self._kinds = event_kinds()

    def plan(self, document: object, lines: dict[int, int]) -> Plan:
        self._lines = lines
        if not isinstance(document, dict):
            raise BadPlan([f"{self._source}:1: a plan is a mapping that begins with `plan: 1`"])
        self._keys(document, _PLAN_KEYS, "a plan")
        if document.get("plan") != 1:
            self._say(document, "this reader knows `plan: 1`")
        shared = {name: self._role(name, value) for name, value in self._map(document, "roles").items()}
        fragments = {name: self._steps(value, document) for name, value in self._map(document, "fragments").items()}
        cases = []
        seen: set[str] = set()
        for item in document.get("cases") or []:
            case = self._case(item, shared, fragments)
            if case is None:
                continue
            if case.id in seen:
                self._say(item, f"case {case.id} stands twice")
            seen.add(case.id)
            cases.append(case)
        if not cases:
            self._say(document, "a plan has cases")
        used = {role.name for case in cases for role in case.roles}
        for name in shared:
            if name not in used:
                self._say(document, f"role {name!r} is used by no case")
        if self._problems:
            raise BadPlan(self._problems)
        defaults = self._map(document, "defaults")
        return Plan(
            str(document.get("id", "plan")),
            str(document.get("title", "")),
            tuple(cases),
            self._map(document, "vars"),
            fragments,
            seconds(defaults.get("within", "15s")),
            {str(key): str(value) for key, value in self._map(document, "later").items()},
            self._source,
        )

    def _case(self, item: object, shared: Mapping[str, Role], fragments: Mapping[str, tuple[Step, ...]]) -> Case | None:
        if not isinstance(item, dict) or "id" not in item:
            self._say(item, "a case is a mapping with an id")
            return None
        self._keys(item, _CASE_KEYS, f"case {item['id']}")
        steps = self._steps(item.get("steps"), item)
        known = {**shared, **{name: self._role(name, value) for name, value in self._map(item, "roles").items()}}
        names = set(_mentioned(steps)) | set(self._map(item, "roles"))
        for step in _flat(steps):
            if step.verb == "use":
                names |= set(_mentioned(fragments.get(str(step.arguments["use"]), ())))
        names -= {"pbx", "vars", "outside"}
        roles = []
        for name in sorted(names):
            if name in known:
                roles.append(known[name])
            else:
                self._say(item, f"case {item['id']} names role {name!r}{_nearest(name, known)}")
        severity = str(item.get("severity", "major"))
        if severity not in SEVERITIES:
            self._say(item, f"severity {severity!r} is none of {', '.join(SEVERITIES)}")
        try:
            timeout = seconds(item.get("timeout", "60s"))
        except ValueError as error:
            self._say(item, str(error))
            timeout = 60.0
        return Case(
            str(item["id"]), str(item.get("title", "")), severity, tuple(roles), steps, self._line(item),
            tuple(map(str, item.get("covers") or ())), tuple(map(str, item.get("tags") or ())),
            bool(item.get("serial", False)), timeout, int(item.get("retry", 0)),
        )  # fmt: skip

    def _steps(self, items: object, near: object) -> tuple[Step, ...]:
        if not isinstance(items, list) or not items:
            self._say(near, "steps are a list with at least one step")
            return ()
        return tuple(step for item in items if (step := self._step(item, near)) is not None)

    def _step(self, item: object, near: object) -> Step | None:
        if not isinstance(item, dict) or not item:
            self._say(near, f"a step is a mapping that begins with its verb, not {item!r}")
            return None
        verb = next((key for key in item if key in self._verbs), None)
        if verb is None:
            first = str(next(iter(item)))
            self._say(item, f"unknown verb {first!r}{_nearest(first, self._verbs)}")
            return None
        self._keys(item, (verb, *self._verbs[verb]), f"step {verb}")
        self._check_kinds(item, verb)
        for name in ("within", "for"):
            if name in item:
                try:
                    seconds(item[name])
                except ValueError as error:
                    self._say(item, f"{name}: {error}")
        arguments = dict(item)
        for name in ("steps", "parallel"):
            if isinstance(item.get(name), list):
                arguments[name] = self._steps(item[name], item)
        return Step(verb, arguments, self._line(item))

    def _check_kinds(self, item: Mapping[str, Any], verb: str) -> None:
        if not verb.startswith("expect"):
            return
        wanted = item[verb] if isinstance(item[verb], list) else [item[verb]]
        for entry in wanted:
            kind = str(next(iter(entry)) if isinstance(entry, dict) and entry else entry)
            if kind not in self._kinds:
                self._say(item, f"unknown event {kind!r}{_nearest(kind, self._kinds)}")

    def _role(self, name: str, value: object) -> Role:
        if not isinstance(value, dict):
            self._say(value, f"role {name} is a mapping like {{can: [dial]}}")
            return Role(name)
        self._keys(value, _ROLE_KEYS, f"role {name}")
        return Role(
            name, frozenset(value.get("can") or ()), frozenset(value.get("traits") or ()),
            frozenset(value.get("without") or ()), str(value.get("family", "*")), str(value.get("model", "*")),
            str(value.get("site", "")), bool(value.get("outside", False)), str(value.get("same_box", "")),
        )  # fmt: skip

    def _map(self, near: Mapping[str, Any], key: str) -> dict[str, Any]:
        value = near.get(key) or {}
        if not isinstance(value, dict):
            self._say(near, f"{key} is a mapping")
            return {}
        return value

    def _keys(self, item: Mapping[str, Any], allowed: Iterable[str], what: str) -> None:
        known = list(allowed)
        for key in item:
            if key not in known:
                self._say(item, f"{what} has no {str(key)!r}{_nearest(str(key), known)}")

    def _line(self, item: object) -> int:
        return self._lines.get(id(item), 0)

    def _say(self, item: object, text: str) -> None:
        self._problems.append(f"{self._source}:{self._line(item)}: {text}")


def _mentioned(steps: Iterable[Step]) -> Iterable[str]:
    """Role names in steps: `caller.dial`, `$desk.extension`, `role: desk`, `between: [a, b]`."""
    for step in _flat(steps):
        if step.verb == "do":
            yield str(step.arguments["do"]).partition(".")[0]
        for name in ("role", "by"):
            if name in step.arguments:
                yield str(step.arguments[name])
        for name in step.arguments.get("between") or ():
            yield str(name)
        yield from re.findall(r"\$(\w+)\.", repr(step.arguments))
        where = step.arguments.get("where")
        if isinstance(where, dict) and "role" in where:
            yield str(where["role"])


def _flat(steps: Iterable[Step]) -> Iterable[Step]:
    for step in steps:
        yield step
        for name in ("steps", "parallel"):
            nested = step.arguments.get(name)
            if isinstance(nested, tuple):
                yield from _flat(nested)


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _words(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(f"{key}={_words(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value)
    return str(value)
