"""Curate the vital status: reconcile the statements of all sources into one row per patient."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames, cut, ranked, with_days
from schemas import typed
from schemas.observations import observation
from schemas.partial_dates import interval
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import DEATHS, peers

DEATHS_DIFFER = Rule(
    "vital-status.death-date-conflict",
    "warning",
    on="typed.vital_status",
    scope="source",
    what="Two reports give dates of death that cannot both be right. An exact date counts before a month, "
    "and a month before a year; then the first source in the precedence of sources.toml counts, then the "
    "newest report.",
    remedy="Compare Tod/Sterbedatum in the tumour documentation, the table and the registry office's reply. "
    "Correct the wrong one.",
    source="sources.toml precedence",
    overruled=True,
    sides=(DEATHS,),
)
CAUSES_DIFFER = Rule(
    "vital-status.causes-differ",
    "warning",
    on="typed.vital_status",
    scope="source",
    what="Two reports of a death differ in whether the tumour caused it. A known cause counts before an "
    "unknown one; then the first source in the precedence of sources.toml counts, then the newest "
    "report.",
    remedy="Compare Tod_tumorbedingt of both reports with the death certificate. Correct the wrong one.",
    source="oBDS 3.0.4 Tod/Tod_tumorbedingt",
    overruled=True,
    sides=peers(),
)


def curate(sound: Frames, zero: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Reconcile the statements of all sources on life and death.

    Args:
        sound: the typed tables.
        zero: ``patient_id, zero``.
        precedence: kinds of source, the most credible first.

    Returns:
        Rows of ``curated.vital_status``.
    """
    records = _statements(sound, zero, precedence)
    dated = _dated_deaths(records)
    deaths = dated.group_by("patient_id", maintain_order=True).agg(
        death_date=pl.col("status_date").last(),
        death_date_precision=pl.col("status_date_precision").last(),
        death_day=pl.col("status_day").last(),
        # Evidence: records with the chosen exact day, and records whose partial date may mean it.
        death_record_ids=pl.col("record_id").filter(_may_be_chosen()).unique().sort(),
    )
    causes = _deaths(records, dated).group_by("patient_id", maintain_order=True).agg(tumour_related=_cause())
    living = (
        records.filter(
            pl.col("status").is_in(["alive", "moved"]),
            pl.any_horizontal(pl.col("status_date", "status_day").is_not_null()),
        )
        .sort("status_day", "status_date", *NEWEST_LAST, nulls_last=False)
        .group_by("patient_id", maintain_order=True)
        .agg(
            _exact=pl.col("status_date").filter(_EXACT).max(),
            last_alive_date=pl.col("status_date").last(),
            last_alive_day=pl.col("status_day").last(),
            last_alive_record_ids=pl.col("record_id").last(),
        )
        .with_columns(last_alive_record_ids=pl.concat_list("last_alive_record_ids"))
    )
    seen = _last_seen(sound, zero)
    everyone = pl.concat([records.select("patient_id"), seen.select("patient_id")]).unique()
    dead = pl.col("status").str.starts_with("deceased")
    told = pl.col("reported_on").filter(dead)
    claimed = records.group_by("patient_id").agg(
        record_ids=pl.col("record_id").unique().sort(),
        _dead=dead.any(),
        _told=pl.when(told.null_count() == 0).then(told.max()),
    )
    frame = (
        everyone.join(claimed, on="patient_id", how="left")
        .join(deaths, on="patient_id", how="left")
        .join(causes, on="patient_id", how="left")
        .join(living, on="patient_id", how="left")
        .join(seen, on="patient_id", how="left")
    )
    frame = _after_the_last_contact(frame)
    better = pl.col("seen_day") > pl.col("last_alive_day").fill_null(-1_000_000)
    frame = frame.with_columns(
        last_alive_date=pl.when(better).then("seen_date").otherwise("last_alive_date"),
        last_alive_record_ids=pl.when(better).then("seen_record_ids").otherwise("last_alive_record_ids"),
        last_alive_day=pl.when(better).then("seen_day").otherwise("last_alive_day"),
        record_ids=pl.col("record_ids").fill_null([]),
    )
    # "Alive" after every undated death counts only if a data steward waived the contradiction.
    refuted = (pl.col("last_alive_date") > pl.col("_told")).fill_null(False)
    frame = frame.with_columns(
        status=pl.when(pl.col("death_day").is_not_null() | pl.col("death_date").is_not_null())
        .then(pl.lit("deceased"))
        .when(pl.col("_dead") & ~refuted)
        .then(pl.lit("deceased, date unknown"))
        .otherwise(pl.lit("alive")),
    )
    frame = frame.with_columns(tumour_related=pl.when(pl.col("status") != "alive").then("tumour_related"))
    # Caps the last day known alive at the death.
    after = pl.col("last_alive_day") > pl.col("death_day")
    return frame.with_columns(
        last_alive_day=pl.when(after).then("death_day").otherwise("last_alive_day"),
        last_alive_date=pl.when(after).then("death_date").otherwise("last_alive_date"),
    )


