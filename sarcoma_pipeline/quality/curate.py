"""Curate received records: type, link, check the rules, reconcile.

:func:`curate` does all steps at once. The nightly refresh runs them separately, some of them in parts, to
bound its memory. The module is in this room because rules are checked between linking and reconciling.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import identity, objections, reconcile, reports, typed_records
from sarcoma_pipeline.quality import cross_record, findings, ledger, quarantine, repeated_faults
from schemas.configuration import Sources, Study
from schemas.curated import Link
from schemas.vocabularies import ERROR

Frames = Mapping[str, pl.DataFrame]

Waivers = Callable[[pl.DataFrame], pl.DataFrame]
"""Function that takes observations and returns those without a waiver."""


@dataclass(frozen=True)
class Judged:
    """The results of the rules on typed records.

    Attributes:
        crossed: observations of the rules over several records.
        quarantine: ``quality.quarantine``: records that break any error rule.
    """

    crossed: pl.DataFrame
    quarantine: pl.DataFrame


@dataclass(frozen=True)
class Curation:
    """The result of curating received records.

    Attributes:
        typed: the typed tables.
        link: ``curated.link``.
        curated: the curated tables except the link.
        observed: all rules broken (``schemas.quality.Observation``).
        quarantine: ``quality.quarantine``.
        disposition: ``quality.disposition``.
    """

    typed: Frames
    link: pl.DataFrame
    curated: Frames
    observed: pl.DataFrame
    quarantine: pl.DataFrame
    disposition: pl.DataFrame


def curate(
    received: Frames,
    sources: Sources,
    received_on: pl.DataFrame,
    files: pl.DataFrame | None = None,
    pseudonyms: Callable[[pl.Series], pl.DataFrame] | None = None,
    study: Study | None = None,
    *,
    decided: Collection[str] = frozenset(),
    former: pl.DataFrame | None = None,
    unwaived: Waivers = lambda observed: observed,
) -> Curation:
    """Type, link, check and reconcile received records.

    Args:
        received: received table to its current records.
        sources: the study's ``sources.toml``.
        received_on: ``refresh_id``, ``received_on`` (Date): the day of each refresh.
        files: ``file_id``, ``source``, ``path``; needed where two sources fill the same received table, and
            to sort versions of a report by file name.
        pseudonyms: takes patient ids and returns ``patient_id``, ``pseudonym``; by default every patient is
            their own pseudonym.
        study: used to choose the index tumour and for the assumptions; defaults if None.
        decided: keys of the readings of a course that data stewards chose (``ledger.chosen_readings``).
        former: master data that are no longer delivered (``typed_records.former_masters``).
        unwaived: leaves out the observations that a waiver admits; by default there is no waiver.
    """
    typed = typed_records.type_records(received, sources, received_on, files)
    linked = link(
        typed.frames, objections.objecting(typed.observed, reports.rows_in(received)), decided, former
    )
    links = linked.frames[Link.table()]
    first = pl.concat([typed.observed, linked.observed])
    judged = judge(typed.frames, links, first, unwaived, sources.precedence["death"])
    patients = links["patient_id"].unique().sort()
    named = pseudonyms(patients) if pseudonyms else patients.to_frame().with_columns(pseudonym="patient_id")
    made = reconcile.curate(
        typed.frames, links, judged.quarantine["record_id"], sources, named, study, decided=decided
    )
    set_aside = pl.concat([typed.disposition, linked.disposition, made.disposition])
    return Curation(
        typed.frames,
        links,
        made.frames,
        pl.concat([first, judged.crossed, made.observed]),
        judged.quarantine,
        quarantine.settle(set_aside, judged.quarantine),
    )


def link(
    typed: Frames,
    objecting: pl.Series,
    decided: Collection[str] = frozenset(),
    former: pl.DataFrame | None = None,
) -> typed_records.Result:
    """Link records to patients, and leave out all records of patients who object.

    Args:
        typed: the typed tables.
        objecting: person references of the patients who object (``reports.objecting``).
        decided: keys of the answers on identities that data stewards chose.
        former: master data (rows of ``typed.person``) of former deliveries.
    """
    linked = identity.link(typed, decided, former)
    kept, left_out = objections.without_objecting(linked.frames[Link.table()], typed, objecting)
    return typed_records.Result(
        {**linked.frames, Link.table(): kept}, linked.observed, pl.concat([linked.disposition, left_out])
    )


def judge(
    typed: Frames,
    link: pl.DataFrame,
    first: pl.DataFrame,
    unwaived: Waivers = lambda observed: observed,
    precedence: Sequence[str] = cross_record.PRECEDENCE,
) -> Judged:
    """Evaluate the rules over several records, and put records that break an error rule in quarantine.

    A record with its own fault is left out first, so that it causes no findings on others.

    Args:
        typed: the typed tables.
        link: ``curated.link``.
        first: observations of typing and linking.
        unwaived: returns the observations without a waiver.
        precedence: kinds of source, the most credible on life and death first.
    """
    alone = quarantine.quarantine(unwaived(first))
    crossed = cross_record.observe(typed, link, alone["record_id"], precedence)
    return Judged(crossed, quarantine.quarantine(unwaived(pl.concat([first, crossed]))))


def unwaived(
    observed: pl.DataFrame,
    places_of: Callable[[pl.Series], pl.DataFrame],
    decisions: pl.DataFrame,
    today: dt.date,
    centre: str = "",
) -> pl.DataFrame:
    """Return the observations of errors without a waiver in force.

    Args:
        observed: observations.
        places_of: returns the places of records, as :func:`sarcoma_pipeline.quality.findings.places`.
        decisions: ``quality.decisions``.
        today: the day on which waivers are judged.
        centre: the records' centre in a study with several.
    """
    broken = observed.filter(pl.col("severity") == ERROR)
    if decisions.filter(pl.col("until") >= today).is_empty():
        return broken
    errors = findings.joined_ids(broken, places_of(broken["record_id"]), centre, decisions)
    held = errors.drop("content_hash").join(repeated_faults.content(errors), on="finding_id", how="left")
    waived = ledger.waived(decisions, held, today)
    return errors.filter(~pl.col("finding_id").is_in(waived.implode()))
