"""What the courses of a patient take from documentation and plans, and which records belong to none."""

import datetime as dt
import json
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import courses
from schemas import typed, typed_dicom

CONTRACTS = (
    typed.Radiotherapy, typed.Surgery, typed_dicom.Plan, typed_dicom.Treatment, typed_dicom.StructureSet,
    typed_dicom.Dose, typed_dicom.Image,
)  # fmt: skip
GROUP = {
    "FractionGroupNumber": "1", "NumberOfFractionsPlanned": "25", "DoseReferences": ["1"],
    "Beams": [{"ReferencedBeamNumber": "1", "BeamDose": "2", "BeamMeterset": "100"}],
}  # fmt: skip
BEAM = {"BeamNumber": "1", "RadiationType": "PHOTON", "TreatmentDeliveryType": "TREATMENT"}
REFERENCES = [
    {
        "DoseReferenceNumber": "1", "DoseReferenceType": "TARGET", "DoseReferenceStructureType": "SITE",
        "TargetPrescriptionDose": "50",
    }
]  # fmt: skip
PLAN = {
    "record_id": "p1", "sop_instance_uid": "1.1", "plan_date": dt.date(2015, 2, 20), "approval": "APPROVED",
    "fraction_groups": json.dumps([GROUP]), "dose_references": json.dumps(REFERENCES), "tumour_id": "T1",
    "beams": json.dumps([BEAM]),
}  # fmt: skip
DOCUMENTED = {
    "record_id": "o1", "module_id": "ST1", "report_id": "M1", "part": 1, "tumour_id": "T1",
    "irradiated": True, "start_date": dt.date(2015, 3, 2), "start_date_precision": "day",
    "end_date": dt.date(2015, 4, 3), "end_date_precision": "day", "prescribed_dose_gy": 50.5,
    "application": "external beam",
}  # fmt: skip


def curated(
    precedence=("DICOM", "oBDS"), known=frozenset(), decided=frozenset(), **rows: list[dict[str, Any]]
) -> courses.Courses:
    """The courses of one patient from rows of typed tables, by the name of the table."""
    sound = {}
    for contract in CONTRACTS:
        schema = dict(contract.polars_schema()) | {"patient_id": pl.String(), "tumour_id": pl.String()}
        told = [{"patient_id": "P"} | one for one in rows.get(contract.table().removeprefix("typed."), [])]
        columns = {name: [one.get(name) for one in told] for name in schema}
        sound[contract.table()] = pl.DataFrame(columns, schema=schema)
    return courses.curate(sound, precedence, known_plans=known, decided=decided)


@pytest.mark.parametrize(
    ("precedence", "dose"),
    [
        (("DICOM", "oBDS"), 50.0), (("oBDS", "DICOM"), 50.5), (("DICOM",), 50.0), (("oBDS",), 50.5),
        ((), 50.5),
    ],
)  # fmt: skip
def test_the_source_that_is_named_first_gives_the_dose(precedence, dose):
    made = curated(precedence, plan=[PLAN], radiotherapy=[DOCUMENTED]).courses
    assert made["prescribed_dose_gy"].to_list() == [dose]
    assert made["record_ids"].to_list() == [["o1", "p1"]]


def record(name: str, plan: str | None) -> dict[str, Any]:
    return {"record_id": name, "refers_to": plan, "sop_instance_uid": name}


def test_a_record_whose_plan_was_never_delivered_is_told():
    records = [record("t1", "1.1"), record("t2", "1.2"), record("t3", "1.3"), record("t4", None)]
    for order in (records, records[::-1]):
        made = curated(known=frozenset({"1.1", "1.2"}), plan=[PLAN], treatment=order)
        lost = made.observed.filter(pl.col("rule_id") == "records.plan-missing")
        assert sorted(lost["record_id"]) == ["t3", "t4"]
        assert sorted(made.idle[0][1]["record_id"]) == ["t1", "t2", "t3", "t4"]
    assert curated().observed.is_empty() and curated().courses.is_empty()


def test_courses_of_plans_alone_are_of_the_tumour_of_the_plans():
    assert curated(plan=[PLAN]).courses["tumour_id"].to_list() == ["T1"]
    assert curated(radiotherapy=[DOCUMENTED | {"tumour_id": "T2"}]).courses["tumour_id"].to_list() == ["T2"]


def test_a_number_of_two_courses_is_told_once_of_the_later_one():
    """Once, too, if the later course has two target regions."""
    first = DOCUMENTED | {"target_region": "7.3", "reported_on": dt.date(2015, 5, 1)}
    later = first | {
        "record_id": "o2", "report_id": "M2", "reported_on": dt.date(2017, 5, 1),
        "start_date": dt.date(2017, 3, 6), "end_date": dt.date(2017, 4, 7),
    }  # fmt: skip
    other = later | {"record_id": "o3", "part": 2, "target_region": "5.9", "prescribed_dose_gy": 40.0}
    for record, reports in (("o2", [first, later]), ("o3", [first, later, other])):
        seen = curated(radiotherapy=reports).observed.filter(rule_id="record.number-on-two-dates")
        assert seen.select("record_id", "value").rows() == [(record, "2017-03-06")]
    assert curated(radiotherapy=[first]).observed.is_empty()


@pytest.mark.parametrize(("number", "dose"), [(None, None), (1, None), (2, 50.0)])
def test_a_research_plan_gives_a_dose_only_if_it_was_chosen_as_treated(number, dose):
    plan = PLAN | {"plan_intent": "RESEARCH"}
    report = DOCUMENTED | {"prescribed_dose_gy": None}
    asked = curated(plan=[plan], radiotherapy=[report]).readings
    keys = dict(asked.select("reading", "reading_key").rows())
    assert sorted(keys) == [1, 2]
    decided = frozenset({keys[number]} if number else ())
    made = curated(decided=decided, plan=[plan], radiotherapy=[report]).courses
    assert made["prescribed_dose_gy"].to_list() == [dose]
