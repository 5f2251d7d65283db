"""Asset ``meta.pool``: combines the centres of a study once every one of them has been received."""

import hashlib

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import links
from sarcoma_pipeline.orchestration.assets.step import RETRY, asset_key, redacted_errors
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from sarcoma_pipeline.warehouse.rewrite import insert
from schemas.meta import MetaFile, MetaRefresh

_COUNTS = ("new_files", "changed_files", "gone_files", "unchanged_files")


class NotReceived(Exception):
    """A centre has never been received; the message names it."""


def pool_key(project: Project) -> dg.AssetKey:
    """Return the key of the asset that represents all centres together."""
    return dg.AssetKey([project.study.name, "meta", "pool"])


def pooled_first(project: Project) -> list[dg.AssetKey]:
    """Return the assets to materialise before those of the whole study; empty without centres."""
    return [pool_key(project)] if project.centres else []


def pool(project: Project, warehouse: Warehouse, run_id: str) -> dict[str, int]:
    """Record a refresh of the pooled study, made of the last refreshes of its centres.

    Returns:
        Centre to number of its files.

    Raises:
        NotReceived: a centre is missing.
    """
    last = {
        centre: frame.sort("refresh_id").row(-1, named=True)
        for centre, frame in warehouse.by_centre(MetaRefresh.table()).items()
        if frame.height
    }
    if missing := [centre for centre in project.centres if centre not in last]:
        raise NotReceived(f"never received: {', '.join(missing)}")
    manifests = repr([(centre, last[centre]["manifest_hash"]) for centre in project.centres])
    row = {
        **provenance.refresh(project, run_id),
        "manifest_hash": hashlib.blake2b(manifests.encode(), digest_size=16).hexdigest(),
        **{name: sum(last[centre][name] for centre in project.centres) for name in _COUNTS},
    }
    with warehouse.transaction() as tables:
        insert(tables, MetaRefresh.table(), MetaRefresh.conform(pl.DataFrame([row])))
        step_cache.note_versions(tables, {MetaRefresh.table(): row["refresh_id"]})
    warehouse.forget(MetaRefresh.table())
    files = warehouse.by_centre(MetaFile.table())
    return {c: files[c].filter(pl.col("last_refresh").is_null()).height for c in project.centres}


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return ``meta.pool`` for a study with centres."""
    if not project.centres:
        return []
    needs = (MetaRefresh, MetaFile)

    @dg.asset(
        key=pool_key(project),
        deps=[asset_key(project, contract.table()) for contract in needs],
        description="The last refresh of every centre, combined into one refresh of the pooled study.",
        group_name=links.group(project, "meta"),
        kinds={"duckdb"},
        owners=[project.study.owner],
        retry_policy=RETRY,
    )
    def pooled(context: dg.AssetExecutionContext, warehouse: Warehouse) -> dg.MaterializeResult:
        with redacted_errors(project):
            files = pool(project, warehouse, context.run_id)
        return dg.MaterializeResult(metadata={f"files of {centre}": n for centre, n in files.items()})

    return [pooled]
