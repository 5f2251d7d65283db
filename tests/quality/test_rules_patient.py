"""Every rule on several records, or on the dataset, fires on its fault and is silent on its neighbour."""

import pytest

from tests.quality.patient_records import (
    CT,
    DEAD,
    RD,
    RS,
    UNDATED,
    A,
    C,
    D,
    Dx,
    M,
    P,
    Plan,
    R,
    Records,
    S,
    V,
    observed_with,
)

# --- several records ----------------------------------------------------------------------------------


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
    "plan.dose-grid-missing": (
        [(Plan, {"sop_instance_uid": "1.2.7", "has_patient_id": True})],
        [
            (Plan, {"sop_instance_uid": "1.2.7"}),
            (RD, {"refers_to": "1.2.7"}),
            (Plan, {"sop_instance_uid": "1.2.8", "approval": "UNAPPROVED"}),  # used by nobody
            (Plan, {"sop_instance_uid": None}),
            (Plan, {"sop_instance_uid": "1.2.9", "phantom": True}),
            (Plan, {"sop_instance_uid": "1.2.10", "plan_intent": "VERIFICATION"}),
        ],
    ),
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


def test_a_clean_patient_breaks_no_rule():
    assert observed_with([]) == set()


@pytest.mark.parametrize("rule", TOGETHER)
def test_a_rule_on_several_records(rule):
    fault, neighbour = TOGETHER[rule]
    assert rule in observed_with(fault)
    assert rule not in observed_with(neighbour)


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


# --- the dataset --------------------------------------------------------------------------------------
