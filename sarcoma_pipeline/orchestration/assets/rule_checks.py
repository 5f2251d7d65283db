"""One check per rule group, on the asset that the group guards: what a steward opens in the morning.

A check fails, as an error or as a warning, if a finding of its group is to do; what is waived only counts.
What is not evaluated has no result, what does not apply to the study has no finding, and a crash is a failed
step: four different things.
"""

from collections.abc import Iterator, Mapping

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration.assets.step import asset_key, discreet
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.study.project import Project
from schemas.impact import Impact
from schemas.ledger import LedgerEntry, Trend
from schemas.quality import Finding, catalogue

GUARDED = {
    "file": "received.unread",
    "record": "quality.accounting",
    "obds": "typed.person",
    "identity": "curated.link",
    "value": "typed.assessment",
    "date": "typed.assessment",
    "diagnosis": "curated.diagnosis",
    "surgery": "curated.surgery",
    "radiotherapy": "curated.radiotherapy_course",
    "plan": "typed.plan",
    "course": "curated.radiotherapy_course",
    "records": "typed.treatment",
    "dicom": "typed.plan",
    "ct": "typed.image",
    "assessment": "curated.assessment",
    "death": "curated.vital_status",
    "vital-status": "curated.vital_status",
    "person": "typed.person",
    "systemic-therapy": "curated.systemic_therapy",
    "follow-up": "curated.assessment",
    "structures": "typed.structure_set",
    "dose": "typed.dose",
    "dataset": "quality.volumes",
}
"""Rule group (the id before its dot) to the asset that its check stands on."""


def groups() -> dict[str, list[str]]:
    """Rule group to its rules."""
    found: dict[str, list[str]] = {}
    for rule in catalogue()["rule_id"]:
        found.setdefault(rule.partition(".")[0], []).append(rule)
    return found


_SHOWN = 10
"""Failing records in a check's table; all of them are in ``quality.ledger`` and on the steward's page."""


def checks(project: Project) -> dg.AssetChecksDefinition:
    """The checks of all rule groups, as one step."""
    specs = {
        group: dg.AssetCheckSpec(
            f"{group.replace('-', '_')}_rules",
            asset=asset_key(project, GUARDED[group]),
            additional_deps=[asset_key(project, c.table()) for c in (Finding, LedgerEntry, Impact)],
            description=f"{len(rules)} rules, explained in docs/rules.md: {', '.join(rules)}.",
        )
        for group, rules in groups().items()
    }

    @dg.multi_asset_check(name="rules", specs=list(specs.values()))
    def rules(warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
        with discreet(project):
            group = pl.col("rule_id").str.split(".").list.first()
            found = _to_show(warehouse).with_columns(group=group)
            before = dict(_last_night(warehouse.read(Trend.table()).with_columns(group=group)).iter_rows())
            results = [
                _verdict(spec, found.filter(pl.col("group") == name), before) for name, spec in specs.items()
            ]
        yield from results

    return rules


def _to_show(warehouse: Warehouse) -> pl.DataFrame:
    standing = warehouse.read(LedgerEntry.table()).select("finding_id", "status")
    # What is said in full by `sarcoma findings impact` and on the steward's page would make a cell very high.
    impacts = warehouse.read(Impact.table())
    effect = impacts.group_by("record_id").agg(impact=pl.col("quantity").str.join(", "))
    return (
        warehouse.read(Finding.table())
        .join(standing, on="finding_id", how="left", maintain_order="left")
        .join(effect, on="record_id", how="left", maintain_order="left")
    )


def _last_night(trend: pl.DataFrame) -> pl.DataFrame:
    """``group``, how many of its findings were to do after the refresh before this one."""
    nights = trend["refresh_id"].unique().sort()
    if nights.len() < 2:
        return pl.DataFrame(schema={"group": pl.String, "to_do": pl.Int64})
    serious = trend.filter(pl.col("refresh_id") == nights[-2], pl.col("severity") != "notice")
    return serious.group_by("group").agg(
        to_do=(pl.col("open") + pl.col("acknowledged") + pl.col("reopened")).sum()
    )


def _verdict(spec: dg.AssetCheckSpec, found: pl.DataFrame, before: Mapping[str, int]) -> dg.AssetCheckResult:
    waived = found.filter(pl.col("status") == "waived").height
    found = found.filter(pl.col("status").ne_missing(pl.lit("waived")))
    serious = found.filter(pl.col("severity") != "notice")
    counts = dict(found.group_by("severity").len().iter_rows())
    said = [_counted(counts[s], s) for s in ("error", "warning", "notice") if s in counts]
    if waived:
        said.append(f"{waived} waived")
    metadata: dict[str, dg.MetadataValue | int | str] = {"to do": serious.height, "waived": waived}
    if before:
        change = serious.height - before.get(spec.name.removesuffix("_rules").replace("_", "-"), 0)
        metadata["change since last refresh"] = change
        said.append(f"{change:+d} since the last refresh" if change else "as in the last refresh")
    if found.height:
        metadata["failing records"] = _table(found.head(_SHOWN))
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=serious.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR if "error" in counts else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=", ".join(said) or "Nothing found.",
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _table(shown: pl.DataFrame) -> dg.TableMetadataValue:
    """The failing records, what a steward needs first on the left: the UI wraps no cell."""
    columns = {
        "finding": pl.col("finding_id"),
        "rule": pl.col("rule_id"),
        "file": pl.col("path"),
        # The path within an XML document is long; the line finds it, and the whole stands in the ledger.
        "position": pl.col("position").str.replace(r"^(line \d+) .*$", "$1"),
        "column": pl.col("column_name"),
        "value": pl.col("value"),
        "what": pl.col("what"),
        "remedy": pl.col("remedy"),
        "keeps from the study": pl.col("impact"),
        "status": pl.col("status"),
        "severity": pl.col("severity"),
    }
    rows = shown.select(**columns).fill_null("").rows(named=True)
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name, "string") for name in columns]),
    )
