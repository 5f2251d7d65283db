"""Build the record-level lineage: from endpoints and patients to the files and positions of records."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.quality import rule_catalogue
from schemas import row_hashes
from schemas.lineage import Lineage

PATIENT = "patient"
"""Subject of the lineage of a row of ``cohort.patients``."""


def traced(
    patients: pl.DataFrame,
    endpoints: pl.DataFrame,
    places: pl.DataFrame,
    observed: pl.DataFrame,
) -> pl.DataFrame:
    """Join the records of each patient and endpoint with everything that their lineage says of them.

    Args:
        patients: ``cohort.patients``.
        endpoints: ``cohort.endpoints``.
        places: ``record_id``, ``received_as``, ``file_id``, ``path`` and ``position`` of the received
            records, before or after the identity gate.
        observed: ``quality.observed``.

    Returns:
        The rows of :func:`rows`, in which a record that was overruled supports, too.
    """
    decided = endpoints.select("pseudonym", subject="endpoint", record_id="evidence", role=pl.lit("decided"))
    supports = patients.select(
        "pseudonym", subject=pl.lit(PATIENT), record_id="record_ids", role=pl.lit("supports")
    )
    rules = observed.group_by("record_id").agg(rule_ids=pl.col("rule_id").unique().sort())
    return (
        pl.concat([decided.cast({"subject": pl.String}), supports])
        .explode("record_id")
        .drop_nulls("record_id")
        .join(
            places.select("record_id", "file_id", "path", "position", table_name="received_as").unique(
                "record_id"
            ),
            on="record_id",
            how="left",
            maintain_order="left",
        )
        .join(rules, on="record_id", how="left", maintain_order="left")
        .with_columns(pl.col("rule_ids").fill_null([]))
    )


def inputs(found: pl.DataFrame) -> pl.DataFrame:
    """Return a hash of all of which the lineage of each patient consists, except the words of the gate.

    Args:
        found: from :func:`traced`, before the identity gate.

    Returns:
        ``patient_id`` (the pseudonym), ``inputs``: one row per patient with a record.
    """
    # Numbered, so that a row that is there twice does not cancel itself.
    facts = found.rename({"pseudonym": "patient_id"}).with_columns(
        _row=pl.int_range(pl.len()).over("patient_id")
    )
    return row_hashes.by_patient([row_hashes.hashed(Lineage.table(), facts)])


def rows(found: pl.DataFrame) -> pl.DataFrame:
    """Return ``meta.lineage``, sorted.

    Args:
        found: from :func:`traced`, after the identity gate.
    """
    overruling = [rule.id for rule in rule_catalogue.rules().values() if rule.overruled]
    lost = (
        pl.col("rule_ids").list.set_intersection(pl.lit(overruling, dtype=pl.List(pl.String))).list.len() > 0
    )
    made = found.with_columns(
        role=pl.when((pl.col("role") == "supports") & lost).then(pl.lit("overruled")).otherwise("role")
    )
    return Lineage.conform(made.sort("pseudonym", "subject", "role", "file_id", "position", "record_id"))
