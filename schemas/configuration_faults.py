"""Faults of a configuration: file, line, key, what is allowed there, and what was probably meant."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

Loc = tuple[str | int, ...]
"""Path of a key: ``("endpoints", 0, "events")`` is the key ``events`` of the first ``[[endpoints]]``."""

_LIKENESS = 0.6
"""From which on a name is offered for one that nothing has."""

_SHOWN = 30
"""Allowed values that a message lists; a longer list helps nobody."""


@dataclass(frozen=True)
class Fault:
    """One fault of a configuration file.

    Attributes:
        file: name of the file.
        line: line of the key, from 1; None if the file has no such key.
        key: dotted path of the key, items of a list counted from 0.
        message: what is wrong, and what is allowed.
    """

    file: str
    line: int | None
    key: str
    message: str

    def __str__(self) -> str:
        """Return the fault in one line, as an editor or a terminal shows it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigurationWrong(ValueError):
    """A study's configuration cannot be used; the message has one line per fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def meant(value: object, known: Iterable[str]) -> str | None:
    """Return the name that was probably meant by one that nothing has; None if none is spelled alike."""
    names, text = sorted(known), str(value)
    near = difflib.get_close_matches(text, names, n=1, cutoff=_LIKENESS)
    return next(iter(near), None) or next((n for n in names if n.casefold() == text.casefold()), None)


def not_allowed(value: object, allowed: Iterable[str]) -> str:
    """Say that a value is not allowed, what is, and which of those is spelled most alike."""
    known = sorted(map(str, allowed))
    near = meant(value, known)
    guess = f', did you mean "{near}"?' if near else "."
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    listed = ", ".join(known[:_SHOWN])
    return f'"{value}" is not known{guess} Allowed: {listed}{more}.'


def parsed(file: str, text: str) -> dict[str, Any]:
    """Parse a TOML file.

    Raises:
        ConfigurationWrong: it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as broken:
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(broken))
        line = int(found[1]) if found else text.count("\n") + 1
        said = re.sub(r"\s*\(at .*\)$", "", str(broken))
        raise ConfigurationWrong([Fault(file, line, "", f"not valid TOML: {said}")]) from None


def of_validation(
    file: str, text: str, wrong: ValidationError, model: type[BaseModel] | None = None
) -> list[Fault]:
    """Return the faults that pydantic found in a file.

    Args:
        file: name of the file.
        text: its content.
        wrong: what pydantic says.
        model: the model of the file, for what an unknown key probably meant.
    """
    return [_of_error(file, text, error, model) for error in wrong.errors()]


def _of_error(file: str, text: str, error: Any, model: type[BaseModel] | None) -> Fault:
    loc = error["loc"]
    message = error["msg"]
    context = error.get("ctx") or {}
    if error["type"] == "literal_error":
        message = not_allowed(error["input"], re.findall(r"'([^']*)'", context["expected"]))
    elif error["type"] == "extra_forbidden":
        near = meant(str(loc[-1]), sorted(_keys_at(model, loc[:-1])))
        message = f'unknown key "{loc[-1]}"' + (f', did you mean "{near}"?' if near else "")
    elif error["type"] == "missing":
        message = f'the key "{loc[-1]}" is missing'
    return fault(file, text, loc, message.removeprefix("Value error, "))


def _keys_at(annotation: Any, loc: Loc) -> set[str]:
    """Return the keys of the sections that a path can lead to; none if it leads elsewhere."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not loc:
            return set(annotation.model_fields)
        info = annotation.model_fields.get(str(loc[0]))
        # A model of a union stands in the path by its tag or its name.
        return _keys_at(info.annotation, loc[1:]) if info else _keys_at(annotation, loc[1:])
    rest = loc[1:] if loc and get_origin(annotation) in (tuple, dict) else loc
    return set().union(*(_keys_at(inner, rest) for inner in get_args(annotation)))


def fault(file: str, text: str, loc: Loc, message: str) -> Fault:
    """Return a fault at a key, with the line of that key or of the nearest key around it."""
    lines = dict(_keys(text))
    line = next((lines[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in lines), None)
    return Fault(file, line, ".".join(map(str, loc)), message)


_HEADER = re.compile(r"^\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([\w-]+)""")
_STRING = re.compile(r"""\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\])*"|'[^']*'""")


def _keys(text: str) -> Iterator[tuple[Loc, int]]:
    """Yield the path and the line of every table and every key that begins a line."""
    table: Loc = ()
    counts: dict[Loc, int] = {}
    quotes, depth = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        rest = line
        if quotes:
            end = rest.find(quotes)
            if end < 0:
                continue
            rest, quotes = rest[end + 3 :], ""
        elif depth == 0:
            if header := _HEADER.match(line):
                path = _indexed(_parts(header[2]), counts)
                if header[1] == "[[":
                    counts[path] = counts.get(path, -1) + 1
                    path = (*path, counts[path])
                table = path
                yield table, number
                continue
            if key := _KEY.match(line):
                yield (*table, *_parts(key[1])), number
                rest = line[key.end() :]
        bare = _STRING.sub('""', rest).partition("#")[0]
        for mark in ('"""', "'''"):
            if mark in bare:
                quotes, bare = mark, bare.partition(mark)[0]
        depth = max(0, depth + sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}"))


def _parts(dotted: str) -> Loc:
    return tuple(a or b or c for a, b, c in _PART.findall(dotted))


def _indexed(path: Loc, counts: dict[Loc, int]) -> Loc:
    """Return the path of a table with the index of each list of tables on its way."""
    found: Loc = ()
    for at, part in enumerate(path):
        found = (*found, part)
        if found in counts and at < len(path) - 1:
            found = (*found, counts[found])
    return found
