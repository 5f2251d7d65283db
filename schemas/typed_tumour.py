"""Contract of the tumour assignment: the tumour of a record, as the record states it."""

from __future__ import annotations

import polars as pl

from schemas.contract import column
from schemas.typed_record import Typed


class TumourAssignment(Typed, table="typed.tumour_assignment"):
    """The Tumorzuordnung of one oBDS record: number, site and date of the record's tumour.

    Unreadable values are only missing here; the finding is made in the Diagnose, whose values all other
    records of the tumour repeat.
    """

    reporter: pl.String = column(
        "Reporter", "Sender and Melder: within them a number of a tumour means one tumour.",
        identifying="identifier",
    )  # fmt: skip
    tumour_id: pl.String = column(
        "Tumour", "The source's own number of the tumour.", identifying="identifier"
    )
    icd10_code: pl.String = column("ICD-10 code", "Site and kind of the primary tumour.")
    diagnosis_date: pl.Date = column(
        "Date of diagnosis", "As the record repeats it.", identifying="quasi-identifier"
    )
    diagnosis_date_precision: pl.String = column(
        "Precision of the date of diagnosis", "To what it is exact.", vocabulary="date_precision"
    )
    laterality: pl.String = column("Side", "Side of a paired site.", vocabulary="laterality")
    icdo3_morphology: pl.String = column("ICD-O-3 morphology", "Histology, where the record repeats it.")
    morphology_version: pl.String = column("Version of the morphology", "oBDS: 31, 32, 33, bb.")
