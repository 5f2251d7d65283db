"""Assets of quality: accounting, volumes, findings, the ledger and the checks of all rules."""

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import links
from sarcoma_pipeline.orchestration.assets import lost_records, rule_checks
from sarcoma_pipeline.orchestration.assets.curated import CURATED, TYPED
from sarcoma_pipeline.orchestration.assets.finding_sources import FindingSources
from sarcoma_pipeline.orchestration.assets.received import OF_FILES, RECEIVED, tonight
from sarcoma_pipeline.orchestration.assets.step import StepOutput, asset_key, step
from sarcoma_pipeline.orchestration.notification import NEWS_OF_CHECK
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import (
    accounting,
    decision_log,
    finding_records,
    findings,
    ledger,
    quarantine,
    rule_catalogue,
    rule_results,
    volumes,
)
from sarcoma_pipeline.study import provenance
from sarcoma_pipeline.study.project import Project
from schemas.cohort import CohortEligibility
from schemas.curated import Link, Patient
from schemas.curated_identity import IdentityReading
from schemas.ledger import Decision, LedgerEntry, Trend
from schemas.meta import MetaFile, MetaValueAccount
from schemas.movement import Movement
from schemas.quality import (
    Accounting,
    Disposition,
    Finding,
    FindingRecord,
    Observed,
    QualityRule,
    Quarantine,
    RuleResult,
    SetAside,
)
from schemas.vocabularies import ERROR
from schemas.volumes import Volume


