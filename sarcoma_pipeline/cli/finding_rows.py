"""Reads findings, readings and effects from the warehouse for the commands of ``sarcoma findings``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sarcoma_pipeline.cli.terminal import NotFound, no_such, whole
from sarcoma_pipeline.cli.warehouse_rows import rows
from sarcoma_pipeline.quality.ids import Ids
from sarcoma_pipeline.study.project import Project
from schemas.configuration_faults import meant
from schemas.vocabularies import RESOLVED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

LISTED = "sarcoma findings lists them all"
"""Where the ids of findings are listed."""


def effects(project: Project) -> dict[str, str]:
    """Map each finding to the sentence on how the study would change if its record were admitted."""
    from sarcoma_pipeline.quality import impact_sentences
    from schemas.impact import Impact

    told = impact_sentences.sentences(rows(project, f"FROM {Impact.table()}"))
    quarantined = rows(
        project,
        "SELECT finding_id, record_id FROM quality.findings JOIN quality.quarantine USING (record_id) "
        "WHERE list_contains(rule_ids, rule_id)",
    )
    return dict(quarantined.join(told, on="record_id").select("finding_id", "impact").iter_rows())


def readings_of(project: Project) -> pl.DataFrame:
    """Return the readings and answers that data stewards can choose, by finding."""
    from sarcoma_pipeline.quality import decision_requests
    from schemas.curated_identity import IdentityReading
    from schemas.curated_radiotherapy import RadiotherapyReading

    found = rows(project, "FROM quality.findings")
    # The patient of an answer is shown by pseudonym.
    identities = rows(
        project,
        "SELECT i.* REPLACE (i.text || coalesce(': patient ' || p.pseudonym, '') AS text) "
        f"FROM {IdentityReading.table()} AS i LEFT JOIN curated.patient AS p USING (patient_id)",
    )
    return decision_requests.offered(found, rows(project, f"FROM {RadiotherapyReading.table()}"), identities)


def as_delivered(project: Project, finding_id: str) -> dict[str, str]:
    """Return file, position, column, value and note of a finding from the warehouse, unmasked.

    Empty for a finding that is not in the last refresh: only its masked form is kept.
    """
    from schemas.all_contracts import CONTRACTS

    received = " UNION ALL ".join(
        f"SELECT record_id, file_id, position FROM {table}"
        for table in sorted(CONTRACTS)
        if table.startswith("received.")
    )
    found = rows(
        project,
        f"""
        SELECT f.path, r.position, o.column_name, o.value, o.note
        FROM quality.findings AS q
        JOIN quality.observed AS o
            ON (o.rule_id, o.record_id, o.table_name) = (q.rule_id, q.record_id, q.table_name)
        LEFT JOIN ({received}) AS r ON r.record_id = q.record_id
        LEFT JOIN meta.files AS f ON f.file_id = r.file_id
        WHERE q.finding_id = '{finding_id.replace("'", "''")}'
        ORDER BY (o.column_name IS NOT DISTINCT FROM q.column_name) DESC, o.column_name, o.value, o.note
        LIMIT 1
        """,
    )
    return {
        name: value for row in found.iter_rows(named=True) for name, value in row.items() if value is not None
    }


def compared(project: Project, finding_id: str) -> list[dict[str, Any]]:
    """Return the records of a finding as delivered, unmasked: those of ``quality.finding_records``."""
    import polars as pl

    return delivered(project, records_of(project).filter(pl.col("finding_id") == finding_id)).to_dicts()


def records_of(project: Project) -> pl.DataFrame:
    """Read ``quality.finding_records`` as of the last refresh."""
    from schemas.quality import FindingRecord

    return FindingRecord.conform(rows(project, f"FROM {FindingRecord.table()}"))


def delivered(project: Project, records: pl.DataFrame) -> pl.DataFrame:
    """Replace path and value of records of findings with those in the warehouse, which are not masked."""
    import polars as pl

    from schemas.all_contracts import CONTRACTS

    place = ["record_id", "table_name", "column_name"]
    asked = (
        records.select("table_name", "column_name").drop_nulls().unique().sort("table_name", "column_name")
    )
    read = [pl.DataFrame(schema=dict.fromkeys((*place, "_value"), pl.String))]
    for table, column in asked.iter_rows():
        if table in CONTRACTS and column in CONTRACTS[table].polars_schema():
            ids = records.filter(table_name=table, column_name=column)["record_id"].unique().sort()
            listed = ", ".join(f"'{i.replace(chr(39), chr(39) * 2)}'" for i in ids)
            sql = f"""
                SELECT record_id, '{table}' AS table_name, '{column}' AS column_name,
                    min("{column}"::VARCHAR) AS _value
                FROM {table} WHERE record_id IN ({listed}) GROUP BY 1 ORDER BY 1
            """
            read.append(rows(project, sql))
    paths = rows(project, "SELECT file_id, min(path) AS _path FROM meta.files GROUP BY 1 ORDER BY 1")
    return (
        records.join(pl.concat(read), on=place, how="left", maintain_order="left")
        .join(paths, on="file_id", how="left", maintain_order="left")
        .with_columns(value=pl.coalesce("_value", "value"), path=pl.coalesce("_path", "path"))
        .drop("_value", "_path")
    )


def ledger_of(project: Project) -> pl.DataFrame:
    """Read ``quality.ledger`` as of the last refresh."""
    from schemas.ledger import LedgerEntry

    return LedgerEntry.conform(rows(project, f"FROM {LedgerEntry.table()}"))


def decisions_of(project: Project) -> pl.DataFrame:
    """Read the log of decisions.

    Raises:
        click.ClickException: it is damaged.
    """
    from sarcoma_pipeline.quality import decision_log

    try:
        return decision_log.read(project.decisions)
    except decision_log.DecisionLogDamaged as damaged:
        raise click.ClickException(str(damaged)) from None


def current(project: Project) -> pl.DataFrame:
    """Return the ledger with the decisions taken since the last refresh applied, most severe first."""
    import polars as pl

    from sarcoma_pipeline.quality import ledger

    found = ledger.standing(ledger_of(project), decisions_of(project), project.now().date())
    order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}, return_dtype=pl.Int32)
    return found.sort(order, "rule_id", "path", "position", "finding_id")


def _check_names(project: Project, found: pl.DataFrame, rule: str | None, file: str | None) -> None:
    """Refuse a rule or a file that does not exist, instead of answering "0 findings".

    Raises:
        NotFound: with the name that was probably meant.
    """
    if rule is not None and rule not in set(found["rule_id"]):
        from sarcoma_pipeline.quality.rule_catalogue import rules

        if rule not in rules():
            raise NotFound(no_such("rule", rule, rules(), "sarcoma rules lists them all"))
    if file is not None and not found["path"].str.contains(file, literal=True).any():
        known = rows(project, "SELECT DISTINCT path FROM meta.files")["path"]
        if not known.str.contains(file, literal=True).any():
            near = meant(file, {part for path in known for part in path.split("/")})
            guess = f'; did you mean "{near}"?' if near else ""
            raise NotFound(f'no file of the drop folder has "{file}" in its path{guess}')


def select(
    project: Project,
    rule: str | None,
    severity: str | None,
    status: str | None,
    patient: str | None,
    file: str | None,
) -> pl.DataFrame:
    """Return the findings that the filters let pass; without a status, all but the resolved ones.

    Raises:
        NotFound: a filter names what does not exist.
    """
    import polars as pl

    found = current(project)
    _check_names(project, found, rule, file)
    if patient is not None:
        known = {*rows(project, "SELECT pseudonym FROM curated.patient")["pseudonym"]}
        known |= {*found["pseudonym"].drop_nulls()}
        patient = whole("pseudonym", patient, known, "sarcoma findings shows those with a finding")
    wanted = {"rule_id": rule, "severity": severity, "status": status, "pseudonym": patient}
    for column, value in wanted.items():
        if value is not None:
            found = found.filter(pl.col(column) == value)
    if status is None:
        found = found.filter(pl.col("status") != RESOLVED)
    if file is not None:
        found = found.filter(pl.col("path").str.contains(file, literal=True))
    return found


def in_full(ids: Sequence[str], known: Iterable[str]) -> list[str]:
    """Return each finding's id in full, once; the ledger refuses those that it does not know.

    Raises:
        NotFound: several findings begin with a given id.
    """
    names = Ids(known)
    found: dict[str, None] = {}
    for given in ids:
        full = names.beginning_with(given)
        found[whole("finding", given, full, LISTED) if full else given] = None
    return list(found)
