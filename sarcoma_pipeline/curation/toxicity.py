"""Curate toxicity: join side effects and complications to their therapy, and find wound revisions.

Nothing is attributed by the nearest day alone: a statement belongs to the therapy of its own record, or to
the only therapy of its kind that began before it.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import Frames
from schemas import toxicity_codes as codes
from schemas import typed
from schemas.curated_toxicity import Toxicity
from schemas.partial_dates import interval
from schemas.wound_operations import closes_only, on_wound, wound_code

_THERAPY = ("therapy_date", "therapy_day_told", "therapy_day_earliest", "therapy_day_latest", "course_id")


def curate(
    sound: Frames, courses: pl.DataFrame, operations: pl.DataFrame, systemic: pl.DataFrame
) -> pl.DataFrame:
    """Return toxicity with the therapy that it belongs to.

    Equal statements on one therapy are one row with the highest grade. A statement that belongs to no
    therapy keeps a row of its own.

    Args:
        sound: the typed tables with their tumours.
        courses: rows of ``curated.radiotherapy_course``.
        operations: rows of ``curated.surgery``.
        systemic: rows of ``curated.systemic_therapy``.

    Returns:
        Rows of ``curated.toxicity`` without days since time zero, unless the source has only days.
    """
    stated, revisions = sound[typed.Toxicity.table()], wound_revisions(operations)
    if stated.is_empty() and revisions.is_empty():
        return Toxicity.empty()
    therapies = _therapies(courses, operations, systemic)
    told = _attributed(_stated(stated), therapies)
    lone = pl.when(pl.col("attribution").is_null()).then("record_id")
    folded = pl.col("term").str.strip_chars().str.to_lowercase()
    same = [
        *TUMOUR, "therapy", *_THERAPY, "kind", "statement", "category", "code_system", "code", "onset_date",
        "onset_date_precision", "onset_day", "stated_window",
    ]  # fmt: skip
    merged = (
        told.with_columns(_lone=lone, _term=folded)
        .sort("record_id", "number", nulls_last=True)
        .group_by(*same, "_term", "_lone", maintain_order=True)
        .agg(
            term=pl.col("term").first(),
            grade=pl.col("grade").max(),
            # The version belongs to the highest grade.
            ctcae_version=pl.col("ctcae_version")
            .sort_by("grade", "ctcae_version", descending=True, nulls_last=True)
            .first(),
            attribution=pl.col("attribution").min(),
            record_ids=pl.col("record_id").unique().sort(),
        )
        .drop("_lone", "_term")
    )
    needed = pl.col("code").is_in(list(codes.REVISION_NEEDED)) & (pl.col("code_system") == "oBDS")
    merged = merged.with_columns(revision=needed.fill_null(False))
    both = pl.concat([merged, revisions], how="diagonal")
    both = both.rename({"therapy_day_told": "therapy_day"})
    return Toxicity.conform(
        both.sort(
            *TUMOUR, "therapy", "therapy_date", "kind", "onset_date", "onset_day", "category", "code",
            "grade", pl.col("record_ids").list.first(), pl.col("term").str.to_lowercase(), "statement",
            nulls_last=True,
        )
    )  # fmt: skip


def _stated(toxicity: pl.DataFrame) -> pl.DataFrame:
    """Fill the statement: a grade above 0, a category, a code or words say that there was toxicity."""
    named = pl.any_horizontal(pl.col(c).is_not_null() for c in ("category", "code", "term"))
    present = named | (pl.col("grade") > 0)
    statement = (
        pl.when(present)
        .then(pl.lit("present"))
        .otherwise(
            pl.coalesce("statement", pl.when(pl.col("grade") == 0).then(pl.lit("none")), pl.lit("unknown"))
        )
    )
    kinds = {"surgery": "complication", "radiotherapy": "side effect", "systemic therapy": "side effect"}
    kind = pl.col("therapy").replace_strict(kinds, default=None, return_dtype=pl.String)
    return toxicity.with_columns(statement=statement, kind=pl.coalesce("kind", kind))


def _therapies(courses: pl.DataFrame, operations: pl.DataFrame, systemic: pl.DataFrame) -> pl.DataFrame:
    """Return every therapy: tumour, ``therapy``, first day, course, records, and its place in an order."""

    def of(frame: pl.DataFrame, therapy: str, date: str, day: str, course: pl.Expr, target: pl.Expr):
        return frame.select(
            *TUMOUR, "record_ids", therapy=pl.lit(therapy), therapy_date=pl.col(date),
            therapy_day_told=pl.col(day), therapy_day_earliest=pl.col(f"{day}_earliest"),
            therapy_day_latest=pl.col(f"{day}_latest"), course_id=course.cast(pl.String),
            target=target.cast(pl.Int32),
        )  # fmt: skip

    none = pl.lit(None)
    return pl.concat(
        [
            of(courses, "radiotherapy", "start_date", "start_day", pl.col("course_id"), pl.col("target")),
            of(
                operations.filter(pl.col("intent").ne_missing("diagnostic")),
                "surgery", "surgery_date", "surgery_day", none, none,
            ),
            of(
                systemic.filter(pl.col("given").ne_missing("no")),
                "systemic therapy", "start_date", "start_day", none, none,
            ),
        ]
    )  # fmt: skip


def _attributed(told: pl.DataFrame, therapies: pl.DataFrame) -> pl.DataFrame:
    """Join each statement to its therapy, by its record, else to the only one before it."""
    numbered = told.with_row_index("_row")
    by_record = (
        numbered.select("_row", "patient_id", "tumour_id", "therapy", "record_id")
        .join(
            therapies.explode("record_ids"),
            left_on=["patient_id", "tumour_id", "therapy", "record_id"],
            right_on=["patient_id", "tumour_id", "therapy", "record_ids"],
            nulls_equal=True,
        )
        .sort("_row", "target", "therapy_date", "course_id", nulls_last=True)
        .unique("_row", keep="first", maintain_order=True)
        .select("_row", *_THERAPY, attribution=pl.lit("record"))
    )
    last = interval(pl.col("onset_date"), pl.col("onset_date_precision"))[1]
    before = pl.coalesce(
        [pl.col("therapy_date") <= pl.col("_last"), pl.col("therapy_day_told") <= pl.col("onset_day")]
    ).fill_null(pl.col("_undated"))
    undated = pl.col("onset_date").is_null() & pl.col("onset_day").is_null()
    only = (
        numbered.join(by_record, on="_row", how="anti")
        # The report of a therapy documents that therapy only.
        .filter(pl.col("source") != "oBDS")
        .select("_row", *TUMOUR, "therapy", "onset_day", _last=last, _undated=undated)
        .join(therapies.drop("record_ids"), on=[*TUMOUR, "therapy"], nulls_equal=True)
        .filter(before)
        .filter(pl.len().over("_row") == 1)
        .select("_row", *_THERAPY, attribution=pl.lit("only therapy before"))
    )
    found = pl.concat([by_record, only])
    return numbered.join(found, on="_row", how="left", maintain_order="left").drop("_row")


def wound_revisions(operations: pl.DataFrame) -> pl.DataFrame:
    """Return the operations for the wound of an earlier operation on the same tumour.

    Each belongs to the last operation before it that is neither on the wound nor a mere closure; without one
    it is the treatment of something else. On the day of that operation it counts only if its intent is a
    revision: two records of one day may be one session.

    Args:
        operations: rows of ``curated.surgery``.
    """
    judged = (
        operations.filter(pl.col("intent").ne_missing("diagnostic"))
        .with_columns(_wound=on_wound(), _closes=closes_only())
        .with_row_index("_row")
    )
    first = judged.filter(~pl.col("_wound"), ~pl.col("_closes")).select(
        *TUMOUR, therapy_date="surgery_date", therapy_day_told="surgery_day",
        therapy_day_earliest="surgery_day_earliest", therapy_day_latest="surgery_day_latest",
    )  # fmt: skip
    again = pl.col("intent") == "revision"
    later = pl.coalesce(
        [
            (pl.col("therapy_date") < pl.col("surgery_date"))
            | (again & (pl.col("therapy_date") == pl.col("surgery_date"))),
            (pl.col("therapy_day_told") < pl.col("surgery_day"))
            | (again & (pl.col("therapy_day_told") == pl.col("surgery_day"))),
        ]
    )
    belongs = (
        judged.filter("_wound")
        .join(first, on=TUMOUR, nulls_equal=True)
        .filter(later)
        .sort("_row", "therapy_date", "therapy_day_told", nulls_last=False)
        .unique("_row", keep="last", maintain_order=True)
    )
    named = wound_code()
    return belongs.select(
        *TUMOUR, "record_ids", "therapy_date", "therapy_day_told", "therapy_day_earliest",
        "therapy_day_latest",
        therapy=pl.lit("surgery"), kind=pl.lit("wound revision"), statement=pl.lit("present"),
        category=pl.lit("wound"), code=named,
        code_system=pl.when(named.is_not_null()).then(pl.lit("OPS")),
        onset_date="surgery_date",
        onset_date_precision=pl.when(pl.col("surgery_date").is_not_null()).then(
            pl.col("surgery_date_precision").fill_null("day")
        ),
        onset_day="surgery_day", attribution=pl.lit("last operation before"), revision=pl.lit(True),
    )  # fmt: skip
