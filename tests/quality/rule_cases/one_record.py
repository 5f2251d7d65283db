"""Cases of the rules on one record of the tumour documentation, a table or a registry office."""

from __future__ import annotations

import datetime as dt

from schemas import typed, typed_dicom
from schemas.contract import Contract
from tests.quality.clean import RECEIVED, Row
from tests.quality.rule_cases.four import THE_FAULT, Four

D = dt.date

Changed = tuple[type[Contract], Row]
"""A record of a table, and how it differs from a clean one."""


def of(
    contract: type[Contract],
    fires: Row,
    silent: Row,
    null: Row | str,
    sibling: Row,
    *,
    fires_on_null: bool = False,
) -> Four[Changed]:
    """Return the cases of a rule on one table."""
    return Four(
        (contract, fires), (contract, silent), null if isinstance(null, str) else (contract, null),
        (contract, sibling), fires_on_null,
    )  # fmt: skip


PERSON: dict[str, Four[Changed]] = {
    "person.birth-implausible": of(
        typed.Person,
        {"birth_date": D(1880, 1, 1)},
        {"birth_date": D(1920, 1, 1)},
        {"birth_date": None},
        {"birth_date": D(1906, 1, 1)},  # 116 years on 10 January 2022
    ),
    "person.birth-date-missing": of(
        typed.Person,
        {"birth_date": None},
        {"birth_date": None, "source": "table", "master": False},
        THE_FAULT,
        {"birth_date": None, "birth_date_precision": "year", "sex": "male"},
    ),
    "person.sex-unknown": of(
        typed.Person,
        {"sex": "unknown"},
        {"sex": "no entry"},  # definitions, section 3: X is not U
        THE_FAULT,
        {"sex": None},
    ),
}

