"""A Tumorzuordnung that describes another tumour than its number (docs/definitions.md, section 2)."""

import pytest

from schemas import received as r
from tests.conftest import Records
from tests.one_curation import together

SARCOMA = {"Primaertumor_ICD": "C49.2", "Diagnosedatum": "2012-01-01", "Diagnosedatum_Datumsgenauigkeit": "E"}
RULE = "diagnosis.assignment-differs"


def _examined(patient, told: dict[str, str | None]) -> None:
    patient.patient()
    patient.diagnosis(tumour="1")
    patient.meldung(
        r.ObdsFollowUp, tumour="1", Untersuchungsdatum_Verlauf="2013-05-01",
        Gesamtbeurteilung_Tumorstatus="V", **(SARCOMA | told),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("told", "fires"),
    [
        ({"Primaertumor_ICD": "C50.4", "Diagnosedatum": "2009-03-01"}, True),
        ({"Primaertumor_ICD": "C54.1", "Diagnosedatum": "2012-05-18"}, True),
        ({}, False),
        ({"Primaertumor_ICD": "C50.4"}, False),  # the code was corrected, the tumour is that of the same day
        ({"Diagnosedatum": "2011-12-20"}, False),
        ({"Primaertumor_ICD": "C49.9", "Diagnosedatum": "2011-12-20"}, False),  # another subsite
        ({"Primaertumor_ICD": "C80.0", "Diagnosedatum": "2011-12-20"}, False),  # no site
        ({"Primaertumor_ICD": "C78.0", "Diagnosedatum": "2013-04-20"}, False),  # its metastasis
        ({"Primaertumor_ICD": "C50.4", "Diagnosedatum": None}, False),
        ({"Primaertumor_ICD": None, "Diagnosedatum": "2009-03-01"}, False),
    ],
)
@together()
def test_another_site_and_another_date_under_one_number_are_a_finding(patient, told, fires):
    _examined(patient, told)
    case = yield
    assert (RULE in case.rules()) is fires
    assert case["assessment"]["tumour_id"].to_list() == ["1"]


def test_another_reporter_with_the_same_number_has_a_rule_of_its_own(records: Records):
    records.patient()
    records.diagnosis(tumour="1", Absender_ID="A")
    other = {
        "Primaertumor_ICD": "C50.4",
        "Diagnosedatum": "2009-03-01",
        "Diagnosedatum_Datumsgenauigkeit": "E",
    }
    records.meldung(r.ObdsSurgery, tumour="1", Absender_ID="B", Datum="2013-04-01", Intention="K", **other)
    found = records.run().rules()
    assert "diagnosis.number-of-two-tumours" in found
    assert RULE not in found
