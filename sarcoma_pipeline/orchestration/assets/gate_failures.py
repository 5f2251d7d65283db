"""Says which files, patients and findings are behind an expectation that holds a release back."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality.release_gate import Failed
from schemas.lineage import Lineage
from schemas.quality import Finding

_NAMED = 3
"""Files and findings that are named of one patient; ``sarcoma findings --patient`` lists all."""


def in_words(warehouse: Warehouse, failed: Sequence[Failed]) -> list[str]:
    """Return the errors in words, each with the patients whose rows fail, their files and findings.

    Args:
        warehouse: of the whole study. Paths of its lineage have passed the identity gate.
        failed: what the gate found.
    """
    errors = [f for f in failed if f.severity == "error"]
    if not any(f.patients for f in errors):
        return [str(f) for f in errors]
    lineage = warehouse.read(Lineage.table(), columns=("pseudonym", "subject", "file_id", "path"))
    findings = warehouse.read(Finding.table(), columns=("pseudonym", "finding_id", "rule_id", "severity"))
    return [" ".join([str(f), *(_patient(p, lineage, findings) for p in f.patients)]) for f in errors]


def _patient(pseudonym: str, lineage: pl.DataFrame, findings: pl.DataFrame) -> str:
    """Name a patient's files and findings in one sentence."""
    read = (
        lineage.filter(pl.col("pseudonym") == pseudonym)
        .select("path", "file_id")
        .unique()
        .sort("path", "file_id")
    )
    # A path that was hidden names its file already.
    files = [
        path if file_id[:12] in path else f"{path} (file {file_id[:12]})"
        for path, file_id in read.iter_rows()
    ]
    found = findings.filter(pl.col("pseudonym") == pseudonym).sort("severity", "rule_id", "finding_id")
    said = [f"{finding} ({rule})" for finding, rule in found.select("finding_id", "rule_id").iter_rows()]
    return (
        f"Patient {pseudonym}: files {_listed(files)}; findings {_listed(said)}; "
        f"see sarcoma findings --patient {pseudonym}."
    )


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more
