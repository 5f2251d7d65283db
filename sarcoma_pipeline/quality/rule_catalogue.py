"""List all rules. Importing this module imports every module that declares rules."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Sequence

import polars as pl

import sarcoma_pipeline.curation
import sarcoma_pipeline.quality
from sarcoma_pipeline.quality.rule_registry import JUDGED, JudgedRule
from schemas import file_faults
from schemas.all_contracts import CONTRACTS
from schemas.configuration_faults import meant
from schemas.quality import Finding, QualityRule
from schemas.rule import DECLARED, Rule
from schemas.thresholds import Threshold

_ELSEWHERE = (
    "sarcoma_pipeline.cohort.moves",
    "sarcoma_pipeline.cohort.not_known",
    "sarcoma_pipeline.cohort.structure_doses",
    "sarcoma_pipeline.cohort.within_bounds",
    "sarcoma_pipeline.quality.volumes",
    "sarcoma_pipeline.quality.lost_records",
    "sarcoma_pipeline.quality.model_gaps",
    "sarcoma_pipeline.quality.accounting",
    "sarcoma_pipeline.quality.movement_findings",
    file_faults.__name__,
)
"""Modules that declare rules but are not found by their name."""


def _rule_modules() -> Iterator[str]:
    yield from _ELSEWHERE
    # Any module of curation may declare rules.
    for package, prefix in ((sarcoma_pipeline.curation, ""), (sarcoma_pipeline.quality, "rules_of_")):
        for module in pkgutil.iter_modules(package.__path__):
            if module.name.startswith(prefix):
                yield f"{package.__name__}.{module.name}"


for _module in _rule_modules():
    importlib.import_module(_module)


def rules() -> dict[str, Rule]:
    """Return every rule on delivered data by its id, sorted by id."""
    return {r.id: r for r in sorted(DECLARED.values(), key=lambda r: r.id) if r.scope != "program"}


def judged() -> list[JudgedRule]:
    """Return the rules over several records with their functions, sorted by id."""
    return sorted(JUDGED, key=lambda one: one.rule.id)


def tables() -> dict[str, str]:
    """Return the table to which each rule's check belongs, by rule id.

    It is the table that the rule declares, or whose contract contains it. A rule on records of many tables
    has its check on the findings.

    Raises:
        ValueError: a rule names a table that does not exist.
    """
    holders: dict[str, set[str]] = {}
    for table, contract in CONTRACTS.items():
        for rule in contract.rules():
            holders.setdefault(rule.id, set()).add(table)
    found: dict[str, str] = {}
    for name, rule in rules().items():
        guarded = {rule.on} if rule.on else holders.get(name, set())
        if rule.on and rule.on not in CONTRACTS:
            raise ValueError(f"rule {name} is on {rule.on}, which is no table")
        found[name] = next(iter(guarded)) if len(guarded) == 1 else Finding.table()
    return found


def catalogue() -> pl.DataFrame:
    """Return every rule on delivered data as ``quality.rules``."""
    return QualityRule.conform(
        pl.DataFrame(
            [
                {
                    "rule_id": r.id,
                    "severity": r.severity,
                    "scope": r.scope,
                    "what": r.what,
                    "remedy": r.remedy,
                    "source": r.source,
                    "waivable": r.waivable,
                    "category": r.category,
                }
                for r in rules().values()
            ]
        )
    )


_SCOPES = {
    "file": "A whole file",
    "record": "One record",
    "patient": "Records of one patient compared with each other",
    "source": "Sources compared with each other",
    "dataset": "This refresh compared with the last one",
}


def unknown(thresholds: Sequence[Threshold]) -> list[str]:
    """Return a sentence for each threshold of a rule that does not exist, with the one probably meant."""
    known = rules()
    found = []
    for threshold in thresholds:
        if threshold.rule is not None and threshold.rule not in known:
            near = meant(threshold.rule, known)
            guess = f', did you mean "{near}"?' if near else "; sarcoma rules lists them all"
            found.append(f'study.toml, thresholds: there is no rule "{threshold.rule}"{guess}')
    return found


def markdown() -> str:
    """Return the catalogue as a page: a table of rules per scope, from narrow to wide scope."""
    on = tables()
    lines = [
        "# Rules",
        "",
        f"{len(rules())} rules. An error quarantines its record, a warning flags it, a notice is only",
        "counted.",
        "",
        "*category*: which side of data quality the rule judges (Kahn 2016): completeness, conformance to",
        "formats, codes and keys, or plausibility. `quality.rule_results` has for each rule and source how",
        "many records it judged and how many break it; `[[thresholds]]` of study.toml says how many may.",
        "",
        "*table*: the table that the rule checks; its check in Dagster belongs to this table. *missing*: the",
        "result if a value that the rule needs is missing (`kept`: no finding; `broken`: a finding; –: the",
        "rule compares no values).",
    ]
    for scope, title in _SCOPES.items():
        lines += [
            "",
            f"## {title} ({scope})",
            "",
            "| rule | severity | category | table | what | remedy | missing | source |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for r in rules().values():
            if r.scope == scope:
                cells = (
                    f"`{r.id}`", r.severity, r.category, on[r.id], r.what, r.remedy, r.missing or "–",
                    r.source,
                )  # fmt: skip
                lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
    return "\n".join(lines) + "\n"
