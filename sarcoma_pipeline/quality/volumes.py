"""Rules on the dataset: the volume delivered by each source, compared with the last refresh.

The thresholds are declared next to their rules. A finding of these rules is about a source, not a record:
its ``record_id`` is ``dataset:`` and the source's name.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from schemas.file_faults import FILE_FAULTS
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.vocabularies import ERROR
from schemas.volumes import ALL, DATASET, Volume

LEAST_SHARE = 0.9
"""Minimum share of the records of the last refresh."""
QUARANTINE_POINTS = 0.02
"""Maximum rise of the share of records in quarantine."""
UNREAD_SHARE = 0.2
"""Maximum share of a source's files that cannot be read."""
FEW = 10
"""Shares are not checked below this number of files or records."""

VOLUME_DROPPED = Rule(
    "dataset.volume-dropped",
    "warning",
    on="quality.volumes",
    scope="dataset",
    what="The source delivered at least 10 % fewer records than in the last refresh.",
    remedy=("Check in the sending system whether the export was complete: its filter, its period, its log."),
    source="OHDSI DataQualityDashboard: volumes",
)
SOURCE_SILENT = Rule(
    "dataset.source-silent",
    "warning",
    on="quality.volumes",
    scope="dataset",
    what="The source has no file at all.",
    remedy=(
        "Check the drop folder, the job that exports to it, and the file patterns of the source in "
        "sources.toml."
    ),
)
PATIENTS_LOST = Rule(
    "dataset.patients-lost",
    "warning",
    on="quality.volumes",
    scope="dataset",
    what="There are fewer patients than in the last refresh.",
    remedy=(
        "Compare the newest exports with the previous ones. Check whether a file was replaced by one with "
        "fewer patients."
    ),
)
QUARANTINE_ROSE = Rule(
    "dataset.quarantine-rose",
    "warning",
    on="quality.volumes",
    scope="dataset",
    what=(
        "The share of the source's records in quarantine rose by more than 2 percentage points since "
        "the last refresh, in which it had ten records or more."
    ),
    remedy=(
        "Look at the newest errors of this source in `sarcoma findings`. Probably one problem of the export"
        " causes all of them."
    ),
    source="OHDSI DataQualityDashboard: thresholds",
)
UNREAD_FILES = Rule(
    "dataset.files-unread",
    "warning",
    on="quality.volumes",
    scope="dataset",
    what="More than one in five files of the source, of which there are ten or more, could not be read.",
    remedy=(
        "Look at the file errors of this source in `sarcoma findings`. Probably one problem of the "
        "export causes all of them."
    ),
)


def volumes(
    files: pl.DataFrame,
    accounting: pl.DataFrame,
    unread: pl.DataFrame,
    patients: pl.DataFrame,
    sources: Sequence[str],
    refresh_id: str,
) -> pl.DataFrame:
    """Return the volumes of this refresh.

    Args:
        files: ``meta.files``, current rows.
        accounting: ``quality.accounting``.
        unread: ``received.unread``: the parts of files that are no record.
        patients: ``curated.patient``.
        sources: the names in ``sources.toml``: a source that delivers nothing has volumes of 0.
        refresh_id: this refresh.

    Returns:
        ``quality.volumes``.
    """
    errors = [r.id for r in FILE_FAULTS.values() if r.severity == ERROR]
    bad = unread.filter(pl.col("rule_id").is_in(errors))["file_id"].unique()
    per_source = (
        files.join(accounting.select("file_id", "quarantined"), on="file_id", how="left")
        .with_columns(bad=pl.col("file_id").is_in(bad.implode()))
        .group_by("source")
        .agg(
            pl.len().alias("files"),
            pl.col("bad").sum().alias("files unread"),
            pl.col("records").sum(),
            pl.col("quarantined").sum(),
        )
    )
    every = pl.DataFrame({"source": list(sources)}, schema={"source": pl.String})
    counted = every.join(per_source, on="source", how="left").unpivot(
        index="source", variable_name="measure", value_name="count"
    )
    whole = pl.DataFrame({"source": [ALL], "measure": ["patients"], "count": [patients.height]})
    both = pl.concat([counted.with_columns(pl.col("count").fill_null(0).cast(pl.Int64)), whole])
    return Volume.conform(both.with_columns(refresh_id=pl.lit(refresh_id)).sort("source", "measure"))


def observe(known: pl.DataFrame, refresh_id: str) -> pl.DataFrame:
    """Compare a refresh's volumes with those of the refresh before it.

    Args:
        known: ``quality.volumes`` of at least this refresh.
        refresh_id: this refresh.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    now = _wide(known.filter(pl.col("refresh_id") == refresh_id))
    earlier = known.filter(pl.col("refresh_id") < refresh_id)
    last = _wide(earlier.filter(pl.col("refresh_id") == pl.col("refresh_id").max()))
    both = now.join(last, on="source", how="left", suffix=" before")
    share, share_before = (pl.col(f"quarantined{s}") / pl.col(f"records{s}") for s in ("", " before"))
    enough = pl.col("records before") >= FEW
    source = pl.col("source") != ALL
    judged: list[tuple[Rule, pl.Expr, str]] = [
        (SOURCE_SILENT, source & (pl.col("files") == 0), "files"),
        (
            VOLUME_DROPPED,
            source
            & enough
            & (pl.col("files") > 0)
            & (pl.col("records") <= LEAST_SHARE * pl.col("records before")),
            "records",
        ),
        (PATIENTS_LOST, ~source & (pl.col("patients") < pl.col("patients before")), "patients"),
        (QUARANTINE_ROSE, source & enough & (share - share_before > QUARANTINE_POINTS), "quarantined"),
        (
            UNREAD_FILES,
            source & (pl.col("files") >= FEW) & (pl.col("files unread") > UNREAD_SHARE * pl.col("files")),
            "files unread",
        ),
    ]
    return pl.concat([_observation(both, *rule) for rule in judged])


def _wide(rows: pl.DataFrame) -> pl.DataFrame:
    wide = rows.pivot("measure", index="source", values="count") if rows.height else rows.select("source")
    measures = ("files", "files unread", "records", "quarantined", "patients")
    return wide.with_columns(
        pl.lit(None, dtype=pl.Int64).alias(m) for m in measures if m not in wide.columns
    ).select("source", *measures)


def _observation(both: pl.DataFrame, rule: Rule, at_fault: pl.Expr, measure: str) -> pl.DataFrame:
    before = pl.col(f"{measure} before")
    return Observation.conform(
        both.filter(at_fault.fill_null(False)).select(
            rule_id=pl.lit(rule.id),
            severity=pl.lit(rule.severity),
            record_id=pl.format(DATASET + "{}", "source"),
            table_name=pl.lit(Volume.table()),
            column_name=pl.lit(measure),
            value=pl.when(before.is_null())
            .then(pl.col(measure).cast(pl.String))
            .otherwise(pl.format("{}, last night {}", pl.col(measure), before)),
            note=pl.lit(None, dtype=pl.String),
        )
    )
