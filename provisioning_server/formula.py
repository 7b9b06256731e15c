"""The expressions of a table: settings by their canonical names, a few operators, conversions by name.

Written as Python writes them and read by its parser, but run by what stands here: there are no loops, no attributes of
objects and nothing to call but the conversions of `convert` and `clocks`. So a template can neither read a file nor go
on for ever, and which settings a parameter depends on is known before anything is rendered.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from inspect import getmembers, isfunction
from typing import Any, Protocol

from provisioning_server import clocks, convert


class Instead(Enum):
    """What a formula gives instead of a value."""

    OMIT = "omit"
    """The parameter is not written."""
    CLEAR = "clear"
    """The phone's own value is to go: written as the family's null token."""


FACTS_OF_A_LINE = frozenset({"password", "ha1", "codecs", "number", "enabled"})
FACTS_OF_A_KEY = frozenset({"number", "nth", "domain"})
"""What is known of a line, and of a key, beside its settings."""


KEY_DEFAULTS: dict[str, str | int] = {"value": "", "label": "", "line": 1, "pickup_code": ""}
"""What holds for a key that says nothing of it."""


class Asked(Protocol):
    """Settings by their leaf: each raises what says that no layer sets it, where there is no default."""

    def __call__(self, name: str, default: Any = None) -> Any: ...


class LineInTurn(Protocol):
    @property
    def get(self) -> Asked: ...


class Scope(Protocol):
    """What names mean while one row is worked out."""

    @property
    def line(self) -> LineInTurn: ...

    @property
    def key(self) -> Asked: ...

    def of_box(self, name: str) -> Any: ...

    def fact_of_line(self, leaf: str) -> Any: ...

    def fact_of_key(self, leaf: str) -> Any: ...


class BadFormula(Exception):
    """It cannot be understood; the text says what."""


Compute = Callable[[Scope], Any]

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: function
    for module in (convert, clocks)
    for name, function in getmembers(module, isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
} | {"text": str, "shortest": min, "longest": max}

_INSTEAD = {one.value: one for one in Instead}
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.FloorDiv: operator.floordiv,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
}


@dataclass(frozen=True, slots=True)
class Formula:
    text: str
    compute: Compute
    names: tuple[str, ...]
    """Every fact and setting it may ask for, each once."""


def formula(text: str) -> Formula:
    """Compile an expression; BadFormula says what is not understood."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as fault:
        raise BadFormula(f"{text!r} is no expression: {fault}") from None
    names: dict[str, None] = {}
    return Formula(text, _compiled(tree, names), tuple(names))


def _compiled(node: ast.AST, names: dict[str, None]) -> Compute:
    match node:
        case ast.Constant(value=str() | int() as value):
            return lambda scope: value
        case ast.Name() | ast.Attribute():
            return _named(node, names)
        case ast.IfExp():
            test, then, other = (_compiled(part, names) for part in (node.test, node.body, node.orelse))
            return lambda scope: then(scope) if test(scope) else other(scope)
        case ast.BoolOp():
            return _chained(node, names)
        case ast.UnaryOp(op=ast.Not()):
            inner = _compiled(node.operand, names)
            return lambda scope: not inner(scope)
        case ast.UnaryOp(op=ast.USub()):
            negated = _compiled(node.operand, names)
            return lambda scope: -negated(scope)
        case ast.BinOp():
            return _of_two(type(node.op), node.left, node.right, names)
        case ast.Compare(ops=[only]):
            return _of_two(type(only), node.left, node.comparators[0], names)
        case ast.JoinedStr():
            parts = [_compiled(part, names) for part in node.values]
            return lambda scope: "".join([str(part(scope)) for part in parts])
        case ast.FormattedValue(format_spec=None):
            return _compiled(node.value, names)
        case ast.Tuple():
            items = [_compiled(item, names) for item in node.elts]
            return lambda scope: tuple([item(scope) for item in items])
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            return _called(name, node.args, names)
    raise BadFormula(f"{ast.unparse(node)!r} is none of names, numbers, texts, conversions, if/else, and/or/not, + -")


def _named(node: ast.Name | ast.Attribute, names: dict[str, None]) -> Compute:
    name = ast.unparse(node)
    if name in _INSTEAD:
        instead = _INSTEAD[name]
        return lambda scope: instead
    if not all(part.isidentifier() for part in name.split(".")):
        raise BadFormula(f"{name!r} is no name")
    names[name] = None
    root, _, leaf = name.partition(".")
    if root == "line":
        if leaf in FACTS_OF_A_LINE:
            return lambda scope: scope.fact_of_line(leaf)
        return lambda scope: scope.line.get(leaf)
    if root == "key" and leaf in FACTS_OF_A_KEY:
        return lambda scope: scope.fact_of_key(leaf)
    if root == "key":
        default = KEY_DEFAULTS.get(leaf)
        return lambda scope: scope.key(leaf, default)
    return lambda scope: scope.of_box(name)


def _chained(node: ast.BoolOp, names: dict[str, None]) -> Compute:
    parts = [_compiled(part, names) for part in node.values]
    wanted = isinstance(node.op, ast.Or)

    def chain(scope: Scope) -> Any:
        found = None
        for part in parts:
            found = part(scope)
            if bool(found) is wanted:
                break
        return found

    return chain


def _of_two(kind: type[ast.AST], left: ast.AST, right: ast.AST, names: dict[str, None]) -> Compute:
    if kind not in _OPERATORS:
        raise BadFormula(f"the operator {kind.__name__} is not known here")
    apply, one, two = _OPERATORS[kind], _compiled(left, names), _compiled(right, names)
    return lambda scope: apply(one(scope), two(scope))


def _called(name: str, arguments: list[ast.expr], names: dict[str, None]) -> Compute:
    function = FUNCTIONS.get(name)
    if function is None:
        raise BadFormula(f"there is no conversion {name!r} in provisioning_server/convert.py or clocks.py")
    given = [_compiled(argument, names) for argument in arguments]
    if len(given) == 1:
        only = given[0]
        return lambda scope: function(only(scope))
    return lambda scope: function(*[argument(scope) for argument in given])
