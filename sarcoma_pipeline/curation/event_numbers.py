"""Check the numbers of events (OP_ID, ST_ID, SYST_ID, Verlauf_ID), which name one event each.

The number alone is no key. An event's key is reporter, patient, tumour, module, number and date: a newer
report with the same number and date is a correction; one number on two dates is two events.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.event_rows import NEWEST_LAST, Frames
from sarcoma_pipeline.curation.reports import RECORD_CORRECTED
from schemas import typed
from schemas.contract import Contract
from schemas.observations import observation
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import peers

NUMBER_ON_TWO_DATES = Rule(
    "record.number-on-two-dates",
    "warning",
    on="quality.accounting",
    scope="patient",
    what="A reporter uses one number (OP_ID, ST_ID, SYST_ID or Verlauf_ID) for events of one tumour on two "
    "dates. They are taken as two events.",
    remedy="In the tumour documentation: if it was one event, report it again under the Meldung_ID of the "
    "first report, with the right date. If there were two events, give the later one its own number.",
    source="oBDS 3.0.4: OP_ID, ST_ID, SYST_ID and Verlauf_ID name one event",
    sides=peers("module_id"),
)

DATE_OF: dict[type[Contract], str] = {
    typed.Surgery: "surgery_date", typed.SystemicTherapy: "start_date", typed.Assessment: "assessment_date",
}  # fmt: skip
"""Typed tables of events with one date: the column of that date."""

_KEY = ["patient_id", "reporter", "reported_tumour", "module_id"]
_FRAMING = {
    "record_id", "source", "person_ref", "received_on", "reported_on", "place", "patient_id", "module_id",
    "tumour_id", "reporter", "reported_tumour", "of_relapse_report",
    "report_id",
}  # fmt: skip


def observe(sound: Frames) -> pl.DataFrame:
    """Return reports that a later report corrects, and numbers that are used for two dates.

    Args:
        sound: the typed tables with their tumours and reporters.
    """
    seen = [Observation.empty()]
    for contract in (typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Assessment):
        frame, date = _numbered(sound[contract.table()]), DATE_OF.get(contract)
        if frame.height < 2:
            continue
        if date:
            # The month and a day of this month are one date.
            frame = with_date_of_number(frame, date)
        # The irradiations of one ST are parallel parts; none corrects another.
        own = [c for c in (date, "part") if c in frame.columns]
        seen.append(_corrected(frame, [*_KEY, *own], contract))
        if date:
            first = pl.col(date).min().over(_KEY)
            twice = frame.filter(pl.col(date) != first)
            seen.append(
                observation(twice, NUMBER_ON_TWO_DATES, contract.table(), date, pl.col(date).cast(pl.String))
            )
    # A Diagnose has no other number than that of its tumour.
    diagnoses = sound[typed.Diagnosis.table()].filter("complete").with_columns(module_id="reported_tumour")
    if diagnoses.height > 1:
        seen.append(_corrected(_numbered(diagnoses), _KEY, typed.Diagnosis))
    return pl.concat(seen)


def with_date_of_number(records: pl.DataFrame, date: str) -> pl.DataFrame:
    """Fill missing or partial dates of an event from its report with the exact date.

    The end of a treatment is often reported without its start. A number with two exact dates fills nothing.

    Args:
        records: records of one typed table with their tumours and reporters.
        date: the column of the date; ``{date}_precision`` goes with it.
    """
    precision = f"{date}_precision"
    exact = pl.col(precision).fill_null("day") == "day"
    fillable = pl.col(date).is_null() | pl.col(precision).is_in(["month", "year"])
    if not records.select(fillable.any()).item():
        return records
    known = (
        _numbered(records)
        .filter(pl.col(date).is_not_null(), exact)
        .group_by(_KEY)
        .agg(_date=pl.col(date).min(), _dates=pl.col(date).n_unique())
        .filter(pl.col("_dates") == 1)
    )
    joined = records.join(known, on=_KEY, how="left", nulls_equal=True, maintain_order="left")
    month = (pl.col(precision) == "month") & (
        pl.col(date).dt.month_start() == pl.col("_date").dt.month_start()
    )
    year = (pl.col(precision) == "year") & (pl.col(date).dt.year() == pl.col("_date").dt.year())
    fills = pl.col("_date").is_not_null() & (pl.col(date).is_null() | month | year)
    return joined.with_columns(
        pl.when(fills).then("_date").otherwise(date).alias(date),
        pl.when(fills).then(pl.lit("day")).otherwise(precision).alias(precision),
    ).drop("_date", "_dates")


def _numbered(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("source") == "oBDS", pl.col("module_id").is_not_null())


def _corrected(frame: pl.DataFrame, key: list[str], contract: type[Contract]) -> pl.DataFrame:
    values = [c for c in frame.columns if c not in _FRAMING]
    ordered = frame.sort(*key, *_ends(frame, key), *NEWEST_LAST, nulls_last=False)
    following = {c: pl.col(c).shift(-1) for c in (*key, "record_id", *values)}
    of_one_number = pl.all_horizontal(pl.col(c).eq_missing(following[c]) for c in key)
    # Two rows of one record are two of its parts.
    other = pl.col("record_id") != following["record_id"]
    differs = pl.any_horizontal(pl.col(c) != following[c] for c in values)
    corrected = ordered.filter(of_one_number & other & differs)
    return observation(corrected, RECORD_CORRECTED, contract.table())


def _ends(frame: pl.DataFrame, key: list[str]) -> list[pl.Expr]:
    """Return whether a report states the end of its course: no begin corrects it, even one exported later."""
    if "end_reason" not in frame.columns:
        return []
    report = "report_id" if "report_id" in frame.columns else "record_id"
    ended = pl.any_horizontal(pl.col("end_date", "end_reason").is_not_null())
    return [ended.any().over([*key, report])]
