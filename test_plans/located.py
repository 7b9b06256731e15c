"""YAML that knows its lines: where each mapping began, so that a complaint can name the place.

A small YAML: no aliases, no key twice, not too deep; `on` and `off` stay words.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_DEPTH = 40


def _refused(problem: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)


class Located(yaml.SafeLoader):
    """Remembers on which line each mapping began; refuses a key that stands twice; `on` and `off` stay words."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lines: dict[int, int] = {}
        self._depth = 0

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a name is a word", key)
            if key.value in seen:
                raise _refused(f"{key.value!r} stands twice here", key)
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep=True)
        self.lines[id(mapping)] = node.start_mark.line + 1
        return mapping

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):  # a small document must not unfold into a huge one
            raise _refused("aliases are not allowed; use a fragment", event)
        self._depth += 1
        if self._depth > _DEPTH:
            raise _refused(f"deeper than {_DEPTH} levels", event)
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _construct(loader: Located, node: yaml.MappingNode) -> dict[Any, Any]:
    return loader.construct_mapping(node)


Located.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct)
Located.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in entries if tag != "tag:yaml.org,2002:bool"]
    for letter, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Located.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), list("tf"))
