"""Declare where the other side of a finding is: the records that a rule compares with the record at fault.

A rule over several records names its sides where it is declared. ``sarcoma_pipeline.quality.finding_records``
looks them up for every finding. A rule whose other side is no record says so (``Rule.alone``).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from schemas.partial_dates import interval
from schemas.vocabularies import ALIVE, DECEASED, DECEASED_DATE_UNKNOWN, MOVED

PATIENT = "patient_id"
"""Key of :attr:`Side.by`: the patient of the record, or a patient whom its finding asks about."""


@dataclass(frozen=True, eq=False)
class Side:
    """The records of one table that a finding compares with the record at fault.

    Attributes:
        table: their table; None: the table of the record at fault.
        columns: the columns whose values contradict; empty: the column of the finding.
        by: columns that are equal in both records; a pair names the column of the record at fault first.
            Empty: every record of a linked person that fulfils ``where``.
        where: condition on the other record; columns of the record at fault have the prefix ``own_``.
        of: the table of the records at fault that have this side; None: any.
        sometimes: whether a finding may have no such record.
        one_per_value: whether one record stands for all with its value, as one slice for those of a series.
    """

    table: str | None = None
    columns: tuple[str, ...] = ()
    by: tuple[str | tuple[str, str], ...] = (PATIENT,)
    where: pl.Expr | None = field(default=None, repr=False)
    of: str | None = None
    sometimes: bool = False
    one_per_value: bool = False

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The columns that are equal: of the record at fault, and of the other one."""
        return [(key, key) if isinstance(key, str) else key for key in self.by]

    def at_times(self) -> Side:
        """Return the same side for a rule whose findings may lack it."""
        return replace(self, sometimes=True)


def peers(*by: str, columns: tuple[str, ...] = (), where: pl.Expr | None = None) -> tuple[Side, ...]:
    """Return the side of rules that compare records of one table and patient.

    Args:
        by: further columns that are equal in both.
        columns: the columns whose values contradict; none: the column of the finding.
        where: condition as in :class:`Side`.
    """
    return (Side(columns=columns, by=(PATIENT, *by), where=where),)


DIAGNOSES = Side("typed.diagnosis", ("diagnosis_date",))
OPERATIONS = Side("typed.surgery", ("surgery_date",))
COURSES = Side("typed.radiotherapy", ("start_date", "end_date"))
SYSTEMIC = Side("typed.systemic_therapy", ("start_date",))
TREATMENTS = (OPERATIONS.at_times(), COURSES.at_times(), SYSTEMIC.at_times())
EXAMINATIONS = Side("typed.assessment", ("assessment_date",))
STATED = ("status", "status_date", "status_day")
DEATHS = Side("typed.vital_status", STATED, where=pl.col("status").is_in([DECEASED, DECEASED_DATE_UNKNOWN]))
LIFE = Side("typed.vital_status", STATED, where=pl.col("status").is_in([ALIVE, MOVED]))
_MOVED_ON = interval(pl.col("own_status_date"), pl.col("own_status_date_precision"))[1]


def _after_move(side: Side, date: str, day: str) -> Side:
    """Return the records of a table that are dated after the record at fault, a statement of a move."""
    first, _ = interval(pl.col(date), pl.col(f"{date}_precision"))
    later = (first > _MOVED_ON).fill_null(False) | (pl.col(day) > pl.col("own_status_day")).fill_null(False)
    return replace(side, where=later if side.where is None else side.where & later, sometimes=True)


AFTER_MOVE = (
    _after_move(EXAMINATIONS, "assessment_date", "assessment_day"),
    _after_move(OPERATIONS, "surgery_date", "surgery_day"),
    _after_move(replace(COURSES, columns=("start_date",)), "start_date", "start_day"),
    _after_move(replace(COURSES, columns=("end_date",)), "end_date", "end_day"),
    _after_move(SYSTEMIC, "start_date", "start_day"),
    _after_move(replace(LIFE, where=pl.col("status") == ALIVE), "status_date", "status_day"),
)
"""Records that show a patient alive after they are stated to have moved away."""
STATEMENTS = Side("typed.vital_status", STATED)
BIRTH = Side("typed.person", ("birth_date",), where=pl.col("master"))
SEX = Side("typed.person", ("sex",), where=pl.col("master"))
NAMED = ("hospital_number", "family_name", "given_names", "birth_date", "sex")
MASTER_DATA = Side("typed.person", NAMED, where=pl.col("master"))
"""The master data (Patienten_Stammdaten) of the patients whom an identity finding is about."""

PLANS = Side("typed.plan", ("prescribed_dose_gy", "fractions", "plan_date"))
OF_COURSE = (
    replace(COURSES, columns=("prescribed_dose_gy", "start_date", "end_date"), sometimes=True),
    PLANS.at_times(),
    Side("typed.treatment", ("treatment_date", "fractions_delivered"), sometimes=True),
)
VERSIONS = Side(columns=("Meldedatum",), by=("Meldung_ID",))
"""The other deliveries of an oBDS report."""
COPIES = Side(by=("record_key",))
"""The other deliveries of a record."""