def assets(project: Project) -> list[dg.AssetsDefinition | dg.AssetChecksDefinition]:
    """Return the steps for decisions, accounting, volumes, findings and ledger, and the rule checks."""
    identity = dg.AssetCheckSpec(
        "accounting_identity",
        asset=asset_key(project, Accounting.table()),
        blocking=True,
        description=(
            "Records read = curated + quarantined + exact duplicates + out of scope, and values delivered = "
            "read + ignored by name + unknown, per file."
        ),
    )

    def account(warehouse: Warehouse) -> StepOutput:
        """Account for every record of every file, so that none is lost."""
        held = warehouse.read(Quarantine.table())
        disposition = quarantine.settle(warehouse.read(SetAside.table()).drop("step"), held)
        frame = accounting.account(
            {t: warehouse.read(t, columns=("record_id", "file_id")) for t in RECEIVED},
            {t: warehouse.read(t, columns=("record_ids",)) for t in CURATED},
            held,
            disposition,
            warehouse.read(MetaFile.table(), columns=("file_id", "delivered_values")),
            # There are hundreds of paths of a file.
            warehouse.sums(MetaValueAccount.table(), by=("file_id", "outcome"), of="values"),
        )
        return StepOutput({Disposition.table(): disposition, Accounting.table(): frame})

    def check_identity(warehouse: Warehouse) -> list[dg.AssetCheckResult]:
        frame = warehouse.read(Accounting.table())
        files = warehouse.read(MetaFile.table(), columns=("records",))
        return [_identity_holds(project, frame, files)]

    within = dg.AssetCheckSpec(
        "shares_within_thresholds",
        asset=asset_key(project, RuleResult.table()),
        description="No rule is broken by more records than [[thresholds]] of study.toml allows.",
    )

    def count_results(warehouse: Warehouse) -> StepOutput:
        """Count what every rule judged and what breaks it, by source, and compare with the thresholds."""
        refresh, _ = tonight(warehouse, noted=False)
        return StepOutput({RuleResult.table(): _results(project, warehouse, refresh)})

    def check_shares(warehouse: Warehouse) -> list[dg.AssetCheckResult]:
        refresh, _ = tonight(warehouse, noted=False)
        return [_within_thresholds(project, warehouse.read(RuleResult.table(), noted=False), refresh)]

    def count_volumes(warehouse: Warehouse) -> StepOutput:
        """Count what each source delivered, and compare with earlier refreshes."""
        refresh, _ = tonight(warehouse)
        made = volumes.volumes(
            warehouse.read(MetaFile.table(), columns=("file_id", "source", "records")),
            warehouse.read(Accounting.table(), columns=("file_id", "quarantined")),
            warehouse.read("received.unread", columns=("file_id", "rule_id")),
            warehouse.read(Patient.table(), columns=("patient_id",)),
            [source.name for source in project.sources.source],
            refresh,
        )
        nights = warehouse.read(Volume.table()).filter(pl.col("refresh_id") != refresh)
        history = pl.concat([nights, made])
        unknown = accounting.unknown(
            warehouse.read(MetaFile.table(), columns=("file_id", "source")),
            # There are hundreds of paths of a file that are read, and hardly any that is unknown.
            warehouse.read(MetaValueAccount.table(), among=pl.Series("outcome", ["unknown"])),
        )
        lost = lost_records.observe(warehouse, project.sources)
        seen = pl.concat([volumes.observe(history, refresh), unknown, lost])
        return StepOutput({Volume.table(): history}, {Observed.table(): seen})

    def find(warehouse: Warehouse) -> StepOutput:
        """Turn every broken rule into a finding with words, position and remedy for the steward."""
        observed = warehouse.read(Observed.table()).drop("step")
        readings, patients = warehouse.read(IdentityReading.table()), warehouse.read(Patient.table())
        links, sources = warehouse.read(Link.table()), FindingSources(warehouse)
        found = findings.findings(
            observed,
            sources.places(observed["record_id"]),
            sources.persons(observed["record_id"]),
            patients,
            links,
            warehouse.centre,
            warehouse.read(Decision.table()),
            warehouse.read(Movement.table(), columns=("record_id", "pseudonym", "unexplained")),
            readings,
        )
        records = finding_records.finding_records(found, sources, patients, links, readings)
        by = found.group_by("severity").len().sort("severity")
        counts = {f"{severity}s": n for severity, n in by.iter_rows()}
        return StepOutput(
            {
                Finding.table(): found,
                FindingRecord.table(): records,
                QualityRule.table(): rule_catalogue.catalogue(),
            },
            metadata={Finding.table(): counts},
        )

    def load_decisions(warehouse: Warehouse) -> StepOutput:
        """Load the stewards' decisions from their log, which survives the loss of the warehouse."""
        known = warehouse.read(Decision.table())
        return StepOutput({Decision.table(): decision_log.restore(project.decisions, known)})

    def log(_: Warehouse) -> str:
        return provenance.decisions_hash(decision_log.read(project.decisions))

    def keep_ledger(warehouse: Warehouse) -> StepOutput:
        """Update the status of every finding: open, acknowledged, waived, resolved or reopened."""
        refresh, today = tonight(warehouse)
        entries = ledger.advance(
            warehouse.read(LedgerEntry.table()),
            warehouse.read(Finding.table()),
            warehouse.read(Decision.table()),
            pl.concat([warehouse.read(t, columns=("record_id", "content_hash")) for t in RECEIVED]),
            refresh,
            today,
        )
        nights = warehouse.read(Trend.table()).filter(pl.col("refresh_id") != refresh)
        counts = {f"findings {status}": n for status, n in entries.group_by("status").len().iter_rows()}
        return StepOutput(
            {
                LedgerEntry.table(): entries,
                Trend.table(): pl.concat([nights, ledger.trend(entries, refresh)]),
            },
            metadata={LedgerEntry.table(): counts},
        )

    return [
        # Runs after the files are read, because reading may add decisions carried over to new finding ids.
        step(
            project, "decisions", {Decision.table(): [MetaFile.table()]}, load_decisions, kinds={"csv"},
            other_inputs=log,
        ),
        step(
            project,
            "accounting",
            {
                Disposition.table(): [*RECEIVED, Quarantine.table()],
                Accounting.table(): [
                    *OF_FILES,
                    *CURATED,
                    Quarantine.table(),
                    Disposition.table(),
                ],
            },
            account,
            kinds={"polars"},
            checks=[identity],
            run_checks=check_identity,
        ),
        step(
            project,
            "volumes",
            {
                Volume.table(): [
                    MetaFile.table(),
                    MetaValueAccount.table(),
                    Accounting.table(),
                    Link.table(),
                    Patient.table(),
                    "received.unread",
                ]
            },
            count_volumes,
            kinds={"polars"},
        ),
        step(
            project,
            "findings",
            {
                Finding.table(): [
                    "meta.files",
                    Volume.table(),
                    # The step of the eligibility reports excluded patients and values set to null.
                    CohortEligibility.table(),
                    Link.table(),
                    Quarantine.table(),
                    Patient.table(),
                    Decision.table(),
                    Movement.table(),
                ],
                FindingRecord.table(): [Finding.table(), *RECEIVED, *TYPED, *CURATED, Disposition.table()],
                QualityRule.table(): [],
            },
            find,
            kinds={"polars"},
        ),
        step(
            project,
            "ledger",
            {
                LedgerEntry.table(): [Finding.table(), Decision.table(), "meta.refreshes", *RECEIVED],
                Trend.table(): [LedgerEntry.table()],
            },
            keep_ledger,
            kinds={"polars"},
        ),
        step(
            project,
            "rule_results",
            {
                RuleResult.table(): sorted(
                    {
                        *set(rule_catalogue.tables().values()), *RECEIVED, *TYPED, MetaFile.table(),
                        Accounting.table(), Finding.table(), FindingRecord.table(), LedgerEntry.table(),
                    }
                )
            },
            count_results,
            kinds={"polars"},
            checks=[within],
            run_checks=check_shares,
        ),
        rule_checks.checks(project),
    ]  # fmt: skip


