"""Describe every key of ``study.toml`` and ``sources.toml``, for ``docs/configuration.md`` and for editors.

The meaning of a key is the docstring below its field; type and default come from the field.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from schemas.analyses_toml import Imputation, PredictorTerm, Validation, Weighting
from schemas.assumptions import Assumptions, declared
from schemas.configuration_examples import EXAMPLES
from schemas.disclosure import Disclosure
from schemas.dose_columns import DoseColumn
from schemas.dose_response_toml import DoseResponse
from schemas.dose_settings import DoseSettings
from schemas.entity_mapping import ColumnMapping, EntityMapping, When
from schemas.gate import Gate
from schemas.sources_toml import KINDS, IgnoredColumns, Limits, Sources
from schemas.statistics import Statistics
from schemas.structures_toml import StructureNames
from schemas.study_toml import (
    CensoringVariant,
    CompetingRisks,
    Covariate,
    Criterion,
    EndpointRule,
    Model,
    Study,
    TableRow,
)
from schemas.thresholds import Threshold
from schemas.toxicity_toml import ToxicityEndpoint

STUDY: tuple[tuple[str, type[BaseModel]], ...] = (
    ("", Study),
    ("[[criteria]]", Criterion),
    ("[[endpoints]]", EndpointRule),
    ("[assumptions]", Assumptions),
    ("[[covariates]]", Covariate),
    ("[[models]]", Model),
    ("[models.imputation]", Imputation),
    ("[[cumulative_incidence]]", CompetingRisks),
    ("[[censoring_variants]]", CensoringVariant),
    ("[[weighting]]", Weighting),
    ("[[validation]]", Validation),
    ("[[validation.terms]]", PredictorTerm),
    ("[[table_one]]", TableRow),
    ("[[toxicity]]", ToxicityEndpoint),
    ("[[structures]]", StructureNames),
    ("[dose_volume]", DoseSettings),
    ("[[dose_columns]]", DoseColumn),
    ("[[dose_response]]", DoseResponse),
    ("[statistics]", Statistics),
    ("[[thresholds]]", Threshold),
    ("[gate]", Gate),
    ("[disclosure]", Disclosure),
)
"""Sections of ``study.toml`` and their models, in the order of the page."""

_BELOW_A_SOURCE: tuple[tuple[str, type[BaseModel]], ...] = (
    ("[[source.entities]]", EntityMapping),
    ("[source.entities.columns]: what a column is mapped by", ColumnMapping),
    ("[[source.entities]] when", When),
    ("[[source.ignored]]", IgnoredColumns),
    ("[limits]", Limits),
)


@dataclass(frozen=True)
class Key:
    """One key of a section.

    Attributes:
        name: the key.
        meaning: its meaning in words.
        values: its type, or the allowed values.
        default: default as TOML; "" if the key is required, or is empty by default.
        needed: whether it is required.
        example: example as TOML.
    """

    name: str
    meaning: str
    values: str
    default: str
    needed: bool
    example: str


_TYPES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "true or false",
    "date": "date",
}


def keys(model: type[BaseModel]) -> list[Key]:
    """Describe the keys of a section in the order of its model."""
    if issubclass(model, Assumptions):
        return list(_switches(model))
    return [_key(model, name, info) for name, info in model.model_fields.items()]


def _key(model: type[BaseModel], name: str, info: FieldInfo) -> Key:
    if _is_section(info.annotation):
        return Key(name, _meaning(model, name), "a section of its own", "", info.is_required(), "")
    nothing = info.is_required() or (default := info.get_default(call_default_factory=True)) is None
    shown = "" if nothing else _toml(_dumped(default))  # pyright: ignore[reportPossiblyUnboundVariable]
    return Key(
        name,
        _meaning(model, name),
        _values(info.annotation),
        shown,
        info.is_required(),
        _toml(example(model, name)),
    )


def example(model: type[BaseModel], name: str) -> Any:
    """Return an example of a key's value.

    Raises:
        KeyError: the key has no default, no listed values and no example.
    """
    for owner in model.__mro__:
        if (given := EXAMPLES.get(f"{owner.__name__}.{name}")) is not None:
            return given
    info = model.model_fields[name]
    words = _literals(info.annotation)
    if words:
        return [words[0]] if get_origin(info.annotation) is tuple else words[-1]
    default = None if info.is_required() else info.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined:
        raise KeyError(f"{model.__name__}.{name} has no example")
    return _dumped(default)


def _switches(model: type[Assumptions]) -> Iterator[Key]:
    """Describe the switches by their sentences in the methods section."""
    for one in declared():
        says = one.switch.says
        words = (
            says if isinstance(says, str) else " ".join(f"`{value}`: {text}" for value, text in says.items())
        )
        info = model.model_fields[one.name]
        value = one.default if one.default is not None else example(model, one.name)
        default = "" if one.default is None else _toml(one.default)
        yield Key(
            one.name, words.replace("{value}", "…"), _values(info.annotation), default, False, _toml(value)
        )


def _dumped(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [_dumped(v) for v in value]
    return value


def _toml(value: Any) -> str:
    """Return a value as TOML."""
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_name(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
        )
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(v) for v in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _name(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else json.dumps(key, ensure_ascii=False)


def _values(annotation: Any) -> str:
    """Return a type in words, with the allowed values."""
    if words := _literals(annotation):
        return ("list of " if get_origin(annotation) is tuple else "") + ", ".join(f"`{w}`" for w in words)
    origin, inside = get_origin(annotation), [a for a in get_args(annotation) if a is not type(None)]
    if origin is tuple:
        return f"list of {_values(inside[0])}"
    if origin is dict:
        return "table"
    if origin is not None and hasattr(annotation, "__metadata__"):
        return _values(inside[0])
    if inside:
        return " or ".join(dict.fromkeys(_values(a) for a in inside))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "table"
    return _TYPES.get(getattr(annotation, "__name__", ""), "table")


def _is_section(annotation: Any) -> bool:
    """Return whether a key holds sections, whose keys have a table of their own."""
    inside = get_args(annotation) if get_origin(annotation) is tuple else (annotation,)
    return any(isinstance(a, type) and issubclass(a, BaseModel) for a in inside)


def _literals(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [str(a) for a in get_args(annotation)]
    return [word for inner in get_args(annotation) for word in _literals(inner)]


def _meaning(model: type[BaseModel], name: str) -> str:
    for owner in model.__mro__:
        if owner is not BaseModel and (found := _docstrings(owner).get(name)):
            return found
    return ""


@cache
def _docstrings(model: type) -> dict[str, str]:
    """Return the docstring of each field that a model defines itself."""
    if not issubclass(model, BaseModel) or model is BaseModel:
        return {}
    (defined,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    body = defined.body if isinstance(defined, ast.ClassDef) else []
    found = {}
    for field, below in pairwise(body):
        if not (isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)):
            continue
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            found[field.target.id] = " ".join(str(below.value.value).replace("``", "`").split())
    return found


def sections() -> Iterator[tuple[str, str, type[BaseModel]]]:
    """Yield file, heading and model of every section, in the order of the page."""
    for heading, model in STUDY:
        yield "study.toml", heading, model
    yield "sources.toml", "", Sources
    for kind, model in sorted(KINDS.items()):
        if model.__module__.startswith("schemas."):
            yield "sources.toml", f'[[source]] of kind "{kind}"', model
    for heading, model in _BELOW_A_SOURCE:
        yield "sources.toml", heading, model


_HEAD = """\
# Configuration

