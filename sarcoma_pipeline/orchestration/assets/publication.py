"""Asset of the release: builds the pseudonymous database, runs the gate and publishes it atomically."""

import datetime as dt
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import (
    data_versions,
    dose_process,
    links,
    opinion_process,
    standing_release,
)
from sarcoma_pipeline.orchestration.assets import gate_failures, kept_result, movement, plausible
from sarcoma_pipeline.orchestration.assets.pool import pooled_first
from sarcoma_pipeline.orchestration.assets.step import RETRY, UNCHANGED, asset_key, redacted_errors
from sarcoma_pipeline.orchestration.night import DRAFT, STALE_AFTER, release_name
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish import release
from sarcoma_pipeline.publish.tables_on_demand import OnDemand, held_open
from sarcoma_pipeline.quality import chart_review, release_gate
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from sarcoma_pipeline.warehouse import step_cache
from sarcoma_pipeline.warehouse.rewrite import insert
from schemas.ledger import Decision
from schemas.meta import MetaRefresh
from schemas.release import ACCOUNT, RELEASED, MetaRelease
from schemas.review import ChartReview

FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=STALE_AFTER, warn_window=dt.timedelta(hours=26))
"""A missed refresh is a warning in the morning and an error before the next refresh."""

_IDENTITY = ("content_hash", "code_hash", "configuration_hash", "manifest_hash", "decisions_hash",
    "chart_reviews_hash",
)  # fmt: skip
"""Columns of ``meta.release`` that are equal if two releases have the same inputs and content."""

_STEP = "cohort_duckdb"
"""Name of the step."""

_LISTED_FAULTS = 5
"""Faults listed in the failure message; the check and the Data Docs list all."""


def release_key(project: Project) -> dg.AssetKey:
    """Return the asset key of the published database."""
    return dg.AssetKey(list(release_name(project)))


def described(project: Project, warehouse: Warehouse, tables: Mapping[str, pl.DataFrame]) -> dict[str, Any]:
    """Return the row of ``meta.release`` for a release of these tables."""
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
        "content_hash": content_hash(project, warehouse, tables),
        "eligible": warehouse.height("cohort.patients"),
        "draft": project.draft,
        "chart_reviews_hash": chart_review.digest(project.reviews),
    }


def content_hash(project: Project, warehouse: Warehouse, tables: Mapping[str, pl.DataFrame]) -> str:
    """Return the content hash of a release of these tables, without reading them if it was computed before.

    It is kept as long as the versions of the released tables are the same.
    """
    versions = None if warehouse.centres else warehouse.versions(set(RELEASED))
    if versions is None:
        return release.content_hash(tables)
    inputs = step_cache.circumstances(project, json.dumps(versions))
    kept = kept_result.contents(warehouse, _STEP, inputs).get(MetaRelease.table())
    if kept is not None:
        return kept
    content = release.content_hash(tables)
    with warehouse.rewriting(_STEP) as writing:
        writing.add({}, kept_result.noted_contents(inputs, {MetaRelease.table(): content}))
    return content


def is_published(project: Project, row: dict[str, Any]) -> bool:
    """Return whether the published release has the same inputs and content, and is undamaged."""
    found = release.read_label(project.release)
    if found is None or any(found.get(name) != row[name] for name in _IDENTITY):
        return False
    return standing_release.is_intact(project, found["refresh_id"])


def build(
    project: Project,
    tables: Mapping[str, pl.DataFrame],
    row: dict[str, Any],
    account: Mapping[str, pl.DataFrame],
) -> Path:
    """Build the release next to the published one, with the account of moved values."""
    # Remove partial files of a killed refresh; only one refresh runs at a time.
    for partial in (*project.published.glob(".building-*"), *project.published.glob("releases/*.part")):
        partial.unlink()
    built = project.published / f".building-{row['refresh_id']}.duckdb"
    release.build(built, tables, label(row), account)
    return built


def label(row: dict[str, Any]) -> pl.DataFrame:
    """Return ``meta.release`` of one release."""
    return MetaRelease.enforce(MetaRelease.conform(pl.DataFrame([row])))


def run_gate(
    project: Project, built: Path, last: Mapping[str, pl.DataFrame] | None, refresh_id: str
) -> list[release_gate.Failed]:
    """Run the gate on a built release; delete a failing release after its Data Docs are written."""
    passed = False
    try:
        tables = standing_release.tables_of(built) or {}
        with held_open(tables), held_open(last):
            failed = release_gate.gate(tables, last, project.study.gate)
        passed = not any(f.severity == "error" for f in failed)
        if not passed:
            # Nothing will be published, so the second opinion delays nothing; the file is deleted afterwards.
            opinion = opinion_process.opinion_of(project, refresh_id, built, lambda: last)
            if not opinion.agrees:
                failed.append(release_gate.Failed(opinion_process.CHECK, None, "error", str(opinion)))
    finally:
        if not passed:
            built.unlink()
    return failed


def publish(project: Project, warehouse: Warehouse, built: Path, row: dict[str, Any]) -> None:
    """Record a checked release in the warehouse, which outlives its file, and publish it.

    Raises:
        dg.Failure: a last check failed; the last release is unchanged.
    """
    with warehouse.transaction() as tables:
        insert(tables, MetaRelease.table(), label(row))
    try:
        release.publish(built, project.release, row["refresh_id"])
    except release.NothingToPublish as gate:
        raise held_back([str(gate)]) from None


