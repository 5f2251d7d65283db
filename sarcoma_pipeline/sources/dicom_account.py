"""Account for each attribute of a DICOM object: it is read, ignored by name, or unknown.

The attributes that are read are not listed a second time: each function that makes columns is called once
with an object that records what is requested. An attribute with a value counts once per place, regardless of
its number of values; a sequence that is not opened counts as one attribute, including its content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from sarcoma_pipeline.sources.dicom_dictionary import is_retired, keyword_of, tag
from sarcoma_pipeline.sources.dicom_node import Node, Opened
from sarcoma_pipeline.sources.value_account import IGNORED, READ, Account, Outcome, Tally
from schemas.ignored_attributes import GROUPS, OTHER_KIND, OVERLAYS, PRIVATE, RETIRED, TECHNICAL

Columns = Callable[[Node], Mapping[str, str | None]]

_UNKNOWN_KEPT = 1_000
"""Maximum number of unknown paths kept: a hostile export invents tags without end."""
_ALIKE = 200
"""Maximum number of attributes of a data set whose steps are kept."""
_STEPS_KEPT = 500
"""Maximum number of data sets of one kind whose steps are kept."""
_TALLIES_KEPT = 1_000
"""Maximum number of tallies of a file, which may be an archive of many objects, before they are added up."""

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
    kids: Tree | None = None

    @cached_property
    def closed(self) -> Tally:
        """The sequence, if it was not opened."""
        return Tally({self.path: 1})


class Tree(dict[int, Declared]):
    """Attributes of a data set by tag.

    Attributes:
        steps: how attributes with a value are accounted for, by their tags; first in objects that the study
            does not use, then in those that it uses.
    """

    def __init__(self) -> None:
        super().__init__()
        self.steps: tuple[dict[tuple[int, ...], _Steps], ...] = ({}, {})


_NOTHING = Tree()


@dataclass(frozen=True)
class Kind:
    """What is read of one kind of object.

    Attributes:
        tree: attributes of the top level, by tag.
        outcomes: path to the columns that it is read into.
    """

    tree: Tree = field(default_factory=Tree)
    outcomes: dict[str, Outcome] = field(default_factory=dict)


class _Asked(Node):
    """A stand-in object that has every attribute and records which ones are requested."""

    def __init__(self, path: tuple[str, ...], asked: dict[tuple[str, ...], bool], answers: Answers) -> None:
        super().__init__(None, (), set(), Opened())
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
            below = tree[tag(keyword)]
            tree = below.kids = Tree() if below.kids is None else below.kids
        name = "/".join(path)
        tree[tag(path[-1])] = Declared(name, Tree() if is_sequence else None)
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


def take(account: Account, kind: Kind, filled: tuple[int, ...], node: Node, *, used: bool) -> None:
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
    account.delivered += len(filled) + node.opened.delivered
    _count(account, [node], filled, kind.tree, "", used)
    if len(account.tallies) > _TALLIES_KEPT:
        account.settle()


def _count(
    account: Account, nodes: Sequence[Node], tags: tuple[int, ...], tree: Tree, above: str, used: bool
) -> None:
    """Account for data sets that have a value for the same attributes."""
    tallies, many = account.tallies, len(nodes)
    steps, again = _steps(tree, tags, used)
    for tally, number, known in steps:
        if tally is not None:
            tallies.append((tally, many))
        if number is None:
            continue
        if known is None:
            _unknown(account, above + name(number), many)
            continue
        alike: dict[tuple[int, ...], list[Node]] = {}
        closed = 0
        for node in nodes:
            if (items := node.inside.get(number)) is None:
                closed += 1
            else:
                for item in items:
                    alike.setdefault(item.filled, []).append(item)
        if closed:
            tallies.append((known.closed, closed))
        for inner, items in alike.items():
            _count(account, items, inner, known.kids or _NOTHING, f"{known.path}/", used)
    for number, times in again:
        # If a tag comes twice, only its last value can be read.
        _unknown(account, f"{above}{name(number)} (again)", times * many)


_Step = tuple[Tally | None, "int | None", "Declared | None"]
_Steps = tuple[list[_Step], list[tuple[int, int]]]
"""Steps, and tags that come again with how often more they come."""


def _steps(tree: Tree, tags: tuple[int, ...], used: bool) -> _Steps:
    # Slices of an image, and control points of a beam, have the same attributes.
    known = tree.steps[used]
    steps = known.get(tags)
    if steps is None:
        times = Counter(tags)
        again = [(number, count - 1) for number, count in times.items() if count > 1]
        steps = _new_steps(tree, times, used), again
        if len(tags) <= _ALIKE:
            if len(known) >= _STEPS_KEPT:
                known.clear()
            known[tags] = steps
    return steps


def _new_steps(tree: Tree, tags: Iterable[int], used: bool) -> list[_Step]:
    """Return the outcomes of attributes in their order.

    Each step has a tally of paths, and the attribute after them that has to be looked up: one that is
    unknown, or a sequence that may have been opened. The last step has no such attribute.
    """
    steps: list[_Step] = []
    paths: dict[str, int] = {}
    for number in tags:
        known = tree.get(number)
        path = known.path if known is not None else _ignored(number) if used else OTHER_KIND
        if path is None or (known is not None and known.kids is not None):
            steps.append((Tally(paths) if paths else None, number, known))
            paths = {}
        else:
            paths[path] = paths.get(path, 0) + 1
    return [*steps, (Tally(paths), None, None)] if paths else steps


def _unknown(account: Account, path: str, count: int) -> None:
    if path not in account.unknown and len(account.unknown) >= _UNKNOWN_KEPT:
        path = "…"
    account.unknown[path] = account.unknown.get(path, 0) + count


@lru_cache(10_000)
def name(number: int) -> str:
    """Return the keyword of a tag; its number, if it has no keyword."""
    return keyword_of(number) or f"({number >> 16:04X},{number & 0xFFFF:04X})"


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
    named = _GROUP_OF.get(keyword_of(number))
    return RETIRED if named is None and is_retired(number) else named
