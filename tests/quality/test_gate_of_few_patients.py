"""One patient moves no threshold of the release gate; two or more do."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality import release_gate
from schemas.all_contracts import CONTRACTS
from schemas.cohort import CohortDerivability, CohortEndpoint, CohortPatient
from schemas.gate import Gate
from schemas.release import RELEASED, released_columns


def empty() -> dict[str, pl.DataFrame]:
    return {t: CONTRACTS[t].empty().select(released_columns(t)) for t in RELEASED}


def cohort_of(fractions: list[int], sexes: list[str] | None = None) -> dict[str, pl.DataFrame]:
    rows = [
        {"pseudonym": f"{i:016x}", "record_ids": ["r"], "relapse_pattern": "none", "fractions": n,
         "sex": (sexes or ["female"] * len(fractions))[i]}
        for i, n in enumerate(fractions)
    ]  # fmt: skip
    ends = [
        {"pseudonym": row["pseudonym"], "endpoint": e, "time_days": 9, "time_months": 9 / 30.4375,
         "event": False, "event_kind": "censored", "evidence": ["r"], "time_days_earliest": 9,
         "time_days_latest": 9}
        for row in rows
        for e in ("OS", "DFS")
    ]  # fmt: skip
    derivable = pl.DataFrame({"endpoint": ["OS", "DFS"], "derivable": [True, True]})
    return empty() | {
        CohortPatient.table(): CohortPatient.conform(pl.DataFrame(rows)),
        CohortEndpoint.table(): CohortEndpoint.conform(pl.DataFrame(ends)),
        CohortDerivability.table(): CohortDerivability.conform(derivable),
    }


def _errors(now: dict[str, pl.DataFrame], last: dict[str, pl.DataFrame], gate: Gate | None = None):
    return [f for f in release_gate.gate(now, last, gate or Gate()) if f.severity == "error"]


def test_one_patient_moves_no_median_no_share_and_no_volume_over_a_threshold():
    halves = [25] * 20 + [33] * 20
    # One patient changes, and the median jumps from 29 to 33, a whole standard deviation.
    assert _errors(cohort_of([25] * 19 + [33] * 21), cohort_of(halves)) == []
    assert _errors(cohort_of([25] * 20), cohort_of([25] * 21)) == []
    # One of five patients leaves: a fifth of all rows.
    assert _errors(cohort_of([25] * 4), cohort_of([25] * 5)) == []
    sexes = ["female"] * 39
    strict = Gate(max_share_points=0.5)
    assert _errors(cohort_of([25] * 40, [*sexes, "male"]), cohort_of([25] * 40), strict) == []


def test_what_two_or_more_patients_do_together_still_holds_a_release_back():
    said = [f.what for f in _errors(cohort_of([25] * 15 + [33] * 25), cohort_of([25] * 21 + [33] * 19))]
    assert any("median of Fractions" in what for what in said)
    assert any("At least 4 rows" in f.what for f in _errors(cohort_of([25] * 3), cohort_of([25] * 5)))
    strict = Gate(max_share_points=0.5)
    moved = _errors(cohort_of([25] * 40, ["female"] * 38 + ["male"] * 2), cohort_of([25] * 40), strict)
    assert any("No share moves by more than 2.5" in f.what for f in moved)


def test_a_failed_expectation_names_the_patients_whose_rows_fail():
    tables = cohort_of([25] * 40)
    wrong = pl.when(pl.int_range(pl.len()) == 7).then(140.0).otherwise(40.0)
    patients = tables["cohort.patients"].with_columns(age_at_diagnosis_years=wrong)
    (failed,) = _errors(tables | {"cohort.patients": patients}, {})
    assert failed.column == "age_at_diagnosis_years" and failed.patients == (f"{7:016x}",)
    assert f"{7:016x}" not in str(failed), "Data Docs name nobody"
