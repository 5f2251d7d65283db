"""Write the department's table of late effects after radiotherapy, and tell who lost the limb.

Both are invented, as are the patients. An amputation follows a local relapse and moves no endpoint. The
frequencies follow no study: a quarter of the patients is not documented, others have none or one effect.
"""

from __future__ import annotations

import datetime as dt

from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.registry_reply import german

HEADERS: tuple[str, ...] = ("Patientennummer", "Spätfolge", "Art", "Grad", "CTCAE", "Seit")

_KINDS = {
    0: ("Fibrose", "2"),
    3: ("Ödem", "1"),
    5: ("Gelenksteife", "3"),
    7: ("Fraktur", "3"),
    8: ("Fibrose", "3"),
}
"""Last digit of a patient's index to the effect; the others have none."""
_LIMBS = ("C49.1", "C49.2")
_FIRST, _SPREAD = 120, 600
"""Days from the start of radiotherapy after which an effect begins at the earliest, and over which it may."""


_AMPUTATION_AFTER = dt.timedelta(days=45)
_RELAPSE_AFTER, _FOLLOWED_AFTER = dt.timedelta(days=90), dt.timedelta(days=365)
"""Least time from the operation to a local relapse, and from it to the last examination, of the amputated."""


def amputation(person: Person) -> dt.date | None:
    """Return the day on which a person of the cohort lost the limb with the tumour; None for most."""
    relapse, resected = person.local_relapse_date, person.surgery_date
    if not person.of_cohort or relapse is None or resected is None or person.topography not in _LIMBS:
        return None
    if relapse - resected <= _RELAPSE_AFTER or person.last_assessment_date - relapse < _FOLLOWED_AFTER:
        return None
    return relapse + _AMPUTATION_AFTER


def row(person: Person) -> dict[str, str] | None:
    """Return a person's row by header; None if nobody documented late effects."""
    if person.rt_start is None or person.index % 4 == 3:
        return None
    last = person.last_assessment_date
    if last <= person.rt_start + dt.timedelta(days=_FIRST):
        return None
    kind, grade = _KINDS.get(person.index % 10, ("", "0"))
    began = person.rt_start + dt.timedelta(days=_FIRST + person.index * 37 % _SPREAD)
    if not kind or began >= last:
        return told(person, "keine", "", "0", last)
    return told(person, "ja", kind, grade, began)


def told(person: Person, statement: str, kind: str, grade: str, on: dt.date | None) -> dict[str, str]:
    """Return a row with these values."""
    values = (person.number, statement, kind, grade, "5.0", german(on) if on else "")
    return dict(zip(HEADERS, values, strict=True))
