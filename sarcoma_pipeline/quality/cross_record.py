"""Evaluate the rules over a whole patient or several sources (modules ``rules_of_…``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from sarcoma_pipeline.curation.event_rows import with_patient
from sarcoma_pipeline.quality.linked_records import CREDIBILITY
from sarcoma_pipeline.quality.rule_catalogue import judged
from sarcoma_pipeline.quality.rule_registry import Frames, JudgedRule
from schemas.all_contracts import CONTRACTS
from schemas.configuration import Sources
from schemas.quality import Observation
from schemas.ranks import place_in

PRECEDENCE = Sources.model_fields["precedence"].default["death"]
"""Kinds of source on life and death, the most credible first: the default of sources.toml."""


_JUDGED_BY_NO_RULE = {
    "diagnosis": (
        "received_on", "origin",
        "report_date", "report_date_precision", "tnm_kind", "after_therapy", "of_relapse",
        "age_at_diagnosis_years", "morphologies", "laterality", "histologically_confirmed", "t_suffix",
        "n_stage", "n_prefix", "n_suffix", "m_stage", "m_prefix", "m_suffix", "m_symbol", "grade",
        "tumour_depth", "distant_metastasis",
    ),
    "metastasis": ("site", "extent", "reported_date", "reported_date_precision", "reported_day", "named"),
    "toxicity": (
        "source", "received_on", "place", "reported_on", "tumour_id", "kind", "number",
        "therapy", "statement", "category", "code_system", "code", "term", "grade", "ctcae_version",
        "onset_date", "onset_date_precision", "onset_day", "stated_window",
    ),
    "surgery": ("side",),
    "systemic_therapy": ("immunotherapy", "targeted", "hormone_therapy", "protocol", "end_reason"),
    "tumour_assignment": (
        "received_on", "tumour_id", "icd10_code", "diagnosis_date_precision", "icdo3_morphology",
        "morphology_version", "laterality",
    ),
    "person": ("hospital_number", "family_name", "given_names", "birth_name", "former_names"),
    "assessment": ("received_on", "module_id", "distant_site", "distant_date", "distant_date_precision"),
    "plan": (
        "plan_geometry", "plan_relations", "dose_references", "fraction_groups", "beams", "applications",
        "dose_levels", "dose_readings",
    ),
    "structure_set": ("roi_names", "roi_types"),
    "treatment": ("sessions", "group_summaries"),
}  # fmt: skip
"""Columns by table that no rule over several records reads. A rule that needs one finds it missing."""


_WITH_REFERENCE = ("plan", "structure_set", "dose", "image", "treatment")
"""Tables whose ``person_ref`` rules compare; of the others they read only the patient."""

_OF_ASSIGNMENTS = frozenset(
    ("reporter.silent", "surgery.on-other-day-by-other-reporter", "vital-status.no-diagnosis")
)
"""The rules that read the assignments of reports to tumours, one of the two largest tables: they are checked
first, and the table is not kept for the others. Another rule that needs it finds it missing."""

_ASSIGNMENTS = ("tumour_assignment", "every tumour_assignment")

_READ_OF: Mapping[str, tuple[str, ...]] = {
    "every assessment": ("patient_id", "assessment_date"),
    "tumour_assignment": ("record_id", "reporter"),
}
"""The only columns that rules read of the largest tables, with or without records in quarantine: a record in
quarantine makes two tables of one."""


def columns_read(table: str) -> list[str]:
    """Return the columns of a typed table that the rules read, so that no other needs to be in memory."""
    unread = _JUDGED_BY_NO_RULE.get(table.removeprefix("typed."), ())
    return [c for c in CONTRACTS[table].polars_schema() if c not in unread]


def observe(
    typed: Mapping[str, pl.DataFrame],
    link: pl.DataFrame,
    set_aside: Iterable[str] = (),
    precedence: Sequence[str] = PRECEDENCE,
) -> pl.DataFrame:
    """Evaluate every rule that needs more than one record.

    Args:
        typed: the typed tables, with at least the columns of :func:`columns_read`. Tables read on demand are
            read one after the other.
        link: ``curated.link``.
        set_aside: records already in quarantine, which must not cause findings on other records.
        precedence: kinds of source, the most credible on life and death first.

    Returns:
        Observations (``schemas.quality.Observation``).
    """
    gone = pl.Series(list(set_aside), dtype=pl.String)
    frames = Frames(read=lambda name: _linked(typed, name, link, gone, precedence))
    first = [one for one in judged() if one.rule.id in _OF_ASSIGNMENTS]
    seen = _checked(first, frames)
    for name in _ASSIGNMENTS:
        frames.leave_out(name)
    seen |= _checked([one for one in judged() if one.rule.id not in _OF_ASSIGNMENTS], frames)
    return pl.concat([Observation.empty(), *(seen[rule] for rule in sorted(seen))])


def _linked(
    typed: Mapping[str, pl.DataFrame],
    name: str,
    link: pl.DataFrame,
    gone: pl.Series,
    precedence: Sequence[str],
) -> dict[str, pl.DataFrame]:
    """Return the records of a typed table of linked patients, without and with those in quarantine."""
    table = f"typed.{name}"
    linked = with_patient(typed[table].select(columns_read(table)), link, "left")
    if name == "vital_status":
        linked = linked.with_columns(_credibility(precedence).alias(CREDIBILITY))
    if name not in _WITH_REFERENCE:
        linked = linked.drop("person_ref")
    every = f"every {name}"
    free = linked.select(_READ_OF.get(name, linked.columns))
    held = linked["record_id"].is_in(gone.implode())
    return {
        name: free.filter(~held) if held.any() else free,
        every: linked.select(_READ_OF.get(every, linked.columns)),
    }


def _checked(rules: Iterable[JudgedRule], frames: Frames) -> dict[str, pl.DataFrame]:
    """Return the observations of each rule that is broken, by its id."""
    seen = {}
    for one in rules:
        if frames[f"every {str(one.rule.on).removeprefix('typed.')}"].is_empty():
            # No record can be at fault; a study's sources fill few of the tables.
            continue
        found = one.at_fault(frames)
        if found.is_empty():
            # Most rules find nothing; the steps below take longer than the rule.
            continue
        missing = [c for c in ("column_name", "value", "note") if c not in found.columns]
        found = found.with_columns(pl.lit(None, dtype=pl.String).alias(c) for c in missing)
        seen[one.rule.id] = (
            Observation.conform(
                found.with_columns(
                    rule_id=pl.lit(one.rule.id),
                    severity=pl.lit(one.rule.severity),
                    table_name=pl.lit(one.rule.on),
                )
            )
            # If a record has several rows, keep the first in sort order, because joins keep no order.
            .sort("record_id", "column_name", "value", "note")
            .unique("record_id", keep="first", maintain_order=True)
        )
    return seen


def _credibility(precedence: Sequence[str]) -> pl.Expr:
    """Return the rank of a record's source; sources that the precedence does not name come last."""
    return place_in(precedence, "source")
