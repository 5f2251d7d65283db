"""One asset check per rule group: shows the steward in the Dagster UI which records break which rule.

A check fails, as error or warning, if its group has a finding that is news: new, back, about more records or
more severe than before. Known and waived findings are shown and counted; nobody is alarmed again. A rule that
was not evaluated has no result, a rule that does not apply to the study has no finding, and a crash
fails the step.
"""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import polars as pl

from sarcoma_pipeline.orchestration import links
from sarcoma_pipeline.orchestration.assets.received import tonight
from sarcoma_pipeline.orchestration.assets.record_locations import identity_gate
from sarcoma_pipeline.orchestration.assets.step import asset_key, redacted_errors
from sarcoma_pipeline.orchestration.assets.steward_page import shown_records
from sarcoma_pipeline.orchestration.notification import KNOWN, NEWS, OF_RULES
from sarcoma_pipeline.orchestration.warehouse_resource import Warehouse
from sarcoma_pipeline.quality import rule_catalogue
from sarcoma_pipeline.quality.identity_gate import IdentityGate
from sarcoma_pipeline.study.project import Project
from schemas.impact import Impact
from schemas.ledger import LedgerEntry, Trend
from schemas.quality import Finding, FindingRecord
from schemas.typed import Person
from schemas.vocabularies import ACKNOWLEDGE, ACKNOWLEDGED, ERROR, NOTICE, OPEN, REOPENED, SEVERITY, WAIVED

Group = tuple[str, str]
"""The rule group (the part of the id before the dot) and the table of its check."""


def groups() -> dict[Group, list[str]]:
    """Return the rules of each check, including newly declared ones."""
    found: dict[Group, list[str]] = {}
    on = rule_catalogue.tables()
    for name, rule in rule_catalogue.rules().items():
        found.setdefault((rule.group, on[name]), []).append(name)
    return found


_READ = (Finding.table(), FindingRecord.table(), LedgerEntry.table(), Impact.table(), Person.table())

_SHOWN = 10
"""Maximum number of failing records in a check's table; ``quality.ledger`` and the steward's page list
all."""


def checks(project: Project) -> dg.AssetChecksDefinition:
    """Return the checks of all rule groups, as one step."""
    rules_of = groups()
    specs = {
        (group, table): dg.AssetCheckSpec(
            f"{group.replace('-', '_')}_rules",
            asset=asset_key(project, table),
            additional_deps=[asset_key(project, t) for t in _READ if t != table],
            description=f"{len(rules)} rules, explained in docs/rules.md: {', '.join(rules)}.",
        )
        for (group, table), rules in rules_of.items()
    }

    @dg.multi_asset_check(name="rules", specs=list(specs.values()))
    def rules(warehouse: Warehouse) -> Iterator[dg.AssetCheckResult]:
        with redacted_errors(project):
            refresh, _ = tonight(warehouse, noted=False)
            found, gate = _to_show(warehouse, refresh), identity_gate(project, warehouse)
            before = _last_night(warehouse.read(Trend.table()))
            records = shown_records(gate, warehouse.read(FindingRecord.table()))
            results = [
                _check_result(spec, rules_of[key], found, records, before, gate, project)
                for key, spec in specs.items()
            ]
        yield from results

    return rules


_NEWS = (pl.col("news") != KNOWN) & (pl.col("severity") != NOTICE)
"""What somebody is alarmed about."""


def _to_show(warehouse: Warehouse, refresh: str) -> pl.DataFrame:
    """Return the findings with their standing, news first."""
    is_news = (pl.col("news_in") == refresh) & (pl.col("status") != WAIVED)
    kind = (
        pl.when(~is_news.fill_null(False))
        .then(pl.lit(KNOWN))
        .when(pl.col("first_seen") == refresh)
        .then(pl.lit("new"))
        .when(pl.col("status") == REOPENED)
        .then(pl.lit("back"))
        .otherwise(pl.lit("more"))
    )
    standing = warehouse.read(LedgerEntry.table()).select("finding_id", "status", news=kind)
    # Only the names of the affected quantities: the UI does not wrap cells.
    impacts = warehouse.read(Impact.table())
    effect = impacts.group_by("record_id").agg(impact=pl.col("quantity").str.join(", "))
    return (
        warehouse.read(Finding.table())
        .join(standing, on="finding_id", how="left", maintain_order="left")
        .join(effect, on="record_id", how="left", maintain_order="left")
        .with_columns(pl.col("news").fill_null("new"))
        .sort(~_NEWS, maintain_order=True)
    )


def _last_night(trend: pl.DataFrame) -> dict[str, int] | None:
    """Return the open findings per rule after the refresh before this one; None if there was none."""
    nights = trend["refresh_id"].unique().sort()
    if nights.len() < 2:
        return None
    serious = trend.filter(pl.col("refresh_id") == nights[-2], pl.col("severity") != NOTICE)
    to_do = pl.col(OPEN) + pl.col(ACKNOWLEDGED) + pl.col(REOPENED)
    return dict(serious.group_by("rule_id").agg(to_do.sum()).iter_rows())


