"""Every rule on several records, or on the dataset, fires on its fault and is silent on its neighbour."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.quality import cross_record, volumes
from schemas import typed, typed_dicom
from schemas.contract import Contract
from schemas.volumes import Volume
from tests.quality.clean import CLEAN, Row, row

D = dt.date

# --- several records ----------------------------------------------------------------------------------

P, Dx, S, R, C, A, M, V = (
    typed.Person, typed.Diagnosis, typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Assessment,
    typed.Metastasis, typed.VitalStatus,
)  # fmt: skip
Plan, RS, RD, CT = typed_dicom.Plan, typed_dicom.StructureSet, typed_dicom.Dose, typed_dicom.Image
DEAD = (V, {"status": "deceased", "status_date": D(2013, 6, 1)})
UNDATED = (
    V, {"status": "deceased, date unknown", "status_date": None, "reported_on": D(2013, 6, 1)},
)  # fmt: skip
Records = list[tuple[type[Contract], Row]]

TOGETHER: dict[str, tuple[Records, Records]] = {
    "identity.sex-differs": (
        [(P, {"master": False, "sex": "male", "source": "registry office"})],
        [(P, {"master": False, "sex": "unknown", "source": "registry office"})],
    ),
    "diagnosis.sex-against-site": (
        [(Dx, {"icd10_code": "C61", "tumour_id": "2"})],
        [(Dx, {"icd10_code": "C53.9", "tumour_id": "2"})],
    ),
    "diagnosis.age-against-histology": (
        [(Dx, {"icdo3_morphology": "8910/3", "diagnosis_date": D(2021, 5, 1), "tumour_id": "2"})],
        [(Dx, {"icdo3_morphology": "8910/3", "diagnosis_date": D(2012, 5, 1), "tumour_id": "2"})],
    ),
    "diagnosis.dates-differ": (
        [(Dx, {"source": "table", "diagnosis_date": D(2012, 3, 1)})],
        [(Dx, {"source": "table", "diagnosis_date": D(2012, 1, 20)})],
    ),
    "diagnosis.rows-differ": (
        [(Dx, {"source": "table", "tumour_id": None, "diagnosis_date": D(2012, 1, day)}) for day in (1, 2)],
        [
            (Dx, {"source": "table", "tumour_id": None, "diagnosis_date": D(2012, 1, 1)}),
            # No date, the month only, another tumour by its number, and the same day again.
            (Dx, {"source": "table", "tumour_id": None, "diagnosis_date": None, "complete": False}),
            (
                Dx,
                {
                    "source": "table",
                    "tumour_id": None,
                    "diagnosis_date": D(2012, 1, 15),
                    "diagnosis_date_precision": "month",
                },
            ),
            (Dx, {"source": "table", "tumour_id": "2", "diagnosis_date": D(2012, 1, 20)}),
            (Dx, {"source": "table", "tumour_id": None, "diagnosis_date": D(2012, 1, 1)}),
        ],
    ),
    "diagnosis.grade-conflict": (
        [(Dx, {"source": "table", "complete": False, "fnclcc_grade": "G2"})],
        [(Dx, {"source": "table", "complete": False, "fnclcc_grade": "GX"})],
    ),
    "diagnosis.before-birth": (
        [(Dx, {"diagnosis_date": D(1949, 1, 1), "tumour_id": "2"})],
        [(Dx, {"diagnosis_date": D(1999, 1, 1), "tumour_id": "2"})],
    ),
    "diagnosis.on-birth": (
        [(Dx, {"diagnosis_date": D(1950, 3, 4), "tumour_id": "2"})],
        [(Dx, {"diagnosis_date": D(1950, 3, 5), "tumour_id": "2"})],
    ),
    "diagnosis.t-against-size": (
        [(Dx, {"complete": False, "tumour_size_cm": 4.0, "source": "table"})],
        [(Dx, {"complete": False, "tumour_size_cm": 9.0, "source": "table"})],
    ),
    "diagnosis.grade-against-histology": (
        [(Dx, {"fnclcc_grade": "G1"})],
        [(Dx, {"fnclcc_grade": "G1", "icdo3_morphology": "8850/3"})],
    ),
    "surgery.before-diagnosis": (
        [(S, {"surgery_date": D(2011, 9, 1)})],
        [(S, {"surgery_date": D(2011, 11, 1)})],
    ),
    "surgery.after-death": (
        [DEAD, (S, {"surgery_date": D(2013, 6, 2)})],
        [DEAD, (S, {"surgery_date": D(2013, 6, 1)})],
    ),
    "surgery.twice-a-day": (
        [(S, {"module_id": "O2"})],
        [(S, {"module_id": "O2", "surgery_date": D(2012, 5, 2)})],
    ),
    "surgery.residual-against-follow-up": (
        [(A, {"assessment_date": D(2012, 6, 1), "local_status": "residual"})],
        [(A, {"assessment_date": D(2012, 9, 1), "local_status": "residual"})],
    ),
    "radiotherapy.after-death": ([DEAD, (R, {"start_date": D(2013, 6, 2)})], [DEAD, (R, {})]),
    "radiotherapy.before-diagnosis": (
        [(R, {"start_date": D(2011, 12, 31)})],
        [(R, {"start_date": D(2012, 1, 1)})],
    ),
    "radiotherapy.sequence-against-dates": (
        [(R, {"radiation_sequence": "postoperative adjuvant"})],
        [(R, {"radiation_sequence": "postoperative adjuvant", "start_date": D(2012, 6, 1)})],
    ),
    "radiotherapy.overlapping": (
        [(R, {"module_id": "S2", "start_date": D(2012, 3, 1), "end_date": D(2012, 4, 1)})],
        [(R, {"module_id": "S2", "start_date": D(2012, 3, 8), "end_date": D(2012, 4, 1)})],
    ),
    "radiotherapy.postoperative-without-surgery": (
        [(R, {"radiation_sequence": "postoperative adjuvant", "person_ref": "number:2"})],
        [(R, {"radiation_sequence": "preoperative", "person_ref": "number:2"})],
    ),
    "radiotherapy.preoperative-without-surgery": (
        [(R, {"person_ref": "number:2"})],
        [(R, {"radiation_sequence": "without surgery", "person_ref": "number:2"})],
    ),
    "radiotherapy.end-missing": (
        [(R, {"end_date": None, "person_ref": "number:2"})],
        [(R, {"end_date": None, "person_ref": "number:2"}), (R, {"person_ref": "number:2"})],
    ),
    "radiotherapy.dose-missing": (
        [(R, {"single_dose_gy": None, "person_ref": "number:2"})],
        [(R, {"single_dose_gy": None, "activity_gbq": 7.4, "person_ref": "number:2"})],
    ),
    "surgery.date-missing": (
        [(S, {"surgery_date": None})],
        [(S, {"surgery_date": None, "surgery_day": 120})],
    ),
    "surgery.missing": (
        [(Dx, {"t_prefix": "p", "person_ref": "number:2"})],
        [(Dx, {"t_prefix": "c", "person_ref": "number:2"})],
    ),
    "assessment.component-missing": (
        [(A, {"overall_status": "stable"})],
        [(A, {"overall_status": "stable", "regional_status": "no tumour", "distant_status": "no tumour"})],
    ),
    "structures.planning-ct-missing": (
        [(RS, {"series_uids": ["1.6.9"]})],
        [(RS, {"series_uids": ["1.6.9", "1.6"]})],
    ),
    "systemic-therapy.after-death": ([DEAD, (C, {"start_date": D(2013, 6, 2)})], [DEAD, (C, {})]),
    "systemic-therapy.before-diagnosis": (
        [(C, {"start_date": D(2011, 6, 1)})],
        [(C, {"start_date": D(2011, 12, 1)})],
    ),
    "systemic-therapy.contradiction": (
        [(C, {"given": "no", "source": "table"})],
        [(C, {"given": "no", "kind": "immunotherapy", "source": "table"})],
    ),
    "assessment.progression-under-treatment": (
        [(A, {"assessment_date": D(2012, 3, 7), "local_status": "progression"})],
        [(A, {"assessment_date": D(2012, 3, 8), "local_status": "progression"})],
    ),
    "assessment.after-death": (
        [DEAD, (A, {"assessment_date": D(2013, 6, 2)})],
        [DEAD, (A, {"assessment_date": D(2013, 6, 1)})],
    ),
    "assessment.before-diagnosis": (
        [(A, {"assessment_date": D(2011, 12, 31)})],
        [(A, {"assessment_date": D(2012, 1, 1)})],
    ),
    "assessment.same-day-contradiction": (
        [(A, {"local_status": "relapse", "overall_status": "relapse"})],
        [(A, {"local_status": "relapse", "overall_status": "relapse", "assessment_date": D(2012, 8, 2)})],
    ),
    "death.before-diagnosis": (
        [(V, {"status": "deceased", "status_date": D(2011, 12, 31)})],
        [(V, {"status": "deceased", "status_date": D(2021, 12, 31)})],
    ),
    # The clean patient was free of local tumour on 1 August 2012; the diagnosis is of 1 January 2012.
    "assessment.relapse-at-diagnosis": (
        [(A, {"assessment_date": D(2012, 1, 1), "overall_status": None, "local_status": "relapse"})],
        [
            (A, {"assessment_date": D(2012, 1, 1), "overall_status": None, "local_status": None}),
            (A, {"assessment_date": D(2012, 1, 2), "local_status": "relapse", "overall_status": None}),
            (A, {"assessment_date": D(2012, 1, 1), "overall_status": None, "local_status": "no tumour"}),
        ],
    ),
    "assessment.residual-after-remission": (
        [(A, {"assessment_date": D(2013, 1, 1), "overall_status": None, "local_status": "residual"})],
        [
            # Before; of the same day as a relapse; after a relapse; of a site of which nothing was said.
            (A, {"assessment_date": D(2012, 7, 1), "overall_status": None, "local_status": "residual"}),
            (A, {"assessment_date": D(2013, 1, 1), "overall_status": None, "local_status": "relapse"}),
            (A, {"assessment_date": D(2013, 1, 1), "overall_status": None, "local_status": "residual"}),
            (A, {"assessment_date": D(2013, 6, 1), "overall_status": None, "local_status": "residual"}),
            (A, {"assessment_date": None, "overall_status": None, "local_status": "residual"}),
        ],
    ),
    "vital-status.alive-after-death": (
        [DEAD, (V, {"status_date": D(2013, 7, 1)})],
        [(V, {"status": "deceased", "status_date": D(2020, 7, 1)})],
    ),
    "vital-status.alive-after-undated-death": (
        [UNDATED, (V, {"status_date": D(2013, 7, 1)})],
        # The clean patient was alive on 1 June 2020.
        [(V, UNDATED[1] | {"reported_on": D(2020, 6, 1)})],
    ),
    "vital-status.death-order-unknown": (
        [(V, UNDATED[1] | {"reported_on": None})],
        [(V, UNDATED[1] | {"reported_on": D(2020, 6, 1)})],
    ),
    "vital-status.contradiction": (
        [
            (V, {"record_id": "one"}),
            (V, {"record_id": "one", "status": "deceased", "status_date": D(2020, 6, 1)}),
        ],
        [
            (V, {"record_id": "one"}),
            (V, {"record_id": "two", "status": "deceased", "status_date": D(2021, 6, 1)}),
        ],
    ),
    "vital-status.death-refuted": (
        [(V, {"status": "deceased", "status_date": D(2014, 1, 1), "source": "table"})],
        [(V, {"status": "deceased", "status_date": D(2014, 1, 1), "source": "oBDS"})],
    ),
    "vital-status.before-birth": (
        [(V, {"status_date": D(1949, 1, 1)})],
        [(V, {"status_date": D(1951, 1, 1)})],
    ),
    "follow-up.none": (
        [(x, {"person_ref": "number:2"}) for x in (P, Dx, S)],
        [(x, {"person_ref": "number:2"}) for x in (P, Dx, S, A)],
    ),
    "follow-up.gap": (
        [(A, {"assessment_date": D(2015, 9, 1)})],
        [(A, {"assessment_date": D(2015, 7, 1)})],
    ),
    "follow-up.late-death": (
        [(V, {"status": "deceased", "status_date": D(2013, 9, 1)})],
        [DEAD],
    ),
    "metastasis.before-diagnosis": (
        [(M, {"metastasis_date": D(2011, 12, 1)})],
        [(M, {"metastasis_date": D(2011, 12, 1), "origin": "diagnosis"})],
    ),
    "plan.structure-set-missing": ([(Plan, {"refers_to": "1.3.9"})], [(Plan, {"refers_to": None})]),
    "dose.without-plan": ([(RD, {"refers_to": "1.2.9"})], [(RD, {"refers_to": None})]),
    "dicom.patient-id-mismatch": (
        [(RS, {"person_ref": "number:2"})],
        [(RS, {"person_ref": "number:2", "sop_instance_uid": "1.3.9"})],
    ),
    "dicom.dose-patient-id-mismatch": (
        [(RD, {"person_ref": "number:2"})],
        [(RD, {"person_ref": "number:2", "has_patient_id": False})],
    ),
    "dicom.image-patient-id-mismatch": (
        [(CT, {"person_ref": "number:2", "series_uid": "1.6.9"})],
        [(CT, {"person_ref": "number:2", "series_uid": "1.6.9", "frame_of_reference_uid": "8"})],
    ),
    "ct.slice-thickness-varies": (
        [(CT, {"slice_thickness_mm": 5.0}), (CT, {})],
        [(CT, {"slice_thickness_mm": 5.0, "series_uid": "1.6.9"})],
    ),
}


def _observed(extra: Records) -> set[str]:
    rows: dict[type[Contract], list[Row]] = {contract: [row(contract)] for contract in CLEAN}
    rows[typed.TumourAssignment] = []
    for number, (contract, changes) in enumerate(extra):
        clean = row(contract, f"extra-{number}", **changes) if contract in CLEAN else {
            "record_id": f"extra-{number}", "source": "oBDS", "person_ref": "number:1", **changes,
        }  # fmt: skip
        rows[contract].append(clean)
    frames = {
        c.table(): c.conform(pl.DataFrame(r, infer_schema_length=None, strict=False)) for c, r in rows.items()
    }
    link = pl.DataFrame(
        {"person_ref": ["number:1", "number:2"], "patient_id": ["p1", "p2"], "method": ["x", "x"]}
    )
    return set(cross_record.observe(frames, link)["rule_id"])


def test_a_clean_patient_breaks_no_rule():
    assert _observed([]) == set()


@pytest.mark.parametrize("rule", TOGETHER)
def test_a_rule_on_several_records(rule):
    fault, neighbour = TOGETHER[rule]
    assert rule in _observed(fault)
    assert rule not in _observed(neighbour)


SECOND = {"person_ref": "number:2"}
MONTH = {"status": "deceased", "status_date_precision": "month"}
UNSEEN = [(x, SECOND) for x in (P, Dx, S)]


@pytest.mark.parametrize(
    ("records", "late"),
    [
        ([*UNSEEN, (V, {**SECOND, "status": "deceased", "status_date": D(2012, 6, 1)})], True),
        ([*UNSEEN, (V, {**SECOND, "status": "deceased", "status_date": None})], False),
        ([*UNSEEN, (V, {**SECOND, "status": "alive", "status_date": D(2020, 1, 1)})], False),
        # To the month: the end of it lies 364 days after the examination, or 395.
        ([(V, {**MONTH, "status_date": D(2013, 7, 15)})], False),
        ([(V, {**MONTH, "status_date": D(2013, 8, 15)})], True),
        # What only a table knows of has no examinations to miss.
        ([(P, SECOND), (Dx, {**SECOND, "source": "table"}),
          (V, {**SECOND, "status": "deceased", "status_date": D(2019, 1, 1)})], False),
    ],
)  # fmt: skip
def test_a_death_long_after_the_last_examination_or_without_any(records, late):
    assert ("follow-up.late-death" in _observed(records)) == late


ALIVE_2011 = (V, {**SECOND, "status_date": D(2011, 6, 1)})


@pytest.mark.parametrize(
    ("records", "early"),
    [
        ([(P, SECOND), (Dx, SECOND), ALIVE_2011], True),
        # A later statement of life, a death, or a death without a date: the earlier one says nothing wrong.
        ([(P, SECOND), (Dx, SECOND), ALIVE_2011, (V, SECOND)], False),
        ([(P, SECOND), (Dx, SECOND), ALIVE_2011,
          (V, {**SECOND, "status": "deceased", "status_date": D(2013, 1, 1)})], False),
        ([(P, SECOND), (Dx, SECOND), ALIVE_2011,
          (V, {**SECOND, "status": "deceased, date unknown", "status_date": None})], False),
        ([(P, SECOND), (Dx, SECOND), (V, {**SECOND, "status_date": D(2012, 1, 1)})], False),
        # Exact to the year only, it may lie after the diagnosis.
        ([(P, SECOND), (Dx, SECOND | {"diagnosis_date_precision": "year", "diagnosis_date": D(2011, 7, 1)}),
          ALIVE_2011], False),
        ([(P, SECOND), (Dx, SECOND), (V, {**SECOND, "status_date": None})], False),
    ],
)  # fmt: skip
def test_a_last_statement_of_life_before_the_diagnosis(records, early):
    assert ("vital-status.before-diagnosis" in _observed(records)) == early


@pytest.mark.parametrize(
    ("records", "none"),
    [
        ([(P, SECOND), (V, SECOND)], True),
        ([(P, SECOND), (V, SECOND), (Dx, {**SECOND, "diagnosis_date": None, "complete": False})], True),
        ([(P, SECOND), (V, SECOND), (Dx, SECOND)], False),
        ([(P, SECOND), (V, SECOND), (Dx, {**SECOND, "diagnosis_date": None, "diagnosis_day": 0})], False),
        ([(P, SECOND), (V, SECOND), (typed.TumourAssignment, {**SECOND, "diagnosis_date": D(2012, 1, 1)})],
         False),
        # Nobody of whose life anything is known.
        ([(P, SECOND)], False),
    ],
)  # fmt: skip
def test_a_patient_whose_time_cannot_be_counted(records, none):
    assert ("vital-status.no-diagnosis" in _observed(records)) == none


@pytest.mark.parametrize(
    ("changes", "early"),
    [
        ({"metastasis_date": None, "metastasis_date_precision": None}, False),
        ({"metastasis_date": D(2012, 1, 1)}, False),
        ({"metastasis_date": D(2012, 1, 15), "metastasis_date_precision": "month"}, False),
        ({"metastasis_date": D(2011, 12, 15), "metastasis_date_precision": "month"}, True),
        (
            {"metastasis_date": D(2011, 7, 1), "metastasis_date_precision": "year", "origin": "pathology"},
            True,
        ),
    ],
)
def test_a_metastasis_before_the_diagnosis_counts_from_its_report(changes, early):
    assert ("metastasis.before-diagnosis" in _observed([(M, changes)])) == early


BREAST = (Dx, {"icd10_code": "C50.4", "icdo3_morphology": "8500/3", "tumour_id": "2", "t_stage": "T1"})
OTHER = {"tumour_id": "2"}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ("surgery.twice-a-day", (S, {"module_id": "O2"})),
        ("surgery.residual-against-follow-up",
         (A, {"assessment_date": D(2012, 6, 1), "local_status": "residual"})),
        ("assessment.progression-under-treatment",
         (A, {"assessment_date": D(2012, 3, 7), "local_status": "progression"})),
        ("assessment.same-day-contradiction", (A, {"local_status": "relapse", "overall_status": "relapse"})),
    ],
)  # fmt: skip
def test_what_belongs_to_another_tumour_contradicts_nothing(rule, fault):
    contract, changes = fault
    assert rule in _observed([BREAST, (contract, changes | {"tumour_id": "1"})])
    assert rule not in _observed([BREAST, (contract, changes | OTHER)])
    # Without a second tumour a number is only another number.
    assert rule in _observed([(contract, changes | OTHER)])


def test_the_size_in_the_table_says_nothing_of_another_tumours_t():
    size = (Dx, {"complete": False, "tumour_size_cm": 9.0, "source": "table"})
    assert "diagnosis.t-against-size" not in _observed([BREAST, size])
    second = (Dx, BREAST[1] | {"icdo3_morphology": None})
    assert "diagnosis.t-against-size" in _observed([second, size]), "an unknown histology may be the sarcoma"


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_sex_counts_whatever_the_order_of_the_records(turned):
    said = [
        (P, {"sex": "male", "reported_on": D(2013, 1, 1)}),
        (P, {"sex": "female", "reported_on": D(2014, 1, 1)}),
    ]
    womb = (Dx, {"icd10_code": "C54.1", "tumour_id": "2"})
    assert "diagnosis.sex-against-site" not in _observed([*(said[::-1] if turned else said), womb])


# --- the dataset --------------------------------------------------------------------------------------

USUAL = {"files": 20, "files unread": 1, "records": 200, "quarantined": 2}
DATASET: dict[str, tuple[Row, Row]] = {
    "dataset.source-silent": ({"files": 0, "records": 0}, {"files": 1}),
    "dataset.volume-dropped": ({"records": 180}, {"records": 181}),
    "dataset.patients-lost": ({"patients": 99}, {"patients": 101}),
    "dataset.quarantine-rose": ({"quarantined": 7}, {"quarantined": 6}),
    "dataset.files-unread": ({"files unread": 5}, {"files unread": 4}),
}


def _nights(tonight: Row) -> pl.DataFrame:
    rows = []
    for night, values in (("R1", {}), ("R2", tonight)):
        counts = {**USUAL, "patients": 100, **values}
        rows += [(night, "all" if m == "patients" else "s", m, n) for m, n in counts.items()]
    return Volume.conform(pl.DataFrame(rows, schema=Volume.polars_schema(), orient="row"))


@pytest.mark.parametrize("rule", DATASET)
def test_a_rule_on_the_dataset(rule):
    fault, neighbour = DATASET[rule]
    assert rule in set(volumes.observe(_nights(fault), "R2")["rule_id"])
    assert set(volumes.observe(_nights(neighbour), "R2")["rule_id"]) == set()


def test_the_first_night_has_nothing_to_compare_with():
    first = _nights({}).filter(pl.col("refresh_id") == "R1")
    assert volumes.observe(first, "R1").is_empty()


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        # The clean course lasts from 1 February to 7 March; the first of two irradiations of S2 lies in it.
        ([{"start_date": D(2012, 3, 1), "end_date": D(2012, 3, 20)}, {"start_date": D(2012, 4, 2)}], True),
        ([{"start_date": D(2012, 3, 8), "end_date": D(2012, 3, 20)}, {"start_date": D(2012, 4, 2)}], False),
        # Before and after the other course, never on its days.
        ([{"start_date": D(2012, 1, 2), "end_date": D(2012, 1, 31)}, {"start_date": D(2012, 3, 8)}], False),
        # Several of one ST on the same days are a boost or a second target of that course.
        ([{"start_date": D(2012, 5, 1), "end_date": D(2012, 5, 9)}, {"start_date": D(2012, 5, 2)}], False),
        ([{"start_date": D(2012, 3, 1), "end_date": D(2012, 3, 20), "target_region": "5.9"}], False),
        ([{"start_date": D(2012, 3, 1), "end_date": D(2012, 3, 20), "target_region": None}], True),
        ([{"start_date": D(2012, 3, 1), "end_date": D(2012, 3, 20), "target_side": "right"}], False),
        ([{"start_date": D(2012, 3, 1), "end_date": None}], False),
    ],
)  # fmt: skip
def test_every_irradiation_of_a_course_may_overlap_another_course(other, overlaps):
    own = {"target_region": "7.3", "target_side": "left"}
    rows: Records = [(R, {"module_id": "S1", "reported_on": D(2013, 1, 1), **own})]
    rows += [
        (R, {"module_id": "S2", "report_id": "M2", "reported_on": D(2012, 9, 1), "end_date": D(2012, 5, 30)}
         | own | changes)
        for changes in other
    ]  # fmt: skip
    assert ("radiotherapy.overlapping" in _observed(rows)) == overlaps


def test_an_earlier_report_of_a_course_overlaps_nothing():
    corrected = {"module_id": "S2", "start_date": D(2012, 5, 1), "end_date": D(2012, 5, 30)}
    wrong = {**corrected, "start_date": D(2012, 3, 1), "report_id": "M1", "reported_on": D(2012, 9, 1)}
    right = {**corrected, "report_id": "M2", "reported_on": D(2012, 10, 1)}
    assert "radiotherapy.overlapping" in _observed([(R, wrong)])
    assert "radiotherapy.overlapping" not in _observed([(R, wrong), (R, right)])


@pytest.mark.parametrize(
    ("approval", "treated", "missed"),
    [
        ("APPROVED", False, True),
        (None, False, True),  # it is used, with a finding of its own
        ("UNAPPROVED", False, False),
        ("REJECTED", False, False),
        ("UNAPPROVED", True, True),
    ],
)
def test_the_structure_set_of_every_plan_that_may_have_been_used(approval, treated, missed):
    plan = (Plan, {"approval": approval, "refers_to": "1.3.9", "sop_instance_uid": "1.2.7"})
    record = [(typed_dicom.Treatment, {"refers_to": "1.2.7"})] if treated else []
    assert ("plan.structure-set-missing" in _observed([plan, *record])) == missed


@pytest.mark.parametrize(
    ("records", "none"),
    [
        # A missing intent is taken as curative, a missing end of an irradiation as the day of its beginning.
        ([(P, SECOND), (Dx, SECOND), (S, {**SECOND, "intent": None})], True),
        ([(P, SECOND), (Dx, SECOND), (S, {**SECOND, "intent": "unknown"})], True),
        ([(P, SECOND), (Dx, SECOND), (R, {**SECOND, "intent": None, "end_date": None})], True),
        ([(P, SECOND), (Dx, SECOND), (R, {**SECOND, "end_date": None}), (A, SECOND)], False),
        ([(P, SECOND), (Dx, SECOND), (S, {**SECOND, "intent": "palliative"})], False),
        ([(P, SECOND), (Dx, SECOND), (S, {**SECOND, "intent": "diagnostic"})], False),
        ([(P, SECOND), (Dx, SECOND), (S, {**SECOND, "surgery_date": None})], False),
        ([*UNSEEN, (A, {**SECOND, "assessment_date": None})], True),
        ([*UNSEEN, (A, {**SECOND, "assessment_date": D(2012, 4, 30)})], True),
        ([*UNSEEN, (A, {**SECOND, "assessment_date": D(2012, 5, 1)})], False),
    ],
)
def test_nobody_looked_after_a_treatment_whatever_of_it_is_missing(records, none):
    assert ("follow-up.none" in _observed(records)) == none


@pytest.mark.parametrize(
    ("days", "origin", "faulty"),
    [(90, "diagnosis", False), (91, "diagnosis", True), (1, "surgery", True), (0, "follow-up", False)],
)
def test_a_metastasis_before_its_primary(days, origin, faulty):
    date = D(2012, 1, 1) - dt.timedelta(days=days)
    said = (M, {"metastasis_date": date, "origin": origin})
    assert ("metastasis.before-diagnosis" in _observed([said])) is faulty
    assert "metastasis.before-diagnosis" not in _observed([(M, {"metastasis_date": None, "origin": origin})])
