"""Cases of the rules on several records of one patient: treatment, course of disease, life and death.

The clean patient (tests/quality/clean.py), a woman born on 4 March 1950, has a sarcoma of the thigh of
1 January 2012 (8802/3, T2 of edition 7, G3), preoperative radiotherapy and chemotherapy from 1 February to
7 March, a resection on 1 May (R0), an examination in complete remission on 1 August, a metastasis of
20 December reported on 10 January 2013, and is alive on 1 June 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas import typed
from tests.quality.patient_records import DEAD, UNDATED, A, C, D, Dx, M, P, R, Records, S, V
from tests.quality.rule_cases.four import THE_FAULT, Four

TA = typed.TumourAssignment


@dataclass(frozen=True)
class Patient:
    """Records of one patient.

    Attributes:
        records: what is added to the records of the clean patient.
        alone: the patient has these records only.
    """

    records: Records
    alone: bool = False


def clean_and(*records: tuple) -> Patient:
    """Return the clean patient with more records."""
    return Patient(list(records))


def only(*records: tuple) -> Patient:
    """Return a patient with these records and no others."""
    return Patient(list(records), alone=True)


def of(
    fires: Patient, silent: Patient, null: Patient | str, sibling: Patient, *, fires_on_null: bool = False
) -> Four[Patient]:
    """Return the cases of a rule on one patient."""
    return Four(fires, silent, null, sibling, fires_on_null)


MONTH, YEAR = "month", "year"

TREATMENT: dict[str, Four[Patient]] = {
    "surgery.before-diagnosis": of(
        clean_and((S, {"surgery_date": D(2011, 9, 1)})),
        clean_and((S, {"surgery_date": D(2011, 11, 1)})),
        clean_and((S, {"surgery_date": None})),
        clean_and((S, {"surgery_date": D(2011, 7, 1), "surgery_date_precision": YEAR, "source": "table"}),
                  (S, {"surgery_date": D(2010, 6, 15), "surgery_date_precision": MONTH})),
    ),
    "surgery.after-death": of(
        clean_and(DEAD, (S, {"surgery_date": D(2013, 6, 2)})),
        clean_and(DEAD, (S, {"surgery_date": D(2013, 6, 1)})),
        clean_and(DEAD, (S, {"surgery_date": None})),
        clean_and(UNDATED, (S, {"surgery_date": D(2013, 6, 2)})),
    ),
    "surgery.twice-a-day": of(
        clean_and((S, {"module_id": "O2"})),
        clean_and((S, {"module_id": "O2", "surgery_date": D(2012, 5, 2)})),
        clean_and((S, {"module_id": "O2", "surgery_date": None})),
        clean_and(*((S, {"module_id": n, "surgery_date": D(2013, 2, 3), "ops_codes": ["5-830.2"]})
                    for n in ("O3", "O4"))),
    ),
    "surgery.date-missing": of(
        clean_and((S, {"surgery_date": None})),
        clean_and((S, {"surgery_date": None, "surgery_day": 120})),
        THE_FAULT,
        clean_and((S, {"surgery_date": None, "intent": "diagnostic", "residual_status": None})),
    ),
    "surgery.missing": of(
        only((P, {}), (Dx, {"t_prefix": "p"})),
        only((P, {}), (Dx, {"t_prefix": "c"})),
        only((P, {}), (Dx, {"t_prefix": None})),
        only((P, {}), (Dx, {"t_prefix": "p"}), (S, {"intent": "diagnostic", "residual_status": None})),
    ),
    "surgery.residual-against-follow-up": of(
        clean_and((A, {"assessment_date": D(2012, 6, 1), "local_status": "residual"})),
        clean_and((A, {"assessment_date": D(2012, 9, 1), "local_status": "residual"})),
        clean_and((A, {"assessment_date": None, "local_status": "residual"})),
        clean_and((S, {"module_id": "O2", "surgery_date": D(2012, 5, 10)}),
                  (A, {"assessment_date": D(2012, 6, 1), "local_status": "residual"})),
    ),
    "surgery.on-other-day-by-other-reporter": of(
        only((P, {}), (Dx, {}), *((S, {"record_id": n, "module_id": n, "surgery_date": D(2012, 5, day)})
                                  for n, day in (("A", 1), ("B", 2))),
             *((TA, {"record_id": n, "reporter": n, "tumour_id": "1"}) for n in "AB")),
        only((P, {}), (Dx, {}), *((S, {"record_id": n, "module_id": n, "surgery_date": D(2012, 5, day)})
                                  for n, day in (("A", 1), ("B", 5))),
             *((TA, {"record_id": n, "reporter": n, "tumour_id": "1"}) for n in "AB")),
        only((P, {}), (Dx, {}), *((S, {"record_id": n, "module_id": n, "surgery_date": day})
                                  for n, day in (("A", D(2012, 5, 1)), ("B", None))),
             *((TA, {"record_id": n, "reporter": n, "tumour_id": "1"}) for n in "AB")),
        # Three days apart, the other way round.
        only((P, {}), (Dx, {}), *((S, {"record_id": n, "module_id": n, "surgery_date": D(2012, 5, day)})
                                  for n, day in (("A", 4), ("B", 1))),
             *((TA, {"record_id": n, "reporter": n, "tumour_id": "1"}) for n in "AB")),
    ),
    "radiotherapy.after-death": of(
        clean_and(DEAD, (R, {"start_date": D(2013, 6, 2)})),
        clean_and(DEAD, (R, {"start_date": D(2013, 6, 1)})),
        clean_and(DEAD, (R, {"start_date": None})),
        clean_and(UNDATED, (R, {"start_date": D(2013, 6, 2)})),
    ),
    "radiotherapy.before-diagnosis": of(
        clean_and((R, {"start_date": D(2011, 12, 31)})),
        clean_and((R, {"start_date": D(2012, 1, 1)})),
        clean_and((R, {"start_date": None})),
        clean_and((R, {"start_date": D(2011, 11, 15), "start_date_precision": MONTH, "source": "table"})),
    ),
    "radiotherapy.sequence-against-dates": of(
        clean_and((R, {"radiation_sequence": "postoperative adjuvant"})),
        clean_and((R, {"radiation_sequence": "postoperative adjuvant", "start_date": D(2012, 6, 1)})),
        clean_and((R, {"radiation_sequence": "postoperative adjuvant", "start_date": None})),
        clean_and((R, {"module_id": "S2", "start_date": D(2012, 6, 1), "end_date": D(2012, 7, 10)})),
    ),
    "radiotherapy.overlapping": of(
        clean_and((R, {"module_id": "S2", "start_date": D(2012, 3, 1), "end_date": D(2012, 4, 1)})),
        clean_and((R, {"module_id": "S2", "start_date": D(2012, 3, 8), "end_date": D(2012, 4, 1)})),
        clean_and((R, {"module_id": "S2", "start_date": None, "end_date": D(2012, 4, 1)})),
        clean_and((R, {"module_id": "S2", "start_date": D(2012, 1, 15), "end_date": D(2012, 4, 30)})),
    ),
    "radiotherapy.postoperative-without-surgery": of(
        only((P, {}), (Dx, {}), (R, {"radiation_sequence": "postoperative adjuvant"})),
        only((P, {}), (Dx, {}), (S, {}), (R, {"radiation_sequence": "postoperative adjuvant"})),
        only((P, {}), (Dx, {}), (R, {"radiation_sequence": None})),
        only((P, {}), (Dx, {}), (R, {"radiation_sequence": "postoperative additive"})),
    ),
    "radiotherapy.preoperative-without-surgery": of(
        only((P, {}), (Dx, {}), (R, {})),
        only((P, {}), (Dx, {}), (S, {}), (R, {})),
        only((P, {}), (Dx, {}), (R, {"radiation_sequence": None})),
        only((P, {}), (Dx, {}), (R, {"start_date": None, "end_date": None})),
    ),
    "radiotherapy.end-missing": of(
        only((P, {}), (Dx, {}), (R, {"end_date": None})),
        only((P, {}), (Dx, {}), (R, {"end_date": None}), (R, {})),
        THE_FAULT,
        only((P, {}), (Dx, {}), (R, {"end_date": None, "radiation_sequence": "without surgery"})),
    ),
    "radiotherapy.dose-missing": of(
        only((P, {}), (Dx, {}), (R, {"single_dose_gy": None})),
        only((P, {}), (Dx, {}), (R, {"single_dose_gy": None, "activity_gbq": 7.4})),
        THE_FAULT,
        only((P, {}), (Dx, {}), (R, {"prescribed_dose_gy": None})),
    ),
    "systemic-therapy.after-death": of(
        clean_and(DEAD, (C, {"start_date": D(2013, 6, 2)})),
        clean_and(DEAD, (C, {"start_date": D(2013, 6, 1)})),
        clean_and(DEAD, (C, {"start_date": None})),
        clean_and(UNDATED, (C, {"start_date": D(2013, 7, 15), "start_date_precision": MONTH})),
    ),
    "systemic-therapy.before-diagnosis": of(
        clean_and((C, {"start_date": D(2011, 6, 1)})),
        clean_and((C, {"start_date": D(2011, 12, 1)})),
        clean_and((C, {"start_date": None})),
        clean_and((C, {"start_date": D(2010, 7, 1), "start_date_precision": YEAR, "kind": "targeted"})),
    ),
    "systemic-therapy.contradiction": of(
        clean_and((C, {"given": "no", "source": "table"})),
        clean_and((C, {"given": "no", "kind": "immunotherapy", "source": "table"})),
        clean_and((C, {"given": None, "source": "table"})),
        only((P, {}), (Dx, {}), (C, {"kind": "targeted", "given": "no"}),
             (C, {"kind": "targeted", "source": "table"})),
    ),
}  # fmt: skip

_RESIDUAL = (A, {"assessment_date": D(2013, 1, 1), "overall_status": None, "local_status": "residual"})

COURSE_OF_DISEASE: dict[str, Four[Patient]] = {
    "assessment.component-missing": of(
        clean_and((A, {"overall_status": "stable"})),
        clean_and((A, {"overall_status": "stable", "regional_status": "no tumour",
                       "distant_status": "no tumour"})),
        clean_and((A, {"overall_status": None})),
        clean_and((A, {"overall_status": "stable", "regional_status": "no tumour",
                       "distant_status": "unknown"})),
        fires_on_null=True,
    ),
    "assessment.progression-under-treatment": of(
        clean_and((A, {"assessment_date": D(2012, 3, 7), "local_status": "progression"})),
        clean_and((A, {"assessment_date": D(2012, 3, 8), "local_status": "progression"})),
        clean_and((A, {"assessment_date": None, "local_status": "progression"})),
        clean_and((A, {"assessment_date": D(2012, 2, 15), "overall_status": "progression",
                       "local_status": None})),
    ),
    "assessment.after-death": of(
        clean_and(DEAD, (A, {"assessment_date": D(2013, 6, 2)})),
        clean_and(DEAD, (A, {"assessment_date": D(2013, 6, 1)})),
        clean_and(DEAD, (A, {"assessment_date": None})),
        clean_and(UNDATED, (A, {"assessment_date": D(2013, 6, 2)})),
    ),
    "assessment.before-diagnosis": of(
        clean_and((A, {"assessment_date": D(2011, 12, 31)})),
        clean_and((A, {"assessment_date": D(2012, 1, 1)})),
        clean_and((A, {"assessment_date": None})),
        clean_and((A, {"assessment_date": D(2011, 7, 1), "assessment_date_precision": YEAR,
                       "source": "table"})),
    ),
    "assessment.same-day-contradiction": of(
        clean_and((A, {"local_status": "relapse", "overall_status": "relapse"})),
        clean_and((A, {"local_status": "relapse", "overall_status": "relapse",
                       "assessment_date": D(2012, 8, 2)})),
        clean_and((A, {"local_status": "relapse", "overall_status": "relapse", "assessment_date": None})),
        clean_and((A, {"local_status": None, "overall_status": None, "distant_status": "relapse",
                       "module_id": "V2"})),
    ),
    "assessment.relapse-at-diagnosis": of(
        clean_and((A, {"assessment_date": D(2012, 1, 1), "overall_status": None, "local_status": "relapse"})),
        clean_and(
            (A, {"assessment_date": D(2012, 1, 1), "overall_status": None, "local_status": None}),
            (A, {"assessment_date": D(2012, 1, 2), "local_status": "relapse", "overall_status": None}),
            (A, {"assessment_date": D(2012, 1, 1), "overall_status": None, "local_status": "no tumour"}),
        ),
        clean_and((A, {"assessment_date": None, "overall_status": None, "local_status": "relapse"})),
        clean_and((A, {"assessment_date": D(2012, 1, 1), "overall_status": "progression",
                       "local_status": None, "source": "table"})),
    ),
    "assessment.residual-after-remission": of(
        clean_and(_RESIDUAL),
        clean_and(
            # Before; of the same day as a relapse; after a relapse; of a site of which nothing was said.
            (A, {"assessment_date": D(2012, 7, 1), "overall_status": None, "local_status": "residual"}),
            (A, {"assessment_date": D(2013, 1, 1), "overall_status": None, "local_status": "relapse"}),
            _RESIDUAL,
            (A, {"assessment_date": D(2013, 6, 1), "overall_status": None, "local_status": "residual"}),
        ),
        clean_and((A, {"assessment_date": None, "overall_status": None, "local_status": "residual"})),
        clean_and(*(
            (A, {"assessment_date": D(2014, month, 1), "overall_status": None, "local_status": None,
                 "regional_status": status}) for month, status in ((3, "no tumour"), (9, "residual"))
        )),
    ),
    "death.before-diagnosis": of(
        clean_and((V, {"status": "deceased", "status_date": D(2011, 12, 31)})),
        clean_and((V, {"status": "deceased", "status_date": D(2021, 12, 31)})),
        clean_and((V, {"status": "deceased", "status_date": None})),
        clean_and((V, {"status": "deceased", "status_date": D(2011, 11, 15), "status_date_precision": MONTH,
                       "source": "table"})),
    ),
    "follow-up.none": of(
        only((P, {}), (Dx, {}), (S, {})),
        only((P, {}), (Dx, {}), (S, {}), (A, {})),
        only((P, {}), (Dx, {}), (S, {"intent": None})),
        only((P, {}), (Dx, {}), (R, {"end_date": None})),
        fires_on_null=True,
    ),
    "follow-up.gap": of(
        clean_and((A, {"assessment_date": D(2015, 9, 1)})),
        clean_and((A, {"assessment_date": D(2015, 7, 1)})),
        clean_and((A, {"assessment_date": None})),
        clean_and(*((A, {"assessment_date": D(year, 7, 1), "source": "table"}) for year in (2015, 2019))),
    ),
    "follow-up.late-death": of(
        clean_and((V, {"status": "deceased", "status_date": D(2013, 9, 1)})),
        clean_and(DEAD),
        clean_and((V, {"status": "deceased", "status_date": None})),
        only((P, {}), (Dx, {}), (S, {}), (V, {"status": "deceased", "status_date": D(2012, 6, 1)})),
    ),
    "metastasis.before-diagnosis": of(
        clean_and((M, {"metastasis_date": D(2011, 12, 1)})),
        clean_and((M, {"metastasis_date": D(2011, 12, 1), "origin": "diagnosis"})),
        clean_and((M, {"metastasis_date": None})),
        clean_and((M, {"metastasis_date": D(2011, 9, 1), "origin": "diagnosis"})),
    ),
}  # fmt: skip

_TOLD_ALIVE = {"status_date": D(2013, 7, 1)}

LIFE: dict[str, Four[Patient]] = {
    "vital-status.alive-after-death": of(
        clean_and(DEAD, (V, _TOLD_ALIVE)),
        clean_and((V, {"status": "deceased", "status_date": D(2020, 7, 1)})),
        only((P, {}), (Dx, {}), DEAD, (V, {"status_date": None})),
        only((P, {}), (Dx, {}), DEAD, (V, _TOLD_ALIVE | {"source": "table", "status": "moved"}),
             (V, {"status_date": D(2014, 7, 1), "status_date_precision": YEAR, "source": "table"})),
    ),
    "vital-status.alive-after-undated-death": of(
        clean_and(UNDATED, (V, _TOLD_ALIVE)),
        clean_and((V, UNDATED[1] | {"reported_on": D(2020, 6, 1)})),
        clean_and((V, UNDATED[1] | {"reported_on": None})),
        only((P, {}), (Dx, {}), UNDATED, (V, _TOLD_ALIVE | {"source": "table"})),
    ),
    "vital-status.death-order-unknown": of(
        clean_and((V, UNDATED[1] | {"reported_on": None})),
        clean_and((V, UNDATED[1] | {"reported_on": D(2020, 6, 1)})),
        THE_FAULT,
        only((P, {}), (Dx, {}), (V, UNDATED[1] | {"reported_on": None, "source": "table"}),
             (V, {"source": "registry office"})),
    ),
    "vital-status.contradiction": of(
        only((P, {}), (V, {"record_id": "one"}),
             (V, {"record_id": "one", "status": "deceased", "status_date": D(2020, 6, 1)})),
        only((P, {}), (V, {"record_id": "one"}),
             (V, {"record_id": "two", "status": "deceased", "status_date": D(2021, 6, 1)})),
        only((P, {}), (V, {"record_id": "one"}), (V, {"record_id": "one", "status": "no information",
                                                    "status_date": None})),
        only((P, {}), (V, {"record_id": "one", "source": "table"}),
             (V, {"record_id": "one", "source": "table", "status": "deceased, date unknown",
                  "status_date": None})),
    ),
    "vital-status.death-refuted": of(
        clean_and((V, {"status": "deceased", "status_date": D(2014, 1, 1), "source": "table"})),
        clean_and((V, {"status": "deceased", "status_date": D(2014, 1, 1), "source": "oBDS"})),
        clean_and((V, {"status": "deceased", "status_date": None, "source": "table"})),
        only((P, {}), (Dx, {}), (V, {"status": "deceased", "status_date": D(2014, 1, 1)}),
             (V, {"source": "registry office"})),
    ),
    "vital-status.before-birth": of(
        clean_and((V, {"status_date": D(1949, 1, 1)})),
        clean_and((V, {"status_date": D(1951, 1, 1)})),
        only((P, {"birth_date": None}), (V, {"status_date": D(1949, 1, 1)})),
        clean_and((V, {"status": "deceased", "status_date": D(1949, 7, 1), "status_date_precision": YEAR})),
    ),
    "vital-status.before-diagnosis": of(
        only((P, {}), (Dx, {}), (V, {"status_date": D(2011, 6, 1)})),
        only((P, {}), (Dx, {}), (V, {"status_date": D(2011, 6, 1)}), (V, {})),
        only((P, {}), (Dx, {}), (V, {"status_date": None})),
        only((P, {}), (Dx, {}), (V, {"status_date": D(2010, 7, 1), "status_date_precision": YEAR,
                                     "source": "registry office"})),
    ),
    "vital-status.no-diagnosis": of(
        only((P, {}), (V, {})),
        only((P, {}), (V, {}), (Dx, {})),
        only((P, {}), (V, {}), (Dx, {"diagnosis_date": None, "complete": False})),
        only((P, {}), DEAD, (S, {})),
        fires_on_null=True,
    ),
    "identity.sex-differs": of(
        clean_and((P, {"master": False, "sex": "male", "source": "registry office"})),
        clean_and((P, {"master": False, "sex": "unknown", "source": "registry office"})),
        clean_and((P, {"master": False, "sex": None, "source": "registry office"})),
        clean_and((P, {"master": False, "sex": "male", "source": "DICOM", "birth_date": None})),
    ),
}  # fmt: skip


def _reports(reporter: str, days: list, **more: object) -> list[tuple]:
    return [(TA, {"record_id": f"{reporter}{n}", "reporter": reporter, "tumour_id": "1", "reported_on": day,
                  **more}) for n, day in enumerate(days)]  # fmt: skip


# The newest report of all cases is of 1 January 2021.
_NEWEST = (TA, {"record_id": "newest", "reporter": "newest", "tumour_id": "1", "reported_on": D(2021, 1, 1)})
_OLD = D(2019, 6, 1)

REPORTERS: dict[str, Four[Patient]] = {
    "reporter.silent": of(
        only((P, {}), _NEWEST, *_reports("fires", [_OLD] * 9 + [D(2019, 12, 31)])),
        only((P, {}), _NEWEST, *_reports("silent", [_OLD] * 9 + [D(2020, 1, 2)])),
        only((P, {}), _NEWEST, *_reports("null", [_OLD] * 9 + [None])),
        only((P, {}), _NEWEST, *_reports("sibling", [D(2010 + n % 5, 3, 4) for n in range(23)])),
    ),
}

PATIENTS = TREATMENT | COURSE_OF_DISEASE | LIFE | REPORTERS
