"""Assign the leaves of an XML tree to columns: each one is read, ignored by name, or kept as unknown.

A leaf is an element or an attribute with text. A tree of paths (:class:`Node`) declares how each is treated.
The walk visits every element once, so that paths missing in the tree are found.
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
"""Path of attributes about the XML itself (``xsi:schemaLocation``, ``xsi:nil``), in any element."""
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"

BLANK = " \t\r\n"
"""White space of XML; a text of nothing else counts as empty."""

_NAMES_KEPT = 10_000
ODD_KEPT = 1_000
_PATH_CHARS = 300
_TEXT_CHARS = 1_000
"""Limits against hostile exports, which invent names without end, and long ones."""


class _LocalNames(dict[object, str]):
    """Maps a tag to its name without namespace."""

    def __missing__(self, tag: object) -> str:
        name = tag.rpartition("}")[2] if isinstance(tag, str) else ""
        if len(self) < _NAMES_KEPT:
            self[tag] = name
        return name


local = _LocalNames().__getitem__
"""Return the name without namespace; empty for comments, instructions and entities."""

_delivered: Any = etree.XPath(
    "count(descendant-or-self::*/text()[normalize-space()])"
    " + count(descendant-or-self::*/attribute::*[normalize-space()])"
)


def delivered(element: Element) -> int:
    """Count the leaves of an element, with its own.

    The XML library counts them, independently of the walk.
    """
    return int(_delivered(element))


@dataclass(frozen=True)
class Several:
    """An element that may come several times; each becomes an entry of a JSON array.

    Attributes:
        column: the column that holds the array; in an array of arrays the key.
        paths: paths below the element to keys of the entry; None if the element's text is the entry.
        kind: value of the key ``kind`` in every entry.
        once: whether the schema allows only one of this kind; a second one is a fault.
        choice: whether the schema allows only one of all kinds.
    """

    column: str
    paths: Paths | None
    kind: str | None = None
    once: bool = False
    choice: bool = False


Paths: TypeAlias = "Mapping[str, str | Several]"
"""Path below an element to its column; ``@`` marks an attribute, ``.`` is the element's own text."""


class _Kids(dict[object, "Node | None"]):
    """Child nodes by tag, with or without a namespace."""

    def __missing__(self, tag: object) -> Node | None:
        name = local(tag)
        node = self[name] if name != tag and name in self else None
        if len(self) < _NAMES_KEPT:
            self[tag] = node
        return node


class Node:
    """Treatment of an element at one path.

    Attributes:
        path: the path, as in the value account.
        kids: nodes of its children.
        attributes: name to column.
        column: column of its own text.
        several: set if it makes an entry of an array.
        ignored: why it is ignored by name, with everything below it.
        left: whether it becomes a record of its own and is left to that record.
        plain: whether it can have only text.
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
        """Ignore a path below, with everything in it."""
        ignored = self.at(path)
        ignored.ignored = reason
        ignored.plain = False

    def outcomes(self, above: str = "") -> Iterator[tuple[str, Outcome]]:
        """Yield the declared outcome of every path below and including this one.

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
        # Looking up a tag stores it in the dictionary, so a node may occur under several tags.
        for kid in {id(kid): kid for kid in self.kids.values() if kid is not None}.values():
            if not kid.left:
                yield from kid.outcomes(above)

    def leave(self, path: str) -> None:
        """Leave a path below to the reader of its records."""
        left = self.at(path)
        left.left = True
        left.plain = False

    def at(self, path: str) -> Node:
        """Return the node at a path below; create it if it does not exist."""
        first, _, rest = path.partition("/")
        kid = self.kids.get(first)
        if kid is None:
            kid = self.kids[first] = Node(f"{self.path}/{first}")
        self.plain = False
        return kid.at(rest) if rest else kid


_encode = json.JSONEncoder(ensure_ascii=False).encode


def as_json(values: object) -> str | None:
    """Return JSON of a list or an object; None if it is empty."""
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
        repeated: path to all texts of a repeated element or attribute that may come only once.
        unknown: path to the texts that are not read into a column.
    """

    values: dict[str, Any] = field(default_factory=dict)
    repeated: dict[str, list[str]] = field(default_factory=dict)
    unknown: dict[str, list[str]] = field(default_factory=dict)


class Walk:
    """Walk through the elements of one file and account for their leaves."""

    def __init__(self, account: Account) -> None:
        self.keep(account)

    def keep(self, account: Account) -> None:
        """Account for further leaves in this account."""
        self.account = account
        self.known = account.counts
        self.unknown = account.unknown

    def take(self, element: Element, node: Node) -> Taken:
        """Take all leaves of an element and below it."""
        self.account.delivered += delivered(element)
        return self.inner(element, node)

    def root(self, element: Element, node: Node) -> None:
        """Take the attributes of the root, which are complete at its start tag."""
        taken = Taken()
        for value in element.values():
            self.account.delivered += bool(value.strip(BLANK))
        self._attributes(element, node, taken.values, taken)

    def rest(self, element: Element, node: Node) -> Taken:
        """Take the remaining leaves of an element after its records were taken and cleared."""
        taken = Taken()
        self.account.delivered += delivered(element) - sum(bool(v.strip(BLANK)) for v in element.values())
        if element.text is not None and element.text.strip(BLANK):
            self._odd(taken, node.path, element.text)
        self._below(element, node, taken.values, taken)
        return taken

    def stray(self, element: Element, path: str, *, inside: bool) -> None:
        """Note content between records.

        Args:
            element: the element before the next record.
            path: path of the content.
            inside: whether the element itself is not a record but unknown content.
        """
        if inside:
            self.unread(element, path)
        if element.tail is not None and element.tail.strip(BLANK):
            self.account.delivered += 1
            self._odd(Taken(), path, element.tail)

    def unread(self, element: Element, path: str) -> None:
        """Count all leaves of an element that makes no record as unknown.

        Args:
            element: the element.
            path: path of its parent.
        """
        self.account.delivered += delivered(element)
        self._all_odd(element, _step(path, local(element.tag)), Taken())

    def inner(self, element: Element, node: Node) -> Taken:
        """Take a part of an element whose leaves are already counted."""
        taken = Taken()
        self._own(element, node, taken.values, taken)
        self._below(element, node, taken.values, taken)
        return taken

    def _own(self, element: Element, node: Node, values: dict[str, Any], taken: Taken) -> None:
        self._attributes(element, node, values, taken)
        text = (element.text or "").strip(BLANK)
        if text:
            if node.column is None:
                self._odd(taken, node.path, text)
            else:
                self.known[node.path] = self.known.get(node.path, 0) + 1
                self._put(values, node.column, text, node.path, taken)

    def _attributes(self, element: Element, node: Node, values: dict[str, Any], taken: Taken) -> None:
        for name, delivered_value in element.items():
            value = delivered_value.strip(BLANK)
            if not value:
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
            # The last value is used; the others are kept for the finding.
            taken.repeated.setdefault(path, [values[column]]).append(value)
        values[column] = value

    def _odd(self, taken: Taken, path: str, value: str) -> None:
        if path not in self.unknown and len(self.unknown) >= ODD_KEPT:
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
                text = (child.text or "").strip(BLANK)
                if text:
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
        """Note an element that may come once but came again.

        If it has a text, :meth:`_put` keeps both texts.
        """
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
