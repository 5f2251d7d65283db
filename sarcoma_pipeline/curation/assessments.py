"""Curate examinations: join the reports of each examination of a tumour into one row."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation import reports_differ
from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_dates import of_one_event
from sarcoma_pipeline.curation.event_numbers import with_date_of_number
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames, merged
from schemas import curated, typed
from schemas.rule import Rule
from schemas.sides import peers

REPORTS_DIFFER = Rule(
    "assessment.reports-differ",
    "warning",
    on="typed.assessment",
    scope="source",
    what="Two reports of one examination give different states of the disease. The newer report counts; on "
    "the same day, the one whose file name sorts later; in the same file, the later one. A known state"
    " counts before an unknown one.",
    remedy="Compare both with the letter of the examination. Correct the wrong report in the tumour "
    "documentation, or give two examinations of one day a Verlauf_ID each.",
    source="oBDS 3.0.4 Verlauf: an examination without Verlauf_ID is known by its date",
    overruled=True,
    sides=peers("assessment_date"),
)


def curate(sound: Frames) -> pl.DataFrame:
    """Join the reports of each examination.

    Reports of one reporter on one tumour, day and number are one examination; the newest value counts. One
    number on two days is two examinations. Examinations of two reporters on one day stay separate.

    Args:
        sound: the typed tables with their tumours.

    Returns:
        Rows of ``curated.assessment`` without days.
    """
    records = with_date_of_number(sound[typed.Assessment.table()], "assessment_date")
    records = records.sort(*NEWEST_LAST, nulls_last=False)
    dated = pl.col("assessment_date").is_not_null() | pl.col("assessment_day").is_not_null()
    number = pl.when(~dated & pl.col("module_id").is_null()).then("record_id").otherwise("module_id")
    records = records.with_columns(_number=number)
    examination = [*TUMOUR, "reporter", "assessment_date", "assessment_day", "_number"]
    says = {state: typed.stated(pl.col(state)) for state in typed.STATES}
    stated = records.with_columns(
        pl.when(says[state] | ~says[state].any().over(examination)).then(state).alias(state)
        for state in typed.STATES
    )
    exact = of_one_event(stated, "assessment_date", examination)
    return merged(exact, examination, curated.Assessment)


def observe(examinations: pl.DataFrame, sound: Frames) -> pl.DataFrame:
    """Find reports of one examination that contradict each other.

    Args:
        examinations: ``curated.assessment``.
        sound: the typed tables with their tumours.
    """
    table = typed.Assessment.table()
    current = reports_differ.current(sound[table], "assessment_date")
    return reports_differ.observe(
        examinations, current, (*typed.STATES, "distant_site"), REPORTS_DIFFER, table, typed.STATES_NOTHING
    )
