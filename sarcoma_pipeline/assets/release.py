"""Release: the pseudonymous database, gated and swapped in."""

import datetime as dt
import time
from typing import Any

import dagster as dg
import polars as pl

from sarcoma_pipeline import release
from sarcoma_pipeline.assets.step import asset_key, discreet
from sarcoma_pipeline.project import Project
from sarcoma_pipeline.warehouse import Warehouse
from schemas.meta import MetaRefresh
from schemas.release import RELEASED, MetaRelease


def release_key(project: Project) -> dg.AssetKey:
    """The published database."""
    return dg.AssetKey([project.study.name, "release", "cohort_duckdb"])


def publish(project: Project, warehouse: Warehouse) -> dict[str, Any]:
    """Build the release beside the old one and swap it in.

    Returns:
        The row of ``meta.release``.

    Raises:
        dg.Failure: the gate held it back; the last release stands.
    """
    tables = release.released({t: warehouse.read(t) for t in RELEASED})
    refresh = warehouse.read(MetaRefresh.table()).sort("refresh_id").row(-1, named=True)
    row = {
        "study": project.study.name,
        "title": project.study.title,
        "refresh_id": refresh["refresh_id"],
        "released_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "code_version": refresh["code_version"],
        "configuration_hash": refresh["configuration_hash"],
        "manifest_hash": refresh["manifest_hash"],
        "content_hash": release.content_hash(tables),
        "eligible": tables["cohort.patients"].height,
    }
    built = project.published / f".building-{refresh['refresh_id']}.duckdb"
    release.build(built, tables, MetaRelease.enforce(MetaRelease.conform(pl.DataFrame([row]))))
    try:
        release.publish(built, project.release, refresh["refresh_id"])
    except release.NothingToPublish as gate:
        raise dg.Failure(
            description=f"Nothing was published, the last release stands: {gate}", allow_retries=False
        ) from None
    return row


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """The published database."""

    @dg.asset(
        key=release_key(project),
        deps=[asset_key(project, table) for table in RELEASED],
        description=(
            f"data/published/{project.study.name}/cohort.duckdb: pseudonymous, documented by comments, "
            "swapped in whole. Nothing is swapped if the gate fails."
        ),
        group_name="release",
        kinds={"duckdb"},
        owners=[project.study.owner],
    )
    def cohort_duckdb(warehouse: Warehouse) -> dg.MaterializeResult:
        began = time.perf_counter()
        with discreet(project):
            row = publish(project, warehouse)
        return dg.MaterializeResult(
            metadata={
                "path": f"data/published/{project.study.name}/cohort.duckdb",
                "refresh": row["refresh_id"],
                "content hash": row["content_hash"],
                "patients": row["eligible"],
                "tables": len(RELEASED),
                "bytes": project.release.stat().st_size,
                "seconds": round(time.perf_counter() - began, 3),
            }
        )

    return [cohort_duckdb]
