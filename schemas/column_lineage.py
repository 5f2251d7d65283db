"""Declare the column lineage: the columns from which the values of each column are computed.

The rows of a table depend on its step (links, quarantine, eligibility), which is not declared here. Received
columns hold delivered values and depend only on their file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from schemas.all_contracts import CONTRACTS
from schemas.column_groups import PATIENTS
from schemas.column_lineage_declared import COUNTERPART, DECLARED
from schemas.column_lineage_typed import RECEIVED_FOR, typed_origins

Column = tuple[str, str]
"""Table and column."""


@cache
def declared_origins() -> dict[str, dict[str, tuple[Column, ...]]]:
    """Return the declared part of the column lineage: table to column to its origins, sorted."""
    found: dict[str, dict[str, tuple[Column, ...]]] = {}
    for name in RECEIVED_FOR:
        read = typed_origins(name)
        found[f"typed.{name}"] = {column: _split(sources) for column, sources in read.items()}
    for table, declared in DECLARED.items():
        named = {c.name: "" for c in CONTRACTS[table].columns()}
        for column, sources in declared.items():
            for each in named if column == "*" else [column]:
                named[each] = f"{named[each]} {sources}"
        if table == PATIENTS:
            # The cohort takes the columns that it shares with the index tumour's row.
            of_tumour = CONTRACTS["curated.diagnosis"].polars_schema()
            named |= {c: f"curated.diagnosis.{c}" for c in named if not named[c] and c in of_tumour}
        if table in COUNTERPART:
            typed = COUNTERPART[table]
            have = CONTRACTS[typed].polars_schema()
            for column in named:
                if column in have:
                    named[column] += f" {typed}.{column}"
            named["record_ids"] += f" {typed}.record_id"
            named["patient_id"] = "curated.link.patient_id"
        found[table] = {column: _split(sources) for column, sources in named.items() if sources}
    return found


def _split(sources: str) -> tuple[Column, ...]:
    pairs = {(table, column) for table, _, column in (s.rpartition(".") for s in sources.split())}
    return tuple(sorted(pairs))


def upstream(
    origins: Mapping[str, Mapping[str, tuple[Column, ...]]], column: Column
) -> set[tuple[Column, Column]]:
    """Return every edge (target, source) between a column and the received columns it comes from.

    Args:
        origins: the result of :func:`origins`.
        column: table and column.
    """
    edges: set[tuple[Column, Column]] = set()
    seen: set[Column] = set()
    waiting = [column]
    while waiting:
        target = waiting.pop()
        if target in seen:
            continue
        seen.add(target)
        for source in origins.get(target[0], {}).get(target[1], ()):
            edges.add((target, source))
            waiting.append(source)
    return edges
