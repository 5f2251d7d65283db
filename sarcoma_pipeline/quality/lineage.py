"""Build the record-level lineage: from endpoints and patients to the files and positions of records."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality import rule_catalogue
from schemas.lineage import Lineage

PATIENT = "patient"
"""Subject of the lineage of a row of ``cohort.patients``."""


def lineage(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    places: pl.DataFrame,
    observed: pl.DataFrame,
) -> pl.DataFrame:
    """List the records from which every value is derived.

    Args:
        patients: ``cohort.patients``.
        endpoints: ``cohort.endpoints``.
        places: ``record_id``, ``received_as``, ``file_id``, and ``path`` and ``position`` after the identity
            gate, of the received records.
        observed: ``quality.observed``.

    Returns:
        ``meta.lineage``, sorted.
    """
    decided = endpoints.select("pseudonym", subject="endpoint", record_id="evidence", role=pl.lit("decided"))
    supports = patients.select(
        "pseudonym", subject=pl.lit(PATIENT), record_id="record_ids", role=pl.lit("supports")
    )
    rules = observed.group_by("record_id").agg(rule_ids=pl.col("rule_id").unique().sort())
    overruling = [rule.id for rule in rule_catalogue.rules().values() if rule.overruled]
    lost = (
        pl.col("rule_ids").list.set_intersection(pl.lit(overruling, dtype=pl.List(pl.String))).list.len() > 0
    )
    rows = (
        pl.concat([decided.cast({"subject": pl.String}), supports])
        .explode("record_id")
        .drop_nulls("record_id")
        .join(
            places.select("record_id", "file_id", "path", "position", table_name="received_as").unique(
                "record_id"
            ),
            on="record_id",
            how="left",
        )
        .join(rules, on="record_id", how="left")
        .with_columns(pl.col("rule_ids").fill_null([]))
        .with_columns(
            role=pl.when((pl.col("role") == "supports") & lost).then(pl.lit("overruled")).otherwise("role")
        )
    )
    return Lineage.conform(rows.sort("pseudonym", "subject", "role", "file_id", "position", "record_id"))
