"""Require of everything that a test curates: each finding over several records shows both sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import polars as pl

from sarcoma_pipeline.curation import identity
from sarcoma_pipeline.quality import findings, rule_catalogue
from sarcoma_pipeline.quality.curate import Curation
from sarcoma_pipeline.quality.finding_records import RESTING, finding_records
from schemas.curated import Patient
from schemas.curated_identity import IdentityReading


@dataclass(frozen=True)
class _Made:
    """What was curated, as the sources of findings."""

    made: Curation
    received: Mapping[str, pl.DataFrame]
    at: pl.DataFrame

    def rows(self, table: str, among: pl.Series) -> pl.DataFrame:
        tables = {**self.received, **self.made.typed, **self.made.curated}
        return tables[table].filter(pl.col(among.name).is_in(among.implode()))

    def persons(self, records: pl.Series) -> pl.DataFrame:
        return findings.persons_of(self.made.typed).filter(pl.col("record_id").is_in(records.implode()))

    def resting(self, records: pl.Series) -> dict[str, pl.DataFrame]:
        on = pl.col("record_ids").list.eval(pl.element().is_in(records.to_list())).list.any()
        return {table: self.made.curated[table].filter(on) for table in RESTING}

    def places(self, records: pl.Series) -> pl.DataFrame:
        return self.at

    def reasons(self) -> pl.DataFrame:
        held = self.made.quarantine.select(
            "record_id", reason=pl.format("in quarantine: {}", pl.col("rule_ids").list.join(", "))
        )
        return pl.concat([held, self.made.disposition.select("record_id", "reason")])


def records_of(
    made: Curation, received: Mapping[str, pl.DataFrame], files: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the findings of what was curated, and their records."""
    places = findings.places(received, files)
    patients = made.curated[Patient.table()]
    found = findings.findings(made.observed, places, findings.persons_of(made.typed), patients, made.link)
    # Answers are asked for anew: what is curated does not contain the questions.
    readings = identity.link(made.typed).frames[IdentityReading.table()]
    shown = finding_records(found, _Made(made, received, places), patients, made.link, readings)
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
