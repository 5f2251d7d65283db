"""Account for each attribute of a DICOM object: it is read, ignored by name, or unknown.

The attributes that are read are not listed a second time: each function that makes columns is called once
with an object that records what is requested. An attribute with a value counts once per place, regardless of
its number of values; a sequence that is not opened counts as one attribute, including its content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pydicom.datadict import dictionary_has_tag, dictionary_is_retired, keyword_for_tag
from pydicom.dataset import Dataset

from sarcoma_pipeline.sources.dicom_node import Node, tag
from sarcoma_pipeline.sources.value_account import IGNORED, READ, Account, Outcome
from schemas.configuration import DEFAULT_LIMITS
from schemas.ignored_attributes import GROUPS, OTHER_KIND, OVERLAYS, PRIVATE, RETIRED, TECHNICAL

Columns = Callable[[Node], Mapping[str, str | None]]

_UNKNOWN_KEPT = 1_000
"""Maximum number of unknown paths kept: a hostile export invents tags without end."""


_GROUP_OF = {keyword: group for group, (_, keywords) in GROUPS.items() for keyword in keywords}
_IGNORED: Mapping[str, Outcome] = {group: (IGNORED, reason) for group, (reason, _) in GROUPS.items()}


@dataclass
class Declared:
    """What is read below one path.

    Attributes:
        path: the path, as in the value account.
        kids: attributes below it by tag, if it is a sequence.
    """

    path: str
    kids: dict[int, Declared] | None = None


@dataclass(frozen=True)
class Kind:
    """What is read of one kind of object.

    Attributes:
        tree: attributes of the top level, by tag.
        outcomes: path to the columns that it is read into.
    """

    tree: dict[int, Declared] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)


_EMPTY = Dataset()


class _Asked(Node):
    """A stand-in object that has every attribute and records which ones are requested."""

    def __init__(self, path: tuple[str, ...], asked: dict[tuple[str, ...], bool], answers: Answers) -> None:
        super().__init__(_EMPTY, set(), DEFAULT_LIMITS)
        self.path = path
        self.asked = asked
        self.answers = answers

    def _answer(self, keyword: str) -> str | None:
        path = (*self.path, keyword)
        self.asked.setdefault(path, False)
        return "1" if self.answers(path) else None

    def text(self, keyword: str) -> str | None:
        return self._answer(keyword)

    def content(self, keyword: str) -> bytes:
        return (self._answer(keyword) or "").encode()

    def items(self, keyword: str) -> list[Node]:
        path = (*self.path, keyword)
        self.asked[path] = True
        return [_Asked(path, self.asked, self.answers)]


Answers = Callable[[tuple[str, ...]], bool]


def declared(columns: Columns) -> Kind:
    """Return the attributes that a function requests, and the columns that each of them changes.

    The answers must not hide a request: a function that reads a second attribute if the first is missing is
    also called without the first.
    """
    asked: dict[tuple[str, ...], bool] = {}
    none = columns(_Asked((), asked, lambda path: False))
    every = columns(_Asked((), asked, lambda path: True))
    kind = Kind()
    changed: dict[str, set[str]] = {}
    for path, is_sequence in asked.items():
        tree = kind.tree
        for keyword in path[:-1]:
            below = tree[int(tag(keyword))]
            tree = below.kids = {} if below.kids is None else below.kids
        name = "/".join(path)
        tree[int(tag(path[-1]))] = Declared(name, {} if is_sequence else None)
        alone = columns(_Asked((), {}, lambda one, path=path: one == path))
        without = columns(_Asked((), {}, lambda one, path=path: one != path))
        changed[name] = {c for c in none if alone[c] != none[c] or without[c] != every[c]}
        kind.outcomes[name] = (READ, ", ".join(sorted(changed[name])) or None)
    for path, is_sequence in asked.items():
        if is_sequence:
            below = {c for p in asked if p[: len(path)] == path for c in changed["/".join(p)]}
            kind.outcomes["/".join(path)] = (READ, ", ".join(sorted(below)) or None)
    kind.outcomes.update(_IGNORED)
    return kind


def take(account: Account, kind: Kind, filled: Iterable[int], node: Node, *, used: bool) -> None:
    """Account for the attributes of one object.

    Args:
        account: the account of its file.
        kind: what is read of it.
        filled: tags of the top level that have a value, in the order of the file.
        node: the object after its columns were read.
        used: whether the study uses this kind of object.
    """
    if account.outcomes is not kind.outcomes:
        account.outcomes = {**account.outcomes, **kind.outcomes} if account.outcomes else kind.outcomes
    top = list(filled)
    account.delivered += len(top) + node.opened.delivered
    once = dict.fromkeys(top)
    _count(account, node, once, kind.tree, "", used)
    if len(once) < len(top):
        # If a tag comes twice, only its last value can be read.
        for number, times in (Counter(top) - Counter(once.keys())).items():
            _unknown(account, f"{name(number)} (again)", times)


def _count(
    account: Account, node: Node, tags: Iterable[int], tree: Mapping[int, Declared], above: str, used: bool
) -> None:
    counts = account.counts
    for number in tags:
        known = tree.get(number)
        if known is None:
            path = _ignored(number) if used else OTHER_KIND
            if path is None:
                _unknown(account, above + name(number), 1)
                continue
        else:
            path = known.path
            if known.kids is not None:
                items = node.opened.items.get((id(node.dataset), number))
                if items is not None:
                    for item, inner in items:
                        _count(account, item, inner, known.kids, f"{path}/", used)
                    continue
        counts[path] = counts.get(path, 0) + 1


def _unknown(account: Account, path: str, count: int) -> None:
    if path not in account.unknown and len(account.unknown) >= _UNKNOWN_KEPT:
        path = "…"
    account.unknown[path] = account.unknown.get(path, 0) + count


@lru_cache(10_000)
def name(number: int) -> str:
    """Return the keyword of a tag; its number, if it has no keyword."""
    return keyword_for_tag(number) or f"({number >> 16:04X},{number & 0xFFFF:04X})"


@lru_cache(10_000)
def _ignored(number: int) -> str | None:
    """Return the path under which an attribute is ignored; None if it is not ignored."""
    group, element = number >> 16, number & 0xFFFF
    if group % 2:
        return PRIVATE
    if element == 0:
        return TECHNICAL
    if group >> 8 in (0x50, 0x60):
        return OVERLAYS
    named = _GROUP_OF.get(keyword_for_tag(number))
    return (
        RETIRED if named is None and dictionary_has_tag(number) and dictionary_is_retired(number) else named
    )
