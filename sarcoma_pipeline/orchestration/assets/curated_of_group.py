"""Read the curated tables by groups of patients, so that many patients need no more memory than a group."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

import polars as pl

from sarcoma_pipeline.cohort import covariates
from sarcoma_pipeline.cohort.derived_once import CuratedOnce
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.tables_on_demand import OnDemand
from sarcoma_pipeline.warehouse.freed_memory import give_back
from schemas.assumptions import Assumptions

PATIENTS = 10_000
"""Maximum number of patients of a group."""


def groups(
    warehouse: Warehouse,
    tables: Sequence[str],
    assumptions: Assumptions,
    chosen: pl.Series | None = None,
) -> tuple[dt.date | None, Iterator[CuratedOnce]]:
    """Return the data cut-off and the tables of successive groups of patients, in the order of pseudonyms.

    Whatever is derived of a patient rests on this patient's rows, and on the cut-off. If nothing but the last
    event of anybody tells it, there is no cut-off here, and one group.

    Args:
        warehouse: the warehouse of one centre, or of a study without centres.
        tables: the curated tables, each read when it is needed.
        assumptions: the switches.
        chosen: pseudonyms of the patients who are needed; None for all.
    """
    dating = {table: warehouse.read(table, columns=columns) for table, columns in _DATING.items()}
    cut = covariates.known_cut_off(dating, assumptions)
    persons = warehouse.read("curated.patient", columns=("patient_id", "pseudonym"))
    patients = persons.sort("pseudonym")
    if cut is None:
        return cut, iter([CuratedOnce(OnDemand(tables, warehouse.read))])
    if chosen is not None:
        patients = patients.filter(pl.col("pseudonym").is_in(chosen.implode()))
    few = persons.height <= PATIENTS
    return cut, _by_group(warehouse, tables, patients.select("patient_id"), few=few)


def of_patients(warehouse: Warehouse) -> Callable[[str, pl.Series], pl.DataFrame] | None:
    """Return a function that reads the rows of some patients; None if it is faster to choose from all."""
    if warehouse.height("curated.patient") <= PATIENTS:
        return None
    return lambda table, ids: warehouse.read(table, among=ids.alias("patient_id"))


_DATING = {
    "curated.diagnosis": ("patient_id", "index_tumour", "diagnosis_date"),
    "curated.vital_statement": ("patient_id", "source", "told_day"),
}
"""What tells the cut-off."""


def _by_group(
    warehouse: Warehouse, tables: Sequence[str], patients: pl.DataFrame, *, few: bool
) -> Iterator[CuratedOnce]:
    """Yield the tables of each group; ``few`` says whether those of everybody are small, too."""
    if few:
        theirs = pl.col("patient_id").is_in(patients["patient_id"].implode())
        # Reading a table and choosing from it is faster than to have DuckDB choose.
        yield CuratedOnce(OnDemand(tables, lambda table: warehouse.read(table).filter(theirs)))
        return
    # Without a patient there is one group, too: an empty one.
    for first in range(0, max(patients.height, 1), PATIENTS):
        ids = patients["patient_id"].slice(first, PATIENTS)
        yield CuratedOnce(OnDemand(tables, lambda table, ids=ids: warehouse.read(table, among=ids)))
        give_back()
