"""Leaves of an XML tree to columns: every delivered one is read, ignored by name, or kept as unknown.

A leaf is an element or an attribute with text. What becomes of it is declared as a tree of paths
(:class:`Node`), and the walk visits every element once: what the tree does not name cannot be passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from lxml import etree

from sarcoma_pipeline.sources.value_account import IGNORED, READ, Account, Outcome

Element: TypeAlias = Any
"""lxml ships no types."""

XSI = "@xsi"
"""Path of what the XML says of itself (``xsi:schemaLocation``, ``xsi:nil``), wherever it stands."""
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

BLANK = " \t\r\n"
"""White space of XML: what holds nothing else is no text."""

_NAMES_KEPT = 10_000
_ODD_KEPT = 1_000
_PATH_CHARS = 300
_TEXT_CHARS = 1_000
"""A hostile export invents names without end, and long ones."""


class _LocalNames(dict[object, str]):
    """Tag to its name without namespace."""

    def __missing__(self, tag: object) -> str:
        name = tag.rpartition("}")[2] if isinstance(tag, str) else ""
        if len(self) < _NAMES_KEPT:
            self[tag] = name
        return name


local = _LocalNames().__getitem__
"""Name without namespace; empty for comments, instructions and entities."""

_delivered: Any = etree.XPath(
    "count(descendant-or-self::*/text()[normalize-space()])"
    " + count(descendant-or-self::*/attribute::*[normalize-space()])"
)


def delivered(element: Element) -> int:
    """Return the leaves below an element and its own, counted by the XML library and not by the walk."""
    return int(_delivered(element))


@dataclass(frozen=True)
class Several:
    """An element that may come several times: one entry each in a JSON array.

    Attributes:
        column: that holds the array; in an array of arrays the key.
        paths: below the element to keys of the entry; None if the element's text is the entry.
        kind: what every entry says of itself under the key ``kind``.
        once: whether the schema allows one of the kind only, so that a second one is a fault.
        choice: whether it allows one of all kinds only.
    """

    column: str
    paths: Paths | None
    kind: str | None = None
    once: bool = False
    choice: bool = False


Paths: TypeAlias = "Mapping[str, str | Several]"
"""Path below an element to its column; an attribute's name has an ``@``, ``.`` is the element's own text."""


class _Kids(dict[object, "Node | None"]):
    """Children of a node by tag, with or without a namespace."""

    def __missing__(self, tag: object) -> Node | None:
        name = local(tag)
        node = self[name] if name != tag and name in self else None
        if len(self) < _NAMES_KEPT:
            self[tag] = node
        return node


class Node:
    """What becomes of an element at one path.

    Attributes:
        path: as the account names it.
        kids: what becomes of its children.
        attributes: name to column.
        column: of its own text.
        several: set if it makes an entry of an array.
        ignored: why it is ignored by name, with all below it.
        left: whether it makes records of its own, which are taken elsewhere.
        plain: whether it can have nothing but text.
    """

    __slots__ = ("attributes", "column", "ignored", "kids", "left", "path", "plain", "several")

    def __init__(self, path: str, paths: Paths | None = None) -> None:
        self.path = path
        self.kids: _Kids = _Kids()
        self.attributes: dict[str, tuple[str, str]] = {}
        self.column: str | None = None
        self.several: Several | None = None
        self.ignored = ""
        self.left = False
        self.plain = True
        for below, target in (paths or {}).items():
            self._declare(below.split("/"), target)

    def _declare(self, steps: list[str], target: str | Several) -> None:
        first, *rest = steps
        if first.startswith("@"):
            assert isinstance(target, str)
            self.plain = False
            self.attributes[first[1:]] = (target, f"{self.path}/{first}")
        elif first == ".":
            assert isinstance(target, str)
            self.column = target
        else:
            self.plain = False
            kid = self.kids.get(first)
            if kid is None:
                kid = self.kids[first] = Node(f"{self.path}/{first}")
            if rest:
                kid._declare(rest, target)
            elif isinstance(target, Several):
                kid.several = target
                kid.plain = False
                if target.paths is None:
                    kid.column = ""
                for below, inner in (target.paths or {}).items():
                    kid._declare(below.split("/"), inner)
            else:
                kid.column = target

    def ignore(self, path: str, reason: str) -> None:
        """Ignore a path below, with all that it holds."""
        ignored = self.at(path)
        ignored.ignored = reason
        ignored.plain = False

    def outcomes(self, above: str = "") -> Iterator[tuple[str, Outcome]]:
        """Yield what is declared of every path from here on.

        Args:
            above: the array that holds what is read below.
        """
        if self.ignored:
            yield self.path, (IGNORED, self.ignored)
        if self.several is not None:
            above = f"{_within(above, self.several.column)}[]"
        for column, path in self.attributes.values():
            yield path, (READ, _within(above, column))
        if self.column is not None:
            yield self.path, (READ, _within(above, self.column))
        # A dictionary that is asked for a tag remembers it: a node may stand under several.
        for kid in {id(kid): kid for kid in self.kids.values() if kid is not None}.values():
            if not kid.left:
                yield from kid.outcomes(above)

    def leave(self, path: str) -> None:
        """Leave a path below to those who make records of it."""
        left = self.at(path)
        left.left = True
        left.plain = False

    def at(self, path: str) -> Node:
        """Return the node at a path below; made if it is not there."""
        first, _, rest = path.partition("/")
        kid = self.kids.get(first)
        if kid is None:
            kid = self.kids[first] = Node(f"{self.path}/{first}")
        self.plain = False
        return kid.at(rest) if rest else kid


_encode = json.JSONEncoder(ensure_ascii=False).encode


def as_json(values: object) -> str | None:
    """JSON of a list or an object that holds something."""
    return _encode(values) if values else None


def _step(path: str, name: str) -> str:
    return f"{path}/{name}" if len(path) + len(name) < _PATH_CHARS else f"{path[:_PATH_CHARS]}/…"


def _within(above: str, column: str) -> str:
    return f"{above}.{column}" if above and column else above or column


@dataclass
class Taken:
    """What the walk found below one element.

    Attributes:
        values: column to text, or to the entries of an array.
        repeated: path to all texts of what came again though it can come once.
        unknown: path to the texts that no column takes.
    """

    values: dict[str, Any] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, list[str]] = field(default_factory=dict)


class Walk:
    """Walks through the elements of one file and accounts for their leaves."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.known = account.counts
        self.unknown = account.unknown

    def take(self, element: Element, node: Node) -> Taken:
        """Take every leaf of an element and below it."""
        self.account.delivered += delivered(element)
        return self.inner(element, node)

    def root(self, element: Element, node: Node) -> None:
        """Take the attributes of the root, which are there before anything else is."""
        taken = Taken()
        for value in element.values():
            self.account.delivered += bool(value.strip(BLANK))
        self._attributes(element, node, taken.values, taken)

    def rest(self, element: Element, node: Node) -> Taken:
        """Take what is left below an element after its records were taken and cleared."""
        taken = Taken()
        self.account.delivered += delivered(element) - sum(bool(v.strip(BLANK)) for v in element.values())
        if element.text is not None and element.text.strip(BLANK):
            self._odd(taken, node.path, element.text)
        self._below(element, node, taken.values, taken)
        return taken

    def stray(self, element: Element, path: str, *, inside: bool) -> None:
        """Note what stands between records.

        Args:
            element: before the next record.
            path: where.
            inside: whether the element itself is no record, but strange.
        """
        if inside:
            self.account.delivered += delivered(element)
            self._all_odd(element, _step(path, local(element.tag)), Taken())
        if element.tail is not None and element.tail.strip(BLANK):
            self.account.delivered += 1
            self._odd(Taken(), path, element.tail)

    def inner(self, element: Element, node: Node) -> Taken:
        """Take a part of an element whose leaves are counted already."""
        taken = Taken()
        self._own(element, node, taken.values, taken)
        self._below(element, node, taken.values, taken)
        return taken

    def _own(self, element: Element, node: Node, values: dict[str, Any], taken: Taken) -> None:
        self._attributes(element, node, values, taken)
        text = element.text
        if text is not None and text.strip(BLANK):
            if node.column is None:
                self._odd(taken, node.path, text)
            else:
                self.known[node.path] = self.known.get(node.path, 0) + 1
                self._put(values, node.column, text, node.path, taken)

    def _attributes(self, element: Element, node: Node, values: dict[str, Any], taken: Taken) -> None:
        for name, value in element.items():
            if not value.strip(BLANK):
                continue
            known = node.attributes.get(name) or node.attributes.get(local(name))
            if known is None and name.startswith(_XSI):
                known = ("", XSI)
            if known is None:
                self._odd(taken, _step(node.path, f"@{local(name)}"), value)
                continue
            column, path = known
            self.known[path] = self.known.get(path, 0) + 1
            if column:
                self._put(values, column, value, path, taken)

    def _put(self, values: dict[str, Any], column: str, value: str, path: str, taken: Taken) -> None:
        if column in values:
            # The last counts, the others are kept beside it: a finding says so.
            taken.repeated.setdefault(path, [values[column]]).append(value)
        values[column] = value

    def _odd(self, taken: Taken, path: str, value: str) -> None:
        if path not in self.unknown and len(self.unknown) >= _ODD_KEPT:
            path = "…"
        self.unknown[path] = self.unknown.get(path, 0) + 1
        taken.unknown.setdefault(path, []).append(value)

    def _below(self, element: Element, node: Node, values: dict[str, Any], taken: Taken) -> None:
        kids = node.kids
        known = self.known
        met: set[Node] = set()
        for child in element:
            kid = kids[child.tag]
            if kid is not None and kid.several is None and not kid.ignored:
                if kid in met:
                    self._again(child, kid, taken)
                met.add(kid)
            if kid is None:
                self._all_odd(child, _step(node.path, local(child.tag)), taken)
            elif kid.plain and not len(child) and not child.keys():
                text = child.text
                if text is not None and text.strip(BLANK):
                    path = kid.path
                    known[path] = known.get(path, 0) + 1
                    column = kid.column or ""
                    if column in values:
                        self._put(values, column, text, path, taken)
                    else:
                        values[column] = text
            elif kid.left:
                pass
            elif kid.ignored:
                known[kid.path] = known.get(kid.path, 0) + delivered(child)
            elif kid.several is not None:
                self._entry(child, kid, kid.several, values, taken)
            else:
                self._own(child, kid, values, taken)
                self._below(child, kid, values, taken)
            tail = child.tail
            if tail is not None and tail.strip(BLANK):
                self._odd(taken, node.path, tail)

    def _again(self, child: Element, kid: Node, taken: Taken) -> None:
        """Note an element that may stand once and came again; of one with a text, both texts are kept."""
        if kid.left or kid.column is not None:
            return
        texts = [text.strip(BLANK) for text in child.itertext() if text.strip(BLANK)]
        taken.repeated.setdefault(kid.path, []).append(" ".join(texts)[:_TEXT_CHARS])

    def _entry(
        self, child: Element, kid: Node, several: Several, values: dict[str, Any], taken: Taken
    ) -> None:
        entry: dict[str, Any] = {} if several.kind is None else {"kind": several.kind}
        self._own(child, kid, entry, taken)
        self._below(child, kid, entry, taken)
        entries = values.setdefault(several.column, [])
        if entries and (
            several.choice or (several.once and any(e.get("kind") == several.kind for e in entries))
        ):
            taken.repeated.setdefault(kid.path, []).append(_encode(entry))
        if several.paths is None:
            entries.extend(entry.values())
        else:
            entries.append(entry)

    def _all_odd(self, element: Element, path: str, taken: Taken) -> None:
        for name, value in element.items():
            if value.strip(BLANK):
                self._odd(taken, _step(path, f"@{local(name)}"), value)
        if element.text is not None and element.text.strip(BLANK):
            self._odd(taken, path, element.text)
        for child in element:
            self._all_odd(child, _step(path, local(child.tag)), taken)
            if child.tail is not None and child.tail.strip(BLANK):
                self._odd(taken, path, child.tail)
