"""Write the effect of admitting a record as a sentence; computing it is the task of ``impact.py``.

A list of findings shows these sentences, and must not import what computes them.
"""

from __future__ import annotations

import polars as pl

from schemas.language import SOURCE, marked, spoken, stored

_SENTENCES = (
    marked("{quantity}, the patient stays {state}"), marked("{quantity}: {now} → {admitted}"),
    marked("excluded ({label})"), marked("{number} months, {event}"),
    marked("no change"), marked("can only be corrected"), marked("eligibility"), marked("eligible"),
    marked("not computed, because many records of the file have the fault"), marked("none"),
)  # fmt: skip
"""Parts of the sentences on the effect of a record."""


def sentences(impacts: pl.DataFrame) -> pl.DataFrame:
    """Return one line per record, in the language that is set: ``record_id``, ``impact``."""
    side = {name: pl.col(name).fill_null("none") for name in ("now", "admitted")}
    text = (
        pl.when(pl.col("now").ne_missing(pl.col("admitted")))
        .then(pl.format("{}: {} → {}", "quantity", side["now"], side["admitted"]))
        .when(pl.col("now").is_not_null())
        .then(pl.format("{}, the patient stays {}", "quantity", "now"))
        .otherwise("quantity")
    )
    told = impacts.select("record_id", impact=text).with_columns(
        pl.col("impact").map_elements(lambda one: stored(one, _SENTENCES), return_dtype=pl.String)
        if spoken() != SOURCE
        else pl.col("impact")
    )
    return told.group_by("record_id", maintain_order=True).agg(pl.col("impact").str.join("; "))