def _results(project: Project, warehouse: Warehouse, refresh: str) -> pl.DataFrame:
    """Return ``quality.rule_results`` of this refresh."""
    files = warehouse.read(MetaFile.table(), columns=("file_id", "source"))
    sources_of = pl.concat(
        warehouse.read(t, columns=("record_id", "file_id"))
        .join(files, on="file_id", how="left", maintain_order="left")
        .select("record_id", "source")
        for t in RECEIVED
    )
    standing = warehouse.read(LedgerEntry.table(), columns=("finding_id", "status"))
    own = warehouse.read(FindingRecord.table(), columns=("finding_id", "source", "at_fault"))
    found = (
        warehouse.read(Finding.table(), columns=("finding_id", "rule_id", "records"))
        .join(standing, on="finding_id", how="left", maintain_order="left")
        .join(rule_results.source_of_findings(own), on="finding_id", how="left", maintain_order="left")
    )
    return rule_results.results(
        warehouse.read,
        sources_of,
        found,
        project.study.thresholds,
        warehouse.read(RuleResult.table(), noted=False),
        refresh,
    )


def _within_thresholds(project: Project, results: pl.DataFrame, refresh: str) -> dg.AssetCheckResult:
    """Return the check of the shares; what is above its threshold already is no news."""
    whole = results.filter(pl.col("source").is_null(), pl.col("max_percent").is_not_null())
    above = whole.drop_nulls("above_since").sort("rule_id")
    words = [
        f"{row['rule_id']} {row['percent']:.1f} % (at most {row['max_percent']:g} %)"
        for row in above.iter_rows(named=True)
    ]
    return dg.AssetCheckResult(
        asset_key=asset_key(project, RuleResult.table()),
        check_name="shares_within_thresholds",
        passed=above.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR if ERROR in set(above["check"]) else dg.AssetCheckSeverity.WARN,
        metadata={
            "thresholds": whole.height,
            "above": above.height,
            NEWS_OF_CHECK: above.filter(pl.col("above_since") == refresh).height,
            "steward's page": links.published(project, "steward.html", "view=rule&sort=percent"),
        },
        description=f"Above the threshold: {'; '.join(words)}."
        if words
        else f"{whole.height} shares are within their thresholds."
        if whole.height
        else "study.toml declares no thresholds.",
    )


def _identity_holds(project: Project, frame: pl.DataFrame, files: pl.DataFrame) -> dg.AssetCheckResult:
    total = frame.select(pl.col(pl.Int64).sum()).row(0, named=True) if frame.height else {}
    read = files["records"].sum()
    wrong = frame.filter(pl.any_horizontal(pl.col("unaccounted", "counted_twice", "values_unaccounted") > 0))
    return dg.AssetCheckResult(
        asset_key=asset_key(project, Accounting.table()),
        check_name="accounting_identity",
        passed=wrong.is_empty() and total.get("records", 0) == read,
        severity=dg.AssetCheckSeverity.ERROR,
        metadata={
            "records in the manifest": int(read),
            **{k.replace("_", " "): int(v) for k, v in total.items()},
            "files with errors": wrong.height,
        },
        description=f"{total.get('records', 0)} records of {frame.height} files are accounted for."
        if wrong.is_empty()
        else f"{wrong.height} files have records or values that are lost or counted twice.",
    )
