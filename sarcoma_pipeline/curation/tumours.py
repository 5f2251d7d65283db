"""Assign every record to its tumour.

:mod:`.tumour_numbers` decides which numbers mean one tumour. Records under the number of a relapse belong
to the known tumour. A tumour without a Diagnose is described by its Tumorzuordnung.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from sarcoma_pipeline.curation import tumour_numbers
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames
from sarcoma_pipeline.curation.tumour_numbers import KEY, RECORDS
from schemas import iarc, typed
from schemas.contract import Contract
from schemas.observations import observation
from schemas.rule import Rule
from schemas.sides import TREATMENTS, Side

DIAGNOSE_MISSING = Rule(
    "diagnosis.missing",
    "warning",
    on="typed.tumour_assignment",
    scope="patient",
    what="A tumour has treatment, pathology or follow-up, but no Diagnose. Site and date are taken from the"
    " Tumorzuordnung.",
    remedy="Ask the reporter to deliver the Diagnose of this Tumor_ID, or deliver it again.",
    source="oBDS 3.0.4 Tumorzuordnung",
    sides=TREATMENTS,
)
ONLY_NAMED = Rule(
    "diagnosis.only-named",
    "warning",
    on="typed.tumour_assignment",
    scope="patient",
    what="A tumour is named only in a Tod or a Tumorkonferenz: nobody reported its Diagnose, treatment,"
    " pathology or follow-up. It counts neither as the index tumour nor as a second malignancy.",
    remedy="Ask the reporter to deliver the Diagnose of this Tumor_ID, or correct the Tumorzuordnung.",
    source="oBDS 3.0.4 Tumorzuordnung",
    sides=(Side("typed.diagnosis", ("diagnosis_date", "icd10_code"), sometimes=True),),
)
NUMBER_UNKNOWN = Rule(
    "diagnosis.number-unknown",
    "warning",
    on="typed.diagnosis",
    scope="source",
    what="A table has a tumour number that no other source has. Its row is taken as a row of the index "
    "tumour.",
    remedy="Correct the number of the tumour in the table, or deliver the tumour's diagnosis.",
    source="sources.toml: tumour_id of a table",
    sides=(Side("typed.diagnosis", ("tumour_id",), sometimes=True),),
)


@dataclass(frozen=True)
class Assigned:
    """Records with their tumours.

    Attributes:
        sound: the typed tables; ``tumour_id`` is the tumour's own, ``reported_tumour`` the delivered number,
            ``reporter`` the reporter, ``of_relapse_report`` whether it is a relapse reported as a tumour.
        missing: one row per tumour without a Diagnose: from its Tumorzuordnung.
        observed: findings.
    """

    sound: dict[str, pl.DataFrame]
    missing: pl.DataFrame
    observed: pl.DataFrame


def assign(sound: Frames, held: Frames) -> Assigned:
    """Assign every record to its tumour.

    Args:
        sound: records of linked patients that are not in quarantine.
        held: records of linked patients in quarantine: a tumour whose Diagnose is in quarantine is not one
            without a Diagnose.
    """
    told = _with_reporter(sound)
    names, seen = tumour_numbers.joined(told, sound[typed.TumourAssignment.table()])
    frames = _told_by_site(
        {table: _renamed(frame, names) for table, frame in told.items()},
        sound[typed.TumourAssignment.table()],
    )
    missing, lacking = _missing(told, sound, held, names)
    named = _only_named(told, sound, held)
    return Assigned(dict(sound) | frames, missing, pl.concat([seen, lacking, named]))


def _with_reporter(sound: Frames) -> dict[str, pl.DataFrame]:
    who = sound[typed.TumourAssignment.table()].select("record_id", "reporter").unique("record_id")
    nobody = pl.lit(None, dtype=pl.String).alias("reporter")
    frames = {c.table(): sound[c.table()] for c in RECORDS}
    return {
        table: (
            frame.with_columns(nobody, reported_tumour="tumour_id")
            if frame.is_empty()
            else frame.join(who, on="record_id", how="left", maintain_order="left").with_columns(
                reported_tumour="tumour_id"
            )
        )
        for table, frame in frames.items()
    }


def _renamed(frame: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    if frame.is_empty():
        return frame.with_columns(of_relapse_report=pl.lit(None, dtype=pl.Boolean))
    return (
        frame.join(names, on=list(KEY), how="left", nulls_equal=True, maintain_order="left")
        .with_columns(tumour_id="tumour", of_relapse_report=pl.col("of_relapse_report").fill_null(False))
        .drop("tumour")
    )


def _told_by_site(frames: dict[str, pl.DataFrame], assignments: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Assign records without a number to the tumour whose organ and date their Tumorzuordnung names.

    Of several tumours of one organ the date of diagnosis decides. What names no known tumour stays without.

    Args:
        frames: the typed tables with the tumours of their numbers.
        assignments: ``typed.tumour_assignment``.
    """
    lost = assignments.filter(pl.col("tumour_id").is_null())
    if lost.is_empty():
        return frames
    reports = frames[typed.Diagnosis.table()]
    site = iarc.organ(pl.coalesce("icd10_code", "icdo3_topography"))
    known = (
        reports.filter(
            pl.col("tumour_id").is_not_null(), pl.col("origin") != "follow-up", ~pl.col("of_relapse_report")
        )
        .select("patient_id", "tumour_id", organ=site, day="diagnosis_date")
        .drop_nulls("organ")
    )
    day = pl.col("day") == pl.col("diagnosis_date")
    alike = (
        lost.select("record_id", "patient_id", "diagnosis_date", organ=iarc.organ(pl.col("icd10_code")))
        .join(known, on=["patient_id", "organ"])
        .group_by("record_id", "tumour_id")
        .agg(day=day.any())
        .filter(
            (pl.len().over("record_id") == 1) | (pl.col("day") & (pl.col("day").sum().over("record_id") == 1))
        )
        .select("record_id", by_site="tumour_id")
    )
    placed = {}
    for table, frame in frames.items():
        joined = frame.join(alike, on="record_id", how="left", maintain_order="left")
        own = pl.col("complete") if "complete" in frame.columns else pl.lit(False)
        there = pl.when(~own).then("by_site")
        placed[table] = joined.with_columns(tumour_id=pl.coalesce("tumour_id", there)).drop("by_site")
    return placed


