"""Compute how the study would change if a record in quarantine were admitted.

Each scenario is a copy of a patient with one record let out of quarantine and everything else as in the
last refresh. All copies go in one pass through the same functions as the patients: rules over several
records, curation, eligibility, endpoints. A refresh with many errors therefore costs one more pass over
the patients concerned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from sarcoma_pipeline.cohort.derivation import cohort
from sarcoma_pipeline.curation import reconcile
from sarcoma_pipeline.curation.typed_records import STEPS
from sarcoma_pipeline.quality import rule_catalogue
from sarcoma_pipeline.quality.curate import Judged, judge
from schemas.configuration import Sources, Study
from schemas.impact import Impact
from schemas.quality import Observation
from schemas.vocabularies import ERROR

Frames = Mapping[str, pl.DataFrame]

ELIGIBILITY = "eligibility"
NOTHING = "no change"
"""Result: the study does not change."""
MEND_ONLY = "can only be corrected"
"""Result: the record cannot be admitted, because it could not be read or belongs to no patient."""

REPEATED = "not computed, because many records of the file have the fault"
"""Result: each record would be a copy of its patient, and one decision admits all of them."""

_NAMES_SOMETHING = ("record_id", "person_ref", "refers_to")
"""Columns that join records, in addition to UIDs: a copy must not join with its original."""


@dataclass(frozen=True)
class Night:
    """The tables of the last refresh in the warehouse.

    Attributes:
        typed: the typed tables.
        link: ``curated.link``.
        observed: ``quality.observed``.
        quarantine: ``quality.quarantine``.
        pseudonyms: ``patient_id``, ``pseudonym``.
        eligibility: ``cohort.eligibility``.
        patients: ``cohort.patients``.
        endpoints: ``cohort.endpoints``.
        repeated: the first record of every fault that repeats in a file; ``quarantine`` does not contain its
            records.
    """

    typed: Frames
    link: pl.DataFrame
    observed: pl.DataFrame
    quarantine: pl.DataFrame
    pseudonyms: pl.DataFrame
    eligibility: pl.DataFrame
    patients: pl.DataFrame
    endpoints: pl.DataFrame
    repeated: pl.Series = field(default_factory=lambda: pl.Series("record_id", [], dtype=pl.String))


@dataclass(frozen=True)
class Rerun:
    """The copies after curation and cohort; in the frames, ``pseudonym`` is the scenario's record.

    Attributes:
        scenarios: ``record_id``, ``patient_id``, ``pseudonym``.
        eligibility: like ``cohort.eligibility``.
        patients: like ``cohort.patients``.
        endpoints: like ``cohort.endpoints``.
    """

    scenarios: pl.DataFrame
    eligibility: pl.DataFrame
    patients: pl.DataFrame
    endpoints: pl.DataFrame


def rerun(night: Night, study: Study, sources: Sources, only: str | None = None) -> Rerun:
    """Run the cohort again for every record that could be let out of quarantine.

    Args:
        night: the last refresh.
        study: criteria and endpoints.
        sources: used for the precedence.
        only: the only record to run; by default all.
    """
    chosen = _scenarios(night, only)
    typed, link = _copies(night, chosen)
    held = _judged(night, typed, link, sources).quarantine["record_id"]
    names = link.select("patient_id", pseudonym=pl.col("patient_id").str.split("\t").list.first())
    curated = reconcile.curate(typed, link, held, sources, names.unique("patient_id"), study).frames
    made = cohort(curated, study)
    return Rerun(chosen, made.judged.eligibility, made.patients, made.derived.endpoints)


def impact(night: Night, again: Rerun, study: Study) -> pl.DataFrame:
    """Return how the study changes with each record admitted.

    Args:
        night: the last refresh.
        again: the results of the scenarios.
        study: used for the labels of the criteria.

    Returns:
        ``quality.impact``: one row per changed quantity, and one for a record that changes nothing or can
        only be corrected.
    """
    labels = {c.name: c.label for c in study.criteria}
    before = pl.concat([_states(night.eligibility, labels), _times(night.endpoints)])
    after = pl.concat([_states(again.eligibility, labels), _times(again.endpoints)])
    who = again.scenarios.select("record_id", "pseudonym")
    quantities = pl.concat([before["quantity"], after["quantity"]]).unique(maintain_order=True).to_frame()
    compared = (
        who.join(quantities, how="cross")
        .join(before.rename({"value": "now"}), on=["pseudonym", "quantity"], how="left")
        .join(
            after.rename({"value": "admitted", "pseudonym": "record_id"}),
            on=["record_id", "quantity"],
            how="left",
        )
        .filter(pl.col("now").ne_missing(pl.col("admitted")))
    )
    state = before.filter(pl.col("quantity") == ELIGIBILITY).select(
        "pseudonym", now="value", admitted="value"
    )
    unmoved = (
        who.join(compared, on="record_id", how="anti")
        .with_columns(quantity=pl.lit(NOTHING))
        .join(state, on="pseudonym", how="left")
    )
    outside = night.quarantine.join(who, on="record_id", how="anti").select(
        "record_id", quantity=pl.lit(MEND_ONLY)
    )
    repeated = night.repeated.to_frame("record_id").select("record_id", quantity=pl.lit(REPEATED))
    parts = [Impact.conform(f) for f in (compared, unmoved, outside, repeated)]
    return pl.concat(parts).sort("record_id", "quantity")


def amended(night: Night, again: Rerun, record_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return ``cohort.patients`` and ``cohort.endpoints`` with one record admitted."""
    (who,) = again.scenarios.filter(pl.col("record_id") == record_id)["pseudonym"]
    made = []
    for whole, copies in ((night.patients, again.patients), (night.endpoints, again.endpoints)):
        copy = copies.filter(pl.col("pseudonym") == record_id).with_columns(pseudonym=pl.lit(who))
        made.append(pl.concat([whole.filter(pl.col("pseudonym") != who), copy]).sort("pseudonym"))
    return made[0], made[1]


