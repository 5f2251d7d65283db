"""The program's tables beside those that are derived a second time, difference by difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from tests.oracle.in_process import Built
from tests.oracle.rederived import Tables

COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "patient": ("patient", ("family_name", "given_names", "birth_date", "birth_date_precision", "sex")),
    "diagnosis": (
        "diagnosis",
        ("tumour_id", "diagnosis_date", "diagnosis_date_precision", "icd10_code", "laterality"),
    ),
    "baseline": ("diagnosis", ("tumour_id", "icdo3_morphology", "fnclcc_grade", "t_stage", "m_stage")),
    "surgery": ("surgery", ("tumour_id", "surgery_date", "ops_codes", "residual_status", "intent")),
    "radiotherapy_course": (
        "radiotherapy_course",
        (
            "tumour_id", "start_date", "end_date", "intent", "radiation_sequence", "end_reason",
            "prescribed_dose_gy", "single_dose_gy", "boost", "target_region", "target_side",
        ),
    ),
    "systemic_therapy": (
        "systemic_therapy",
        (
            "tumour_id", "kind", "chemotherapy", "immunotherapy", "targeted", "hormone_therapy", "given",
            "start_date", "start_date_precision", "protocol",
        ),
    ),
    "assessment": (
        "assessment",
        (
            "tumour_id", "assessment_date", "overall_status", "local_status", "regional_status",
            "distant_status",
        ),
    ),
    "metastasis": (
        "metastasis", ("tumour_id", "metastasis_date", "metastasis_date_precision", "site"),
    ),
    "vital_status": ("vital_status", ("status", "death_date", "tumour_related", "last_alive_date")),
}  # fmt: skip
"""Table of the oracle to the curated table and its columns."""


def differences(built: Built, expected: Tables) -> Iterator[tuple[str, str, list[Any], list[Any]]]:
    """Yield table, patient, the rows that are expected only and those that the program has only."""
    for name, (table, columns) in COLUMNS.items():
        frame = built[table]
        if name == "metastasis":
            frame = frame.filter(pl.col("site").is_not_null())
        for patient, rows in expected[name].items():
            own = frame.filter(pl.col("patient_id") == f"number:{patient}").select(columns).rows()
            want, have = [list(map(repr, part)) for part in (rows, own)]
            if sorted(want) != sorted(have):
                yield name, patient, _rest(rows, own), _rest(own, rows)


def _rest(rows: list[Any], others: list[Any]) -> list[Any]:
    left = list(map(repr, others))
    found = []
    for row in rows:
        if repr(row) in left:
            left.remove(repr(row))
        else:
            found.append(row)
    return found
