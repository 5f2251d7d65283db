"""Write the department's table of late effects after radiotherapy. They are invented, as are the patients.

The frequencies follow no study: a quarter of the patients is not documented, others have none or one effect.
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
_FIRST, _SPREAD = 120, 600
"""Days from the start of radiotherapy after which an effect begins at the earliest, and over which it may."""


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
