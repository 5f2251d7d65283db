"""Which therapy of a tumour came first, and which reports describe it before therapy; days by pencil."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import baseline
from schemas import typed, typed_dicom

D = dt.date
P = {"patient_id": pl.String, "tumour_id": pl.String}


def frame(contract: Any, *rows: dict[str, Any]) -> dict[str, pl.DataFrame]:
    told = [{"patient_id": "p", "tumour_id": "1", "record_id": f"r{n}"} | row for n, row in enumerate(rows)]
    return {contract.table(): pl.DataFrame(told, schema=contract.polars_schema() | P)}


def treated(operations=(), irradiations=(), drugs=(), plans=()) -> list[dict[str, Any]]:
    sound = (
        frame(typed.Surgery, *operations)
        | frame(typed.Radiotherapy, *({"irradiated": True} | one for one in irradiations))
        | frame(typed.SystemicTherapy, *drugs)
        | frame(typed_dicom.Plan, *plans)
    )
    return baseline.treatment(sound).rows(named=True)


PLANNED = {"phantom": False, "approval": "APPROVED", "plan_date": D(2015, 2, 20)}


@pytest.mark.parametrize(
    ("plan", "irradiations", "first"),
    [
        ({}, (), D(2015, 2, 20)),
        ({"phantom": True}, (), None),  # nobody's irradiation
        ({"approval": "REJECTED"}, (), None),
        ({"approval": None}, (), None),
        # A documented irradiation counts with its own day, and one that was not given is none.
        ({}, ({"start_date": D(2015, 3, 2)},), D(2015, 3, 2)),
        ({}, ({"start_date": D(2015, 3, 2), "irradiated": False},), D(2015, 2, 20)),
    ],
)
def test_an_approved_plan_of_a_patient_without_a_documented_irradiation_is_one(plan, irradiations, first):
    rows = treated(irradiations=irradiations, plans=[PLANNED | plan])
    assert [row["first_therapy"] for row in rows] == ([first] if first else [])
    assert all(row["treatment_order"] == baseline.NO_SURGERY for row in rows)


def on(day: dt.date, precision: str | None = "day", kind: str = "start") -> dict[str, Any]:
    return {f"{kind}_date": day, f"{kind}_date_precision": precision}


def cut(day: dt.date, precision: str | None = "day", **values: Any) -> dict[str, Any]:
    return on(day, precision, "surgery") | {"intent": "curative"} | values


@pytest.mark.parametrize(
    ("operations", "irradiations", "order"),
    [
        ([cut(D(2012, 2, 1))], [], "surgery first"),
        ([cut(D(2012, 2, 1))], [on(D(2012, 2, 1))], "surgery first"),
        ([cut(D(2012, 2, 1))], [on(D(2012, 1, 31))], "therapy first"),
        ([cut(D(2012, 1, 15), "month")], [on(D(2012, 1, 31))], "surgery first"),
        ([cut(D(2012, 1, 15), "month")], [on(D(2012, 1, 30))], "order unknown"),
        ([cut(D(2012, 2, 29))], [on(D(2012, 2, 15), "month")], "order unknown"),
        ([cut(D(2012, 3, 1))], [on(D(2012, 2, 15), "month")], "therapy first"),
        # The relation to surgery decides where dates do not; one irradiation before it is enough.
        (
            [cut(D(2012, 2, 20))],
            [
                on(D(2012, 2, 15), "month") | {"radiation_sequence": sequence}
                for sequence in ("preoperative", "no surgery")
            ],
            "therapy first",
        ),
        (
            [cut(D(2012, 2, 20))],
            [
                on(D(2012, 2, 15), "month") | {"radiation_sequence": sequence}
                for sequence in ("postoperative additive", "other", None)
            ],
            "surgery first",
        ),
        ([{"surgery_day": 10}], [{"start_day": 10}], "surgery first"),
        ([{"surgery_day": 11}], [{"start_day": 10}], "therapy first"),
        ([{"surgery_day": 40}, {"surgery_day": 9}], [{"start_day": 10}, {"start_day": 12}], "surgery first"),
        ([{"surgery_day": 11}], [{"start_day": 12}, {"start_day": 10}], "therapy first"),
        ([cut(D(2012, 1, 1), intent="diagnostic")], [on(D(2012, 2, 1))], "no surgery"),
        ([cut(D(2012, 1, 1), intent="diagnostic"), cut(D(2012, 3, 1))], [on(D(2012, 2, 1))], "therapy first"),
        ([{}], [{}], "order unknown"),
    ],
)
def test_the_order_of_surgery_and_other_therapy_is_that_of_their_days(operations, irradiations, order):
    assert [row["treatment_order"] for row in treated(operations, irradiations)] == [order]
    others = list(reversed(irradiations))
    assert [row["treatment_order"] for row in treated(list(reversed(operations)), others)] == [order]


def test_the_first_therapy_is_the_earlier_one_and_has_begun_by_the_end_of_its_month():
    drugs = [
        on(D(2012, 3, 1)) | {"given": "yes"}, on(D(2012, 2, 15), "month") | {"given": "yes"},
        on(D(2012, 1, 1)) | {"given": "no"},
    ]  # fmt: skip
    operations = [cut(D(2012, 4, 1)), cut(D(2012, 3, 10))]
    [row] = treated(operations, drugs=drugs)
    assert (row["resected"], row["other"], row["first_therapy"]) == (
        D(2012, 3, 10), D(2012, 2, 15), D(2012, 2, 15),
    )  # fmt: skip
    assert row["begun_until"] == D(2012, 2, 29)
    assert sorted(row["therapies"]) == [D(2012, 2, 15), D(2012, 3, 1), D(2012, 3, 10), D(2012, 4, 1)]


# --- the choices -----------------------------------------------------------------------------------------

REPORTS = typed.Diagnosis.polars_schema() | P | {
    "role": pl.String, "after": pl.Boolean, "treatment_order": pl.String, "first_therapy": pl.Date,
}  # fmt: skip


def chosen(*reports: dict[str, Any], order: str = "surgery first") -> dict[str, Any]:
    """What is chosen of reports, in whichever order they come."""
    rows = [
        {"patient_id": "p", "tumour_id": "1", "record_id": f"r{n}", "source": "oBDS", "after": False,
         "treatment_order": order, "first_therapy": D(2012, 2, 1), "tnm_kind": "TNM"} | row
        for n, row in enumerate(reports)
    ]  # fmt: skip
    made, again = (
        baseline.choose(pl.DataFrame(some, schema=REPORTS), ["oBDS"]).row(0, named=True)
        for some in (rows, rows[::-1])
    )
    assert made == again
    return made


BIOPSY = {"role": "biopsy", "origin": "pathology", "report_date": D(2012, 1, 10)}
SPECIMEN = {"role": "specimen", "origin": "surgery", "report_date": D(2012, 2, 1)}


def test_the_grade_of_a_specimen_without_a_histology_counts_before_that_of_the_biopsy():
    made = chosen(
        BIOPSY | {"icdo3_morphology": "8802/3", "fnclcc_grade": "G2"}, SPECIMEN | {"fnclcc_grade": "G3"}
    )
    assert (made["fnclcc_grade"], made["fnclcc_record_ids"]) == ("G3", ["r1"])


def test_the_grade_of_a_metastasis_counts_only_where_no_other_is_known():
    metastasis = SPECIMEN | {"icdo3_morphology": "8802/6", "fnclcc_grade": "G3"}
    assert chosen(BIOPSY | {"fnclcc_grade": "G2"}, metastasis)["fnclcc_grade"] == "G2"
    assert chosen(metastasis)["fnclcc_grade"] == "G3"
    assert chosen(BIOPSY | {"fnclcc_grade": "GX"}, metastasis)["fnclcc_grade"] == "G3"


@pytest.mark.parametrize(
    ("day", "stage"), [(None, "T2"), (D(2012, 2, 1), "T2"), (D(2012, 2, 2), None), (D(2012, 1, 1), "T2")]
)
def test_a_clinical_stage_counts_unless_it_is_dated_after_the_first_therapy(day, stage):
    clinical = BIOPSY | {"t_stage": "T2", "t_prefix": "c", "report_date": day}
    assert chosen(clinical, order="therapy first")["t_stage"] == stage


@pytest.mark.parametrize(
    ("day", "origin", "order", "stage"),
    [
        (D(2012, 1, 31), "pathology", "therapy first", "T2"),
        (D(2012, 2, 1), "pathology", "therapy first", None),
        (None, "pathology", "therapy first", None),
        (D(2012, 1, 31), "diagnosis", "therapy first", None),  # its day is that of the biopsy
        (D(2012, 2, 1), "pathology", "order unknown", "T2"),
        (D(2012, 2, 1), "pathology", "surgery first", "T2"),
    ],
)
def test_a_pathological_stage_without_y_counts_before_therapy(day, origin, order, stage):
    pathological = SPECIMEN | {"t_stage": "T2", "t_prefix": "p", "report_date": day, "origin": origin}
    assert chosen(pathological, order=order)["t_stage"] == stage


@pytest.mark.parametrize("mark", ["after_therapy", "of_relapse", "by_autopsy"])
def test_a_stage_with_y_r_or_a_is_never_one_at_diagnosis(mark):
    marked = SPECIMEN | {"t_stage": "T2", "t_prefix": "p", mark: True}
    assert chosen(marked)["t_stage"] is None
    assert chosen(marked | {mark: False})["t_stage"] == "T2"


def test_m1_of_a_diagnose_counts_before_its_m0_and_that_of_another_report_never():
    diagnose = BIOPSY | {"origin": "diagnosis"}
    both = [diagnose | {"m_stage": stage, "m_prefix": "c"} for stage in ("M0", "M1")]
    assert chosen(*both)["m_stage"] == "M1"
    assert chosen(BIOPSY | {"m_stage": "M1"})["m_stage"] is None
    assert chosen(BIOPSY | {"m_stage": "M0"})["m_stage"] == "M0"
    assert chosen(BIOPSY | {"m_stage": "M0", "after": True})["m_stage"] is None
    assert chosen(diagnose | {"m_stage": "MX"}, BIOPSY | {"m_stage": "M0"})["m_stage"] == "M0"


def test_a_tumour_without_a_number_has_its_values_too():
    """A table of one tumour per patient gives no number."""
    made = chosen(
        SPECIMEN | {"tumour_id": None, "t_stage": "T2", "t_prefix": "p", "icdo3_morphology": "8858/3"}
    )
    assert (made["tumour_id"], made["t_stage"], made["icdo3_morphology"]) == (None, "T2", "8858/3")
