"""Turn findings into questions to the senders of the records: one letter for each sender.

A letter asks only about records of its sender, with position and value as that sender knows them. What other
sources say is quoted without their positions. A column that the sender does not name has its title, in the
language that is set. ``letter_sheet`` writes letters and reads the answers.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import polars as pl

from sarcoma_pipeline.quality.column_lineage import origins
from schemas.all_contracts import CONTRACTS
from schemas.language import gettext
from schemas.sources_toml import MappedSource, ObdsSource, RegistrySource, Sources
from schemas.umlauts import UMLAUTS

QUESTION = {
    "finding_id": pl.String, "content_hash": pl.String, "path": pl.String, "position": pl.String,
    "field": pl.String, "value": pl.String, "others": pl.String, "what": pl.String, "remedy": pl.String,
    "due": pl.Date,
}  # fmt: skip
"""Columns of the questions of a letter."""

_REPLIED = {"status": "answer", "status_date": "event_date"}
"""Columns of statements on life and death to the columns of a reply."""


@dataclass(frozen=True)
class Letter:
    """The questions to one sender.

    Attributes:
        system: where the sender corrects a record.
        owner: to whom the letter is addressed; if nobody is declared, the sources' names.
        contact: their address; empty if none is declared.
        sources: names of their sources.
        questions: the columns of :data:`QUESTION`, sorted by file and position.
        file_name: name of the letter's files without ending, by the owner.
    """

    system: str
    owner: str
    contact: str
    sources: tuple[str, ...]
    questions: pl.DataFrame
    file_name: str


def letters(
    found: pl.DataFrame, records: pl.DataFrame, sources: Sources, delivered: pl.DataFrame | None = None
) -> list[Letter]:
    """Return a letter for each sender whose records a finding is about.

    A finding over records of several senders is in the letter of each, with their own record. Sources with
    the same owner, contact and system have one sender. A finding of the study as a whole has no sender.

    Args:
        found: rows of ``quality.ledger``.
        records: ``quality.finding_records``, with the texts that may be shown to a sender.
        sources: the study's ``sources.toml``.
        delivered: the same records as they were delivered. Each sender gets their own ones; what other
            senders delivered is always taken from ``records``. None: own ones are too.
    """
    senders: dict[tuple[str, str, str], list[str]] = {}
    for source in sources.source:
        senders.setdefault((source.system, source.owner or source.name, source.contact), []).append(
            source.name
        )
    fields = {name: field for source in sources.source for name, field in _fields(source)}
    about = found.select("finding_id", "content_hash", "what", "remedy", "due")
    # A fault of a source as a whole stands at the source's name.
    asked = about.join(records.with_columns(source=pl.coalesce("source", "path")), on="finding_id")
    known = asked
    if delivered is not None:
        known = about.join(delivered.with_columns(source=pl.coalesce("source", "path")), on="finding_id")
    made = []
    for (system, owner, contact), names in sorted(senders.items()):
        own = known.filter(pl.col("source").is_in(names))
        rows = [
            _question(own, asked, finding, names, fields) for finding in own["finding_id"].unique().sort()
        ]
        if rows:
            questions = pl.DataFrame(rows, schema=QUESTION)
            order = ("path", pl.col("position").str.len_chars(), "position", "finding_id")
            name = _file_name(owner, [one.file_name for one in made])
            made.append(Letter(system, owner, contact, tuple(names), questions.sort(*order), name))
    return made


_SPELLED = str.maketrans(UMLAUTS)


def _file_name(owner: str, taken: list[str]) -> str:
    """Return the owner in plain letters, an umlaut as two; the second sender of that name has a number."""
    spelled = owner.casefold().translate(_SPELLED)
    plain = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore")
    name = re.sub(r"[^a-z0-9]+", "-", plain.decode()).strip("-") or "sender"
    numbered = (name if n == 1 else f"{name}-{n}" for n in count(1))
    return next(one for one in numbered if one not in taken)


def _question(
    own: pl.DataFrame,
    asked: pl.DataFrame,
    finding: str,
    names: list[str],
    fields: Mapping[tuple[str, str, str], str],
) -> dict[str, object]:
    """Return one row of the questions: the sender's records of a finding, and what other sources say."""
    mine = own.filter(pl.col("finding_id") == finding).sort(
        ~pl.col("at_fault"), "path", "position", "record_id", "column_name", nulls_last=True
    )
    first = mine.row(0, named=True)
    here = mine.filter(pl.col("record_id") == first["record_id"])
    values = [(_name(row, fields), row["value"]) for row in here.iter_rows(named=True)]
    values = list(dict.fromkeys((name, value) for name, value in values if name))
    further = asked.filter(pl.col("finding_id") == finding, pl.col("record_id") != first["record_id"])
    return {
        "finding_id": finding,
        "content_hash": first["content_hash"],
        "path": first["path"],
        "position": first["position"],
        "field": "\n".join(name for name, _ in values),
        "value": "\n".join(value or "" for _, value in values),
        "others": "\n".join(dict.fromkeys(_others(further, names, fields))),
        "what": first["what"],
        "remedy": first["remedy"],
        "due": first["due"],
    }


def _others(
    further: pl.DataFrame, names: list[str], fields: Mapping[tuple[str, str, str], str]
) -> Iterator[str]:
    """Yield what the other records of a finding say; the sender's own ones with their position."""
    said: dict[tuple[str, ...], list[str]] = {}
    order = ("source", "path", "position", "record_id", "column_name")
    for row in further.sort(*order, nulls_last=True).iter_rows(named=True):
        own = f", {row['position']}" if row["source"] in names else ""
        # The record itself is not told; it only keeps apart what different records say.
        values = said.setdefault((f"{row['source'] or ''}{own}", row["record_id"]), [])
        if row["column_name"]:
            values.append(f"{_name(row, fields)} = {row['value'] or gettext('no value')}")
    for (source, _), values in said.items():
        yield f"{source}: {'; '.join(values)}" if values else source


def _name(row: Mapping[str, str], fields: Mapping[tuple[str, str, str], str]) -> str:
    """Return the name of a record's column as its sender writes it, else its title."""
    table, column = row["table_name"], row["column_name"]
    if not column:
        return ""
    known = fields.get((row["source"] or "", table, column))
    if table.startswith("received."):
        return column
    specs = {c.name: c.title for c in CONTRACTS[table].columns()} if table in CONTRACTS else {}
    return known or gettext(specs.get(column, column))


def _fields(source: object) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Yield typed columns and the headers or elements in which a source delivers them."""
    if isinstance(source, ObdsSource):
        for table, columns in origins().items():
            for column, of in columns.items():
                elements = {name for received, name in of if received.startswith("received.obds_")}
                elements = {name for name in elements if not name.endswith("_Datumsgenauigkeit")}
                if table.startswith("typed.") and len(elements) == 1:
                    yield (source.name, table, column), elements.pop()
    if isinstance(source, MappedSource):
        for entity in source.entities:
            for column, mapping in entity.columns.items():
                if mapping.column:
                    yield (source.name, f"typed.{entity.entity}", column), mapping.column
    if isinstance(source, RegistrySource):
        for table in ("typed.vital_status", "typed.person"):
            for column in CONTRACTS[table].polars_schema():
                if header := source.columns.get(_REPLIED.get(column, column)):
                    yield (source.name, table, column), header
