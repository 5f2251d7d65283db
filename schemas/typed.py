"""Records with types: one row per received record and entity, before sources are reconciled.

A column that is delivered as text and cannot be read becomes null here and a finding
(``value.date-unreadable`` …) of the severity that the column declares as ``unreadable``.
A time is a date with its precision, or a day counted from the diagnosis: a source that knows only days
(``*_day``) never gets an invented calendar date.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column
from schemas.rule import Rule
from schemas.typed_diagnosis import Diagnosis, DiagnosisColumns
from schemas.typed_metastasis import Metastasis, MetastasisColumns
from schemas.typed_record import FROM_OBDS, REMEDY_SOURCE, Typed, not_after_receipt
from schemas.typed_treatment import (
    Radiotherapy,
    RadiotherapyColumns,
    Surgery,
    SurgeryColumns,
    SystemicTherapy,
    SystemicTherapyColumns,
)

__all__ = [
    "Assessment",
    "AssessmentColumns",
    "Diagnosis",
    "DiagnosisColumns",
    "Metastasis",
    "MetastasisColumns",
    "Person",
    "PersonColumns",
    "Radiotherapy",
    "RadiotherapyColumns",
    "Surgery",
    "SurgeryColumns",
    "SystemicTherapy",
    "SystemicTherapyColumns",
    "VitalStatus",
]


class PersonColumns(Contract):
    """What identifies a person."""

    hospital_number: pl.String = column(
        "Hospital number", "Patient number of the hospital.", identifying="identifier"
    )
    family_name: pl.String = column("Family name", "As delivered.", identifying="identifier")
    given_names: pl.String = column("Given names", "As delivered.", identifying="identifier")
    birth_date: pl.Date = column("Date of birth", "Day of birth.", identifying="identifier")
    birth_date_precision: pl.String = column(
        "Precision of the date of birth", "To what it is exact.", vocabulary="date_precision"
    )
    sex: pl.String = column(
        "Sex", "Administrative sex.", vocabulary="sex", identifying="quasi-identifier", unreadable="warning"
    )


PERSON_RULES = (
    not_after_receipt("birth_date"),
    Rule(
        "person.birth-implausible",
        "warning",
        what="The person would be older than 115 years.",
        remedy="Check the year of birth.",
        column="birth_date",
        holds=(pl.col("received_on") - pl.col("birth_date")).dt.total_days() <= 115 * 366,
        missing="kept",
    ),
    Rule(
        "person.birth-date-missing",
        "warning",
        what="The patient file has no date of birth: neither age nor identity can be checked.",
        remedy=REMEDY_SOURCE,
        source="oBDS 3.0.4 Patienten_Stammdaten/Geburtsdatum",
        column="birth_date",
        holds=pl.col("birth_date").is_not_null() | ~pl.col("master") | ~FROM_OBDS,
        missing="kept",
    ),
    Rule(
        "person.sex-unknown",
        "notice",
        what="The patient file does not say the sex.",
        remedy=REMEDY_SOURCE,
        source="oBDS 3.0.4 Patienten_Stammdaten/Geschlecht",
        column="sex",
        holds=(pl.col("sex") != "unknown").fill_null(False) | ~pl.col("master") | ~FROM_OBDS,
        missing="kept",
    ),
)


class Person(PersonColumns, Typed, table="typed.person", rules=PERSON_RULES):
    """One mention of a person by one record."""

    master: pl.Boolean = column(
        "Master", "Whether the record makes a patient (patient file) or only refers to one.", nullable=False
    )


class AssessmentColumns(Contract):
    """An examination of the state of the disease."""

    assessment_date: pl.Date = column(
        "Date of assessment", "Day of the examination.", identifying="quasi-identifier", unreadable="error"
    )
    assessment_day: pl.Int32 = column("Day of assessment", "Days since time zero.", unit="d")
    overall_status: pl.String = column(
        "Overall status", "Gesamtbeurteilung.", vocabulary="overall_status", unreadable="error"
    )
    local_status: pl.String = column(
        "Local status", "At the site of the primary.", vocabulary="local_status", unreadable="error"
    )
    regional_status: pl.String = column(
        "Regional status", "Regional lymph nodes.", vocabulary="local_status", unreadable="error"
    )
    distant_status: pl.String = column(
        "Distant status", "Distant metastases.", vocabulary="local_status", unreadable="error"
    )
    distant_site: pl.String = column(
        "Site of metastasis", "First documented site.", vocabulary="metastasis_site"
    )
    distant_date: pl.Date = column(
        "Date of metastasis",
        "Earliest date of a metastasis documented with it.",
        identifying="quasi-identifier",
        unreadable="error",
    )
    distant_date_precision: pl.String = column(
        "Precision of the date of metastasis", "To what it is exact.", vocabulary="date_precision"
    )


_SITES = pl.col("local_status", "regional_status", "distant_status")
_FOUND = ["relapse", "progression"]

ASSESSMENT_RULES = (
    not_after_receipt("assessment_date"),
    not_after_receipt("distant_date"),
    Rule(
        "assessment.says-nothing",
        "notice",
        what="The examination says nothing of the disease: it does not count as follow-up.",
        remedy="Add the status from the letter.",
        source="oBDS 3.0.4 Verlauf",
        column="assessment_date",
        holds=pl.any_horizontal(_SITES.is_not_null())
        | pl.col("overall_status").is_not_null()
        | pl.col("distant_date").is_not_null(),
        missing="kept",
    ),
    Rule(
        "assessment.remission-with-relapse",
        "warning",
        what="The overall status is complete remission, a single status relapse or progression.",
        remedy="Check the codes: R is relapse locally, and a remission in Gesamtbeurteilung_Tumorstatus.",
        source="oBDS 3.0.4: the same letters mean different things",
        column="overall_status",
        holds=(pl.col("overall_status") != "complete remission") | ~pl.any_horizontal(_SITES.is_in(_FOUND)),
        missing="kept",
    ),
    Rule(
        "assessment.relapse-without-site",
        "warning",
        what="The overall status is relapse and no site is said: it counts for DFS only.",
        remedy="Say where: local, regional or distant.",
        source="design section 5; oBDS 3.0.4 Verlauf",
        column="overall_status",
        holds=(pl.col("overall_status") != "relapse")
        | pl.any_horizontal(_SITES.is_in(_FOUND)).fill_null(False)
        | pl.col("distant_date").is_not_null(),
        missing="kept",
    ),
    Rule(
        "assessment.metastasis-against-status",
        "warning",
        what="A metastasis is documented and the distant status is free of tumour.",
        remedy="Correct one of them.",
        source="oBDS 3.0.4 Menge_FM",
        column="distant_status",
        holds=(pl.col("distant_status") != "no tumour") | pl.col("distant_date").is_null(),
        missing="kept",
    ),
    Rule(
        "assessment.metastasis-after-report",
        "warning",
        what="The metastasis is dated after the examination that documents it.",
        remedy="Correct one of the dates.",
        column="distant_date",
        holds=(pl.col("distant_date") <= pl.col("assessment_date"))
        | (pl.col("distant_date_precision") != "day"),
        missing="kept",
    ),
)


class Assessment(AssessmentColumns, Typed, table="typed.assessment", rules=ASSESSMENT_RULES):
    """What one record says of the state of the disease on one day."""

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    module_id: pl.String = column(
        "Module", "The source's own number of the assessment.", identifying="identifier"
    )


class VitalStatus(
    Typed,
    table="typed.vital_status",
    rules=(
        not_after_receipt("status_date"),
        Rule(
            "vital-status.death-date-unknown",
            "warning",
            what="The person is dead, the date of death is not known.",
            remedy="Ask the registry office for an extended reply (Bundesmeldegesetz section 45).",
            source="BMG sections 44, 45",
            column="status",
            holds=pl.col("status") != "deceased, date unknown",
            missing="kept",
        ),
        Rule(
            "vital-status.no-information",
            "notice",
            what="The registry office gives no information.",
            remedy="Nothing: a refused reply must not reveal whether there is a block.",
            source="BMG section 51",
            column="status",
            holds=pl.col("status") != "no information",
            missing="kept",
        ),
        Rule(
            "vital-status.date-missing",
            "warning",
            what="The person is said to be alive or to have moved, and not when: it cannot be used.",
            remedy="Ask for the day of the statement.",
            source="sources.md section 1",
            column="status_date",
            holds=~pl.col("status").is_in(["alive", "moved"])
            | pl.col("status_date").is_not_null()
            | pl.col("status_day").is_not_null(),
            missing="kept",
        ),
        Rule(
            "vital-status.day-negative",
            "warning",
            what="The person is said to be alive on a day before time zero.",
            remedy="Check from where the source counts its days.",
            column="status_day",
            holds=(pl.col("status_day") >= 0) | (pl.col("status") == "deceased"),
            missing="kept",
        ),
    ),
):
    """What one record says of being alive or dead."""

    status: pl.String = column(
        "Vital status", "Alive, deceased, moved, nothing known.", vocabulary="vital_status",
        nullable=False, unreadable="error",
    )  # fmt: skip
    status_date: pl.Date = column(
        "Date", "Of death, of the move, or on which the person was known alive.",
        identifying="quasi-identifier", unreadable="error",
    )  # fmt: skip
    status_date_precision: pl.String = column(
        "Precision", "To what the date is exact.", vocabulary="date_precision"
    )
    status_day: pl.Int32 = column("Day", "Days since time zero, where a source counts days.", unit="d")
    tumour_related: pl.String = column(
        "Death by the tumour", "Whether the tumour caused it.", vocabulary="yes_no_unknown"
    )
