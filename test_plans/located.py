"""YAML that knows its lines: where each mapping began, so that a complaint can name the place.

A small YAML: no aliases, no key twice, not too deep; `on` and `off` stay words. libyaml composes, which is what takes
the time; the values are made of its nodes here.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_DEPTH = 40
_MAP, _LIST, _WORD = (f"tag:yaml.org,2002:{kind}" for kind in ("map", "seq", "str"))


def read_located(text: str) -> tuple[Any, dict[int, int]]:
    """Return the document and, by the id of each of its mappings, the line it begins on; YAMLError says what is wrong.

    An id is good as long as the document lives.
    """
    return _Located(text).document()


class _Located(yaml.CSafeLoader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._text = text
        self._lines: dict[int, int] = {}
        self._met: set[int] = set()

    def document(self) -> tuple[Any, dict[int, int]]:
        node = self.get_single_node()
        return (None if node is None else self._made(node, 1)), self._lines

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Most scalars are words by their first letter: the patterns need not be asked."""
        if kind is yaml.ScalarNode and value and value[0] not in self.yaml_implicit_resolvers:
            return _WORD
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]

    def _made(self, node: yaml.Node, depth: int) -> Any:
        if depth > _DEPTH:
            raise _refused(f"deeper than {_DEPTH} levels", node)
        if node.tag == _WORD:
            return node.value
        if id(node) in self._met:  # a small document must not unfold into a huge one
            raise _refused("aliases are not allowed; use a fragment", _first_alias(self._text))
        self._met.add(id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == _MAP:
            return self._mapping(node, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == _LIST:
            return [self._made(item, depth + 1) for item in node.value]
        return self.construct_object(node, deep=True)

    def _mapping(self, node: yaml.MappingNode, depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        names: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a name is a word", key)
            if key.value in names:
                raise _refused(f"{key.value!r} stands twice here", key)
            names.add(key.value)
            made[self._made(key, depth)] = self._made(value, depth + 1)
        self._lines[id(made)] = node.start_mark.line + 1
        return made


def _refused(problem: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=where.start_mark)


def _first_alias(text: str) -> yaml.Event:
    return next(event for event in yaml.parse(text, yaml.CSafeLoader) if isinstance(event, yaml.AliasEvent))


_Located.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in entries if tag != "tag:yaml.org,2002:bool"]
    for letter, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Located.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|false)\Z"), list("tf"))
