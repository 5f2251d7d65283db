"""Contracts of received records: text exactly as delivered, and its provenance.

Every delivered column is text and may be missing; ``typed`` judges whether a value makes sense. Column names
are those of the sources (oBDS elements, DICOM attributes), so that a steward can find them there.

The contracts of oBDS and DICOM are in ``received_obds`` and ``received_dicom``; this module exports them.
"""

from __future__ import annotations

import polars as pl

from schemas.contract import column
from schemas.received_dicom import (
    ION_PLAN,
    DicomDose,
    DicomImage,
    DicomOther,
    DicomPlan,
    DicomRecord,
    DicomStructureSet,
    DicomTreatment,
)
from schemas.received_obds import (
    NO_NAMESPACE,
    ObdsDeath,
    ObdsDiagnosis,
    ObdsFollowUp,
    ObdsHistology,
    ObdsMeldung,
    ObdsPathology,
    ObdsPatient,
    ObdsPrimary,
    ObdsRadiotherapy,
    ObdsRecord,
    ObdsSurgery,
    ObdsSystemicTherapy,
    ObdsTreatment,
    ObdsTumourBoard,
)
from schemas.received_record import PROVENANCE, Received, text_column


class RegistryReply(Received, table="received.registry_reply"):
    """One reply of a registry office about one person."""

    reference: pl.String = text_column("Reference of the office", "identifier")
    hospital_number: pl.String = text_column("Patient number of the hospital; often missing", "identifier")
    family_name: pl.String = text_column("Family name", "identifier")
    given_names: pl.String = text_column("Given names", "identifier")
    birth_name: pl.String = text_column("Family name at birth", "identifier")
    former_names: pl.String = text_column("Former family names", "identifier")
    name_prefix: pl.String = text_column("Prefix of the name (von, zu, van der): not compared", "identifier")
    title: pl.String = text_column("Academic title: not compared", "identifier")
    birth_date: pl.String = text_column("Date of birth", "identifier")
    sex: pl.String = text_column("Sex", "quasi-identifier")
    answer: pl.String = text_column("Answer: alive, deceased, moved, no information")
    event_date: pl.String = text_column("Date of death or of moving away", "quasi-identifier")
    place_of_death: pl.String = text_column("Place of death; nothing uses it", "quasi-identifier")
    answered_on: pl.String = text_column("Date at which the answer held", "quasi-identifier")
    unmapped_cells: pl.String = text_column(
        "Cells of columns that sources.toml does not map; JSON object of header to cell", "identifier"
    )


class TableRow(Received, table="received.table_row"):
    """One row of a table, under the name that the table has in ``sources.toml``."""

    table_name: pl.String = column("Table", "Name of the table in sources.toml.", nullable=False)
    values: pl.String = column(
        "Values",
        "Every cell as text under its delivered header; JSON object, empty cells left out.",
        nullable=False,
        identifying="identifier",
    )


class Unread(Received, table="received.unread"):
    """A file, or a part of one, that could not be read as a record."""

    rule_id: pl.String = column("Rule", "The file rule that it breaks.", nullable=False)
    detail: pl.String = column("Detail", "What the reader met; never a patient's value.")


__all__ = [
    "ION_PLAN",
    "NO_NAMESPACE",
    "PROVENANCE",
    "DicomDose",
    "DicomImage",
    "DicomOther",
    "DicomPlan",
    "DicomRecord",
    "DicomStructureSet",
    "DicomTreatment",
    "ObdsDeath",
    "ObdsDiagnosis",
    "ObdsFollowUp",
    "ObdsHistology",
    "ObdsMeldung",
    "ObdsPathology",
    "ObdsPatient",
    "ObdsPrimary",
    "ObdsRadiotherapy",
    "ObdsRecord",
    "ObdsSurgery",
    "ObdsSystemicTherapy",
    "ObdsTreatment",
    "ObdsTumourBoard",
    "Received",
    "RegistryReply",
    "TableRow",
    "Unread",
]
