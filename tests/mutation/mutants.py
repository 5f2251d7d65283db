"""Makes mutants of a module: one small change of its code each, of the kinds that a wrong rule would have."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutation.reach import Statement, statements

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
_JOINED: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.Add: ast.Sub, ast.Sub: ast.Add,
}  # fmt: skip
_CALLED = {
    "min": "max", "max": "min", "first": "last", "last": "first", "any": "all", "all": "any",
    "min_horizontal": "max_horizontal", "max_horizontal": "min_horizontal",
    "any_horizontal": "all_horizontal", "all_horizontal": "any_horizontal",
    "month_start": "month_end", "is_null": "is_not_null", "is_not_null": "is_null",
}  # fmt: skip
_WORDS = {"Rule", "column", "observation", "lit"}
"""Calls whose texts and flags are words and schemas; their arguments are left alone."""


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        path: of the module.
        line: that is changed.
        what: the change in words.
        source: of the changed module.
        statement: that contains the change.
        place: where it is, see :func:`places`.
    """

    path: Path
    line: int
    what: str
    source: str
    statement: Statement
    place: tuple[int, int]

    @property
    def name(self) -> str:
        return f"{self.path.parent.name}/{self.path.name}:{self.line} {self.what}"


Change = tuple[str, Callable[[Any], ast.AST]]


def _changes(node: ast.AST) -> Iterator[Change]:
    """The changes of one node: in words, and what makes the new node of it."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARED:
            other = _COMPARED[type(op)]
            yield (
                f"{type(op).__name__} becomes {other.__name__}",
                lambda n: ast.Compare(n.left, [other()], n.comparators),
            )
        case ast.BinOp(op=op) if type(op) in _JOINED and not _is_text(node):
            joined = _JOINED[type(op)]
            yield (
                f"{type(op).__name__} becomes {joined.__name__}",
                lambda n: ast.BinOp(n.left, joined(), n.right),
            )
        case ast.BoolOp(op=op):
            word = ast.Or if isinstance(op, ast.And) else ast.And
            yield f"{type(op).__name__} becomes {word.__name__}", lambda n: ast.BoolOp(word(), n.values)
        case ast.UnaryOp(op=ast.Invert() | ast.Not()):
            yield "negation dropped", lambda n: n.operand
        case ast.Constant(value=bool(value)):
            yield f"{value} becomes {not value}", lambda n: ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield f"{value} becomes {value + 1}", lambda n: ast.Constant(value + 1)
        case ast.Call(func=ast.Attribute(attr="filter"), args=[_, *_]):
            yield "filter dropped", lambda n: n.func.value
        case ast.Call(func=ast.Attribute(attr=name)) if name in _CALLED:
            yield f"{name} becomes {_CALLED[name]}", lambda n: _renamed(n, _CALLED[name])


def _renamed(call: ast.AST, name: str) -> ast.AST:
    assert isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
    return ast.Call(ast.Attribute(call.func.value, name, ast.Load()), call.args, call.keywords)


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(s, ast.JoinedStr | ast.List | ast.Tuple) or _of_type(s) for s in sides)


def _of_type(side: ast.AST) -> bool:
    """Whether it can be a type: a union of types is no operation on values."""
    return isinstance(side, ast.Constant) and (side.value is None or isinstance(side.value, str))


def _mutable(tree: ast.AST) -> Iterator[tuple[int, ast.AST]]:
    """Number and node of what runs: no annotation, no default of a contract, no word of a rule.

    Nor ``frozen`` of a dataclass and ``strict`` of ``zip``: they guard against faults of the program, not of
    data.
    """
    left: set[int] = set()
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in left:
            continue
        match node:
            case ast.AnnAssign(annotation=annotation):
                left |= {id(n) for n in ast.walk(annotation)}
            case ast.arg(annotation=ast.AST() as annotation):
                left |= {id(n) for n in ast.walk(annotation)}
            case ast.FunctionDef(returns=ast.AST() as annotation):
                left |= {id(n) for n in ast.walk(annotation)}
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _WORDS:
                left |= {id(n) for part in (*node.args, *node.keywords) for n in ast.walk(part)}
            case ast.Call(func=ast.Name(id="dataclass" | "zip")):
                left |= {id(keyword.value) for keyword in node.keywords}
        yield number, node


def places(path: Path) -> list[tuple[int, int]]:
    """Where a module can be changed: number of the node, number of its change."""
    tree = ast.parse(path.read_text("utf-8"))
    return [(n, which) for n, node in _mutable(tree) for which, _ in enumerate(_changes(node))]


def mutant(path: Path, place: tuple[int, int]) -> Mutant:
    """Make the mutant of one place."""
    tree = ast.parse(path.read_text("utf-8"))
    number, which = place
    node = next(n for i, n in enumerate(ast.walk(tree)) if i == number)
    what, _ = list(_changes(node))[which]
    line, statement = getattr(node, "lineno", 0), statements(tree, path)[id(node)]
    return Mutant(path, line, what, changed(path, [place]), statement, place)


def changed(path: Path, chosen: Sequence[tuple[int, int]]) -> str:
    """Return the source of a module with changes at several places, of which none contains another."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = list(ast.walk(tree))
    for node, change in [(nodes[n], list(_changes(nodes[n]))[which][1]) for n, which in chosen]:
        _replace(tree, node, change(node))
    return ast.unparse(ast.fix_missing_locations(tree))


def _replace(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(one is old for one in value):
                setattr(parent, name, [new if one is old else one for one in value])
