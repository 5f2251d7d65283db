"""Other tumours of a patient with a sarcoma of the left thigh (C49.2, 8802/3, group 6 of IARC).

Expected kinds come from the rules of IARC and ENCR (2004) and the definitions of the study.
"""

import polars as pl
import pytest

from sarcoma_pipeline.cohort.second_malignancy import others
from schemas.assumptions import Assumptions

SECOND, OTHER, SECONDARY = "second malignancy", "other tumour", "secondary"
ONE_ORGAN, SKIN = "the same organ and histology", "non-melanoma skin cancer"
SUBSITE = {"same_organ": "subsite"}
CASES = {
    # what: site, morphology, side, days after time zero, kind, detail
    "prostate": ("C61.9", "8140/3", None, 400, SECOND, "C61.9"),
    "prostate, histology unknown": ("C61.9", None, None, 400, SECOND, "C61.9"),
    "an adenocarcinoma of no known site": (None, "8140/3", None, 400, SECOND, "site unknown"),
    "the same histology in no known site": (
        None, "8802/3", None, 400, OTHER, "site unknown: the same histology, organ unknown",
    ),
    "soft tissue again": ("C49.2", "8802/3", "left", 400, OTHER, f"C49.2: {ONE_ORGAN}"),
    "soft tissue, another sarcoma of group 6": ("C49.1", "8890/3", None, 400, OTHER, f"C49.1: {ONE_ORGAN}"),
    "soft tissue, histology unknown": ("C49.1", None, None, 400, OTHER, f"C49.1: {ONE_ORGAN}"),
    "soft tissue, melanoma of soft parts": ("C49.1", "8720/3", None, 400, SECOND, "C49.1"),
    "bone, a sarcoma of group 6": ("C40.2", "9180/3", None, 400, SECOND, "C40.2"),
    "basal cell carcinoma": ("C44.3", "8090/3", None, 400, OTHER, f"C44.3: {SKIN}"),
    "squamous cell carcinoma of the skin": ("C44.3", "8070/3", None, 400, OTHER, f"C44.3: {SKIN}"),
    "squamous cell carcinoma of the lung": ("C34.1", "8070/3", None, 400, SECOND, "C34.1"),
    "melanoma of the skin": ("C44.5", "8720/3", None, 400, SECOND, "C44.5"),
    "Merkel cell carcinoma": ("C44.3", "8247/3", None, 400, SECOND, "C44.3"),
    "in situ by behaviour": ("C50.9", "8500/2", None, 400, OTHER, "C50.9: in situ"),
    "in situ by its site": ("D05.1", None, None, 400, OTHER, "D05.1: in situ"),
    "lipoma": ("D17.2", "8850/0", None, 400, OTHER, "D17.2: not malignant"),
    "borderline": ("C49.2", "8821/1", None, 400, OTHER, "C49.2: not malignant"),
    "neoplasm of unknown behaviour": ("D48.1", None, None, 400, OTHER, "D48.1: not malignant"),
    "lung, behaviour of a metastasis": ("C34.1", "8802/6", None, 400, SECONDARY, "C34.1: coded as secondary"),
    "lung, site of a metastasis": ("C78.0", None, None, 400, SECONDARY, "C78.0: coded as secondary"),
    "lymph nodes": ("C77.4", "8802/3", None, 400, SECONDARY, "C77.4: coded as secondary"),
    "nothing known of it": (
        "C80.9", "8000/3", None, 400, OTHER, "C80.9: malignancy without site and histology",
    ),
    "on the day of time zero": ("C61.9", "8140/3", None, 0, OTHER, "C61.9: before time zero"),
    "before it": ("C61.9", "8140/3", None, -700, OTHER, "C61.9: before time zero"),
    "after a day": ("C61.9", "8140/3", None, 1, OTHER, "C61.9: synchronous"),
    "after thirty days": ("C61.9", "8140/3", None, 30, OTHER, "C61.9: synchronous"),
    "after thirty-one": ("C61.9", "8140/3", None, 31, SECOND, "C61.9"),
    "without a date": ("C61.9", "8140/3", None, None, OTHER, "C61.9: without a date"),
}  # fmt: skip
OTHERWISE = {
    # what: assumptions, site, morphology, side, days, kind
    "another subsite": (SUBSITE, "C49.1", "8802/3", None, 400, SECOND),
    "the same subsite": (SUBSITE, "C49.2", "8802/3", "left", 400, OTHER),
    "the other side": (SUBSITE, "C49.2", "8802/3", "right", 400, SECOND),
    "one side and an unknown one": (SUBSITE, "C49.2", "8802/3", None, 400, OTHER),
    "a subsite that is not specified": (SUBSITE, "C49.9", "8802/3", None, 400, OTHER),
    "one that overlaps": (SUBSITE, "C49.8", "8802/3", None, 400, OTHER),
    "no subsite": (SUBSITE, "C49", "8802/3", None, 400, OTHER),
    "skin counts": ({"skin_cancer": "counted"}, "C44.3", "8090/3", None, 400, SECOND),
    "in situ counts": ({"carcinoma_in_situ": "counted"}, "C50.9", "8500/2", None, 400, SECOND),
    "no site, if subsites count": (SUBSITE, None, "8802/3", None, 400, OTHER),
    "no window": ({"synchronous_malignancy_days": 0}, "C61.9", "8140/3", None, 1, SECOND),
    "a longer window": ({"synchronous_malignancy_days": 60}, "C61.9", "8140/3", None, 60, OTHER),
}
_SCHEMA = {
    "patient_id": pl.String, "index_tumour": pl.Boolean, "icd10_code": pl.String,
    "icdo3_topography": pl.String, "icdo3_morphology": pl.String, "laterality": pl.String, "day": pl.Int64,
}  # fmt: skip


def _classified(site, morphology, side, day, **assumed) -> dict:
    rows = [
        ("p", True, "C49.2", "C49.2", "8802/3", "left", 0),
        ("p", False, site, None, morphology, side, day),
        ("other patient", True, "C61", "C61.9", "8140/3", None, 0),
    ]
    diagnoses = pl.DataFrame(rows, _SCHEMA, orient="row")
    (row,) = others({"curated.diagnosis": diagnoses}, Assumptions(**assumed)).to_dicts()
    assert set(row) == {*_SCHEMA, "kind", "detail"}
    return row


@pytest.mark.parametrize(("site", "morphology", "side", "day", "kind", "detail"), CASES.values(), ids=CASES)
def test_the_kind_of_another_tumour(site, morphology, side, day, kind, detail):
    found = _classified(site, morphology, side, day)
    assert (found["kind"], found["detail"]) == (kind, detail)


@pytest.mark.parametrize(
    ("assumed", "site", "morphology", "side", "day", "kind"), OTHERWISE.values(), ids=OTHERWISE
)
def test_the_kind_under_another_assumption(assumed, site, morphology, side, day, kind):
    assert _classified(site, morphology, side, day, **assumed)["kind"] == kind


def test_the_topography_of_the_index_tumour_counts_before_its_icd_code():
    rows = [
        ("p", True, "C76.5", "C49.2", "8802/3", None, 0),
        ("p", False, "C49.1", None, "8802/3", None, 400),
    ]
    found = others({"curated.diagnosis": pl.DataFrame(rows, _SCHEMA, orient="row")}, Assumptions())
    assert found["kind"].to_list() == [OTHER]
