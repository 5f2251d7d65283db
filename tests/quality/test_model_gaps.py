"""Who is left out of a model, and a cause of death that an endpoint needs and nobody knows, are findings."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort.timeline import timeline
from sarcoma_pipeline.quality import model_gaps
from sarcoma_pipeline.study import project
from schemas import received as r
from schemas.assumptions import Assumptions
from schemas.cohort import CohortPatient
from schemas.configuration import Covariate, Model, Study

MISSING, UNKNOWN = "model.covariate-missing", "endpoint.cause-unknown"
SIZE = {"name": "size", "column": "tumour_size_cm", "kind": "continuous"}
STAGE = {
    "name": "T", "column": "t_stage", "kind": "factor", "reference": "T1", "levels": ["T2"]
}  # fmt: skip
MODEL = {"name": "survival", "endpoint": "OS", "title": "Survival"}


def _study(covariates: list[dict], models: list[dict], **assumptions: str) -> Study:
    """Return the demo's study with other covariates and models: its endpoints are OS and those of relapse."""
    return project.load("sts_imrt").study.model_copy(
        update={
            "covariates": tuple(Covariate.model_validate(one) for one in covariates),
            "models": tuple(Model.model_validate(one) for one in models),
            "assumptions": Assumptions.model_validate(assumptions),
            "table_one": (),
        }
    )


def _seen(study: Study, *, eligible=("A", "B"), **values) -> list[tuple]:
    """Observe two patients, of whom B lacks nothing."""
    known = {"tumour_size_cm": 5.0, "t_stage": "T2"}
    rows = [{"pseudonym": "A", **known, **values}, {"pseudonym": "B", **known}]
    patients = CohortPatient.conform(pl.DataFrame(rows, infer_schema_length=None))
    records = pl.DataFrame({"pseudonym": ["A", "B"], "record_ids": [["ra"], ["rb"]]})
    found = model_gaps.missing_covariates(patients, pl.Series(eligible, dtype=pl.String), study, records)
    assert set(found["rule_id"]) <= {MISSING}
    return found.select("record_id", "column_name", "severity", "note").rows()


BOTH = _study([SIZE, STAGE], [MODEL | {"covariates": ("size", "T")}])


def test_nobody_who_is_complete_has_a_finding():
    assert _seen(BOTH) == []


@pytest.mark.parametrize("column", ["tumour_size_cm", "t_stage"])
def test_a_missing_covariate_is_a_warning_that_names_the_model(column):
    (row,) = _seen(BOTH, **{column: None})
    assert row[:3] == ("ra", column, "warning") and row[3].endswith("models of survival")


def test_so_is_a_level_that_the_study_does_not_list_and_a_number_that_is_none():
    assert _seen(BOTH, t_stage="TX")[0][:2] == ("ra", "t_stage")
    assert _seen(BOTH, tumour_size_cm=float("nan"))[0][:2] == ("ra", "tumour_size_cm")


def test_a_covariate_of_no_model_is_a_notice_and_who_is_not_eligible_has_none():
    (row,) = _seen(_study([SIZE], []), tumour_size_cm=None)
    assert row[2:] == ("notice", "covariate size; no model")
    assert _seen(BOTH, eligible=("B",), t_stage=None) == []


def _death(records, *, cause: str | None, needing: bool) -> list[str]:
    records.patient()
    records.diagnosis()
    records.meldung(r.ObdsDeath, Sterbedatum="2014-01-01", Tod_tumorbedingt=cause)
    curated = records.run().frames
    assumptions = {"cause_of_death": "tumour"} if needing else {}
    made = _study([], [], **assumptions)
    members = curated["curated.patient"].select("patient_id", "pseudonym")
    happened = timeline(curated, made.assumptions)
    found = model_gaps.unknown_causes(happened, members, made)
    nobody = model_gaps.unknown_causes(happened, members.clear(), made)
    assert nobody.is_empty()
    return found["rule_id"].to_list()


@pytest.mark.parametrize(
    ("cause", "needing", "expected"),
    [("U", True, [UNKNOWN]), (None, True, [UNKNOWN]), ("J", True, []), ("N", True, []), ("U", False, [])],
)
def test_an_unknown_cause_is_told_where_an_endpoint_depends_on_it(records, cause, needing, expected):
    assert _death(records, cause=cause, needing=needing) == expected
