"""Asset of the steward's page: a static page of all findings, next to the release."""

import datetime as dt
import time
from pathlib import Path

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import data_versions, dose_process, links
from sarcoma_pipeline.orchestration.assets.pool import pooled_first
from sarcoma_pipeline.orchestration.assets.record_locations import identity_gate
from sarcoma_pipeline.orchestration.assets.step import asset_key, redacted_errors
from sarcoma_pipeline.orchestration.page_file import write_whole
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.publish.report import steward
from sarcoma_pipeline.quality import (
    decision_requests,
    impact_sentences,
    movement,
    registry_coverage,
    rule_results,
)
from sarcoma_pipeline.quality.identity_gate import IdentityGate
from sarcoma_pipeline.study.project import Project
from schemas.curated import Patient
from schemas.curated_identity import IdentityReading
from schemas.curated_radiotherapy import RadiotherapyReading
from schemas.impact import Impact
from schemas.language import gettext as _
from schemas.language import speaking
from schemas.ledger import Decision, LedgerEntry, Trend
from schemas.meta import MetaFile, MetaRefresh
from schemas.movement import Movement
from schemas.quality import Accounting, Finding, FindingRecord, QualityRule, RuleResult
from schemas.received import RegistryReply
from schemas.typed import Person
from schemas.vocabularies import ERROR, RESOLVED


def steward_page(project: Project, warehouse: Warehouse) -> tuple[Path, int]:
    """Write the steward's page in one step, so that no partial file is visible.

    Returns:
        The file, and the number of findings on it.
    """
    gate = identity_gate(project, warehouse)
    files = warehouse.read(MetaFile.table(), columns=("file_id", "path"))
    refresh = warehouse.read(MetaRefresh.table()).sort("refresh_id").row(-1, named=True)
    effect = impact_sentences.sentences(warehouse.read(Impact.table()))
    errors = warehouse.read(Finding.table()).filter(pl.col("severity") == ERROR)
    ledger = warehouse.read(LedgerEntry.table())
    listed = to_list(ledger)
    findings = listed.join(
        errors.select("finding_id", "record_id").join(effect, on="record_id"), on="finding_id", how="left"
    )
    records = warehouse.read(FindingRecord.table())
    findings = findings.join(
        rule_results.source_of_findings(records), on="finding_id", how="left", maintain_order="left"
    )
    choices = readings(warehouse)
    reasons = findings["reason"].map_elements(gate.remark, return_dtype=pl.String)
    shown = files.select("file_id", gate.paths(files))
    html = steward.page(
        gate.frame(findings).with_columns(reasons),
        warehouse.read(QualityRule.table()),
        warehouse.read(Accounting.table()),
        shown,
        _by_day(warehouse),
        {
            "study": project.study.name,
            "dagster_url": project.study.dagster_url,
            "title": (_("DRAFT: {title}") if project.draft else "{title}").format(title=project.study.title),
            **{n: refresh[n] for n in ("refresh_id", "code_version")},
            "started_at": project.at_the_site(dt.datetime.fromisoformat(refresh["started_at"])),
        },
        _coverage(warehouse, shown),
        movement.summary(warehouse.read(Movement.table())),
        shown_records(gate, records),
        actions=decision_requests.possible(findings, warehouse.read(Decision.table()), choices),
        readings=decision_requests.in_sentences(findings, choices),
        results=warehouse.read(RuleResult.table()),
        days=_days(warehouse),
        plans_to_compute=dose_process.missing(project).plans,
        resolved_earlier=ledger.height - listed.height,
    )
    target = project.published / "steward.html"
    write_whole(target, html)
    return target, findings.height


_RESOLVED = 5_000
"""Maximum number of resolved findings on the page: one night without a folder leaves one for every file."""


def to_list(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return the findings of the page, in the order of the ledger: of the resolved ones those seen last."""
    resolved = ledger.filter(pl.col("status") == RESOLVED)
    earlier = resolved.sort("last_seen", "finding_id", descending=[True, False])[_RESOLVED:]
    return ledger.join(earlier.select("finding_id"), on="finding_id", how="anti", maintain_order="left")


def readings(warehouse: Warehouse) -> pl.DataFrame:
    """Return the readings and answers that a steward can choose, by finding; a patient by pseudonym."""
    patients = warehouse.read(Patient.table()).select("patient_id", "pseudonym")
    whose = pl.coalesce(pl.lit(": patient ") + pl.col("pseudonym"), pl.lit(""))
    identities = warehouse.read(IdentityReading.table()).join(patients, on="patient_id", how="left")
    return decision_requests.offered(
        warehouse.read(Finding.table()),
        warehouse.read(RadiotherapyReading.table()),
        identities.with_columns(text=pl.col("text") + whose).drop("pseudonym"),
    )


def _days(warehouse: Warehouse) -> dict[str, str]:
    """Return the day of each refresh at the site."""
    rows = warehouse.read(MetaRefresh.table()).select("refresh_id", pl.col("received_on").cast(pl.String))
    return dict(rows.iter_rows())


def _by_day(warehouse: Warehouse) -> pl.DataFrame:
    """Return the trend with the day of each refresh at the site."""
    days = warehouse.read(MetaRefresh.table()).select("refresh_id", day="received_on")
    return warehouse.read(Trend.table()).join(days, on="refresh_id", how="left", maintain_order="left")


def shown_records(gate: IdentityGate, records: pl.DataFrame) -> pl.DataFrame:
    """Return the records of findings as they may be shown outside the warehouse."""
    return gate.frame(records.with_columns(note="why")).with_columns(why="note").drop("note")


def _coverage(warehouse: Warehouse, files: pl.DataFrame) -> list[str]:
    """Return the sentences on the coverage of the queries to registry offices."""
    if not warehouse.height(RegistryReply.table()):
        return []
    needed = registry_coverage.NEEDED.items()
    return registry_coverage.described({t: warehouse.read(t, columns=c) for t, c in needed}, files)


def assets(project: Project) -> list[dg.AssetsDefinition]:
    """Return the asset of the steward's page."""
    where = f"data/published/{project.study.name}/steward.html"
    tables = (
        Decision,
        IdentityReading,
        RadiotherapyReading,
        LedgerEntry,
        FindingRecord,
        Trend,
        Impact,
        QualityRule,
        RuleResult,
        Accounting,
        Person,
        Movement,
    )

    @dg.asset(
        key=dg.AssetKey([project.study.name, "report", "steward_page"]),
        deps=[*(asset_key(project, t.table()) for t in tables), *pooled_first(project)],
        description=(
            f"{where}: findings by rule, file and patient, with their trend; one self-contained file "
            "without identifying data."
        ),
        group_name=links.group(project, "report"),
        metadata=links.of_layer(project, "report"),
        kinds={"html"},
        owners=[project.study.owner],
    )
    def steward_html(warehouse: Warehouse) -> dg.MaterializeResult:
        began = time.perf_counter()
        with redacted_errors(project), speaking(project.study.language):
            path, findings = steward_page(project, warehouse)
        return dg.MaterializeResult(
            metadata={
                "steward's page": links.published(project, "steward.html"),
                "findings": findings,
                "bytes": path.stat().st_size,
                "seconds": round(time.perf_counter() - began, 3),
            },
            data_version=data_versions.of_content(path.read_text(encoding="utf-8")),
        )

    return [steward_html]
