"""Choose the baseline (T, grade, histology group) of the index tumour under the assumptions.

Curation chooses by the order of treatment (``sarcoma_pipeline.curation.baseline``). The switches here choose
another report of the same tumour, or another group for the same morphology.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.cohort import primary
from sarcoma_pipeline.cohort.primary import Curated
from schemas import sarcoma_codes
from schemas.assumptions import Assumptions

_CLINICAL = ("c", "u")
_OTHERS = {"UPS": (), "older name only": ("8805",), "others": ("8805", "8830")}
"""For each value of ``undifferentiated_sarcoma``: the morphologies that move from UPS to "others"."""
_SPINDLE_CELL, _ATYPICAL_LIPOMATOUS = "8801", "8850/1"
_KEY = ["patient_id", "tumour_id"]
_TABLE = "table"
"""Value of the rule column for a value from a table. A table does not say how the tumour was staged: its
value is kept under every switch."""


def index_tumour(curated: Curated, assumptions: Assumptions) -> pl.DataFrame:
    """Return the index tumours: rows of ``curated.diagnosis`` with the baseline that the switches choose.

    Args:
        curated: the curated tables.
        assumptions: the switches.
    """
    frame = primary.tumour(curated)
    reports = "curated.diagnosis_report"  # read only under a switch that chooses among them
    if assumptions.t_category != "by treatment":
        wanted = (
            pl.col("t_prefix").is_in(_CLINICAL)
            if assumptions.t_category == "clinical"
            else pl.col("t_prefix") == "p"
        )
        frame = _chosen(
            frame, curated[reports].filter(wanted, _baseline()), ("t_stage", "tnm_edition"), "t_rule"
        )
    if assumptions.grade != "by treatment":
        of_role = curated[reports].filter(pl.col("role") == assumptions.grade, _baseline())
        frame = _chosen(frame, of_role, ("fnclcc_grade",), "fnclcc_rule")
    return grouped(frame, assumptions)


def grouped(frame: pl.DataFrame, assumptions: Assumptions) -> pl.DataFrame:
    """Return tumours with the histology group that the switches choose.

    Args:
        frame: rows of ``curated.diagnosis``.
        assumptions: the switches.
    """
    code = sarcoma_codes.code(pl.col("icdo3_morphology"))
    group = pl.col("histology_group")
    if others := _OTHERS[assumptions.undifferentiated_sarcoma]:
        older = (code.is_in(others) & (group == "UPS")).fill_null(False)
        frame = frame.with_columns(
            pl.when(older).then(pl.lit("others")).otherwise(group).alias("histology_group")
        )
    if assumptions.atypical_lipomatous_tumour == "include":
        lipomatous = (pl.col("icdo3_morphology") == _ATYPICAL_LIPOMATOUS).fill_null(False)
        frame = frame.with_columns(
            pl.when(lipomatous).then(pl.lit("liposarcoma")).otherwise(group).alias("histology_group")
        )
    if assumptions.spindle_cell_sarcoma == "UPS":
        spindle = ((code == _SPINDLE_CELL) & (group == "others")).fill_null(False)
        frame = frame.with_columns(
            pl.when(spindle).then(pl.lit("UPS")).otherwise(group).alias("histology_group")
        )
    return frame


def _baseline() -> pl.Expr:
    """Return whether a report describes the tumour before any treatment and is not about a relapse."""
    flags = pl.any_horizontal(pl.col("after_therapy", "of_relapse", "by_autopsy", "after").fill_null(False))
    return ~flags & pl.col("role").is_in(["biopsy", "specimen"])


def _chosen(frame: pl.DataFrame, reports: pl.DataFrame, columns: tuple[str, ...], rule: str) -> pl.DataFrame:
    """Take the columns from the newest report.

    An unknown value (``…X``) only if no report has a known one.
    """
    value = pl.col(columns[0])
    newest = (
        reports.filter(value.is_not_null())
        .sort(
            value.str.ends_with("X"), "report_day", value, pl.col("record_ids").list.join(" "),
            descending=[False, True, True, True], nulls_last=True,
        )
        .group_by(_KEY, maintain_order=True)
        .agg(pl.col(c).first().alias(f"_{c}") for c in columns)
    )  # fmt: skip
    joined = frame.join(newest, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    of_table = pl.col(rule) == _TABLE
    return joined.with_columns(
        pl.when(of_table.fill_null(False)).then(pl.col(c)).otherwise(pl.col(f"_{c}")).alias(c)
        for c in columns
    ).drop(f"_{c}" for c in columns)