TREATMENT: dict[str, Four[Changed]] = {
    "surgery.ops-missing": of(
        typed.Surgery,
        {"ops_codes": []},
        {"ops_codes": [], "source": "table"},
        THE_FAULT,
        {"ops_codes": [], "intent": "diagnostic"},
    ),
    "surgery.ops-malformed": of(
        typed.Surgery,
        {"ops_codes": ["5-782.b", "5782"]},
        {"ops_codes": ["5-782", "5-895.0"]},
        {"ops_codes": None},
        {"ops_codes": ["Resektion"]},
    ),
    "surgery.residual-missing": of(
        typed.Surgery,
        {"residual_status": None},
        {"residual_status": None, "ops_codes": ["5-896.1e", "5-902.4e"]},
        {"residual_status": None, "ops_codes": None, "intent": None},
        {"residual_status": None, "intent": "unknown"},
        fires_on_null=True,
    ),
    "radiotherapy.module-missing": of(
        typed.Radiotherapy,
        {"irradiated": False},
        {"start_date": None, "prescribed_dose_gy": None},
        {"irradiated": None},
        {"irradiated": False, "start_date": None, "end_date": None, "prescribed_dose_gy": None},
    ),
    "radiotherapy.ends-before-start": of(
        typed.Radiotherapy,
        {"end_date": D(2012, 1, 31)},
        {"end_date": D(2012, 2, 1), "single_dose_gy": 25.0},
        {"end_date": None},
        {"start_date": D(2012, 4, 15), "start_date_precision": "month"},
    ),
    "radiotherapy.dose-implausible": of(
        typed.Radiotherapy,
        {"prescribed_dose_gy": 500.0},
        {"prescribed_dose_gy": 66.0},
        {"prescribed_dose_gy": None},
        {"prescribed_dose_gy": 0.5},
    ),
    "radiotherapy.hypofractionated": of(
        typed.Radiotherapy,
        {"single_dose_gy": 5.0},
        {"single_dose_gy": 2.5},
        {"single_dose_gy": None},
        {"single_dose_gy": 2.67, "prescribed_dose_gy": 40.05},
    ),
    "radiotherapy.single-above-total": of(
        typed.Radiotherapy,
        {"prescribed_dose_gy": 2.0, "single_dose_gy": 50.0},
        {"single_dose_gy": 50.0},
        {"prescribed_dose_gy": None, "single_dose_gy": 50.0},
        {"prescribed_dose_gy": 1.8, "single_dose_gy": 50.4},
    ),
    "radiotherapy.fractions-not-whole": of(
        typed.Radiotherapy,
        {"prescribed_dose_gy": 51.0},
        {"prescribed_dose_gy": 50.4, "single_dose_gy": 1.8},
        {"prescribed_dose_gy": 51.0, "single_dose_gy": None},
        {"prescribed_dose_gy": 60.0, "single_dose_gy": 1.8},
    ),
    "radiotherapy.eqd2-unusual": of(
        typed.Radiotherapy,
        {"prescribed_dose_gy": 70.0},
        # 5 x 5 Gy before the operation is 37.5 Gy in fractions of 2 Gy.
        {"prescribed_dose_gy": 25.0, "single_dose_gy": 5.0},
        {"prescribed_dose_gy": 70.0, "single_dose_gy": None},
        {"prescribed_dose_gy": 20.0, "radiation_sequence": "postoperative adjuvant"},
    ),
    "radiotherapy.too-many-a-day": of(
        typed.Radiotherapy,
        {"end_date": D(2012, 2, 3)},
        {"end_date": D(2012, 2, 14)},
        {"end_date": D(2012, 2, 3), "single_dose_gy": None},
        {"prescribed_dose_gy": 66.0, "end_date": D(2012, 2, 10)},  # 33 fractions in 10 days
    ),
    "radiotherapy.overlong": of(
        typed.Radiotherapy,
        {"end_date": D(2012, 6, 1)},
        {"end_date": D(2012, 5, 1)},
        {"end_date": D(2012, 6, 1), "start_date": None},
        {"end_date": D(2012, 5, 13)},  # 102 days
    ),
    "radiotherapy.start-missing": of(
        typed.Radiotherapy,
        {"start_date": None},
        {"start_date": None, "start_day": 31},
        THE_FAULT,
        {"start_date": None, "end_date": None, "source": "table"},
    ),
    "radiotherapy.sequence-missing": of(
        typed.Radiotherapy,
        {"radiation_sequence": None},
        {"radiation_sequence": None, "source": "table"},
        THE_FAULT,
        {"radiation_sequence": None, "end_date": None},
    ),
    "systemic-therapy.ends-before-start": of(
        typed.SystemicTherapy,
        {"end_date": D(2012, 1, 31)},
        {"end_date": D(2012, 1, 15), "end_date_precision": "year"},
        {"end_date": D(2012, 1, 31), "start_date": None},
        {"end_date": D(2012, 1, 15), "end_date_precision": "month"},
    ),
    "toxicity.code-malformed": of(
        typed.Toxicity,
        {"code_system": "MedDRA", "code": "1003776"},
        {"code_system": "MedDRA", "code": "10037767"},
        {"code_system": "MedDRA", "code": None},
        {"code_system": "ICD-10", "code": "T814"},
    ),
    "toxicity.grade-implausible": of(
        typed.Toxicity,
        {"grade": 7},
        {"grade": 3},
        {"grade": None},
        {"grade": 2},  # of oBDS, with its kind
    ),
    "toxicity.grade-missing": of(
        typed.Toxicity,
        {"grade": None},
        {"grade": None, "statement": "none", "category": None},
        THE_FAULT,
        {"grade": None, "source": "table"},
    ),
    "toxicity.kind-missing": of(
        typed.Toxicity,
        {"category": None},
        {"category": None, "grade": 2, "source": "table"},
        {"category": None, "grade": None},
        {"category": None, "grade": 5},
    ),
    "toxicity.none-with-grade": of(
        typed.Toxicity,
        {"statement": "none"},
        {"statement": "none", "grade": None, "category": None, "number": None},
        {"statement": None},
        {"statement": "none", "category": None},
    ),
}

