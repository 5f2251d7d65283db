"""Cases of the rule on the sum of a course's doses: plans and records that are written, read and curated.

A plan of 25 x 2 Gy is replanned for the rest of the fractions (D4); there are no treatment records.
"""

from __future__ import annotations

from pathlib import Path

from pydicom.dataset import Dataset

from sarcoma_pipeline.curation import dose_findings, planned_doses
from sarcoma_pipeline.curation.planned_doses import ObjectAt
from tests.curation.rt_files import Field, plan, structure_set
from tests.quality.rule_cases.four import Four
from tests.quality.rule_cases.planned import Told, delivered, described

_COURSES = ("curated.radiotherapy_course", "curated.radiotherapy_phase", "curated.radiotherapy_plan")
_TYPED = ("typed.plan", "typed.structure_set", "typed.dose")


def _replan(uid: str, fractions: int | None, of: str, date: str) -> Dataset:
    """Return a plan of 2 Gy per fraction that follows another one, with monitor units of its own."""
    beams = [Field(1.0, 300.0 + float(uid[-1])) for _ in range(2)]
    dose = 2.0 * fractions if fractions else 20.0
    return plan(
        uid, dose, fractions, date=date, beams=beams, relations=[(of, "PREDECESSOR")], structures="1.5"
    )


FIRST = plan("1.1", structures="1.5")
REST = _replan("1.2", 15, "1.1", "20150312")

SUMMED: dict[str, Four[Told]] = {
    "dose.course-not-added": Four(
        # Two replans of the first plan: nobody knows how the fractions are divided among the three.
        delivered(FIRST, REST, _replan("1.3", 5, "1.1", "20150325")),
        delivered(FIRST, REST),
        delivered(FIRST, _replan("1.2", None, "1.1", "20150312")),  # course.undecided
        delivered(FIRST, REST, _replan("1.3", 10, "1.1", "20150312")),
    ),
}  # fmt: skip


def broken_by(cases: dict[str, Four[Told]], folder: Path) -> set[tuple[str, str]]:
    """Return each case with the rules that the doses of its plans break, before any is computed."""
    records_, whose = described(cases, folder, structure_set("1.5", "1.6"))
    made = records_.run()
    typed = {name: made.typed[name] for name in _TYPED}
    places = {one: ObjectAt(one, "file", one, 1) for name in _TYPED[1:] for one in typed[name]["record_id"]}
    wanted = planned_doses.wanted({name: made.frames[name] for name in _COURSES}, typed, places, "")
    observed = dose_findings.observe(wanted, {}).select("record_id", "rule_id")
    return {(whose[record], rule) for record, rule in observed.iter_rows()}
