"""Cases of the rules on plans, treatment records and their courses: files that are written and read.

The patient has a documented course of 25 x 2 Gy from 2 March to 3 April 2015, before an operation.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from tests.curation.conftest import Case
from tests.curation.rt_files import Field, level, plan, record, records, summary
from tests.quality.rule_cases.four import NO_VALUE, THE_FAULT, Four
from tests.quality.rule_cases.together import Many

Told = Callable[[Case], object]


def delivered(*files: Dataset, documented: bool = True, **course: Any) -> Told:
    """Return a patient with the documented course and these files."""

    def tell(case: Case) -> None:
        if documented:
            case.course(**course)
        case.files(*files)

    return tell


def _treated(uid: str, count: int = 25, first: str = "20150302", **more: Any) -> list[Dataset]:
    return records(uid, first, count, **more)


def _beams(*doses: float | None, **more: Any) -> list[Field]:
    return [Field(dose, turns="CC" if n else "CW", **more) for n, dose in enumerate(doses)]


def _of_no_plan() -> Dataset:
    made = record("1.1", _DAY, 1)
    del made.ReferencedRTPlanSequence
    return made


_SETUP = [Field(None, None, delivery="SETUP")]
_DAY = dt.date(2015, 3, 2)

PLANS: dict[str, Four[Told]] = {
    "plan.approval-missing": Four(
        delivered(plan("1.1", approval=None)), delivered(plan("1.1")), THE_FAULT,
        delivered(plan("1.1", 45, approval=None), dose=45, single=1.8),
    ),
    "plan.unapproved": Four(
        delivered(plan("1.1", approval="UNAPPROVED")), delivered(plan("1.1")),
        delivered(plan("1.1", approval=None)),
        delivered(plan("1.1"), plan("1.2", 60, 30, approval="REJECTED")),
    ),
    "plan.treated-unapproved": Four(
        delivered(plan("1.1", approval="UNAPPROVED"), *_treated("1.1")),
        delivered(plan("1.1"), *_treated("1.1")),
        delivered(plan("1.1", approval=None), *_treated("1.1")),
        delivered(plan("1.1", approval="REJECTED"), *_treated("1.1", 1)),
    ),
    "plan.copy": Four(
        delivered(plan("1.1"), plan("1.2")), delivered(plan("1.1"), plan("1.2", 10, 5)),
        NO_VALUE, delivered(plan("1.1", label="A"), plan("1.2", label="B", date="20150301")),
    ),
    "plan.qa-with-fractions": Four(
        delivered(plan("1.1"), plan("1.2", 4, 2, intent="VERIFICATION")),
        delivered(plan("1.1"), plan("1.2", 2, 1, intent="VERIFICATION")),
        delivered(plan("1.1"), plan("1.2", 4, None, intent="VERIFICATION")),
        delivered(plan("1.1"), plan("1.2", 50, 25, intent="MACHINE_QA")),
    ),
    "plan.looks-like-qa": Four(
        delivered(plan("1.1"), plan("1.2", 2, 1, frame="1.99", beams=_beams(1.1, 0.9))),
        delivered(plan("1.1"), plan("1.2", 2, 1, beams=_beams(1.1, 0.9))),
        delivered(plan("1.1"), plan("1.2", 2, None, frame="1.99", beams=_beams(1.1, 0.9))),
        delivered(plan("1.1", 45), plan("1.2", 1.8, 1, frame="1.98", beams=_beams(1.0, 0.8)), dose=45,
                  single=1.8),
    ),
    "plan.no-meterset": Four(
        delivered(plan("1.1"), plan("1.2", None, 25, beams=_SETUP, references=[])), delivered(plan("1.1")),
        delivered(plan("1.1", beams=_beams(1.0, 1.0, meterset=None))),
        delivered(plan("1.1", beams=_beams(1.0, 1.0, meterset=0.0))),
        null_fires=True,  # no monitor units
    ),
    "plan.beam-dose-differs": Four(
        delivered(plan("1.1", beams=_beams(1.1, 1.1))), delivered(plan("1.1", beams=_beams(1.0, 1.04))),
        delivered(plan("1.1", beams=_beams(None, None))), delivered(plan("1.1", beams=_beams(0.5, 1.2))),
    ),
    "plan.beam-dose-incomplete": Four(
        delivered(plan("1.1", references=[], beams=_beams(1.0, None))),
        delivered(plan("1.1", references=[], beams=_beams(1.0, 1.0))),
        THE_FAULT,
        delivered(plan("1.1", references=[level(None)], beams=_beams(None, 1.0))),
    ),
    "plan.prescription-in-cgy": Four(
        delivered(plan("1.1", references=[level(5000)])), delivered(plan("1.1", references=[level(50)])),
        delivered(plan("1.1", references=[level(None)])), delivered(plan("1.1", references=[level(5040)])),
    ),
    "plan.prescription-per-fraction": Four(
        delivered(plan("1.1", references=[level(2)])), delivered(plan("1.1", references=[level(50)])),
        delivered(plan("1.1", references=[level(2)], fractions=None)),
        delivered(plan("1.1", 45, references=[level(1.8)], beams=_beams(0.9, 0.9)), dose=45, single=1.8),
    ),
    "plan.without-course": Four(
        delivered(plan("1.1"), documented=False), delivered(plan("1.1")),
        delivered(plan("1.1", date=None), documented=False),
        delivered(plan("1.1"), *_treated("1.1"), documented=False),
        null_fires=True,
    ),
    "plan.after-course": Four(
        delivered(plan("1.1", date="20150420")), delivered(plan("1.1", date="20150406")),
        delivered(plan("1.1", date=None)), delivered(plan("1.1", 45, date="20150407"), dose=45, single=1.8),
    ),
    "plan.long-before-course": Four(
        delivered(plan("1.1", date="20141001")), delivered(plan("1.1", date="20141105")),
        delivered(plan("1.1", date=None)), delivered(plan("1.1", 45, date="20141025"), dose=45, single=1.8),
    ),
}  # fmt: skip

RECORDS: dict[str, Four[Told]] = {
    "records.plan-missing": Four(
        delivered(*_treated("1.9", 3)), delivered(plan("1.1"), *_treated("1.1")),
        delivered(plan("1.1"), _of_no_plan()),
        delivered(plan("1.1"), *_treated("1.1"), *_treated("1.9", 1)),
        null_fires=True,
    ),
    "records.incomplete": Four(
        delivered(plan("1.1"), *_treated("1.1", 10), *_treated("1.1", 10, "20150330", start=16)),
        delivered(plan("1.1"), *_treated("1.1")),
        delivered(plan("1.1"), *(record("1.1", _DAY + dt.timedelta(n), None) for n in (0, 1, 2))),
        delivered(plan("1.1"), *_treated("1.1", 20, start=6)),
    ),
    "records.summary-differs": Four(
        delivered(plan("1.1"), *_treated("1.1", 20), summary("1.1", 25, "20150302", "20150403")),
        delivered(plan("1.1"), *_treated("1.1"), summary("1.1", 25, "20150302", "20150403")),
        delivered(plan("1.1"), *_treated("1.1", 20)),
        delivered(plan("1.1"), *_treated("1.1", 25), summary("1.1", 24, "20150302", "20150403")),
    ),
}  # fmt: skip

PLANNED = PLANS | RECORDS


def described(cases: dict[str, Four[Told]], folder: Path, *files: Dataset) -> tuple[Many, dict[str, str]]:
    """Return the records of a patient for each case, and of which case each record is.

    Args:
        cases: rule to its cases.
        folder: where the files are written.
        files: what every patient has besides.
    """
    records_, whose = Many(), {}
    told = [(f"{rule} {name}", one) for rule, four in cases.items() for name, one, _ in four.cases()]
    for number, (case, tell) in enumerate(told, 2):
        patient = Case(records_, folder, str(number)).patient()
        tell(patient)
        patient.files(*files)
        whose |= dict.fromkeys(patient.ids, case)
    return records_, whose


def broken_by(cases: dict[str, Four[Told]], folder: Path) -> set[tuple[str, str]]:
    """Return each case with the rules that the records of its patient break."""
    records_, whose = described(cases, folder)
    observed = records_.run().observed.select("record_id", "rule_id")
    return {(whose[record_id], rule) for record_id, rule in observed.iter_rows() if record_id in whose}