def _check_result(
    spec: dg.AssetCheckSpec,
    rules: Sequence[str],
    found: pl.DataFrame,
    records: pl.DataFrame,
    before: Mapping[str, int] | None,
    gate: IdentityGate,
    project: Project,
) -> dg.AssetCheckResult:
    found = found.filter(pl.col("rule_id").is_in(rules))
    waived = found.filter(pl.col("status") == WAIVED).height
    found = found.filter(pl.col("status").ne_missing(pl.lit(WAIVED)))
    serious = found.filter(pl.col("severity") != NOTICE)
    news = serious.filter(_NEWS)
    known = found.filter(~_NEWS)
    parts = (
        [f"news: {', '.join(_by_severity(news))}"] if news.height else ["nothing new"] if found.height else []
    )
    if known.height:
        parts.append(f"known: {', '.join(_by_severity(known))}")
    if waived:
        parts.append(f"{waived} waived")
    metadata: dict[str, dg.MetadataValue | int | str] = {
        "news": news.height,
        "to do": serious.height,
        "waived": waived,
    }
    if before is not None:
        change = serious.height - sum(before.get(rule, 0) for rule in rules)
        metadata["change since last refresh"] = change
        parts.append(f"{change:+d} since the last refresh" if change else "as in the last refresh")
    metadata["steward's page"] = links.published(
        project,
        "steward.html",
        f"view=list&news={'1' if news.height else ''}&q={rules[0].partition('.')[0]}.",
    )
    to_acknowledge = news.filter(pl.col("status").is_in([OPEN, REOPENED]))["finding_id"].to_list()
    if to_acknowledge:
        metadata["acknowledge the news"] = links.launchpad(project, ACKNOWLEDGE, to_acknowledge)
    if found.height:
        metadata[OF_RULES] = _of_rules(found)
        metadata["failing records"] = _table(gate.frame(found.head(_SHOWN)))
        compared = records.filter(pl.len().over("finding_id") > 1)
        sides = found.head(_SHOWN).select("finding_id").join(compared, on="finding_id", maintain_order="left")
        if sides.height:
            metadata["compared records"] = _sides(sides)
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=news.is_empty(),
        severity=dg.AssetCheckSeverity.ERROR
        if ERROR in set(news["severity"])
        else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description="; ".join(parts) or "No findings.",
    )


def _by_severity(found: pl.DataFrame) -> list[str]:
    counts = dict(found.group_by("severity").len().iter_rows())
    return [_counted(counts[s], s) for s in SEVERITY if s in counts]


def _of_rules(found: pl.DataFrame) -> dg.TableMetadataValue:
    """Return what is news and what is known, by rule and severity; the notifications read it."""
    counts = (
        found.group_by("rule_id", "severity")
        .agg(
            *((pl.col("news") == kind).sum().alias(kind) for kind in NEWS),
            (pl.col("news") == KNOWN).sum().alias(KNOWN),
        )
        .sort(
            pl.col("severity").replace_strict(dict(zip(SEVERITY, range(len(SEVERITY)), strict=True))),
            "rule_id",
        )
    )
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in counts.rows(named=True)],
        schema=dg.TableSchema(
            [dg.TableColumn(c, "string" if counts[c].dtype == pl.String else "int") for c in counts.columns]
        ),
    )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _sides(records: pl.DataFrame) -> dg.TableMetadataValue:
    """Return the records of findings with several, side by side: what each says, and whose value is used."""
    columns = ("finding_id", "role", "value", "column_name", "source", "path", "position", "pseudonym", "why")
    rows = records.select(columns).fill_null("").rows(named=True)
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name, "string") for name in columns]),
    )


def _table(shown: pl.DataFrame) -> dg.TableMetadataValue:
    """Return the failing records as a table, most important columns first: the UI does not wrap cells."""
    columns = {
        "finding": pl.col("finding_id"),
        "rule": pl.col("rule_id"),
        "file": pl.col("path"),
        # Only the line: paths within an XML document are long, and the ledger has them.
        "position": pl.col("position").str.replace(r"^(line \d+) .*$", "$1"),
        "column": pl.col("column_name"),
        "value": pl.col("value"),
        "what": pl.col("what"),
        "remedy": pl.col("remedy"),
        "effect on the study": pl.col("impact"),
        "status": pl.col("status"),
        "severity": pl.col("severity"),
        "news": pl.col("news"),
    }
    rows = shown.select(**columns).fill_null("").rows(named=True)
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in rows],
        schema=dg.TableSchema([dg.TableColumn(name, "string") for name in columns]),
    )
