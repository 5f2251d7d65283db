"""Require of everything that a test curates: each finding over several records shows both sides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import polars as pl

from sarcoma_pipeline.curation import identity
from sarcoma_pipeline.quality import findings, rule_catalogue
from sarcoma_pipeline.quality.curate import Curation
from sarcoma_pipeline.quality.finding_records import finding_records
from schemas.curated import Patient
from schemas.curated_identity import IdentityReading


def records_of(
    made: Curation, received: Mapping[str, pl.DataFrame], files: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the findings of what was curated, and their records."""
    places = findings.places(received, files)
    patients = made.curated[Patient.table()]
    found = findings.findings(made.observed, places, made.typed, patients, made.link)
    tables = {**received, **made.typed, **made.curated}

    def rows(table: str, among: pl.Series) -> pl.DataFrame:
        frame = tables[table]
        if among.name == "record_ids":
            wanted = among.to_list()
            return frame.filter(pl.col("record_ids").list.eval(pl.element().is_in(wanted)).list.any())
        return frame.filter(pl.col(among.name).is_in(among.implode()))

    reasons = pl.concat(
        [
            made.quarantine.select(
                "record_id", reason=pl.format("in quarantine: {}", pl.col("rule_ids").list.join(", "))
            ),
            made.disposition.select("record_id", "reason"),
        ]
    )
    # Answers are asked for anew: what is curated does not contain the questions.
    readings = identity.link(made.typed).frames[IdentityReading.table()]
    shown = finding_records(
        found, rows, list(made.typed), patients, made.link, readings, reasons, lambda ids: places
    )
    return found, shown


@cache
def two_sided() -> tuple[str, ...]:
    """Return the rules whose findings always have another side."""
    rules = rule_catalogue.rules()
    return tuple(n for n, r in rules.items() if r.sides and not all(s.sometimes for s in r.sides))


def one_sided(found: pl.DataFrame, shown: pl.DataFrame) -> list[tuple[str, str]]:
    """Return rule and finding where a rule over several records shows one side only."""
    more = shown.filter(~pl.col("at_fault"))["finding_id"].unique()
    lone = found.filter(pl.col("rule_id").is_in(two_sided()), ~pl.col("finding_id").is_in(more.implode()))
    return lone.select("rule_id", "finding_id").rows()


def require(made: Curation, received: Mapping[str, pl.DataFrame], files: pl.DataFrame) -> None:
    """Fail if a finding over several records shows one side only."""
    if not made.observed["rule_id"].is_in(two_sided()).any():
        return
    lone = one_sided(*records_of(made, received, files))
    assert lone == [], lone
