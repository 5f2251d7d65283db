"""Contracts of typed records: one row per received record and entity, before sources are reconciled.

A delivered text that cannot be read becomes null here and a finding (``value.date-unreadable`` …), with the
severity that the column declares as ``unreadable``.

A time is a date with its precision, or a number of days since the diagnosis: a source that has only days
(``*_day``) never gets an invented calendar date.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import Contract, column
from schemas.partial_dates import interval
from schemas.rule import Rule
from schemas.typed_diagnosis import Diagnosis, DiagnosisColumns
from schemas.typed_metastasis import Metastasis, MetastasisColumns
from schemas.typed_record import FROM_OBDS, Typed, not_after_delivery
from schemas.typed_toxicity import Toxicity, ToxicityColumns
from schemas.typed_treatment import (
    Radiotherapy,
    RadiotherapyColumns,
    Surgery,
    SurgeryColumns,
    SystemicTherapy,
    SystemicTherapyColumns,
)
from schemas.typed_tumour import TumourAssignment

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
    "Toxicity",
    "ToxicityColumns",
    "TumourAssignment",
    "VitalStatus",
]


class PersonColumns(Contract):
    """Columns that identify a person."""

    hospital_number: pl.String = column(
        "Hospital number", "Patient number of the hospital.", identifying="identifier"
    )
    family_name: pl.String = column("Family name", "As delivered.", identifying="identifier")
    given_names: pl.String = column("Given names", "As delivered.", identifying="identifier")
    birth_name: pl.String = column("Name at birth", "As delivered.", identifying="identifier")
    former_names: pl.String = column(
        "Former names", "As delivered, several in one text.", identifying="identifier"
    )
    birth_date: pl.Date = column("Date of birth", "Day of birth.", identifying="identifier")
    birth_date_precision: pl.String = column(
        "Precision of the date of birth", "To what it is exact.", vocabulary="date_precision"
    )
    sex: pl.String = column(
        "Sex", "Administrative sex.", vocabulary="sex", identifying="quasi-identifier", unreadable="warning"
    )


PERSON_RULES = (
    *not_after_delivery("birth_date", partial=True),
    Rule(
        "person.birth-implausible",
        "warning",
        what="The person would be older than 115 years.",
        remedy="Compare Geburtsdatum with the patient administration and correct the year.",
        column="birth_date",
        holds=(pl.col("received_on") - pl.col("birth_date")).dt.total_days() <= 115 * 366,
        missing="kept",
    ),
    Rule(
        "person.birth-date-missing",
        "warning",
        what="Patienten_Stammdaten has no Geburtsdatum. Age and identity cannot be checked.",
        remedy="In the tumour documentation, add Geburtsdatum from the patient administration.",
        source="oBDS 3.0.4 Patienten_Stammdaten/Geburtsdatum",
        column="birth_date",
        holds=pl.col("birth_date").is_not_null() | ~pl.col("master") | ~FROM_OBDS,
        missing="kept",
    ),
    Rule(
        "person.sex-unknown",
        "notice",
        what="Patienten_Stammdaten does not state the sex.",
        remedy="In the tumour documentation, add Geschlecht from the patient administration.",
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

    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    assessment_date: pl.Date = column(
        "Date of assessment", "Day of the examination.", identifying="quasi-identifier", unreadable="error"
    )
    assessment_date_precision: pl.String = column(
        "Precision of the date of assessment", "To what it is exact.", vocabulary="date_precision"
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


STATES = ("overall_status", "local_status", "regional_status", "distant_status")
"""Columns of an assessment with the state of the disease: overall, then by site."""
STATES_NOTHING = ("missing", "unknown", "not assessable")
"""States that give no information on the disease."""
_SITES = pl.col(STATES[1:])
_FOUND = ["relapse", "progression"]


def stated(state: pl.Expr) -> pl.Expr:
    """Return whether a state of the disease gives information on it; never null."""
    return (~state.is_in(STATES_NOTHING)).fill_null(False)


ASSESSMENT_RULES = (
    *not_after_delivery("assessment_date", partial=True),
    *not_after_delivery("distant_date", partial=True),
    Rule(
        "assessment.date-missing",
        "warning",
        what="The examination has no date. It counts neither as an event nor as follow-up.",
        remedy="In the tumour documentation, add Untersuchungsdatum_Verlauf; in a table, the date of the "
        "examination.",
        source="oBDS 3.0.4 Verlauf",
        column="assessment_date",
        holds=pl.col("assessment_date").is_not_null() | pl.col("assessment_day").is_not_null(),
        missing="kept",
    ),
    Rule(
        "assessment.says-nothing",
        "notice",
        what="The examination states nothing about the disease. It does not count as follow-up.",
        remedy=(
            "In the tumour documentation, add Gesamtbeurteilung_Tumorstatus and the single statuses "
            "from the letter."
        ),
        source="oBDS 3.0.4 Verlauf",
        column="assessment_date",
        holds=pl.any_horizontal(stated(pl.col(STATES)))
        | pl.any_horizontal(pl.col("distant_date", "distant_site").is_not_null()),
        missing="kept",
    ),
    Rule(
        "assessment.remission-with-relapse",
        "warning",
        what="The overall status is complete remission, but a single status is relapse or progression.",
        remedy=(
            "In the tumour documentation, compare Gesamtbeurteilung_Tumorstatus with the single "
            "statuses. R means relapse locally, but remission in Gesamtbeurteilung_Tumorstatus."
        ),
        source="oBDS 3.0.4: the same letters mean different things",
        column="overall_status",
        holds=(pl.col("overall_status") != "complete remission") | ~pl.any_horizontal(_SITES.is_in(_FOUND)),
        missing="kept",
    ),
    Rule(
        "assessment.relapse-without-site",
        "warning",
        what="The overall status is relapse or progression, but no site is given. It counts for DFS only.",
        remedy=(
            "In the tumour documentation, add the site: Verlauf_Lokaler_Tumorstatus, "
            "Verlauf_Tumorstatus_Lymphknoten or Verlauf_Tumorstatus_Fernmetastasen."
        ),
        source="docs/architecture.md, endpoints; oBDS 3.0.4 Verlauf",
        column="overall_status",
        holds=~pl.col("overall_status").is_in(_FOUND)
        | pl.any_horizontal(_SITES.is_in(_FOUND)).fill_null(False)
        | pl.col("distant_date").is_not_null(),
        missing="kept",
    ),
    Rule(
        "assessment.metastasis-against-status",
        "warning",
        what="A metastasis is documented, but the distant status is free of tumour.",
        remedy=(
            "In the tumour documentation, compare Menge_FM with Verlauf_Tumorstatus_Fernmetastasen. "
            "Correct the wrong one."
        ),
        source="oBDS 3.0.4 Menge_FM",
        column="distant_status",
        holds=(pl.col("distant_status") != "no tumour")
        | pl.all_horizontal(pl.col("distant_date", "distant_site").is_null()),
        missing="kept",
    ),
    Rule(
        "assessment.metastasis-after-report",
        "warning",
        what="The metastasis is dated after the examination that documents it.",
        remedy=(
            "In the tumour documentation, compare Fernmetastase/Diagnosedatum with "
            "Untersuchungsdatum_Verlauf. Correct the wrong one."
        ),
        column="distant_date",
        holds=(
            interval(pl.col("distant_date"), pl.col("distant_date_precision"))[0]
            <= interval(pl.col("assessment_date"), pl.col("assessment_date_precision"))[1]
        ),
        missing="kept",
    ),
)


class Assessment(AssessmentColumns, Typed, table="typed.assessment", rules=ASSESSMENT_RULES):
    """Statements of one record on the state of the disease on one day."""

    module_id: pl.String = column(
        "Module", "The source's own number of the assessment.", identifying="identifier"
    )


class VitalStatus(
    Typed,
    table="typed.vital_status",
    rules=(
        *not_after_delivery("status_date", partial=True),
        Rule(
            "vital-status.death-date-unknown",
            "warning",
            what="The person is dead, but the date of death is unknown.",
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
            remedy=(
                "Nothing needs to be done: a refusal must not reveal whether there is a block on the "
                "person's data."
            ),
            source="BMG section 51",
            column="status",
            holds=pl.col("status") != "no information",
            missing="kept",
        ),
        Rule(
            "vital-status.date-missing",
            "warning",
            what=(
                "The person is stated to be alive or to have moved, but without a date. The statement "
                "is not used."
            ),
            remedy=(
                "Ask the registry office for the reference date of its answer, or fill in the date of the "
                "last contact in the table."
            ),
            source="docs/formats.md, registry replies",
            column="status_date",
            holds=~pl.col("status").is_in(["alive", "moved"])
            | pl.col("status_date").is_not_null()
            | pl.col("status_day").is_not_null(),
            missing="kept",
        ),
        Rule(
            "vital-status.answer-undated",
            "notice",
            what="The registry office does not say on which day it answered. The day of what it tells is "
            "taken for the day of its answer.",
            remedy="Ask the registry office for the day of its answer, or map its column (answered_on) in "
            "sources.toml.",
            source="docs/formats.md, registry replies",
            column="status",
            holds=(pl.col("source") != "registry office")
            | pl.col("reported_on").is_not_null()
            | pl.col("status").is_in(["alive", "no information"]),
            missing="kept",
        ),
        Rule(
            "vital-status.day-negative",
            "warning",
            what="The person is stated to be alive on a day before time zero.",
            remedy=(
                "Ask the sender of the table from which day the days are counted. Time zero is the initial "
                "pathological diagnosis."
            ),
            column="status_day",
            holds=(pl.col("status_day") >= 0) | (pl.col("status") == "deceased"),
            missing="kept",
        ),
    ),
):
    """Statement of one record on whether a person is alive or dead."""

    status: pl.String = column(
        "Vital status", "Alive, deceased, moved, nothing known.", vocabulary="vital_status",
        nullable=False, unreadable="error",
    )  # fmt: skip
    status_date: pl.Date = column(
        "Date", "Of death, of the move, or on which the person was known alive.",
        # A warning: if the date of a death is unreadable, the death must not go into quarantine with its
        # record.
        identifying="quasi-identifier", unreadable="warning",
    )  # fmt: skip
    status_date_precision: pl.String = column(
        "Precision", "To what the date is exact.", vocabulary="date_precision"
    )
    status_day: pl.Int32 = column("Day", "Days since time zero, where a source counts days.", unit="d")
    tumour_related: pl.String = column(
        "Death by the tumour", "Whether the tumour caused it.", vocabulary="yes_no_unknown"
    )
