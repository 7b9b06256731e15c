"""The expressions of a table: settings by their canonical names, a few operators, conversions by name.

Written as Python writes them and read by its parser; only what stands here is let through, and it is put together anew
before Python compiles it: there are no loops, no attributes of objects and nothing to call but the conversions of
`convert` and `clocks`. So a template can neither read a file nor go on for ever, and which settings a parameter depends
on is known before anything is rendered.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from inspect import getmembers, isfunction
from typing import Any

from provisioning_server import clocks, convert
from provisioning_server.vocabulary import CHECKED


class Instead(Enum):
    """What a formula gives instead of a value."""

    OMIT = "omit"
    """The parameter is not written."""
    CLEAR = "clear"
    """The phone's own value is to go: written as the family's null token."""


FACTS_OF_A_LINE = frozenset({"password", "ha1", "codecs", "number", "enabled"})
FACTS_OF_A_KEY = frozenset({"number", "nth", "domain"})
"""What is known of a line, and of a key, beside its settings."""
FACTS = ("box", "server")
"""Where what is known of the box and of the server begins; all else is a setting."""
KEY_DEFAULTS: dict[str, str | int] = {"value": "", "label": "", "line": 1, "pickup_code": ""}
"""What holds for a key that says nothing of it."""

SCOPE = ("_box", "_line", "_first", "_key", "_facts", "_clock", "_number", "_nth", "_domain")
"""What compiled formulas are given: settings of the box, the line in turn, the first line (a call), settings of the
key, facts, the year of the zone (a call), number and nth of the key, the domain of its line (a call)."""


class BadFormula(Exception):
    """It cannot be understood; the text says what."""


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: function
    for module in (convert, clocks)
    for name, function in getmembers(module, isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
} | {"text": str, "shortest": min, "longest": max}

_INSTEAD = frozenset(one.value for one in Instead)
_OPERATORS = (ast.Add, ast.Sub, ast.FloorDiv, ast.Eq, ast.NotEq, ast.Lt, ast.Gt, ast.In, ast.NotIn)


@dataclass(frozen=True, slots=True)
class Formula:
    text: str
    names: tuple[str, ...]
    """Every fact and setting it may ask for, each once."""
    expression: ast.expr = field(repr=False)
    """As it is compiled, over the names of `SCOPE`."""


def formula(text: str) -> Formula:
    """Read an expression; BadFormula says what is not understood."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError) as fault:
        raise BadFormula(f"{text!r} is no expression: {fault}") from None
    names: dict[str, None] = {}
    expression = _allowed(tree, names)
    return Formula(text, tuple(names), expression)


def compiled(formulas: Sequence[tuple[Formula | None, int]], path: str) -> Callable[..., list[Any]]:
    """Return one function of `SCOPE` that works out all of them, None for None; faults have their lines of `path`."""
    parts: list[ast.expr] = []
    for one, line in formulas:
        part = one.expression if one is not None else ast.Constant(None)
        for node in ast.walk(part):
            if isinstance(node, ast.expr):
                node.lineno = node.end_lineno = line
                node.col_offset = node.end_col_offset = 0
        parts.append(part)
    given = ast.arguments([], [ast.arg(name) for name in SCOPE], None, [], [], None, [])
    whole = ast.Expression(ast.Lambda(given, ast.List(parts, ast.Load())))
    ast.fix_missing_locations(whole)
    names = {"__builtins__": {}, **FUNCTIONS, **{one.value: one for one in Instead}}
    made: Callable[..., list[Any]] = eval(compile(whole, path, "eval"), names)
    return made


def _allowed(node: ast.AST, names: dict[str, None]) -> ast.expr:
    """Return the node anew, of nothing but what may be there."""
    match node:
        case ast.Constant(value=str() | int() as value):
            return ast.Constant(value)
        case ast.Name() | ast.Attribute():
            return _named(node, names)
        case ast.IfExp():
            test, then, other = (_allowed(part, names) for part in (node.test, node.body, node.orelse))
            return ast.IfExp(test, then, other)
        case ast.BoolOp():
            return ast.BoolOp(node.op, [_allowed(part, names) for part in node.values])
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            return ast.UnaryOp(node.op, _allowed(node.operand, names))
        case ast.BinOp():
            _known(node.op)
            return ast.BinOp(_allowed(node.left, names), node.op, _allowed(node.right, names))
        case ast.Compare(ops=[only]):
            _known(only)
            return ast.Compare(_allowed(node.left, names), [only], [_allowed(node.comparators[0], names)])
        case ast.JoinedStr():
            return ast.JoinedStr([_allowed(part, names) for part in node.values])
        case ast.FormattedValue(format_spec=None, conversion=-1):
            return ast.FormattedValue(_allowed(node.value, names), -1)
        case ast.Tuple():
            return ast.Tuple([_allowed(item, names) for item in node.elts], ast.Load())
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            if name not in FUNCTIONS:
                raise BadFormula(f"there is no conversion {name!r} in provisioning_server/convert.py or clocks.py")
            return _call(name, *(_allowed(argument, names) for argument in node.args))
    raise BadFormula(f"{ast.unparse(node)!r} is none of names, numbers, texts, conversions, if/else, and/or/not, + -")


def _known(operator: ast.operator | ast.cmpop) -> None:
    if not isinstance(operator, _OPERATORS):
        raise BadFormula(f"the operator {type(operator).__name__} is not known here")


def _named(node: ast.Name | ast.Attribute, names: dict[str, None]) -> ast.expr:
    name = ast.unparse(node)
    if name in _INSTEAD:
        return ast.Name(name, ast.Load())
    if not all(part.isidentifier() for part in name.split(".")):
        raise BadFormula(f"{name!r} is no name")
    names[name] = None
    root, _, leaf = name.partition(".")
    if root in ("line", "first"):
        holder = ast.Name("_line", ast.Load()) if root == "line" else _call("_first")
        if leaf in FACTS_OF_A_LINE:
            return ast.Attribute(holder, leaf, ast.Load())
        return _of(ast.Attribute(holder, "get", ast.Load()), leaf)
    if root == "key":
        return _of_key(leaf)
    if root == "clock":
        return ast.Attribute(_call("_clock"), leaf, ast.Load()) if leaf else _call("_clock")
    if root in FACTS:
        return ast.Subscript(ast.Name("_facts", ast.Load()), ast.Constant(name), ast.Load())
    return _of(ast.Name("_box", ast.Load()), name)


def _of_key(leaf: str) -> ast.expr:
    if leaf == "domain":
        return _call("_domain")
    if leaf in FACTS_OF_A_KEY:
        return ast.Name(f"_{leaf}", ast.Load())
    if leaf not in KEY_DEFAULTS:
        return _of(ast.Name("_key", ast.Load()), leaf)
    get = ast.Attribute(ast.Name("_key", ast.Load()), "get", ast.Load())
    return ast.Call(get, [ast.Constant(leaf), ast.Constant(KEY_DEFAULTS[leaf])], [])


def _of(holder: ast.expr, name: str) -> ast.expr:
    """A setting, or a fact, by its name; what cannot be just any text is asked for by a call, which looks at it."""
    if name in CHECKED:
        return ast.Call(ast.Attribute(holder, "checked", ast.Load()), [ast.Constant(name)], [])
    return ast.Subscript(holder, ast.Constant(name), ast.Load())


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])
