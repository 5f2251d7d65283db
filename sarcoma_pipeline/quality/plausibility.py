"""Find reasons against publishing a study: the results do not fit the data that were read.

A wrong mapping leaves no fault in any record: an endpoint without events looks like a healthy cohort. Each
reason says what to check, and how to publish anyway if the result can be right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.cohort.endpoints import DEATHS
from sarcoma_pipeline.cohort.timeline import RELAPSES
from sarcoma_pipeline.curation.parse import (
    CODE_UNKNOWN,
    DATE_CENTURY,
    DATE_UNREADABLE,
    NUMBER_DAMAGED,
    NUMBER_UNREADABLE,
)
from sarcoma_pipeline.curation.table_rows import CONDITION_UNMATCHED, SEVERAL_VALUES
from schemas.cohort import CohortEligibility, CohortEndpoint, CohortFlow, CohortPatient
from schemas.configuration import EntityMapping, MappedSource, RegistrySource, Sources, Study
from schemas.gate import Gate
from schemas.received import RegistryReply, TableRow
from schemas.typed import STATES, Assessment, VitalStatus
from schemas.vocabularies import DECEASED, DECEASED_DATE_UNKNOWN

Frames = Mapping[str, pl.DataFrame]

_UNREADABLE = (
    DATE_UNREADABLE.id, NUMBER_UNREADABLE.id, CODE_UNKNOWN.id, DATE_CENTURY.id, SEVERAL_VALUES.id,
)  # fmt: skip
"""Rules on filled cells that yield no value."""
_WAY_OUT = "raise max_unreadable_percent under [gate] in study.toml."
_OF_ROWS = {
    CONDITION_UNMATCHED.id: (
        "meet no condition (when), and nothing is read from their rows",
        "Name the words in the conditions in sources.toml. If these rows are to yield nothing, " + _WAY_OUT,
    ),
    NUMBER_DAMAGED.id: (
        "are patient numbers that a spreadsheet damaged",
        "Restore the numbers in the table. If the other rows suffice, " + _WAY_OUT,
    ),
}
"""Rules on filled cells for which a row yields no record, with what is wrong and its remedy; the note of the
observation names the column."""
_ONE_DAY_FROM = 5
"""Minimum number of deaths that cannot all be on one day."""

_REASONS_SHOWN = 3


@dataclass(frozen=True)
class Reason:
    """A reason why nothing is published.

    Attributes:
        what: the implausible result; contains no value of a patient.
        remedy: what to correct, and how to publish anyway if the result can be right.
    """

    what: str
    remedy: str

    def __str__(self) -> str:
        """Return both parts as sentences."""
        return f"{self.what}. {self.remedy}"


def excluded_everybody(flow: pl.DataFrame, eligibility: pl.DataFrame) -> list[Reason]:
    """Report the criterion after which no patient is left, with the most frequent reasons.

    Args:
        flow: ``cohort.flow``.
        eligibility: ``cohort.eligibility``.
    """
    emptied = flow.filter((pl.col("entered") > 0) & (pl.col("remaining") == 0)).sort("position")
    if emptied.is_empty():
        if flow.is_empty():
            return []
        none = Reason(
            "no patient is eligible, because no patient was read",
            "Look at the findings of the files (sarcoma check).",
        )
        return [] if flow["entered"].sum() else [none]
    name, label, entered = emptied.select("criterion", "label", "entered").row(0)
    reasons = (
        eligibility.filter((pl.col("criterion") == name) & pl.col("excluded_here"))
        .group_by("reason")
        .len()
        .sort(pl.col("len"), "reason", descending=[True, False])
        .head(_REASONS_SHOWN)
    )
    said = ", ".join(f"{reason} ({n})" for reason, n in reasons.iter_rows())
    return [
        Reason(
            f'no patient is eligible: the criterion "{name}" ({label}) excludes all {entered} patients who '
            f"came to it: {said}",
            "Check the criterion in study.toml and the columns that it uses in sources.toml.",
        )
    ]


def without_follow_up(patients: pl.DataFrame, endpoints: pl.DataFrame) -> list[Reason]:
    """Report a median follow-up that is 0 or unknown.

    Args:
        patients: ``cohort.patients``.
        endpoints: ``cohort.endpoints``; without endpoints nothing is reported.
    """
    if patients.is_empty() or endpoints.is_empty():
        return []
    median = patients["follow_up_days"].median()
    if median is not None and median > 0:  # pyright: ignore[reportOperatorIssue]
        return []
    found = "0 days" if median is not None else "unknown"
    return [
        Reason(
            f"the median follow-up of {patients.height} patients is {found}",
            "Check status_date or status_day, its format and scale, in sources.toml, and the diagnosis date.",
        )
    ]


def without_events(
    endpoints: pl.DataFrame, patients: pl.DataFrame, study: Study, typed: Frames
) -> list[Reason]:
    """Report endpoints without events, although such events were read; perhaps nobody is at risk of them.

    Args:
        endpoints: ``cohort.endpoints``.
        patients: ``cohort.patients``; without patients another reason says so.
        study: the endpoints' rules, and ``[gate]``.
        typed: ``typed.vital_status`` and ``typed.assessment``.
    """
    died, relapsed = deaths_read(typed), relapses_read(typed)
    counted = endpoints.group_by("endpoint").agg(pl.len(), pl.col("event").sum())
    some = set(counted.filter(pl.col("event") > 0)["endpoint"])
    derivable = {rule.name for rule in study.endpoints if rule.derivable} if patients.height else set[str]()
    none = derivable - some - set(study.gate.may_lack_events)
    at_risk = set(counted["endpoint"])
    faults = []
    for rule in study.endpoints:
        if rule.name not in none:
            continue
        of_rule = [kind for kind in (died, relapsed) if set(kind.events) & set(rule.events)]
        read = [kind.words for kind in of_rule if kind.words]
        # One patient's death may be undated or in quarantine: it has a finding and must not block the others.
        if len(frozenset[str]().union(*(kind.persons for kind in of_rule))) > 1:
            faults.append(
                Reason(
                    f"{rule.name} has no event, although {' and '.join(read)} were read"
                    + ("" if rule.name in at_risk else ": no patient is at risk of it"),
                    "Check their dates, their codes and the patient numbers. If it is right, write "
                    f'may_lack_events = ["{rule.name}"] under [gate] in study.toml.',
                )
            )
    return faults


def on_one_day(typed: Frames) -> list[Reason]:
    """Report that all deaths of the tables are on one day: the day of an export, or of a reply.

    Args:
        typed: ``typed.vital_status``.
    """
    deaths = typed[VitalStatus.table()].filter(
        pl.col("status") == DECEASED, pl.col("source") == "table", pl.col("person_ref").is_not_null()
    )
    found = []
    for column in ("status_date", "status_day"):
        dated = deaths.filter(pl.col(column).is_not_null())
        if dated["person_ref"].n_unique() >= _ONE_DAY_FROM and dated[column].n_unique() == 1:
            many = dated["person_ref"].n_unique()
            found.append(
                Reason(
                    f"all deaths of the tables, of {many} persons, are on one day",
                    f"Map {column} of the deaths to the column with the days of death: this one is that of "
                    "an export, a reply or a last contact.",
                )
            )
    return found


@dataclass(frozen=True)
class Read:
    """Events of one kind that were read, used or not.

    Attributes:
        events: the possible event kinds of an endpoint.
        persons: the persons with such an event.
        words: their number in words; empty if there is none.
    """

    events: tuple[str, ...]
    persons: frozenset[str]
    words: str


def deaths_read(typed: Frames) -> Read:
    """Return the persons with a death that was read."""
    statements = typed[VitalStatus.table()]
    deaths = statements.filter(pl.col("status").is_in([DECEASED, DECEASED_DATE_UNKNOWN]))
    persons = frozenset(deaths["person_ref"].drop_nulls())
    undated = deaths.filter(pl.col("status") == DECEASED_DATE_UNKNOWN)["person_ref"].n_unique()
    lost = f" ({undated} without a readable date)" if undated else ""
    return Read(DEATHS, persons, f"deaths of {len(persons)} persons{lost}" if persons else "")


def relapses_read(typed: Frames) -> Read:
    """Return the persons with a relapse that was read."""
    relapse = pl.any_horizontal(pl.col(STATES) == "relapse")
    persons = frozenset(typed[Assessment.table()].filter(relapse)["person_ref"].drop_nulls())
    return Read(RELAPSES, persons, f"relapses of {len(persons)} persons" if persons else "")


MAPPED = (TableRow.table(), RegistryReply.table())
"""Received tables of sources whose columns ``sources.toml`` maps."""


def sources_of(records: Iterable[pl.DataFrame], files: pl.DataFrame) -> pl.DataFrame:
    """Return ``record_id`` and the name of the ``source`` of records of mapped sources.

    Args:
        records: ``record_id`` and ``file_id`` of the tables :data:`MAPPED`; may be none.
        files: ``file_id`` and ``source`` of their files.
    """
    none = pl.DataFrame(schema={"record_id": pl.String, "file_id": pl.String})
    everything = pl.concat([none, *(frame.select(none.columns) for frame in records)])
    return everything.join(files.select("file_id", "source").unique(), on="file_id").drop("file_id")


def of_cells(observed: pl.DataFrame) -> pl.DataFrame:
    """Return the observations on filled cells that yield no value."""
    rules = (*_UNREADABLE, *_OF_ROWS)
    return observed.filter(pl.col("rule_id").is_in(rules) & pl.col("column_name").is_not_null())


def unreadable(typed: Frames, observed: pl.DataFrame, source_of: pl.DataFrame) -> pl.DataFrame:
    """Count the unreadable cells of every mapped column.

    Args:
        typed: the typed tables.
        observed: observations.
        source_of: :func:`sources_of`.

    Returns:
        ``source``, ``table_name``, ``column_name``, ``unreadable``, ``filled`` (read or not), ``persons``
        (with an unreadable cell) and the ``record_id`` of an example, sorted; only columns with such a cell.
    """
    failed = (
        observed.filter(pl.col("rule_id").is_in(_UNREADABLE), pl.col("column_name").is_not_null())
        .select("record_id", "table_name", "column_name")
        .unique()
        .join(source_of, on="record_id")
    )
    rows = []
    for (table, column), cells in failed.group_by("table_name", "column_name"):
        frame = typed.get(str(table))
        if frame is None or column not in frame.columns:
            continue
        read = frame.filter(pl.col(str(column)).is_not_null()).select("record_id").unique()
        owners = frame.select("record_id", "person_ref").unique("record_id", keep="any")
        lost = cells.join(read, on="record_id", how="anti")
        read_by = dict(read.join(source_of, on="record_id").group_by("source").len().iter_rows())
        for (source,), part in lost.group_by("source"):
            filled = part.height + read_by.get(source, 0)
            # A record of an unknown person counts as one person.
            whose = part.join(owners, on="record_id", how="left").select(
                pl.coalesce("person_ref", "record_id")
            )
            persons = whose.to_series().n_unique()
            rows.append((source, table, column, part.height, filled, persons, part["record_id"].min()))
    schema = {
        "source": pl.String, "table_name": pl.String, "column_name": pl.String,
        "unreadable": pl.Int64, "filled": pl.Int64, "persons": pl.Int64, "record_id": pl.String,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema, orient="row").sort("source", "table_name", "column_name")


def without_record(
    typed: Frames, observed: pl.DataFrame, source_of: pl.DataFrame, sources: Sources, gate: Gate
) -> list[Reason]:
    """Report columns of tables for which most of the filled rows yield no record.

    Args:
        typed: the typed tables.
        observed: observations.
        source_of: :func:`sources_of`.
        sources: ``sources.toml``.
        gate: ``[gate]`` of ``study.toml``.
    """
    failed = observed.join(source_of, on="record_id")
    found = []
    for source in sources.source:
        if not isinstance(source, MappedSource):
            continue
        rows = source_of.filter(pl.col("source") == source.name).select("record_id").unique()
        for column in source.headers():
            tables = sorted({f"typed.{e.entity}" for e in source.entities if column in _chosen_by(e)})
            known = pl.col("person_ref").str.starts_with("number:")
            made = [typed[t].filter(known).select("record_id") for t in tables if t in typed]
            read = pl.concat([rows.clear(), *made]).unique().join(rows, on="record_id", how="semi")
            for rule, (what, remedy) in _OF_ROWS.items():
                lost = failed.filter(
                    pl.col("source") == source.name,
                    pl.col("rule_id") == rule,
                    pl.col("note") == f"column {column!r}",
                ).select("record_id")
                lost = lost.unique()
                filled = lost.height + read.join(lost, on="record_id", how="anti").height
                many = 100 * lost.height > gate.max_unreadable_percent * filled
                if many and lost.height >= gate.unreadable_from:
                    where = f'column "{column}" of source "{source.name}"'
                    found.append(Reason(f"{lost.height} of {filled} filled cells of {where} {what}", remedy))
    return found


def _chosen_by(entity: EntityMapping) -> set[str | None]:
    """Return the columns that decide whether a row yields the entity: conditions and patient number."""
    number = entity.columns.get("hospital_number")
    return {*(when.column for when in entity.when), number.column if number else None}


def mostly_unreadable(counts: pl.DataFrame, sources: Sources, gate: Gate) -> list[Reason]:
    """Report mapped columns with more unreadable cells than ``[gate]`` allows.

    Args:
        counts: :func:`unreadable`.
        sources: ``sources.toml``.
        gate: ``[gate]`` of ``study.toml``.
    """
    share = 100 * pl.col("unreadable") / pl.col("filled")
    many = counts.filter(
        (share > gate.max_unreadable_percent)
        & (pl.col("unreadable") >= gate.unreadable_from)
        & (pl.col("persons") > 1)
    )
    return [
        Reason(
            f"{row['unreadable']} of {row['filled']} filled cells of {header(sources, row)} cannot be read "
            f"as {row['table_name'].removeprefix('typed.')}.{row['column_name']}",
            f"Correct its format, codes or column in sources.toml. If they are right, {_WAY_OUT}",
        )
        for row in many.iter_rows(named=True)
    ]


def header(sources: Sources, place: Mapping[str, str]) -> str:
    """Return the name of the delivered column of a typed one, as it is in the table.

    Args:
        sources: ``sources.toml``.
        place: ``source``, ``table_name``, ``column_name``.
    """
    headers: list[str] = []
    for source in sources.source:
        if source.name == place["source"]:
            headers += _headers(source, place["table_name"], place["column_name"])
    quoted = " / ".join(f'"{name}"' for name in dict.fromkeys(headers)) or f'"{place["column_name"]}"'
    return f'column {quoted} of source "{place["source"]}"'


_OF_A_REPLY = {"status": "answer", "status_date": "event_date"}
"""Typed column of a reply to the key of its column in sources.toml."""


def _headers(source: object, table: str, column: str) -> list[str]:
    if isinstance(source, RegistrySource):
        name = source.columns.get(_OF_A_REPLY.get(column, column))
        return [name] if name else []
    if isinstance(source, MappedSource):
        mapped = [e.columns.get(column) for e in source.entities if f"typed.{e.entity}" == table]
        return [m.column for m in mapped if m is not None and m.column is not None]
    return []


def never_published(
    study: Study,
    sources: Sources,
    tables: Frames,
    observed: pl.DataFrame,
    source_of: pl.DataFrame,
) -> list[Reason]:
    """Return every reason why the study must not be published; empty if there is none.

    Args:
        study: ``study.toml``.
        sources: ``sources.toml``.
        tables: typed tables and ``cohort.flow``, ``cohort.eligibility``, ``cohort.patients``,
            ``cohort.endpoints``.
        observed: observations of all steps.
        source_of: :func:`sources_of`.
    """
    return [
        *excluded_everybody(tables[CohortFlow.table()], tables[CohortEligibility.table()]),
        *without_follow_up(tables[CohortPatient.table()], tables[CohortEndpoint.table()]),
        *without_events(tables[CohortEndpoint.table()], tables[CohortPatient.table()], study, tables),
        *on_one_day(tables),
        *mostly_unreadable(unreadable(tables, observed, source_of), sources, study.gate),
        *without_record(tables, observed, source_of, sources, study.gate),
    ]