def naming(sound: Frames) -> pl.DataFrame:
    """Return ``record_id`` of the records that only say which tumour they are about: Tumorkonferenzen."""
    named = sound[typed.TumourAssignment.table()].select("record_id")
    return named.join(_ids(sound, *RECORDS, typed.VitalStatus), on="record_id", how="anti")


def _ids(frames: Frames, *contracts: type[Contract]) -> pl.DataFrame:
    """Return ``record_id`` of all records of typed tables."""
    return pl.concat(frames[c.table()].select("record_id") for c in contracts).unique()


# --- tumours without a Diagnose ------------------------------------------------------------------------


def _missing(
    told: Frames, sound: Frames, held: Frames, names: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return tumours without a Diagnose, from their Tumorzuordnung, as rows of ``typed.diagnosis``."""
    used = _ids(told, *RECORDS)
    about = _renamed(sound[typed.TumourAssignment.table()].join(used, on="record_id", how="semi"), names)
    documented = _renamed(told[typed.Diagnosis.table()], names).filter("complete")
    back = _renamed(
        held[typed.Diagnosis.table()]
        .filter("complete")
        .join(held[typed.TumourAssignment.table()].select("record_id", "reporter"), on="record_id"),
        names,
    )
    tumour = ["patient_id", "tumour_id"]
    # Records without a tumour number belong to the index tumour, if the patient has one.
    nameless = pl.col("tumour_id").is_null() & pl.col("patient_id").is_in(
        pl.concat([documented["patient_id"], back["patient_id"]]).implode()
    )
    lone = (
        about.filter(~nameless)
        .join(documented, on=tumour, how="anti", nulls_equal=True)
        .join(back, on=tumour, how="anti", nulls_equal=True)
        .sort(*tumour, *NEWEST_LAST, nulls_last=False)
    )
    rows = lone.group_by(tumour, maintain_order=True).agg(
        record_id=pl.col("record_id").first(),
        **{
            c: pl.col(c).drop_nulls().last()
            for c in (
                "source", "person_ref", "received_on", "reported_on", "icd10_code", "diagnosis_date",
                "diagnosis_date_precision", "laterality", "icdo3_morphology", "morphology_version",
            )
        },
    )  # fmt: skip
    seen = observation(
        rows, DIAGNOSE_MISSING, typed.TumourAssignment.table(), "icd10_code", pl.col("icd10_code")
    )
    return rows.filter(pl.col("diagnosis_date").is_not_null()), seen


def _only_named(told: Frames, sound: Frames, held: Frames) -> pl.DataFrame:
    """Report the tumours that no record describes, by the newest record that names each.

    A tumour of the organ of a known tumour may be that one under another number: it is left alone.
    """
    table = typed.TumourAssignment.table()
    known = pl.concat([_ids(told, *RECORDS), _ids(held, *RECORDS)])
    every = pl.concat([sound[table], held[table].select(sound[table].columns)])
    described = every.join(known, on="record_id", how="semi")
    sites = pl.concat(
        [described.select("patient_id", "icd10_code")]
        + [f[typed.Diagnosis.table()].select("patient_id", "icd10_code") for f in (sound, held)]
    ).select("patient_id", organ=iarc.organ(pl.col("icd10_code")))
    said = pl.any_horizontal(pl.col("tumour_id", "icd10_code", "diagnosis_date").is_not_null())
    secondary = iarc.is_secondary(pl.col("icd10_code"), pl.col("icdo3_morphology"))
    newest = (
        sound[table]
        .filter(said, ~secondary)
        .join(known, on="record_id", how="anti")
        .join(described, on=list(KEY), how="anti", nulls_equal=True)
        .with_columns(organ=iarc.organ(pl.col("icd10_code")))
        .join(sites, on=["patient_id", "organ"], how="anti")
        .sort(*KEY, *NEWEST_LAST, nulls_last=False)
        .unique(list(KEY), keep="last", maintain_order=True)
    )
    return observation(newest, ONLY_NAMED, table, "icd10_code", pl.col("icd10_code"))
