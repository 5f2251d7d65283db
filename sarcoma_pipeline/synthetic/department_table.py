"""Write the department's own table of sarcoma patients: CSV in cp1252 with decimal commas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.registry_reply import german

HEADERS: tuple[str, ...] = (
    "Patientennummer",
    "Tumorgröße (cm)",
    "Tiefe",
    "Chemotherapie",
    "FNCLCC",
    "Letzter Kontakt",
)

_DEPTH = {"superficial": "oberflächlich", "deep": "tief"}
_CHEMOTHERAPY = {"yes": "ja", "no": "nein", "unknown": "unbekannt"}


def row(person: Person) -> dict[str, str]:
    """Return a person's row by header; for deceased patients the last contact is empty."""
    contact = "" if person.death_date else german(person.last_known_alive_date)
    return dict(
        zip(
            HEADERS,
            (
                person.number,
                f"{person.tumour_size_cm:.1f}".replace(".", ","),
                _DEPTH[person.tumour_depth],
                _CHEMOTHERAPY[person.chemotherapy],
                (person.fnclcc_grade or "GX")[1:],
                contact,
            ),
            strict=True,
        )
    )


def file(rows: Iterable[Mapping[str, str]], headers: Sequence[str] = HEADERS) -> bytes:
    """Return a table of the department as CSV with semicolons, encoded in cp1252."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, headers, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("cp1252")
