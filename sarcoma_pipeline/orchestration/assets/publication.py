"""Release: the pseudonymous database, gated and swapped in."""

import datetime as dt
import filecmp
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from sarcoma_pipeline.orchestration.assets.pool import pooled_first
from sarcoma_pipeline.orchestration.assets.step import KEPT, RETRY, asset_key, discreet
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.quality import expectations
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse.rewrite import insert
from schemas.ledger import Decision
from schemas.meta import MetaRefresh
from schemas.release import RELEASED, MetaRelease

FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=dt.timedelta(hours=36), warn_window=dt.timedelta(hours=26)
)
"""One missed night is a warning in the morning, and a failure before the next one."""

_MADE_OF = ("content_hash", "code_hash", "configuration_hash", "manifest_hash", "decisions_hash")

_SAID = 5
"""Faults that a failure names; all of them are in the check and in the Data Docs."""


def release_key(project: Project) -> dg.AssetKey:
    """The published database."""
    return dg.AssetKey([project.study.name, "release", "cohort_duckdb"])


def described(project: Project, warehouse: Warehouse, tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """The row of ``meta.release`` of what would be released now."""
    refresh = warehouse.read(MetaRefresh.table()).sort("refresh_id").row(-1, named=True)
    decisions = warehouse.read(Decision.table())
    return {
        "study": project.study.name,
        "title": project.study.title,
        "refresh_id": refresh["refresh_id"],
        "released_at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "code_version": refresh["code_version"],
        "code_hash": provenance.code_hash(),
        "configuration_hash": project.configuration_hash(),
        "manifest_hash": refresh["manifest_hash"],
        "decisions": decisions.height,
        "decisions_hash": provenance.decisions_hash(decisions),
        "content_hash": release.content_hash(tables),
        "eligible": warehouse.height("cohort.patients"),
    }


def stands(project: Project, row: dict[str, Any]) -> bool:
    """Whether the published release is this very one, made of the same, and byte for byte as it was made."""
    found = release.read_label(project.release)
    if found is None or any(found.get(name) != row[name] for name in _MADE_OF):
        return False
    kept = project.published / "releases" / f"{found['refresh_id']}.duckdb"
    return kept.exists() and filecmp.cmp(kept, project.release, shallow=False)


def build(project: Project, tables: Mapping[str, pl.DataFrame], row: dict[str, Any]) -> Path:
    """Build the release beside the old one."""
    # A refresh that was killed left its half behind; only one refresh runs at a time.
    for half in (*project.published.glob(".building-*"), *project.published.glob("releases/*.part")):
        half.unlink()
    built = project.published / f".building-{row['refresh_id']}.duckdb"
    release.build(built, tables, label(row))
    return built


def label(row: dict[str, Any]) -> pl.DataFrame:
    """``meta.release`` of one release."""
    return MetaRelease.enforce(MetaRelease.conform(pl.DataFrame([row])))


def judge(project: Project, built: Path) -> list[expectations.Failed]:
    """Run the gate over a built release and write its Data Docs; a release that fails is deleted."""
    passed = False
    try:
        failed = expectations.gate(
            _tables(built) or {},
            _before(project),
            project.study.gate,
            project.published / "data_docs",
        )
        passed = not any(f.severity == "error" for f in failed)
    finally:
        if not passed:
            built.unlink()
    return failed


def _tables(path: Path) -> Mapping[str, pl.DataFrame] | None:
    """What the gate judges: every table but the release's own label."""
    found = release.on_demand(path)
    names = [table for table in found or () if table != MetaRelease.table()]
    return found and release.OnDemand(names, found.__getitem__)


def _before(project: Project) -> Mapping[str, pl.DataFrame] | None:
    """The release that the new one is compared with: the published; if it is damaged, the newest kept."""
    kept = sorted((project.published / "releases").glob("*.duckdb"), reverse=True)
    for path in (project.release, *kept):
        with suppress(duckdb.Error):
            found = _tables(path) or {}
            # A damaged one is met now, and not in the midst of the judging.
            if all(found[table].width for table in found):
                return found or None
    return None


def publish(project: Project, warehouse: Warehouse, built: Path, row: dict[str, Any]) -> None:
    """Note a judged release in the warehouse, for the day on which its file is gone, and swap it in.

    Raises:
        dg.Failure: the last line of the gate held it back; the last release stands.
    """
    with warehouse.transaction() as tables:
        insert(tables, MetaRelease.table(), label(row))
    try:
        release.publish(built, project.release, row["refresh_id"])
    except release.NothingToPublish as gate:
        raise held_back([str(gate)]) from None


def held_back(faults: Sequence[str]) -> dg.Failure:
    """The failure that says that the last release stands, and why."""
    more = f" (and {len(faults) - _SAID} more)" if len(faults) > _SAID else ""
    return dg.Failure(
        description=f"Nothing was published, the last release stands: {' | '.join(faults[:_SAID])}{more}",
        allow_retries=False,
    )


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """The published database."""
    gate = dg.AssetCheckSpec(
        "release_gate",
        asset=release_key(project),
        description="The Great Expectations suite over the built release; an error holds the release back.",
    )
    docs = f"data/published/{project.study.name}/data_docs/index.html"

    @dg.asset(
        key=release_key(project),
        deps=[*(asset_key(project, table) for table in RELEASED), *pooled_first(project)],
        check_specs=[gate],
        description=(
            f"data/published/{project.study.name}/cohort.duckdb: pseudonymous, documented by comments, "
            "swapped in whole. Nothing is swapped if the gate fails."
        ),
        group_name="release",
        kinds={"duckdb", "greatexpectations"},
        owners=[project.study.owner],
        freshness_policy=FRESHNESS,
        retry_policy=RETRY,
    )
    def cohort_duckdb(warehouse: Warehouse) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        began = time.perf_counter()
        with discreet(project):
            tables = release.released(release.OnDemand(RELEASED, warehouse.read))
            row = described(project, warehouse, tables)
            same = stands(project, row)
        if same:
            standing = "Nothing changed: the release that was judged before stands."
            yield dg.AssetCheckResult(
                asset_key=gate.asset_key, check_name=gate.name, passed=True, description=standing
            )
            yield dg.MaterializeResult(metadata={"content hash": row["content_hash"], KEPT: True})
            return
        with discreet(project):
            built = build(project, tables, row)
            hopeless = release.faults(built)
            if hopeless:
                # What no release may be needs no suite to say so, nor the seconds that its import takes.
                built.unlink()
                raise held_back(hopeless)
            judging = time.perf_counter()
            failed = judge(project, built)
        judged = time.perf_counter() - judging
        yield _verdict(gate, failed, {"data docs": docs, "seconds": round(judged, 3)})
        errors = [str(f) for f in failed if f.severity == "error"]
        if errors:
            raise held_back(errors)
        with discreet(project):
            publish(project, warehouse, built, row)
        yield dg.MaterializeResult(
            metadata={
                "path": f"data/published/{project.study.name}/cohort.duckdb",
                "refresh": row["refresh_id"],
                KEPT: False,
                "content hash": row["content_hash"],
                "patients": row["eligible"],
                "tables": len(RELEASED),
                "bytes": project.release.stat().st_size,
                "seconds": round(time.perf_counter() - began, 3),
            }
        )

    return [cohort_duckdb]


def _verdict(
    spec: dg.AssetCheckSpec, failed: Sequence[expectations.Failed], metadata: dict[str, Any]
) -> dg.AssetCheckResult:
    errors = sum(f.severity == "error" for f in failed)
    table = dg.MetadataValue.table(
        records=[dg.TableRecord({"severity": f.severity, "expectation": str(f)}) for f in failed],
        schema=dg.TableSchema([dg.TableColumn("severity"), dg.TableColumn("expectation")]),
    )
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        metadata={**metadata, **({"failed": table} if failed else {})},
        description=f"{errors} errors, {len(failed) - errors} warnings." if failed else "All is as expected.",
    )
