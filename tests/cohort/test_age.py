"""Age at diagnosis of patients whose date of birth is partial."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort import covariates, derivation
from tests.conftest import Outcome
from tests.one_curation import OfCase, together
from tests.spec.told import study


def patients(outcome: Outcome) -> pl.DataFrame:
    whole = derivation.cohort(outcome.frames, study())
    return covariates.patients(outcome.frames, whole.happened, whole.eligible)


def age_in_days(outcome: OfCase) -> int:
    return round(outcome.of_all("patients", patients)["age_at_diagnosis_years"].item() * 365.25)


@pytest.mark.parametrize(
    ("born", "exactness", "days"),
    [
        ("2011-12-02", "E", 30),
        # December 2011, all of it before the diagnosis on 1 January: its 15th.
        ("2011-12-01", "T", 17),
        # January 2012: only its first day is possible.
        ("2012-01-01", "T", 0),
        # 2012: likewise; 2011: its 1 July.
        ("2012-01-01", "M", 0),
        ("2011-01-01", "M", 184),
    ],
)
@together()
def test_nobody_is_born_after_the_diagnosis(records, born, exactness, days):
    records.patient(born=born, Geburtsdatum_Datumsgenauigkeit=exactness)
    records.diagnosis("2012-01-01")
    outcome = yield
    assert "diagnosis.before-birth" not in outcome.rules()
    assert age_in_days(outcome) == days


@together()
def test_of_a_month_of_birth_only_the_days_up_to_the_diagnosis_are_possible(records):
    """January 2012, diagnosed on the 10th: born on the 1st to 10th, the middle is the 5th, rounded down."""
    records.patient(born="2012-01-01", Geburtsdatum_Datumsgenauigkeit="T")
    records.diagnosis("2012-01-10")
    outcome = yield
    assert age_in_days(outcome) == 5


@together()
def test_a_month_of_birth_that_is_all_before_the_diagnosis_stands_for_its_15th(records):
    records.patient(born="2011-12-01", Geburtsdatum_Datumsgenauigkeit="T")
    records.diagnosis("2011-12-31")
    outcome = yield
    assert age_in_days(outcome) == 16
