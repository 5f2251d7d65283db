"""Choose the oBDS reports (Meldungen) that count: a later one replaces an earlier one of the same key.

The key of a report is (Absender_ID, IKNR of the Melder or else Melder_ID, Meldung_ID) and the patient: a
report of the same Meldung_ID for another patient is another report, and a finding. Later means a later
Meldedatum, then the file name that sorts later, then the later position in the file; a hash never decides.
Content that was delivered before is ignored: of equal versions only the first delivery counts. Values that
the newer version no longer has are withdrawn.

Source: Umsetzungsleitfaden of the Plattform § 65c, correction of reports; oBDS 3.0.4 schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation.reporting_day import MELDEDATUM
from schemas import received as r
from schemas.contract import CONTRACTS
from schemas.observations import observation
from schemas.quality import Disposition, Observation
from schemas.received import PROVENANCE
from schemas.rule import Rule
from schemas.sides import COPIES, PATIENT, VERSIONS, Side, peers

Frames = Mapping[str, pl.DataFrame]

RowsOf = Callable[[str, pl.Series], pl.DataFrame]
"""Function that takes a received table name and record ids, and returns the full rows."""

RECORD_CORRECTED = Rule(
    "record.corrected",
    "notice",
    on="quality.accounting",
    scope="source",
    what=("A later report of the same procedure or examination has other values. The later report counts."),
    remedy=(
        "Nothing needs to be done. If the earlier values were right, correct them in the tumour "
        "documentation and report again."
    ),
    source="oBDS: a Meldung of the same Meldung_ID replaces the earlier one",
    overruled=True,
    sides=(
        VERSIONS.at_times(),
        *peers("module_id"),
        # A Diagnose has no other number than that of its tumour.
        Side(of="typed.diagnosis", by=(PATIENT, "source", "tumour_id")),
    ),
)
RECORD_DUPLICATE = Rule(
    "record.duplicate",
    "notice",
    on="quality.accounting",
    scope="source",
    what=("The same record was delivered more than once with the same content. Only the first one counts."),
    remedy="Nothing needs to be done. To avoid it, limit the export to new and changed records.",
    source="oBDS: repeated Meldung; DICOM: repeated export",
    sides=(COPIES,),
)
SAME_DAY = Rule(
    "report.same-day-versions",
    "warning",
    on="quality.accounting",
    scope="source",
    what="Two different versions of one report (Meldung) have the same Meldedatum, or none. The version "
    "whose file name sorts later counts, or in the same file the later one. This version is not used.",
    remedy="In the tumour documentation, check which version is right and export the report again.",
    source="oBDS: Meldedatum is a day",
    sides=(VERSIONS,),
)
WITHDRAWN = Rule(
    "report.value-withdrawn",
    "warning",
    on="quality.accounting",
    scope="source",
    what="The later version of the report no longer has some values of this version: the named values are "
    "withdrawn.",
    remedy="In the tumour documentation, check that the values named were removed on purpose.",
    source="oBDS: a Meldung of the same Meldung_ID replaces the earlier one",
    sides=(VERSIONS,),
)
OTHER_PATIENT = Rule(
    "report.other-patient",
    "warning",
    on="quality.accounting",
    scope="source",
    what="The same Meldung_ID of the same Melder is used for two Patient_IDs. Both reports are kept.",
    remedy="In the tumour documentation, check to which patient the report belongs; export it again with "
    "one Patient_ID.",
    source="oBDS: Meldung_ID names one report of a Melder",
    sides=(VERSIONS,),
)
OLD_AGAIN = Rule(
    "report.old-version-again",
    "warning",
    on="quality.accounting",
    scope="source",
    what="An earlier version of the report was delivered again after its correction. The correction is used.",
    remedy="If the earlier version is right after all, change the report in the tumour documentation (a "
    "remark is enough) and export it again.",
    source="oBDS: a repeated Meldung is no correction",
    sides=(VERSIONS,),
)

REPLACED = "replaced by a later version of the report"

_OBDS = "received.obds_"
KEY_COLUMNS = ("Absender_ID", "Melder_IKNR", "Melder_ID", "Meldung_ID", "Patient_ID")
"""Columns that hold the key of a report and its patient."""
PLACES = (
    "record_id", "file_id", "position", "content_hash", "Meldedatum", "Meldebegruendung", "first_refresh",
    *KEY_COLUMNS,
)  # fmt: skip
"""Columns of a received oBDS table needed to choose between versions of a report."""

_VERSION = ["key", "Patient_ID", "file_id", "patient_at", "report_at"]
"""Key of one delivery of one report."""
DELIVERY_ORDER = ["reported_on", "path", "patient_at", "report_at"]
"""Sort order of the deliveries of one report; the file id separates files of one path in two centres."""


@dataclass(frozen=True)
class Sorted:
    """The result of choosing between versions of reports.

    Attributes:
        disposition: replaced records, and exact copies of an earlier delivery.
        observed: findings about versions, without those on withdrawn values.
        replaced: ``record_id``, ``table``, ``within`` (part of the report), ``key``, ``Patient_ID``,
            ``number`` (of the version), ``newer`` (number of the version after it): the records of replaced
            versions and of the version after each, for :func:`withdrawals`.
    """

    disposition: pl.DataFrame
    observed: pl.DataFrame
    replaced: pl.DataFrame


def _joined(*columns: str | pl.Expr) -> pl.Expr:
    parts = [pl.col(c) if isinstance(c, str) else c for c in columns]
    return pl.concat_str([p.fill_null("\x00") for p in parts], separator="\x1f")


_MELDER = pl.coalesce(["Melder_IKNR", "Melder_ID"])
KEY = _joined("Absender_ID", _MELDER, "Meldung_ID")
"""The key of a record's report, without the patient."""


