"""Number records that were delivered several times with equal content, across all files.

A reader computes the id of a record from source, key and content
(:mod:`sarcoma_pipeline.sources.received_record`), so copies get the same ``record_id``. Here the second copy
gets the suffix ``-2`` and so on, ordered by file path and position in the file. The ids depend only on the
content of the drop folder, not on the refresh in which it arrived.
"""

from __future__ import annotations

from collections.abc import Iterable

from sarcoma_pipeline.sources.received_record import COPY
from sarcoma_pipeline.warehouse.centres import Tables
from sarcoma_pipeline.warehouse.lent_frame import lent
from schemas.meta import MetaFile


def number(tables: Tables, received: Iterable[str]) -> None:
    """Number the copies among the current records, within the caller's transaction.

    Args:
        tables: the study's tables.
        received: names of the received tables.
    """
    for table in received:
        _number(tables, tables.own(table))


def _number(tables: Tables, own: str) -> None:
    base = f"split_part(record_id, '{COPY}', 1)"
    # Most records have no copy: only records with a copy, now or before, are sorted.
    copied = (
        f"SELECT base FROM (SELECT {base} AS base, record_id FROM {own} WHERE last_refresh IS NULL) "
        "GROUP BY base HAVING count(*) > 1 OR max(record_id) <> base"
    )
    if not tables.execute(f"{copied} LIMIT 1").fetchone():
        return
    renamed = tables.execute(
        f"""
        WITH paths AS (
            SELECT file_id, min(path) AS path FROM {tables.own(MetaFile.table())}
            WHERE last_refresh IS NULL GROUP BY file_id
        ), placed AS (
            SELECT file_id, ordinal, record_id AS former, base,
                row_number() OVER (PARTITION BY base ORDER BY path, ordinal, position) AS nth
            FROM (SELECT *, {base} AS base FROM {own} WHERE last_refresh IS NULL)
            JOIN ({copied}) USING (base) JOIN paths USING (file_id)
        ), named AS (
            SELECT *, base || CASE WHEN nth = 1 THEN '' ELSE '{COPY}' || nth END AS name FROM placed
        )
        SELECT file_id, ordinal, name FROM named WHERE name <> former
        """
    ).pl()
    with lent(tables.connection, {"_renamed": renamed}):
        tables.execute(
            f"""
            UPDATE {own} AS r SET
                record_id = _renamed.name,
                record_key = CASE WHEN r.record_key = r.record_id THEN _renamed.name ELSE r.record_key END
            FROM _renamed
            WHERE r.last_refresh IS NULL AND r.file_id = _renamed.file_id AND r.ordinal = _renamed.ordinal
            """
        )
