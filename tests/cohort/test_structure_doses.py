"""Volumes and doses of the cohort: of the index tumour's course, one row per structure; and their tables."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort import primary
from sarcoma_pipeline.cohort.structure_doses import observe, structure_doses
from sarcoma_pipeline.publish import disclosure
from sarcoma_pipeline.publish.report import structure_doses as report
from schemas.cohort_dose import CohortDoseVolume
from schemas.curated_dose import DoseVolume
from schemas.disclosure import Disclosure
from schemas.gate import Gate

MEMBERS = pl.DataFrame({"patient_id": ["P1", "P2"], "pseudonym": ["a", "b"]})


@pytest.fixture
def courses(monkeypatch):
    """P1 has the course C1, P2 the course C2."""
    frame = pl.DataFrame(
        {"patient_id": ["P1", "P2"], "course_id": ["C1", "C2"], "delivered_dose_gy": [50.0, None]}
    )
    monkeypatch.setattr(primary, "course", lambda _: frame)


def row(patient="P1", course="C1", **values):
    usual = {
        "patient_id": patient, "course_id": course, "record_ids": ["r"], "whole_course": True,
        "structure_set_uid": "S", "calculation": "k", "roi_number": 1, "structure": "PTV Huber",
        "tg263": "PTV", "role": "target", "volume_cc": 200.0, "d50_gy": 50.5,
    }  # fmt: skip
    return usual | values


def made(*rows):
    schema = DoseVolume.polars_schema()
    frame = pl.DataFrame({name: [one.get(name) for one in rows] for name in schema}, schema=schema)
    return structure_doses({"curated.dose_volume": frame}, MEMBERS, Gate())


def test_a_dose_outside_the_bounds_of_the_gate_is_unknown_and_a_finding(courses):
    schema = DoseVolume.polars_schema()
    rows = [row(max_gy=140.0), row("P2", "C2", max_gy=60.0)]
    frame = pl.DataFrame({name: [one.get(name) for one in rows] for name in schema}, schema=schema)
    curated, gate = {"curated.dose_volume": frame}, Gate(bounds={"Gy": (0, 100)})
    assert structure_doses(curated, MEMBERS, gate).select("pseudonym", "d50_gy", "max_gy").rows() == [
        ("a", 50.5, None), ("b", 50.5, 60.0)
    ]  # fmt: skip
    (found,) = observe(curated, MEMBERS, gate).rows(named=True)
    assert (found["rule_id"], found["column_name"], found["value"]) == (
        "patient.value-implausible", "max_gy", "140.0"
    )  # fmt: skip
    assert (found["patient"], found["record_id"]) == ("P1", "r")
    assert found["note"] == "PTV; the bounds are 0 and 100 Gy"


def test_only_the_whole_course_of_the_index_tumour_counts(courses):
    found = made(row(), row(course="C9", volume_cc=1.0), row(whole_course=False, volume_cc=900.0), row("P3"))
    assert found.select("pseudonym", "structure", "volume_cc", "delivered_dose_gy").rows() == [
        ("a", "PTV", 200.0, 50.0)
    ]
    CohortDoseVolume.enforce(found)


def test_the_name_as_delivered_stays_inside_and_what_is_not_mapped_has_no_row(courses):
    strip = row(structure="Hautstreifen Huber", tg263=None, role="skin corridor", roi_number=2)
    found = made(row(), strip, row(structure="Huber", tg263=None, role=None, roi_number=3))
    assert found["structure"].to_list() == ["PTV", "skin corridor"]
    assert "Huber" not in str(found.to_dicts())


def test_of_two_structures_of_one_name_the_largest_counts_in_any_order(courses):
    rows = [row(roi_number=n, volume_cc=v) for n, v in ((1, 80.0), (2, 200.0), (3, 200.0))]
    rows[2] = rows[2] | {"d50_gy": 1.0}
    for order in (rows, rows[::-1]):
        found = made(*order)
        assert found.select("volume_cc", "d50_gy").rows() == [(200.0, 50.5)]


@pytest.mark.parametrize(
    ("sets", "told"),
    [
        ([("S", 200.0), ("R", 190.0)], "PTV: 200.0, 190.0 cm³"),
        ([("S", 200.0), ("R", 196.1)], None),  # the same contours on other slices
        ([("S", 200.0), ("R", 196.0)], None),  # exactly 2 %
        ([("S", 200.0), ("R", 195.9)], "PTV: 200.0, 195.9 cm³"),
        ([("S", 195.0), ("R", 199.0), ("Q", 195.0)], "PTV: 199.0, 195.0, 195.0 cm³"),
        # Of one set the largest structure of a name counts.
        ([("S", 200.0), ("S", 80.0), ("R", 199.0)], None),
        ([("S", 200.0), ("S", 80.0)], None),  # a finding of its own: structure.name-repeated
        ([("S", 200.0), ("R", None)], None),
        ([("S", 200.0)], None),
    ],
)
def test_sets_that_draw_a_structure_differently_are_a_finding(courses, sets, told):
    schema = DoseVolume.polars_schema()
    rows = [row(structure_set_uid=s, roi_number=n, volume_cc=v) for n, (s, v) in enumerate(sets)]
    for order in (rows, rows[::-1]):
        frame = pl.DataFrame({name: [one.get(name) for one in order] for name in schema}, schema=schema)
        found = observe({"curated.dose_volume": frame}, MEMBERS, Gate())
        assert found.filter(rule_id="structure.sets-differ")["note"].to_list() == ([told] if told else [])


def test_of_structures_that_sets_draw_differently_the_first_is_told_with_all_records(courses):
    schema = DoseVolume.polars_schema()
    rows = [
        row(structure_set_uid=uid, tg263=name, volume_cc=volume, record_ids=[uid, "plan"])
        for name, first, second in (("PTV", 200.0, 100.0), ("CTV", 90.0, 50.0), ("GTV", 10.0, 10.0))
        for uid, volume in (("S", first), ("R", second))
    ]
    for order in (rows, rows[::-1]):
        frame = pl.DataFrame({name: [one.get(name) for one in order] for name in schema}, schema=schema)
        found = observe({"curated.dose_volume": frame}, MEMBERS, Gate()).filter(
            rule_id="structure.sets-differ"
        )
        assert found.select("patient", "record_id", "note").rows() == [
            ("P1", record, "CTV: 90.0, 50.0 cm³") for record in ("R", "S", "plan")
        ]


def test_of_values_outside_the_bounds_the_first_structure_of_a_patient_is_told(courses):
    schema = DoseVolume.polars_schema()
    rows = [
        row(tg263="PTV", max_gy=150.0), row(tg263="CTV", max_gy=140.0), row(tg263="GTV", max_gy=60.0),
        row("P2", "C2", tg263="PTV", max_gy=130.0),
    ]  # fmt: skip
    for order in (rows, rows[::-1]):
        frame = pl.DataFrame({name: [one.get(name) for one in order] for name in schema}, schema=schema)
        found = observe({"curated.dose_volume": frame}, MEMBERS, Gate(bounds={"Gy": (0, 100)}))
        assert sorted(found.select("patient", "value").rows()) == [("P1", "140.0"), ("P2", "130.0")]


def test_of_equal_structures_the_set_and_then_the_number_decide(courses):
    rows = [
        row(structure_set_uid="S", roi_number=1, d50_gy=1.0),
        row(structure_set_uid="R", roi_number=3, d50_gy=2.0),
        row(structure_set_uid="R", roi_number=2, d50_gy=3.0),
        row(structure_set_uid="A", roi_number=1, d50_gy=4.0, volume_cc=None),
    ]
    for order in (rows, rows[::-1]):
        assert made(*order)["d50_gy"].to_list() == [3.0]


def patients(number, **values):
    schema = CohortDoseVolume.polars_schema()
    rows = [
        {
            "pseudonym": f"p{n}", "structure": "PTV", "role": "target", "volume_cc": 100.0 + n,
            "prescribed_dose_gy": 50.0, "d50_gy": 50.0 + n, "vx_gy": [20.0, 40.0],
            "vx_percent": [100.0, 10.0 * n], "evidence": ["r"],
        } | values
        for n in range(number)
    ]  # fmt: skip
    return pl.DataFrame({name: [one.get(name) for one in rows] for name in schema}, schema=schema)


def test_the_report_has_medians_of_targets_and_organs():
    frame = pl.concat([patients(5), patients(5, structure="Femur_R", role="bone", mean_gy=30.0)])
    found = list(report.tables(frame, iter(("S1", "S2", "S3")).__next__))
    assert [one.key for one in found] == ["table-targets", "table-organs", "table-delivered"]
    assert found[0].head == ("Structure", "PTV")
    targets = {line.cells[0]: line.cells[1] for line in found[0].lines}
    organs, given = (dict(zip(one.head, one.lines[0].cells, strict=True)) for one in found[1:])
    assert (targets["Patients"], targets["Volume, cm³"]) == ("5", "102 (100–104)")
    assert targets["D98, Gy"] == "–"
    assert (organs["Dmean, Gy"], organs["V40, %"]) == ("30.0 (30.0–30.0)", "20 (0–40)")
    assert given["Value"] == "50.0 (50.0–50.0)"
    # 50, 51 and 52 Gy are within 5 % of 50 Gy, which is 52.5 Gy; 53 and 54 Gy are not.
    assert found[2].lines[-1].cells[1] == "3 of 5"


def test_two_patients_have_no_median_and_no_public_version_has_the_table():
    assert list(report.tables(patients(2), lambda: "S")) == []
    release = pl.DataFrame({"eligible": [50]})
    tables = {"meta.release": release, CohortDoseVolume.table(): patients(50)}
    assert set(disclosure.public(tables, Disclosure())) == {"meta.release"}