def rows_in(received: Frames) -> RowsOf:
    """Return a function that reads records of received tables in memory."""
    return lambda table, records: received[table].filter(pl.col("record_id").is_in(records.implode()))


def reported_tables() -> list[str]:
    """Return the received tables whose rows are parts of reports."""
    return sorted(
        t for t, contract in CONTRACTS.items() if t.startswith(_OBDS) and issubclass(contract, r.ObdsMeldung)
    )


def sort_out(received: Frames, paths: pl.DataFrame) -> Sorted:
    """Choose the version of each report that counts.

    Args:
        received: the tables of :func:`reported_tables` with at least :data:`PLACES`.
        paths: ``file_id``, ``path``.
    """
    records = delivered_records(received, paths)
    if records.is_empty():
        return Sorted(Disposition.empty(), Observation.empty(), records)
    versions = (
        records.group_by(_VERSION)
        .agg(
            pl.col("reported_on", "path").min(),
            content=pl.concat_str("within", "content_hash", separator=" ").sort().str.join("\n"),
        )
        .sort("key", "Patient_ID", *DELIVERY_ORDER, "file_id", nulls_last=False)
    )
    report = ["key", "Patient_ID"]
    versions = versions.with_columns(
        number=pl.int_range(pl.len()).over(report),
        first=pl.struct("content").is_first_distinct().over(report),
    )
    # Versions with different content, in order: the last one counts, each other is replaced by the next.
    told = versions.filter("first").with_columns(
        last=pl.col("number") == pl.col("number").max().over(report),
        newer=pl.col("number").shift(-1).over(report),
        same_day=pl.col("reported_on").eq_missing(pl.col("reported_on").shift(-1).over(report)),
    )
    again = versions.filter(~pl.col("first")).join(
        told.select(*report, "content", stands="last"),
        on=[*report, "content"], how="left",
    )  # fmt: skip
    counts = told.filter("last").select(*report, counting="number")
    of = records.join(versions.select(*_VERSION, "number"), on=_VERSION, how="left")
    replaced = of.join(told.filter(~pl.col("last")).select(*_VERSION, "newer", "same_day"), on=_VERSION)
    copies = of.join(again.select(*_VERSION, "stands"), on=_VERSION)
    old = copies.filter(~pl.col("stands")).join(counts, on=report)
    late = old.filter(pl.col("number") > pl.col("counting"))
    compared = pl.concat(
        [
            replaced.select("record_id", "table", "within", *report, "number", "newer"),
            of.join(
                replaced.select(*report, number="newer").unique(), on=[*report, "number"]
            ).with_columns(newer=pl.lit(None, dtype=pl.Int64)).select(
                "record_id", "table", "within", *report, "number", "newer"
            ),
        ]
    ).unique(["record_id", "newer"], maintain_order=True)  # fmt: skip
    several = records.filter(pl.col("Patient_ID").n_unique().over("key") > 1)
    return Sorted(
        pl.concat(
            [
                Disposition.empty(),
                replaced.select("record_id", disposition=pl.lit("out of scope"), reason=pl.lit(REPLACED)),
                copies.select(
                    "record_id", disposition=pl.lit("duplicate"), reason=pl.lit("exact copy of a report")
                ),
            ]
        ).sort("record_id"),
        pl.concat(
            [
                Observation.empty(),
                observed_reports(replaced, RECORD_CORRECTED),
                observed_reports(_one_of_each(replaced.filter("same_day")), SAME_DAY),
                observed_reports(_one_of_each(late), OLD_AGAIN),
                observed_reports(_one_of_each(several), OTHER_PATIENT),
            ]
        ),
        compared,
    )


