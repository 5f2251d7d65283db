"""Report values of several reports of one event that were not chosen."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule


def current(records: pl.DataFrame, date: str, *first: str) -> pl.DataFrame:
    """Return the newest report of each reporter's number.

    The older ones are reported as ``record.corrected``.

    Args:
        records: typed records of events with their tumours and reporters.
        date: the column of the event's date.
        first: columns that decide before the day of the report.
    """
    if records.height < 2:
        return records
    number = pl.coalesce("module_id", "record_id")
    return records.sort(*first, *NEWEST_LAST, nulls_last=False).unique(
        [*TUMOUR, "source", "reporter", date, number], keep="last", maintain_order=True
    )


def observe(
    rows: pl.DataFrame,
    records: pl.DataFrame,
    columns: Sequence[str],
    rule: Rule,
    table: str,
    nothing: Collection[str] = (),
) -> pl.DataFrame:
    """Return the values of an event's reports that differ from its curated row.

    Args:
        rows: curated events with ``record_ids``.
        records: the typed records that can contradict.
        columns: the columns to compare.
        rule: the rule to report.
        table: the typed table.
        nothing: values without information, which contradict nothing.
    """
    told = rows.select("record_ids", *(pl.col(c).alias(f"_{c}") for c in columns)).explode("record_ids")
    told = told.join(
        records.select("record_id", *columns), left_on="record_ids", right_on="record_id", how="inner"
    ).rename({"record_ids": "record_id"})
    differs = {
        c: (pl.col(c) != pl.col(f"_{c}")) & ~pl.col(c).cast(pl.String).is_in(list(nothing)) for c in columns
    }
    some = told.select(either.any().alias(c) for c, either in differs.items()).row(0, named=True)
    return pl.concat(
        [
            Observation.empty(),
            *(
                observation(
                    told.filter(either).unique(["record_id", c], maintain_order=True),
                    rule,
                    table,
                    c,
                    pl.col(c),
                )
                for c, either in differs.items()
                if some[c]
            ),
        ]
    )