def held_back(faults: Sequence[str]) -> dg.Failure:
    """Return the failure with the reasons; the last release is unchanged."""
    more = f" (and {len(faults) - _LISTED_FAULTS} more)" if len(faults) > _LISTED_FAULTS else ""
    listed = " | ".join(faults[:_LISTED_FAULTS])
    return dg.Failure(
        description=f"Nothing was published, the last release is unchanged: {listed}{more}",
        allow_retries=False,
    )


def assets(project: Project) -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    """Return the asset of the published database, and the check that runs after publication."""
    gate = dg.AssetCheckSpec(
        "release_gate",
        asset=release_key(project),
        description="What is expected of the built release; an error holds the release back.",
    )

    @dg.asset(
        key=release_key(project),
        deps=[*(asset_key(project, t) for t in (*RELEASED, *ACCOUNT)), *pooled_first(project)],
        check_specs=[gate],
        description=(
            f"data/published/{project.study.name}/cohort.duckdb: pseudonymous, documented by comments, "
            "replaced atomically. The published file is unchanged if the gate fails."
        ),
        group_name=links.group(project, "release"),
        metadata=links.of_layer(project, "release"),
        kinds={"duckdb", "polars"},
        owners=[project.study.owner],
        freshness_policy=FRESHNESS,
        retry_policy=RETRY,
    )
    def cohort_duckdb(warehouse: Warehouse) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult]:
        began = time.perf_counter()
        with redacted_errors(project):
            tables = release.released(OnDemand(RELEASED, warehouse.read))
            row = described(project, warehouse, tables)
            unchanged = is_published(project, row)
        if unchanged:
            dose_process.start(project)
            yield dg.AssetCheckResult(
                asset_key=gate.asset_key,
                check_name=gate.name,
                passed=True,
                description="Nothing changed: the published release has passed the gate before.",
            )
            yield dg.MaterializeResult(
                metadata={
                    "content hash": row["content_hash"],
                    DRAFT: project.draft,
                    UNCHANGED: True,
                    **_pages(project),
                },
                data_version=data_versions.of_content(row["content_hash"]),
            )
            return
        with redacted_errors(project):
            reasons = plausible.reasons(project, warehouse)
            if reasons:
                raise held_back([str(reason) for reason in reasons])
            beside = {ChartReview.table(): chart_review.reviews(project.reviews)}
            built = build(project, tables, row, {**movement.released(project, warehouse), **beside})
            faults = release.faults(built)
            if faults:
                # Basic faults need no suite, whose import takes seconds.
                built.unlink()
                raise held_back(faults)
            last, compared = standing_release.last_compared(project)
            gate_began = time.perf_counter()
            failed = run_gate(project, built, compared, row["refresh_id"])
        gate_seconds = round(time.perf_counter() - gate_began, 3)
        yield _check_result(gate, failed, {"data docs": _docs(project), "seconds": gate_seconds})
        with redacted_errors(project):
            errors = gate_failures.in_words(warehouse, failed)
        if errors:
            raise held_back(errors)
        with redacted_errors(project):
            publish(project, warehouse, built, row)
            opinion_process.start(project, row["refresh_id"], last)
            dose_process.start(project)
        yield dg.MaterializeResult(
            metadata={
                **_pages(project),
                "refresh": row["refresh_id"],
                DRAFT: project.draft,
                UNCHANGED: False,
                "content hash": row["content_hash"],
                "patients": row["eligible"],
                "tables": len(RELEASED),
                "bytes": project.release.stat().st_size,
                "seconds": round(time.perf_counter() - began, 3),
            },
            data_version=data_versions.of_content(row["content_hash"]),
        )

    @dg.asset_check(
        asset=release_key(project),
        name=opinion_process.CHECK,
        description=(
            "Great Expectations judges the published release by the gate's expectations, in a process of its "
            "own after publication. A disagreement is an error of the program."
        ),
    )
    def second_opinion() -> dg.AssetCheckResult:
        with redacted_errors(project):
            label = release.read_label(project.release)
            if label is None:
                return dg.AssetCheckResult(passed=False, description="There is no release to judge.")
            last = standing_release.before(project, label["refresh_id"])
            return opinion_result(project, opinion_process.give(project, label["refresh_id"], last))

    return [cohort_duckdb, second_opinion]


def opinion_key(project: Project) -> dg.AssetCheckKey:
    """Return the key of the check that runs after publication."""
    return dg.AssetCheckKey(release_key(project), opinion_process.CHECK)


def opinion_result(project: Project, opinion: opinion_process.Opinion) -> dg.AssetCheckResult:
    """Return the second opinion as the result of its check."""
    table = dg.MetadataValue.table(
        records=[dg.TableRecord({"disagreement": words}) for words in opinion.disagreements],
        schema=dg.TableSchema([dg.TableColumn("disagreement")]),
    )
    return dg.AssetCheckResult(
        asset_key=release_key(project),
        check_name=opinion_process.CHECK,
        passed=opinion.agrees,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"Release {opinion.refresh_id}: {opinion}",
        metadata={
            "data docs": _docs(project),
            "refresh": opinion.refresh_id,
            **({"disagreements": table} if opinion.disagreements else {}),
        },
    )


def _pages(project: Project) -> dict[str, dg.MetadataValue]:
    return {
        "release": links.published(project, project.release.name),
        "report": links.published(project, "report/index.html"),
        "steward's page": links.published(project, "steward.html"),
    }


def _docs(project: Project) -> dg.MetadataValue:
    return links.published(project, "data_docs/index.html")


def _check_result(
    spec: dg.AssetCheckSpec, failed: Sequence[release_gate.Failed], metadata: dict[str, Any]
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
        description=f"{errors} errors, {len(failed) - errors} warnings."
        if failed
        else "All expectations met.",
    )