def withdrawals(sorted_out: Sorted, rows_of: RowsOf) -> pl.DataFrame:
    """Report values that a newer version of a report no longer has.

    Args:
        sorted_out: from :func:`sort_out`.
        rows_of: reads records of a received table.

    Returns:
        Observations on the older records; the note names the newer record.
    """
    seen = [Observation.empty()]
    pairs = sorted_out.replaced
    if pairs.is_empty():
        return seen[0]
    report = ["key", "Patient_ID"]
    for (table,), some in pairs.sort("record_id").group_by("table", maintain_order=True):
        older = some.filter(pl.col("newer").is_not_null())
        newer = some.select(*report, "within", newer="number", newer_id="record_id").unique(
            [*report, "within", "newer"], keep="first", maintain_order=True
        )
        matched = older.join(newer, on=[*report, "within", "newer"], how="left")
        whole = rows_of(str(table), some["record_id"].unique().sort())
        values = [c for c in _delivered(str(table)) if c in whole.columns]
        said = whole.select("record_id", *values)
        both = matched.join(said, on="record_id").join(
            said.rename({"record_id": "newer_id"}), on="newer_id", how="left", suffix="_newer"
        )
        gone = [
            pl.when(pl.col(c).is_not_null() & pl.col(f"{c}_newer").is_null()).then(pl.lit(c)) for c in values
        ]
        found = both.with_columns(gone=pl.concat_list(gone).list.drop_nulls()).filter(
            pl.col("gone").list.len() > 0
        )
        part = pl.col("newer_id").is_null()
        seen.append(
            observed_reports(
                found,
                WITHDRAWN,
                column=pl.when(~part).then(pl.col("gone").list.first()),
                note=pl.when(part)
                .then(pl.lit("the later version of the report has no such part"))
                .otherwise(
                    pl.concat_str(
                        pl.lit("withdrawn: "),
                        pl.col("gone").list.join(", "),
                        pl.lit("; newer record "),
                        "newer_id",
                    )
                ),
            )
        )
    return pl.concat(seen)


def _delivered(table: str) -> Iterator[str]:
    """Yield the columns of a received table that hold content of the report."""
    # Sender and date always differ between versions.
    framing = {*PROVENANCE, *KEY_COLUMNS, "Meldedatum", "Schema_Version", "Meldebegruendung", "Module_ID"}
    technical = {"repeated_elements", "unknown_elements"}
    return (c for c in CONTRACTS[table].polars_schema().names() if c not in framing | technical)


def delivered_records(received: Frames, paths: pl.DataFrame) -> pl.DataFrame:
    """Return every record that is part of a report, with the report's key and position."""
    parts = []
    for table in reported_tables():
        frame = received.get(table)
        if frame is None or frame.is_empty():
            continue
        reported = frame.filter(pl.col("Meldung_ID").is_not_null())
        if reported.is_empty():
            continue
        text = pl.col("position")
        parts.append(
            reported.select(
                "record_id",
                "file_id",
                "content_hash",
                "Patient_ID",
                "Meldebegruendung",
                table=pl.lit(table),
                # The part of the report: an event keeps its part from version to version.
                within=pl.concat_str(pl.lit(table), text.str.extract(r"/Meldung\[\d+\](.*)$").fill_null("")),
                patient_at=text.str.extract(r"/Patient\[(\d+)\]").cast(pl.Int64, strict=False).fill_null(0),
                report_at=text.str.extract(r"/Meldung\[(\d+)\]").cast(pl.Int64, strict=False).fill_null(0),
                reported_on=MELDEDATUM,
                reporter=_joined("Absender_ID", _MELDER),
                key=KEY,
            )
        )
    if not parts:
        return pl.DataFrame(schema={"record_id": pl.String})
    return pl.concat(parts).join(paths, on="file_id", how="left").with_columns(pl.col("path").fill_null(""))


def _one_of_each(frame: pl.DataFrame) -> pl.DataFrame:
    """Return one record per delivery of a report, so that a finding on a report is reported once."""
    return frame.sort("within", "record_id").unique(_VERSION, keep="first", maintain_order=True)


def observed_reports(
    frame: pl.DataFrame, rule: Rule, column: pl.Expr | None = None, note: pl.Expr | None = None
) -> pl.DataFrame:
    """Return observations of a rule on records of :func:`delivered_records`, sorted by record."""
    return observation(frame, rule, pl.col("table"), column, note=note).sort("record_id")
