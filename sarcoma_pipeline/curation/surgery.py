"""Curate operations: merge the reports of several sources and reporters into one row per operation."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation import reports_differ
from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_dates import of_one_event
from sarcoma_pipeline.curation.event_numbers import with_date_of_number
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames, merged, nth_of_the_day, ranked
from schemas import curated, typed
from schemas.distinct_values import distinct
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import OPERATIONS, Side, peers
from schemas.wound_operations import may_resect

RESIDUAL_DIFFERS = Rule(
    "surgery.residual-differs",
    "warning",
    on="typed.surgery",
    scope="source",
    what="Two reports of one operation give different residual states. The source named first in the "
    "precedence counts, then the newer report.",
    remedy="Compare Lokale_Beurteilung_Residualstatus of both with the pathology report.",
    source="UICC R classification",
    sides=(
        Side("typed.surgery", ("residual_status",)),
        Side("typed.diagnosis", ("residual_status",), sometimes=True),
    ),
)
REPORTS_DIFFER = Rule(
    "surgery.reports-differ",
    "warning",
    on="typed.surgery",
    scope="source",
    what="Two reporters give one operation different intents or sides. The source named first in the "
    "precedence counts, then the newer report.",
    remedy="Compare the reporter's Intention and OPS code with the operation report. Correct the wrong one.",
    source="oBDS 3.0.4 OP",
    overruled=True,
    sides=peers("surgery_date"),
)
PATHOLOGY_MISSING = Rule(
    "surgery.pathology-missing",
    "notice",
    on="typed.surgery",
    scope="patient",
    what="The specimen of a curative operation on a sarcoma is not documented: neither a histology (in its "
    "OP or a Pathologie) nor a residual status. Operations on the wound alone have none.",
    remedy="Ask the pathology for its report of the specimen. In the tumour documentation, add Histologie "
    "and Residualstatus to the OP.",
    source="oBDS 3.0.4 OP/Histologie, Pathologie",
    alone="the pathology is not documented",
)

RESIDUAL_UNUSED = Rule(
    "surgery.residual-of-no-operation",
    "warning",
    on="typed.diagnosis",
    scope="patient",
    what="A pathology report has a residual status that belongs to no operation: it has no date and there "
    "are several operations, or there was no operation from six weeks before to three days after it.",
    remedy="In the tumour documentation, compare the date of the Pathologie with OP/Datum. Add "
    "Residualstatus to the OP that it belongs to.",
    source="oBDS 3.0.4 Pathologie/Residualstatus",
    sides=(OPERATIONS.at_times(),),
)

REPORT_DAYS = (-3, 42)
"""A pathology report of a specimen is dated from three days before to six weeks after the operation."""


def curate(sound: Frames, precedence: Sequence[str]) -> pl.DataFrame:
    """Merge the reports of each operation.

    Operations of a tumour on one day are one, unless a reporter documents two: then the first operations of
    each reporter are one, and so on. The procedures are those in the newest report of any reporter. A missing
    residual status is taken from the pathology report of the specimen.

    Args:
        sound: the typed tables with their tumours.
        precedence: kinds of source, the most credible first.

    Returns:
        Rows of ``curated.surgery`` without days.
    """
    records = ranked(with_date_of_number(sound[typed.Surgery.table()], "surgery_date"), precedence)
    records = records.with_columns(_operation=_operation(records))
    operation = [*TUMOUR, "surgery_date", "surgery_day", "_operation"]
    records = of_one_event(records, "surgery_date", operation)
    unknown = pl.col("intent") == "unknown"
    known = (~unknown).any().over(operation)
    records = records.with_columns(intent=pl.when(~(unknown & known)).then("intent"))
    rows = merged(records, operation, curated.Surgery)
    rows = _with_all_procedures(rows, records)
    return _with_pathology(rows, sound[typed.Diagnosis.table()])


def _with_all_procedures(rows: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    named = (
        reports_differ.current(records, "surgery_date")
        .select(record_ids="record_id", _ops="ops_codes")
        .explode("_ops")
        .drop_nulls()
    )
    numbered = rows.with_row_index("_row")
    found = (
        numbered.select("_row", "record_ids")
        .explode("record_ids")
        .join(named, on="record_ids")
        .group_by("_row")
        .agg(_ops=pl.col("_ops").unique().sort())
    )
    return (
        numbered.join(found, on="_row", how="left", maintain_order="left")
        .with_columns(ops_codes=pl.coalesce("_ops", "ops_codes"))
        .drop("_row", "_ops")
    )


def _operation(records: pl.DataFrame) -> pl.Expr:
    dated = pl.col("surgery_date").is_not_null() | pl.col("surgery_day").is_not_null()
    procedures = pl.col("ops_codes").cast(pl.List(pl.String)).list.eval(pl.element().sort()).list.join(" ")
    own = pl.coalesce("module_id", procedures)
    nth = nth_of_the_day(records, [*TUMOUR, "source", "surgery_date", "surgery_day"], own)
    return pl.when(dated).then(nth.cast(pl.String)).otherwise(pl.coalesce("module_id", "record_id"))


def _with_pathology(rows: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """Fill a missing residual status from the pathology report of the operation."""
    found = reports.filter(pl.col("residual_status").is_not_null(), ~pl.col("of_relapse_report")).select(
        *TUMOUR, *NEWEST_LAST, "report_date", _r="residual_status"
    )
    numbered = rows.with_row_index("_row")
    cutting = numbered.filter(pl.col("intent").ne_missing("diagnostic"))
    pairs = cutting.select("_row", *TUMOUR, "surgery_date", _several=pl.len().over(TUMOUR) > 1).join(
        found, on=TUMOUR, nulls_equal=True
    )
    since = (pl.col("report_date") - pl.col("surgery_date")).dt.total_days()
    fits = since.is_between(*REPORT_DAYS) | (pl.col("report_date").is_null() & ~pl.col("_several"))
    best = (
        pairs.filter(fits)
        .sort("record_id", since.abs(), "_row", nulls_last=True)
        .unique("record_id", keep="first", maintain_order=True)
        .sort("_row", "report_date", *NEWEST_LAST, nulls_last=False)
        .group_by("_row", maintain_order=True)
        .agg(_r=pl.col("_r").last(), _reports=pl.col("record_id").unique().sort())
    )
    none: pl.Expr = pl.lit([], dtype=pl.List(pl.String))
    return (
        numbered.join(best, on="_row", how="left", maintain_order="left")
        .with_columns(
            residual_status=pl.coalesce("residual_status", "_r"),
            record_ids=distinct(pl.concat_list("record_ids", pl.col("_reports").fill_null(none))),
        )
        .drop("_row", "_r", "_reports")
    )


def observe(operations: pl.DataFrame, sound: Frames, diagnosis: pl.DataFrame) -> pl.DataFrame:
    """Return contradictions between reports of one operation, and operations without histology.

    Args:
        operations: ``curated.surgery``.
        sound: the typed tables with their tumours.
        diagnosis: ``curated.diagnosis``.
    """
    records, reports = sound[typed.Surgery.table()], sound[typed.Diagnosis.table()]
    current = reports_differ.current(records, "surgery_date")
    said = (
        operations.select("record_ids", _chosen="residual_status")
        .explode("record_ids")
        .join(
            pl.concat(
                [
                    current.select("record_id", "residual_status"),
                    reports.select("record_id", "residual_status"),
                ]
            ).drop_nulls(),
            left_on="record_ids",
            right_on="record_id",
        )
        .filter(pl.col("residual_status") != pl.col("_chosen"))
        .select("residual_status", record_id="record_ids")
    )
    tissue = reports.filter(
        pl.col("origin").is_in(["surgery", "pathology"]), pl.col("icdo3_morphology").is_not_null()
    )
    sarcomas = diagnosis.filter(pl.col("histology_group").is_not_null())
    lone = (
        records.filter(pl.col("intent") == "curative", pl.col("source") == "oBDS")
        # R0, R1 and R2 are determined on the specimen: a pathologist has seen it.
        .filter(pl.col("residual_status").is_null() | (pl.col("residual_status") == "RX"), may_resect())
        .join(sarcomas, on=TUMOUR, how="semi", nulls_equal=True)
        .join(tissue, on=TUMOUR, how="anti", nulls_equal=True)
    )
    used = operations.select(record_id="record_ids").explode("record_id").drop_nulls().unique()
    unused = reports.filter(
        pl.col("residual_status").is_not_null(),
        ~pl.col("of_relapse_report"),
        pl.col("patient_id").is_not_null(),
    ).join(used, on="record_id", how="anti")
    unused = unused.unique("record_id", keep="first", maintain_order=True)
    table, residual = typed.Surgery.table(), pl.col("residual_status")
    return pl.concat(
        [
            Observation.empty(),
            observation(said, RESIDUAL_DIFFERS, table, "residual_status", pl.col("residual_status")),
            reports_differ.observe(
                operations, current, ("intent", "side"), REPORTS_DIFFER, table, ("unknown", "other")
            ),
            observation(unused, RESIDUAL_UNUSED, typed.Diagnosis.table(), "residual_status", residual),
            observation(lone, PATHOLOGY_MISSING, table, "surgery_date", pl.col("surgery_date")),
        ]
    )
