"""Elements that oBDS requires and a report lacks: a finding says which, and what is done without it.

Listed is what changes a result. What has a rule of its own is not listed here: the dates of birth, death,
operation and examination, the sex, OPS codes, and the relation of radiotherapy to surgery.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import polars as pl

from sarcoma_pipeline.curation import obds_nested
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule

ELEMENT_MISSING = Rule(
    "obds.element-missing",
    "warning",
    on="quality.accounting",
    scope="record",
    what="An element or attribute that the schema of oBDS requires is missing. The note says what is done "
    "without it.",
    remedy="Add the element that the finding names to the record in the tumour documentation. If it is "
    "missing in many records, have the export checked by the schema.",
    source="oBDS 3.0.4 schema: minOccurs, use",
)

_EXACT = "the date counts as exact to the day"
_OF_EVERY_REPORT = {
    "Tumor_ID": "site and date tell the tumour; else it is the index tumour",
    "Melder_ID": "the report has no key: it replaces none and none replaces it",
    "Meldung_ID": "the report has no key: it replaces none and none replaces it",
    "Primaertumor_ICD": "the topography of ICD-O tells the site, if there is one",
    "Diagnosedatum": "the report does not say when the tumour was diagnosed; without another report of the "
    "tumour nothing of it has a time",
}
_METASTASIS = {"Menge_FM": {"Lokalisation": "the metastasis counts as distant, of an unknown organ"}}
_CLASSIFICATION = {
    "Menge_Weitere_Klassifikation": {
        "Name": "nothing tells whether it is the FNCLCC grade: it is not read",
        "Stadium": "the classification gives no grade",
    }
}

REQUIRED: dict[str, dict[str, str]] = {
    "received.obds_patient": {},
    "received.obds_diagnosis": _OF_EVERY_REPORT,
    "received.obds_pathology": _OF_EVERY_REPORT,
    "received.obds_surgery": _OF_EVERY_REPORT
    | {
        "Intention": "the operation counts as one on the tumour, neither as curative nor as palliative",
    },
    "received.obds_radiotherapy": _OF_EVERY_REPORT
    | {"Intention": "the course counts as not palliative; another treatment tells whether it is curative"},
    "received.obds_systemic_therapy": _OF_EVERY_REPORT
    | {
        "Therapieart": "nothing tells whether it is chemotherapy",
        "Beginn": "the therapy counts as given before any relapse, and not as the first therapy",
    },
    "received.obds_follow_up": _OF_EVERY_REPORT
    | {"Gesamtbeurteilung_Tumorstatus": "the examination states its single statuses only"},
    "received.obds_death": _OF_EVERY_REPORT | {"Tod_tumorbedingt": "the cause of death is unknown"},
}
"""Received table to the columns that a report must fill, and what is done without each."""

_NESTED: dict[str, dict[str, dict[str, str]]] = {
    "received.obds_diagnosis": _METASTASIS | _CLASSIFICATION,
    "received.obds_pathology": _METASTASIS | _CLASSIFICATION,
    "received.obds_surgery": _METASTASIS | _CLASSIFICATION,
    "received.obds_follow_up": _METASTASIS,
}
"""Received table to its arrays, to what each of their entries must hold."""

_EXACTNESS = "_Datumsgenauigkeit"
_MAY_LACK_EXACTNESS = ("Sterbedatum",)
"""Dates for which the schema does not require this element."""

_ISO = r"^\d{4}-\d{2}-\d{2}"
"""Form of a date since oBDS 3; before, the form showed the precision (00.01.2010: a month)."""


class _Lack(NamedTuple):
    """A column that may be at fault.

    Attributes:
        column: as the finding names it.
        missing: whether what is required is missing.
        without: what is done then.
    """

    column: str
    missing: pl.Expr
    without: str


def missing_elements(frame: pl.DataFrame, table: str) -> pl.DataFrame:
    """Return the elements that the schema requires and that records of a received table lack.

    Args:
        frame: records of the table.
        table: its name.
    """
    if table not in REQUIRED:
        return Observation.empty()
    lacks, any_lacks = _checks(table, tuple(frame.columns))
    found = [
        observation(
            frame.filter(lack.missing),
            ELEMENT_MISSING,
            table,
            lack.column,
            note=pl.lit(lack.without),
        )
        for lack, some in zip(lacks, frame.select(any_lacks).row(0), strict=True)
        if some
    ]
    return pl.concat([Observation.empty(), *found])


@cache
def _checks(table: str, columns: tuple[str, ...]) -> tuple[tuple[_Lack, ...], tuple[pl.Expr, ...]]:
    """Return what may be missing, and expressions for whether any record lacks it."""
    lacks = tuple(_lacks(table, columns))
    return lacks, tuple(lack.missing.any().alias(str(n)) for n, lack in enumerate(lacks))


def _lacks(table: str, columns: Sequence[str]) -> Iterator[_Lack]:
    for column, without in REQUIRED[table].items():
        yield _Lack(column, pl.col(column).is_null(), without)
    for column in columns:
        date = column.removesuffix(_EXACTNESS)
        if date != column and date not in _MAY_LACK_EXACTNESS:
            yield _Lack(column, pl.col(date).str.contains(_ISO) & pl.col(column).is_null(), _EXACT)
    if table == "received.obds_surgery":
        codes = obds_nested.entries("Menge_OPS")
        none = codes.list.eval(pl.element().is_null()).list.any()
        yield _Lack("Menge_OPS/Code", none, "the procedure is not known; the others of the operation count")
    if table == "received.obds_radiotherapy":
        irradiation = pl.col("position").str.contains("Bestrahlung", literal=True)
        lacks_kind = irradiation & pl.col("Applikationsart").is_null()
        yield _Lack("Applikationsart", lacks_kind, "neither the dose nor the kind of irradiation is known")
    for column, keys in _NESTED.get(table, {}).items():
        for key, without in keys.items():
            yield _Lack(f"{column}/{key}", _any_without(column, key), without)
        if column == "Menge_FM":
            dated = pl.element().struct.field("Diagnosedatum").str.contains(_ISO)
            inexact = dated & pl.element().struct.field("Datumsgenauigkeit").is_null()
            entries = obds_nested.entries("Menge_FM", "Diagnosedatum", "Datumsgenauigkeit")
            yield _Lack("Menge_FM/Datumsgenauigkeit", entries.list.eval(inexact).list.any(), _EXACT)


def _any_without(column: str, key: str) -> pl.Expr:
    lacking = pl.element().struct.field(key).is_null()
    return obds_nested.entries(column, key).list.eval(lacking).list.any()
