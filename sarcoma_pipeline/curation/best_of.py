"""Choose between the values that several reporters give for one tumour, field by field.

Within one reporter and tumour number the newest report counts. Between reporters a specific value beats an
unspecific one (a subsite ``.8`` or ``.9``, an unknown side); then the source named first in the precedence
counts, then the newest report. A value that is not chosen is a finding.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, ranked
from schemas import typed
from schemas.observations import observation
from schemas.partial_dates import interval
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import peers

REPORTERS_DIFFER = Rule(
    "diagnosis.reporters-differ",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="Two reporters give one tumour different sites, sides or dates of diagnosis. The more specific "
    "value counts, then the source named first in the precedence, then the newest report; for dates, "
    "the earliest.",
    remedy="Compare the value with the other reporter's Diagnose and with the pathology or imaging report. "
    "Correct the wrong one.",
    source="oBDS: several Melder report one tumour",
    overruled=True,
    sides=peers(),
)

_TUMOUR = ["patient_id", "tumour_id"]
_SUBSITE_UNKNOWN = r"^C\d\d(?:\.[89])?$"

FIELDS: dict[str, pl.Expr] = {
    "icdo3_topography": pl.col("icdo3_topography").str.contains(_SUBSITE_UNKNOWN),
    "icd10_code": pl.col("icd10_code").str.contains(_SUBSITE_UNKNOWN),
    "laterality": pl.col("laterality").is_in(["unknown", "not applicable"]),
}
"""Column to an expression: whether its value is unspecific."""


def values(complete: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Choose each field of :data:`FIELDS` for every tumour.

    Args:
        complete: the Diagnoses with their tumours and reporters.
        precedence: kinds of source, the most credible first.

    Returns:
        ``patient_id, tumour_id`` and the fields.
    """
    chosen = complete.select(_TUMOUR).unique()
    for column in FIELDS:
        best = _candidates(complete, precedence, column).group_by(_TUMOUR).agg(pl.col(column).last())
        chosen = chosen.join(best, on=_TUMOUR, how="left", nulls_equal=True)
    return chosen


def observe(complete: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Report the values that were not chosen.

    Args:
        complete: the Diagnoses with their tumours and reporters.
        precedence: kinds of source, the most credible first.
    """
    table = typed.Diagnosis.table()
    seen = [Observation.empty()]
    for column, vague in FIELDS.items():
        told = _candidates(complete, precedence, column)
        other = (pl.col(column) != pl.col(column).last().over(_TUMOUR)) & ~vague
        seen.append(observation(told.filter(other), REPORTERS_DIFFER, table, column, pl.col(column)))
    # Two numbers of one tumour have their own rule, and so have different dates in a table and in oBDS.
    number = [*_TUMOUR, "source", "reported_tumour"]
    # The date whose last possible day is the earliest counts: it may not be a partial date that is later.
    first, last = interval(pl.col("diagnosis_date"), pl.col("diagnosis_date_precision"))
    dated = _newest(complete, "diagnosis_date").with_columns(_first=first, _last=last)
    later = pl.col("_first") > pl.col("_last").min().over(number)
    said = pl.col("diagnosis_date").cast(pl.String)
    seen.append(observation(dated.filter(later), REPORTERS_DIFFER, table, "diagnosis_date", said))
    return pl.concat(seen)


def _newest(complete: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return each reporter's newest value for each tumour number."""
    return (
        complete.filter(pl.col(column).is_not_null())
        .sort(*NEWEST_LAST, nulls_last=False)
        .unique([*_TUMOUR, "source", "reporter", "reported_tumour"], keep="last", maintain_order=True)
    )


def _candidates(complete: pl.DataFrame, precedence: Sequence[str], column: str) -> pl.DataFrame:
    """Return each reporter's newest value; the last row is the chosen one."""
    return ranked(_newest(complete, column), precedence).sort(~FIELDS[column], maintain_order=True)
