"""The clean patient breaks no rule; partial dates of birth and diagnosis."""

import pytest

from tests.quality.patient_records import (
    D,
    Dx,
    P,
    V,
    observed_with,
)


def test_a_clean_patient_breaks_no_rule():
    assert observed_with([]) == set()


@pytest.mark.parametrize(
    ("born", "diagnosed", "impossible"),
    [
        ((D(1950, 7, 1), "year"), (D(1950, 3, 10), "day"), False),
        ((D(1950, 7, 1), "year"), (D(1949, 12, 31), "day"), True),
        ((D(1950, 3, 15), "month"), (D(1950, 3, 1), "day"), False),
        ((D(1950, 3, 15), "month"), (D(1950, 2, 28), "day"), True),
        ((D(1950, 3, 20), "day"), (D(1950, 3, 15), "month"), False),
        ((D(1950, 4, 1), "day"), (D(1950, 3, 15), "month"), True),
        ((None, None), (D(1950, 3, 15), "day"), False),
    ],
)
def test_a_partial_date_contradicts_the_birth_only_if_all_of_its_days_do(born, diagnosed, impossible):
    other = {"tumour_id": "2", "diagnosis_date": diagnosed[0], "diagnosis_date_precision": diagnosed[1]}
    life = {"status_date": diagnosed[0], "status_date_precision": diagnosed[1]}
    person = {"birth_date": born[0], "birth_date_precision": born[1], "person_ref": "number:2"}
    whose = {"person_ref": "number:2"}
    found = observed_with([(P, person), (Dx, other | whose), (V, life | whose)])
    assert ("diagnosis.before-birth" in found) == impossible
    assert ("vital-status.before-birth" in found) == impossible