COURSE_OF_DISEASE: dict[str, Four[Changed]] = {
    "assessment.date-missing": of(
        typed.Assessment,
        {"assessment_date": None},
        {"assessment_date": None, "assessment_day": 300},
        THE_FAULT,
        {"assessment_date": None, "source": "table"},
    ),
    "assessment.says-nothing": of(
        typed.Assessment,
        {"overall_status": None, "local_status": None},
        {"overall_status": None},
        THE_FAULT,
        {"overall_status": "not assessable", "local_status": "missing"},
    ),
    "assessment.remission-with-relapse": of(
        typed.Assessment,
        {"local_status": "relapse"},
        {"local_status": "relapse", "overall_status": "relapse"},
        {"local_status": "relapse", "overall_status": None},
        {"distant_status": "progression"},
    ),
    "assessment.relapse-without-site": of(
        typed.Assessment,
        {"overall_status": "relapse"},
        {"overall_status": "relapse", "distant_status": "relapse"},
        {"overall_status": None},
        {"overall_status": "progression", "local_status": None},
    ),
    "assessment.metastasis-against-status": of(
        typed.Assessment,
        {"distant_status": "no tumour", "distant_date": D(2012, 7, 1)},
        {"distant_status": "relapse", "distant_date": D(2012, 7, 1), "overall_status": "relapse"},
        {"distant_status": None, "distant_date": D(2012, 7, 1)},
        {"distant_status": "no tumour", "distant_site": "PUL"},
    ),
    "assessment.metastasis-after-report": of(
        typed.Assessment,
        {"distant_date": D(2012, 9, 1), "distant_date_precision": "day"},
        {"distant_date": D(2012, 9, 15), "distant_date_precision": "month", "assessment_date": D(2012, 9, 1)},
        {"distant_date": D(2012, 9, 1), "distant_date_precision": "day", "assessment_date": None},
        {"distant_date": D(2013, 7, 1), "distant_date_precision": "year"},
    ),
    "metastasis.after-report": of(
        typed.Metastasis,
        {"origin": "surgery", "metastasis_date": D(2013, 1, 11)},
        {"origin": "surgery", "metastasis_date": D(2013, 1, 10)},
        {"origin": "surgery", "metastasis_date": D(2013, 1, 11), "reported_date": None},
        {"origin": "pathology", "metastasis_date": D(2013, 2, 15), "metastasis_date_precision": "month"},
    ),
    "metastasis.date-missing": of(
        typed.Metastasis,
        {"metastasis_date": None},
        {"origin": "diagnosis"},
        THE_FAULT,
        {"metastasis_date": None, "origin": "diagnosis"},
    ),
    "vital-status.answer-undated": of(
        typed.VitalStatus,
        {"source": "registry office", "status": "deceased"},
        {"source": "registry office", "status": "deceased", "reported_on": D(2020, 6, 2)},
        THE_FAULT,
        {"source": "registry office", "status": "moved"},
    ),
    "vital-status.death-date-unknown": of(
        typed.VitalStatus,
        {"status": "deceased, date unknown", "status_date": None},
        {"status": "deceased"},
        {"status": None, "status_date": None},
        {"status": "deceased, date unknown", "status_date": None, "source": "registry office"},
    ),
    "vital-status.no-information": of(
        typed.VitalStatus,
        {"status": "no information", "status_date": None},
        {"status": "moved"},
        {"status": None},
        {"status": "no information", "source": "registry office"},
    ),
    "vital-status.date-missing": of(
        typed.VitalStatus,
        {"status_date": None},
        {"status_date": None, "status_day": 300},
        {"status_date": None, "status": None},
        {"status_date": None, "status": "moved"},
    ),
    "vital-status.day-negative": of(
        typed.VitalStatus,
        {"status_day": -3},
        {"status_day": 0},
        {"status_day": None},
        {"status_day": -1, "status_date": None, "source": "table"},
    ),
}

ANY_RECORD: dict[str, Four[Changed]] = {
    "date.in-future": Four(
        (typed.Surgery, {"surgery_date": RECEIVED + dt.timedelta(days=1)}),
        (typed.Surgery, {"surgery_date": RECEIVED}),
        (typed.Surgery, {"surgery_date": None}),
        (typed.Radiotherapy, {"end_date": D(2112, 3, 7)}),
    ),
    "date.after-export": Four(
        (typed.Surgery, {"surgery_date": D(2012, 5, 2), "reported_on": D(2012, 5, 1)}),
        (typed.Surgery, {"surgery_date": D(2012, 5, 1), "reported_on": D(2012, 5, 1)}),
        (typed.Surgery, {"surgery_date": D(2012, 5, 2), "reported_on": None}),
        (typed.Assessment, {"reported_on": D(2012, 7, 31)}),
    ),
    "value.missing": Four(
        (typed.VitalStatus, {"status": None}),
        (typed.VitalStatus, {"status_date": None}),  # a warning of its own
        THE_FAULT,
        (typed_dicom.Plan, {"has_patient_id": None}),
    ),
}  # fmt: skip

RECORDS = PERSON | TREATMENT | COURSE_OF_DISEASE | ANY_RECORD
