"""Hashes the content of a release, to show that a change of the program changed no result.

    python -m tests.release_content data/published/NAME/cohort.duckdb [OTHER.duckdb]

Prints a hash per table and of the whole. With two releases it prints the tables and columns that differ
and ends with 1 if there are any. Left out are ``meta.*``, which describes how the release was made, and the
columns of :data:`TEXTS`: wording, and paths of lineage.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import duckdb

TEXTS = frozenset(
    {"note", "notes", "label", "title", "reason", "comment", "description", "method", "lineage", "rule"}
)
"""Columns with wording and provenance, which are not results."""


def tables(path: Path) -> dict[str, dict[str, str]]:
    """Return table to column to hash of the column's values, with rows sorted by all columns."""
    found: dict[str, dict[str, str]] = {}
    with duckdb.connect(str(path), read_only=True) as connection:
        listed = connection.execute(
            "SELECT schema_name, table_name, list(column_name ORDER BY column_name) FROM duckdb_columns() "
            "JOIN duckdb_tables() USING (database_name, schema_name, table_name) "
            "WHERE database_name = current_database() AND schema_name <> 'meta' GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        for schema, table, columns in listed:
            kept = [c for c in columns if c not in TEXTS]
            names = ", ".join(f'"{c}"' for c in kept)
            # Ordered as text: an ENUM sorts by its list, and may become a text.
            order = ", ".join(f'"{c}"::VARCHAR' for c in kept)
            rows = connection.execute(f'SELECT {names} FROM "{schema}"."{table}" ORDER BY {order}').fetchall()
            found[f"{schema}.{table}"] = {
                column: hashlib.blake2b(repr([row[at] for row in rows]).encode(), digest_size=8).hexdigest()
                for at, column in enumerate(kept)
            }
    return found


def hashed(columns: dict[str, str]) -> str:
    """Return one hash of a table's columns."""
    return hashlib.blake2b(repr(sorted(columns.items())).encode(), digest_size=8).hexdigest()


def main(paths: list[str]) -> int:
    """Print the hashes of one release, or what differs between two."""
    first, *others = (tables(Path(p)) for p in paths)
    if not others:
        for table, columns in first.items():
            print(hashed(columns), table)
        print(hashed({table: hashed(columns) for table, columns in first.items()}), "whole")
        return 0
    second = others[0]
    differ = [
        f"{table}.{column}"
        for table in sorted(first.keys() | second.keys())
        for column in sorted(first.get(table, {}).keys() | second.get(table, {}).keys())
        if first.get(table, {}).get(column) != second.get(table, {}).get(column)
    ]
    print("\n".join(differ) or "no difference")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
