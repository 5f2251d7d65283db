"""Describe faults of a configuration: file, line, key, allowed values, and the probable intended name."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

Loc = tuple[str | int, ...]
"""Path of a key: ``("endpoints", 0, "events")`` is the key ``events`` of the first ``[[endpoints]]``."""

Complaints = Iterator[tuple[Loc, str]]
"""Paths of keys, and what is wrong there."""

_LIKENESS = 0.6
"""Minimum similarity for suggesting a name in place of an unknown one."""

_SHOWN = 30
"""Maximum number of allowed values that a message lists."""


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
        """Return the fault in one line, in the format of compilers."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigurationWrong(ValueError):
    """A study's configuration cannot be used; the message has one line per fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def meant(value: object, known: Iterable[str]) -> str | None:
    """Return the known name that is spelled most like a value; None if none is similar."""
    names, text = sorted(known), str(value)
    near = difflib.get_close_matches(text, names, n=1, cutoff=_LIKENESS)
    return next(iter(near), None) or next((n for n in names if n.casefold() == text.casefold()), None)


def not_allowed(value: object, allowed: Iterable[str]) -> str:
    """Return a message: the value is not allowed, the allowed values, and the most similar one."""
    known = sorted(map(str, allowed))
    if not known:
        return f'"{value}" is not known: there is none that could be named here.'
    near = meant(value, known)
    guess = f', did you mean "{near}"?' if near else "."
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    # A value may hold a comma itself, or be a sign.
    plain = (f'"{value}"' if "," in value or not value[:1].isalnum() else value for value in known)
    listed = ", ".join(list(plain)[:_SHOWN])
    return f'"{value}" is not known{guess} Allowed: {listed}{more}.'


def among(loc: Loc, values: Iterable[str], allowed: Iterable[str]) -> Complaints:
    """Yield each value that is not allowed."""
    allowed = tuple(allowed)
    for value in values:
        if value not in allowed:
            yield loc, not_allowed(value, allowed)


OPEN = "?"
"""What ``sarcoma init`` writes where only a person knows the answer."""
_ANSWERS = {
    "scale": "the factor to the contract's unit, without quotes",
    "status_day.scale": "1 if the times are days, 7 for weeks, 30.4375 for months, 365.25 for years",
    "tumour_size_cm.scale": "1 if the sizes are cm, 0.1 if they are mm",
    "prescribed_dose_gy.scale": "1 if the doses are Gy, 0.01 if they are cGy",
    "age_at_diagnosis_years.scale": "1 if the ages are years, 0.0833333 if they are months",
    "date_format": 'the format, such as "%d.%m.%Y"',
    "equals": "the words that count",
    "diagnosis_date": "the header of the column; if times are counted from the diagnosis, write instead: "
    'diagnosis_day = { constant = "0" }',
    "status_date": "the header of the column; if it holds times instead of dates, write instead: "
    'status_day = { column = "…", scale = 1 }',
}
_LISTED = frozenset({"codes", "answers"})
"""Tables of words whose allowed values another message lists."""


def left_open(content: Any, loc: Loc = ()) -> Complaints:
    """Yield the questions of ``sarcoma init`` that nobody has answered yet."""
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        here = (*loc, key)
        if isinstance(value, str) and value.strip() == OPEN:
            named = [str(part) for part in here if not isinstance(part, int)]
            last = named[-2] if named[-1] == "column" else named[-1]
            general = _ANSWERS.get(last, "the header of the column")
            answer = _ANSWERS.get(".".join(named[-2:]), general)
            place = here[:-1] if isinstance(here[-1], int) else here
            yield place, f'"{OPEN}" is a question that sarcoma init left open: write {answer}'
        elif isinstance(value, dict | list) and key not in _LISTED:
            yield from left_open(value, here)


def without_open_numbers(content: Any) -> Any:
    """Return the content with a number for each open question for one, so that the rest can be checked."""
    if isinstance(content, dict):
        return {
            key: 1.0 if key == "scale" and value == OPEN else without_open_numbers(value)
            for key, value in content.items()
        }
    return [without_open_numbers(value) for value in content] if isinstance(content, list) else content


def unique(section: str, names: Sequence[str]) -> Complaints:
    """Yield each name that occurs earlier in its section."""
    for at, name in enumerate(names):
        if names.index(name) != at:
            yield (section, at, "name"), f'two {section} are named "{name}"'


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


def of_validation(file: str, text: str, wrong: ValidationError, model: type[BaseModel]) -> list[Fault]:
    """Return the faults that pydantic found in a file of a model."""
    content = parsed(file, text)
    return [_of_error(file, text, error, _keys_at(model, content, error["loc"])) for error in wrong.errors()]


def _keys_at(model: Any, content: Any, loc: Loc) -> list[str]:
    """Return the allowed keys at the position of the last part of a path."""
    for part in loc[:-1]:
        try:
            content = content[part]  # pyright: ignore[reportCallIssue, reportArgumentType]
        except (KeyError, IndexError, TypeError):
            return []
        if isinstance(part, int) or model is None:
            continue
        fields = getattr(model, "model_fields", {})
        model = _model_in(fields[part].annotation) if part in fields else None
        if (
            part == "source"
            and isinstance(content, list)
            and isinstance(loc[1], int)
            and loc[1] < len(content)
        ):
            model = _kind_of(content[loc[1]]) if isinstance(content[loc[1]], dict) else None
    return list(getattr(model, "model_fields", {}))


def mistyped(model: type[BaseModel], content: dict[str, Any], loc: Loc = ()) -> Complaints:
    """Yield values that pydantic would take for a number or a switch although they are none.

    It takes ``true`` for 1, ``"5"`` for 5 and ``"yes"`` for true: in a configuration each is a mistake.
    """
    for key, value in content.items():
        if key in model.model_fields:
            yield from _mistyped(model.model_fields[key].annotation, value, (*loc, key))


def _mistyped(annotation: Any, value: Any, loc: Loc) -> Complaints:
    kinds = list(_alternatives(annotation))
    if isinstance(value, list):
        items = [get_args(kind)[0] for kind in kinds if get_origin(kind) is tuple]
        for at, item in enumerate(value):
            yield from _mistyped(items[0], item, (*loc, at)) if items else ()
    elif isinstance(value, dict):
        models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if models:
            yield from mistyped(_kind_of(value) or models[0], value, loc)
            return
        values = [get_args(kind)[1] for kind in kinds if get_origin(kind) is dict]
        for key, item in value.items():
            yield from _mistyped(values[0], item, (*loc, key)) if values else ()
    elif isinstance(value, bool) and bool not in kinds and {int, float} & {*kinds}:
        yield loc, f"{str(value).lower()} is no number"
    elif not isinstance(value, bool) and kinds == [bool]:
        yield loc, f'"{value}" must be true or false'
    elif isinstance(value, str) and {int, float} & {*kinds} and str not in kinds:
        yield loc, f'"{value}" is text: write the number without quotes'


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield what a value may be: the members of a union, without their constraints."""
    if get_origin(annotation) is Annotated:
        yield from _alternatives(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _alternatives(part)
    else:
        yield annotation


def _kind_of(source: dict[str, Any]) -> type[BaseModel] | None:
    from schemas.sources_toml import KINDS

    return KINDS.get(source.get("kind", ""))


def _model_in(annotation: Any) -> Any:
    """Return the model that a field holds, alone, in a list or in a table; None if it holds none."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _of_error(file: str, text: str, error: Any, known: Sequence[str]) -> Fault:
    loc = error["loc"]
    message = error["msg"]
    context = error.get("ctx") or {}
    if error["type"] == "literal_error":
        message = not_allowed(error["input"], re.findall(r"'([^']*)'", context["expected"]))
    elif error["type"] == "extra_forbidden":
        near = meant(loc[-1], known)
        guess = f', did you mean "{near}"?' if near else "."
        message = f'unknown key "{loc[-1]}"{guess}' + (f" Allowed: {', '.join(known)}." if known else "")
    elif error["type"] == "missing":
        message = f'the key "{loc[-1]}" is missing'
    return fault(file, text, loc, message.removeprefix("Value error, "))


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
                    if path not in counts:
                        # Faults of the list as a whole are reported at its first item.
                        yield path, number
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


def said(loc: Loc, text: str) -> Complaints:
    """Yield a text that is empty."""
    if not text.strip():
        yield loc, "is empty"