def observe(sound: Frames, zero: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Return dates of death that cannot mean the chosen one, and causes that differ from the chosen one.

    Args:
        sound: the typed tables.
        zero: ``patient_id, zero``.
        precedence: kinds of source, the most credible first.
    """
    records = _statements(sound, zero, precedence)
    dated = _dated_deaths(records)
    deaths = _deaths(records, dated)
    if deaths.height < 2:
        return Observation.empty()
    other = dated.filter(~_may_be_chosen("patient_id"))
    date = pl.col("status_date")
    known = date.dt.strftime("%Y-%m-%d")
    for precision, form in _PARTIAL.items():
        known = (
            pl.when(pl.col("status_date_precision") == precision)
            .then(date.dt.strftime(form))
            .otherwise(known)
        )
    said = pl.coalesce(known, pl.format("day {}", "status_day"))
    table, cause = typed.VitalStatus.table(), pl.col("tumour_related")
    caused = deaths.filter((cause != _cause().over("patient_id")) & (cause != "unknown"))
    return pl.concat(
        [
            observation(other, DEATHS_DIFFER, table, "status_date", said),
            observation(caused, CAUSES_DIFFER, table, "tumour_related", cause),
        ]
    )


def _cause() -> pl.Expr:
    """Return whether the tumour caused the death: the last known answer, else "unknown"."""
    cause = pl.col("tumour_related").drop_nulls()
    return pl.coalesce(cause.filter(cause != "unknown").last(), cause.last())


_EXACT = (pl.col("status_date_precision") == "day") | pl.col("status_date_precision").is_null()
_PARTIAL = {"month": "%Y-%m", "year": "%Y"}
"""Precision of a partial date to the form in which a finding shows it."""


def _statements(sound: Frames, zero: pl.DataFrame, precedence: Sequence[str]) -> pl.DataFrame:
    """Return the statements in rising order of credibility, with their days."""
    records = ranked(sound[typed.VitalStatus.table()], precedence)
    return with_days(records, zero, {"status_date": "status_day"})


_DATED = pl.col("status_date").is_not_null() | pl.col("status_day").is_not_null()


def _deaths(records: pl.DataFrame, dated: pl.DataFrame) -> pl.DataFrame:
    """Return all deaths; the cause of a dated one counts before that of an undated one.

    Args:
        records: all statements.
        dated: those of :func:`_dated_deaths`.
    """
    undated = records.filter(pl.col("status").str.starts_with("deceased"), ~_DATED)
    return pl.concat([undated, dated.select(undated.columns)])


def _dated_deaths(records: pl.DataFrame) -> pl.DataFrame:
    """Return the dated deaths with the days that each may mean; the last one of a patient is chosen."""
    first, last = interval(pl.col("status_date"), pl.col("status_date_precision"))
    not_of_year = pl.col("status_date_precision").ne_missing("year")
    return (
        records.filter(pl.col("status") == "deceased", _DATED)
        .with_columns(_first=first, _last=last)
        # An exact date takes precedence over a partial one of a more credible source, a month over a year.
        .sort(_EXACT, not_of_year, maintain_order=True)
    )


def _may_be_chosen(*over: str) -> pl.Expr:
    """Return whether a death may have the date of the last one of its group."""

    def chosen(column: str) -> pl.Expr:
        return pl.col(column).last().over(over) if over else pl.col(column).last()

    overlap = (pl.col("_first") <= chosen("_last")) & (pl.col("_last") >= chosen("_first"))
    same_day = _EXACT & (pl.col("status_day") == chosen("status_day"))
    return (overlap | same_day).fill_null(False)


def _after_the_last_contact(frame: pl.DataFrame) -> pl.DataFrame:
    """Narrow a partial date of death by the last day on which the patient was examined or stated alive."""
    narrowed = cut(
        frame.with_columns(_as_told="death_date"),
        "death_date",
        "death_date_precision",
        pl.max_horizontal("_seen_from", "_exact"),
        pl.lit(None, dtype=pl.Date),
    )
    moved = (pl.col("death_date") - pl.col("_as_told")).dt.total_days().fill_null(0).cast(pl.Int32)
    return narrowed.with_columns(death_day=pl.col("death_day") + moved).drop(
        "_exact", "_seen_from", "_as_told", "_low", "_high"
    )


def _last_seen(sound: Frames, zero: pl.DataFrame) -> pl.DataFrame:
    """Return the last day on which the hospital documented the patient alive.

    ``_seen_from`` is the last day on which they were alive for certain: a partial date proves life on its
    first possible day only.
    """
    events = [
        (typed.Assessment, "assessment_date", "assessment_day"),
        (typed.Surgery, "surgery_date", "surgery_day"),
        (typed.Radiotherapy, "start_date", "start_day"),
        (typed.Radiotherapy, "end_date", "end_day"),
        (typed.SystemicTherapy, "start_date", "start_day"),
        (typed.Diagnosis, "diagnosis_date", "diagnosis_day"),
    ]
    parts = []
    for contract, date, day in events:
        frame = with_days(sound[contract.table()], zero, {date: day})
        if contract in (typed.SystemicTherapy, typed.Diagnosis):
            frame = frame.filter(pl.col(f"{date}_precision").fill_null("day") == "day")
        first, _ = interval(pl.col(date), pl.col(f"{date}_precision"))
        parts.append(
            frame.select(
                "patient_id", seen_date=pl.col(date), seen_day=pl.col(day), seen_record_ids="record_id",
                _seen_from=first,
            )
        )  # fmt: skip
    return (
        pl.concat(parts)
        .filter(pl.col("seen_day").is_not_null())
        .sort("seen_day", "seen_record_ids")
        .group_by("patient_id", maintain_order=True)
        .agg(pl.col("seen_date", "seen_day", "seen_record_ids").last(), _seen_from=pl.col("_seen_from").max())
        .with_columns(seen_record_ids=pl.concat_list("seen_record_ids"))
    )