Every key of a study's `study.toml` and `sources.toml`. This page is generated: `sarcoma schema --markdown`.
`sarcoma check` says where a file is wrong, and `sarcoma init` proposes both files from your data.

Editors that know JSON Schema (Even Better TOML in VS Code, Taplo) complete and check the keys while you type:
[study.schema.json](schemas/study.schema.json) and [sources.schema.json](schemas/sources.schema.json). The
line `#:schema` at the top of a file names its schema.
"""


def markdown() -> str:
    """Return ``docs/configuration.md``."""
    lines, file = [_HEAD.rstrip()], ""
    for name, heading, model in sections():
        if name != file:
            file = name
            lines += ["", f"## {file}"]
        if heading:
            lines += ["", f"### {heading}"]
        if model.__doc__:
            lines += [
                "",
                " ".join(inspect.cleandoc(model.__doc__).replace("``", "`").split("\n\n")[0].split()),
            ]
        lines += ["", "| key | meaning | values | default | example |", "|---|---|---|---|---|"]
        for key in keys(model):
            default = f"`{_cell(key.default)}`" if key.default else "must be given" if key.needed else "none"
            cells = (
                f"`{key.name}`",
                _cell(key.meaning),
                _cell(key.values),
                default,
                f"`{_cell(key.example)}`",
            )
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


FILES = ("study", "sources")


def schema(file: str) -> dict[str, Any]:
    """Return the JSON Schema of a configuration file, with the meaning of every key."""
    made = _described(Study if file == "study" else Sources)
    if file == "sources":
        definitions = made.setdefault("$defs", {})
        for kind, model in sorted(KINDS.items()):
            if model.__module__.startswith("schemas."):
                own = _described(model)
                definitions |= own.pop("$defs", {})
                definitions[kind] = own
        kinds = [{"$ref": f"#/$defs/{kind}"} for kind in sorted(KINDS) if kind in definitions]
        made["properties"]["source"]["items"] = {"oneOf": kinds}
        definitions.pop("SourceFiles", None)
        # ``sex = "Geschlecht"`` is short for ``sex = { column = "Geschlecht" }``.
        columns = definitions["EntityMapping"]["properties"]["columns"]
        columns["additionalProperties"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/ColumnMapping"}]}
    return {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"{file}.toml", **made}


def _described(model: type[BaseModel]) -> dict[str, Any]:
    made = model.model_json_schema()
    known = {m.__name__: m for _, _, m in sections()}
    for name, part in (("", made), *made.get("$defs", {}).items()):
        owner = model if not name else known.get(name)
        if owner is not None:
            for key in keys(owner):
                if key.name in part.get("properties", {}):
                    part["properties"][key.name]["description"] = key.meaning
    return made
