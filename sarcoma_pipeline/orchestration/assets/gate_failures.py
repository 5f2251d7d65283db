"""Name the files, patients and findings behind an expectation that blocks a release."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.orchestration.assets.curated import OBSERVING
from sarcoma_pipeline.orchestration.assets.record_locations import locations
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import findings
from sarcoma_pipeline.quality.release_gate import Failed
from schemas.ledger import Decision
from schemas.lineage import Lineage
from schemas.printable import ID_SHOWN
from schemas.quality import Observed

_NAMED = 3
"""Maximum number of files and findings named per patient; ``sarcoma findings --patient`` lists all."""


def in_words(warehouse: Warehouse, failed: Sequence[Failed]) -> list[str]:
    """Return the errors in words, each with the patients whose rows fail, their files and findings.

    Args:
        warehouse: the warehouse of the whole study; paths in its lineage have passed the identity gate.
        failed: the failed expectations.
    """
    errors = [f for f in failed if f.severity == "error"]
    patients = sorted({patient for f in errors for patient in f.patients})
    if not patients:
        return [str(f) for f in errors]
    lineage = warehouse.read(Lineage.table()).filter(pl.col("pseudonym").is_in(patients))
    found = _findings(warehouse, lineage)
    return [" ".join([str(f), *(_patient(p, lineage, found) for p in f.patients)]) for f in errors]


def _findings(warehouse: Warehouse, lineage: pl.DataFrame) -> pl.DataFrame:
    """Return the rules and finding ids of the records; the step of the findings may run later."""
    rules = lineage["rule_ids"].explode().drop_nulls().unique()
    observed = warehouse.read_parts(Observed.table(), OBSERVING)
    # All observations of a rule, because they are counted in the ids.
    observed = observed.filter(pl.col("rule_id").is_in(rules.implode()))
    places = locations(warehouse, observed["record_id"])
    named = findings.joined_ids(observed, places, warehouse.centre, warehouse.read(Decision.table()))
    return named.filter(pl.col("record_id").is_in(lineage["record_id"].implode()))


def _patient(pseudonym: str, lineage: pl.DataFrame, found: pl.DataFrame) -> str:
    """Return a sentence with a patient's files and findings."""
    of_patient = lineage.filter(pl.col("pseudonym") == pseudonym)
    read = of_patient.select("path", pl.col("file_id").str.head(ID_SHOWN)).unique().sort("path", "file_id")
    files = [f"{path} (file {file_id})" for path, file_id in read.iter_rows() if file_id not in path]
    # A hidden path already contains the file id.
    files += [path for path, file_id in read.iter_rows() if file_id in path]
    mine = found.filter(pl.col("record_id").is_in(of_patient["record_id"].implode()))
    named = mine.select("rule_id", "finding_id").unique().sort("rule_id", "finding_id")
    said = [f"{finding} ({rule})" for rule, finding in named.iter_rows()]
    return (
        f"Patient {pseudonym}: files {_listed(files)}; findings {_listed(said)}; "
        f"see sarcoma findings --patient {pseudonym}."
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more
