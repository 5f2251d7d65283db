"""Write replies of registry offices about the demo's persons: Latin-1 CSV as offices send it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sarcoma_pipeline.synthetic.people import Person

HEADERS = (
    "Aktenzeichen", "Patientennummer", "Familienname", "Vornamen", "Geburtsdatum", "Geschlecht", "Auskunft",
    "Datum", "Stand",
)  # fmt: skip

_SEX = {"female": "W", "male": "M"}
_LATEST = dt.date(2021, 12, 31)


@dataclass(frozen=True)
class Reply:
    """One row of a reply file, as text; fields are in the order of ``HEADERS``."""

    reference: str
    number: str
    family: str
    given: str
    born: str
    sex: str
    answer: str
    event: str
    as_of: str


def german(day: dt.date) -> str:
    """Format a date as DD.MM.YYYY."""
    return day.strftime("%d.%m.%Y")


def reply(
    person: Person,
    reference: str,
    answer: str,
    event: dt.date | str = "",
    as_of: dt.date | str = "",
    numbered: bool = True,
) -> Reply:
    """Build a reply about a person, with name, birth date and sex as known to the hospital."""
    texts = [d if isinstance(d, str) else german(d) for d in (person.birth_date, event, as_of)]
    number = person.number if numbered else ""
    return Reply(
        reference, number, person.family, person.given, texts[0], _SEX[person.sex], answer, texts[1], texts[2]
    )


def replies(persons: Sequence[Person]) -> list[Reply]:
    """Build correct replies for every death and for three in four living persons.

    An office never reports a person as alive after the last day on which they are known to be alive. About
    half of the replies lack the patient number.
    """
    made = []
    for position, person in enumerate(persons):
        reference = f"MR-2021-{position + 1:04d}"
        numbered = person.index % 2 == 0
        if person.death_date:
            as_of = min(person.death_date + dt.timedelta(days=60), _LATEST)
            made.append(reply(person, reference, "verstorben", person.death_date, as_of, numbered))
        elif position % 4:
            treated = max(d for d in (person.diagnosis_date, person.surgery_date, person.rt_end) if d)
            known = (person.last_known_alive_date - treated).days
            # Every third reply is dated on the day of the last contact.
            back = 0 if position % 3 == 0 else min(position * 7 % 400, max(known, 0))
            day = person.last_known_alive_date - dt.timedelta(days=back)
            moved = position % 10 == 3
            answer, event = ("verzogen", day) if moved else ("lebt", "")
            made.append(reply(person, reference, answer, event, day, numbered))
    return made


def file(rows: Iterable[Reply], without: str | None = None) -> bytes:
    """Build a reply file.

    Args:
        rows: the replies.
        without: header of a column to leave out.

    Returns:
        CSV with semicolons, Latin-1, and CRLF line ends.
    """
    kept = [i for i, header in enumerate(HEADERS) if header != without]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow([HEADERS[i] for i in kept])
    for row in rows:
        cells = tuple(vars(row).values())
        writer.writerow([cells[i] for i in kept])
    return text.getvalue().encode("latin-1")