def _scenarios(night: Night, only: str | None) -> pl.DataFrame:
    mend_only = [rule.id for rule in rule_catalogue.rules().values() if not rule.waivable]
    owners = (
        pl.concat([f.select("record_id", "person_ref") for f in night.typed.values()])
        .unique("record_id")
        .join(night.link.select("person_ref", "patient_id"), on="person_ref")
    )
    held = night.quarantine.filter(
        pl.col("rule_ids").list.set_intersection(pl.lit(mend_only, dtype=pl.List(pl.String))).list.len() == 0
    )
    if only is not None:
        held = held.filter(pl.col("record_id") == only)
    return (
        held.select("record_id")
        .join(owners, on="record_id")
        .join(night.pseudonyms, on="patient_id")
        .select("record_id", "patient_id", "pseudonym")
    )


def _copies(night: Night, scenarios: pl.DataFrame) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Return the patients of the scenarios, once per scenario, with separate keys."""
    members = night.link.join(
        scenarios.select(scenario="record_id", patient_id="patient_id"), on="patient_id"
    )

    def own(column: str) -> pl.Expr:
        return pl.concat_str("scenario", pl.lit("\t"), column).alias(column)

    typed = {}
    for table, frame in night.typed.items():
        keys = [c for c in frame.columns if c in _NAMES_SOMETHING or c.endswith("_uid")]
        copied = frame.join(members.select("person_ref", "scenario"), on="person_ref", maintain_order="left")
        typed[table] = copied.with_columns(own(c) for c in keys).drop("scenario")
    link = members.with_columns(own("person_ref"), own("patient_id")).drop("scenario")
    return typed, link


def _judged(night: Night, typed: Frames, link: pl.DataFrame, sources: Sources) -> Judged:
    """Check the rules on the copies again; the admitted record may put others at fault.

    Its own errors are ignored.
    """
    breaks = night.quarantine.explode("rule_ids").rename({"rule_ids": "rule_id"})
    errors = night.observed.filter(pl.col("severity") == ERROR)
    waived = errors.join(breaks, on=["record_id", "rule_id"], how="anti").select("record_id", "rule_id")
    scenario, original = (pl.col("record_id").str.split("\t").list.get(i) for i in (0, 1))
    copied = pl.concat([f.select("record_id") for f in typed.values()]).unique()
    first = (
        errors.filter(pl.col("step").is_in([*STEPS, "link"]))
        .rename({"record_id": "original"})
        .join(copied.with_columns(original=original), on="original")
    )

    def unwaived(observed: pl.DataFrame) -> pl.DataFrame:
        return (
            observed.with_columns(scenario=scenario, original=original)
            .filter(pl.col("scenario") != pl.col("original"))
            .join(waived, left_on=["original", "rule_id"], right_on=["record_id", "rule_id"], how="anti")
        )

    return judge(typed, link, Observation.conform(first), unwaived, sources.precedence["death"])


def _states(judged: pl.DataFrame, labels: Mapping[str, str]) -> pl.DataFrame:
    state = (
        pl.when("excluded_here").then(pl.format("excluded ({})", pl.col("criterion").replace(labels)))
    ).drop_nulls()
    return judged.group_by("pseudonym").agg(
        quantity=pl.lit(ELIGIBILITY), value=state.first().fill_null("eligible")
    )


def _times(ends: pl.DataFrame) -> pl.DataFrame:
    months = pl.col("time_months").round(1).cast(pl.String)
    return ends.select(
        "pseudonym", quantity="endpoint", value=pl.format("{} months, {}", months, "event_kind")
    )
