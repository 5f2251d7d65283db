"""Where the rules on several records end: missing values, other tumours, and the order of records."""

import datetime as dt

import pytest

from schemas import typed, typed_dicom
from tests.quality.patient_records import (
    SECOND,
    UNSEEN,
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

MONTH = {"status": "deceased", "status_date_precision": "month"}


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
    assert ("follow-up.late-death" in observed_with(records)) == late


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
    assert ("vital-status.before-diagnosis" in observed_with(records)) == early


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
    assert ("vital-status.no-diagnosis" in observed_with(records)) == none


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
    assert ("metastasis.before-diagnosis" in observed_with([(M, changes)])) == early


@pytest.mark.parametrize(
    ("changes", "fires"),
    [
        # An operation on the wound leaves the R0 of the resection as it is; a re-resection does not.
        ({"ops_codes": ["5-896.1e"]}, True),
        ({"ops_codes": ["5-902.4e"]}, True),
        ({"ops_codes": ["5-782.b"]}, False),
        ({"ops_codes": None}, False),
        ({"ops_codes": ["5-896.1e"], "residual_status": "R1"}, False),
    ],
)
def test_the_last_resection_is_compared_with_the_examination_after_it(changes, fires):
    later = (S, {"module_id": "O2", "surgery_date": D(2012, 5, 10), "residual_status": None} | changes)
    residual = (A, {"assessment_date": D(2012, 6, 1), "local_status": "residual"})
    assert ("surgery.residual-against-follow-up" in observed_with([later, residual])) is fires


@pytest.mark.parametrize(
    ("records", "fires"),
    [
        ([], False),  # the study delivers plans only
        ([(typed_dicom.StructureSet, {"sop_instance_uid": "1.3.9"})], True),
        ([(typed_dicom.StructureSet, {"sop_instance_uid": "1.3.8"})], False),
        ([(typed_dicom.Dose, {"refers_to": "1.2.8"})], True),
        ([(typed_dicom.Dose, {"refers_to": "1.2.9"})], False),
        ([(typed_dicom.Dose, {"refers_to": None})], True),
    ],
)
def test_a_plan_lacks_its_dose_where_contours_or_doses_are_delivered(records, fires):
    clean = (typed_dicom.Plan, typed_dicom.StructureSet, typed_dicom.Dose)
    plan = (Plan, {"sop_instance_uid": "1.2.9", "refers_to": "1.3.9"})
    assert ("plan.dose-grid-missing" in observed_with([plan, *records], without=clean)) is fires


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
    assert rule in observed_with([BREAST, (contract, changes | {"tumour_id": "1"})])
    assert rule not in observed_with([BREAST, (contract, changes | OTHER)])
    # Without a second tumour a number is only another number.
    assert rule in observed_with([(contract, changes | OTHER)])


def test_the_size_in_the_table_says_nothing_of_another_tumours_t():
    size = (Dx, {"complete": False, "tumour_size_cm": 9.0, "source": "table"})
    assert "diagnosis.t-against-size" not in observed_with([BREAST, size])
    second = (Dx, BREAST[1] | {"icdo3_morphology": None})
    assert "diagnosis.t-against-size" in observed_with([second, size]), (
        "an unknown histology may be the sarcoma"
    )


@pytest.mark.parametrize("turned", [False, True])
def test_the_newest_sex_counts_whatever_the_order_of_the_records(turned):
    said = [
        (P, {"sex": "male", "reported_on": D(2013, 1, 1)}),
        (P, {"sex": "female", "reported_on": D(2014, 1, 1)}),
    ]
    womb = (Dx, {"icd10_code": "C54.1", "tumour_id": "2"})
    assert "diagnosis.sex-against-site" not in observed_with([*(said[::-1] if turned else said), womb])


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
    assert ("radiotherapy.overlapping" in observed_with(rows)) == overlaps


def test_an_earlier_report_of_a_course_overlaps_nothing():
    corrected = {"module_id": "S2", "start_date": D(2012, 5, 1), "end_date": D(2012, 5, 30)}
    wrong = {**corrected, "start_date": D(2012, 3, 1), "report_id": "M1", "reported_on": D(2012, 9, 1)}
    right = {**corrected, "report_id": "M2", "reported_on": D(2012, 10, 1)}
    assert "radiotherapy.overlapping" in observed_with([(R, wrong)])
    assert "radiotherapy.overlapping" not in observed_with([(R, wrong), (R, right)])


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
    assert ("plan.structure-set-missing" in observed_with([plan, *record])) == missed


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
    assert ("follow-up.none" in observed_with(records)) == none


@pytest.mark.parametrize(
    ("days", "origin", "faulty"),
    [(90, "diagnosis", False), (91, "diagnosis", True), (1, "surgery", True), (0, "follow-up", False)],
)
def test_a_metastasis_before_its_primary(days, origin, faulty):
    date = D(2012, 1, 1) - dt.timedelta(days=days)
    said = (M, {"metastasis_date": date, "origin": origin})
    assert ("metastasis.before-diagnosis" in observed_with([said])) is faulty
    assert "metastasis.before-diagnosis" not in observed_with(
        [(M, {"metastasis_date": None, "origin": origin})]
    )


@pytest.mark.parametrize(
    ("died", "precision", "diagnosed", "early"),
    [
        (D(2011, 12, 15), "month", {}, True),
        (D(2011, 7, 1), "year", {}, True),
        # The diagnosis is of 1 January 2012: the same month and year may lie after it.
        (D(2012, 1, 15), "month", {}, False),
        (D(2012, 7, 1), "year", {}, False),
        # A diagnosis that is exact to the year only may lie before the death.
        (D(2011, 3, 1), "day", {"diagnosis_date_precision": "year", "diagnosis_date": D(2011, 7, 1)}, False),
        (D(2010, 12, 31), "day", {"diagnosis_date_precision": "year", "diagnosis_date": D(2011, 7, 1)}, True),
        (
            D(2011, 3, 15),
            "month",
            {"diagnosis_date_precision": "year", "diagnosis_date": D(2011, 7, 1)},
            False,
        ),
        (
            D(2010, 7, 1),
            "year",
            {"diagnosis_date_precision": "month", "diagnosis_date": D(2011, 1, 15)},
            True,
        ),
    ],
)
def test_a_partial_death_is_before_the_diagnosis_if_no_day_of_it_is_after(died, precision, diagnosed, early):
    death = {**SECOND, "status": "deceased", "status_date": died, "status_date_precision": precision}
    told = observed_with([(P, SECOND), (Dx, SECOND | diagnosed), (V, death)])
    assert ("death.before-diagnosis" in told) == early


@pytest.mark.parametrize("status", ["deceased", "deceased, date unknown"])
def test_a_death_without_a_date_is_not_before_the_diagnosis(status):
    told = observed_with([(P, SECOND), (Dx, SECOND), (V, {**SECOND, "status": status, "status_date": None})])
    assert "death.before-diagnosis" not in told


YEAR_2012 = {"diagnosis_date_precision": "year", "diagnosis_date": D(2012, 7, 1)}
MAY_2012 = {"diagnosis_date_precision": "month", "diagnosis_date": D(2012, 5, 15)}


@pytest.mark.parametrize(
    ("diagnosed", "event", "rule", "early"),
    [
        # The first day that the diagnosis may mean: 1 January, 1 May.
        (YEAR_2012, (R, {"start_date": D(2011, 12, 31)}), "radiotherapy.before-diagnosis", True),
        (YEAR_2012, (R, {"start_date": D(2012, 1, 1)}), "radiotherapy.before-diagnosis", False),
        (MAY_2012, (R, {"start_date": D(2012, 4, 30)}), "radiotherapy.before-diagnosis", True),
        (MAY_2012, (R, {"start_date": None}), "radiotherapy.before-diagnosis", False),
        # An operation may precede the diagnosis by 90 days: 1 February 2012 is 90 days before 1 May.
        (MAY_2012, (S, {"surgery_date": D(2012, 1, 31)}), "surgery.before-diagnosis", True),
        (MAY_2012, (S, {"surgery_date": D(2012, 2, 1)}), "surgery.before-diagnosis", False),
        (MAY_2012, (A, {"assessment_date": D(2012, 4, 30)}), "assessment.before-diagnosis", True),
        (MAY_2012, (A, {"assessment_date": D(2012, 5, 1)}), "assessment.before-diagnosis", False),
        # The date of a drug may be partial, too: no day of 2011 is within 90 days before 1 May 2012.
        (MAY_2012, (C, {"start_date": D(2011, 7, 1), "start_date_precision": "year"}),
         "systemic-therapy.before-diagnosis", True),
        ({}, (C, {"start_date": D(2011, 7, 1), "start_date_precision": "year"}),
         "systemic-therapy.before-diagnosis", False),
        # A table gives no precision: its dates are exact.
        ({"diagnosis_date_precision": None}, (A, {"assessment_date": D(2011, 12, 31)}),
         "assessment.before-diagnosis", True),
        (YEAR_2012, (V, {"status_date": D(2011, 12, 31)}), "vital-status.before-diagnosis", True),
        (YEAR_2012, (V, {"status_date": D(2012, 2, 1)}), "vital-status.before-diagnosis", False),
        ({}, (V, {"status_date": D(2011, 11, 15), "status_date_precision": "month"}),
         "vital-status.before-diagnosis", True),
        ({}, (V, {"status_date": D(2012, 1, 15), "status_date_precision": "month"}),
         "vital-status.before-diagnosis", False),
    ],
)  # fmt: skip
def test_a_partial_date_is_before_another_if_no_day_of_it_is_not(diagnosed, event, rule, early):
    contract, values = event
    told = observed_with([(P, SECOND), (Dx, SECOND | diagnosed), (contract, SECOND | values)])
    assert (rule in told) == early


@pytest.mark.parametrize(
    ("date", "precision", "differ"),
    [
        # The clean diagnosis is of 1 January 2012 and of oBDS; the nearest possible days are compared.
        (D(2012, 3, 15), "month", True),
        (D(2010, 7, 1), "year", True),
        (D(2012, 2, 15), "month", True),  # 1 February is 31 days later
        (D(2012, 1, 15), "month", False),
        (D(2011, 7, 1), "year", False),
        (D(2012, 3, 1), None, True),
        (D(2012, 1, 20), None, False),
    ],
)
def test_a_partial_date_of_another_source_is_compared_by_its_nearest_day(date, precision, differ):
    other = {"source": "table", "diagnosis_date": date, "diagnosis_date_precision": precision}
    assert ("diagnosis.dates-differ" in observed_with([(Dx, other)])) == differ


@pytest.mark.parametrize(("date", "differ"), [(D(2012, 3, 15), True), (D(2012, 1, 15), False)])
def test_two_rows_of_which_one_tells_the_month_only(date, differ):
    row = {"source": "table", "tumour_id": None}
    rows: Records = [
        (Dx, {**row, "diagnosis_date": D(2012, 1, 1)}),
        (Dx, {**row, "diagnosis_date": date, "diagnosis_date_precision": "month"}),
    ]
    assert ("diagnosis.rows-differ" in observed_with(rows)) == differ
