"""Place the partial dates of treatments and examinations between the days that must come before and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from sarcoma_pipeline.curation.baseline import TUMOUR
from sarcoma_pipeline.curation.event_rows import cut, with_days
from schemas.partial_dates import days_of, interval
from schemas.vocabularies import DATE_PRECISION


def of_one_event(records: pl.DataFrame, date: str, event: list[str]) -> pl.DataFrame:
    """Set the precision of an event's date to the day if one of its reports is exact to the day.

    A month stands for its 15th: a report of that day and a report of that month have the same date.

    Args:
        records: records of one typed table.
        date: the column of the date; ``{date}_precision`` goes with it.
        event: the columns that identify an event, the date among them.
    """
    precision = f"{date}_precision"
    exact = (pl.col(precision) == "day").any().over(event)
    return records.with_columns(pl.when(exact).then(pl.lit("day")).otherwise(precision).alias(precision))


def placed(
    rows: pl.DataFrame,
    days: Mapping[str, str],
    zero: pl.DataFrame,
    diagnosis: pl.DataFrame,
    vital_status: pl.DataFrame,
) -> pl.DataFrame:
    """Narrow partial dates by diagnosis and death, and count the days since time zero.

    The diagnosis comes before treatment and examinations, the death after them, and the first day of a
    treatment before its last day. A limit that excludes the whole month or year is ignored.

    Args:
        rows: events with ``patient_id, tumour_id``, and for each date its precision.
        days: column of the date to column of the day, in the order in which the dates follow each other.
        zero: ``patient_id, zero``.
        diagnosis: ``curated.diagnosis``.
        vital_status: ``curated.vital_status``.

    Returns:
        The rows, with the dates moved to the middle of the remaining days, and for each day
        ``{day}_earliest`` and ``{day}_latest``: the first and the last that the date may mean. All three are
        equal for an exact date and for a day that the source counts.
    """
    partial = [pl.col(f"{date}_precision").is_in(["month", "year"]).any() for date in days]
    if rows.height and any(rows.select(partial).row(0)):
        rows = _narrowed(rows, list(days), diagnosis, vital_status)
    else:
        bounds = [pl.col(date).alias(f"_{end} {date}") for date in days for end in ("low", "high")]
        rows = rows.with_columns(bounds)
    counted = with_days(rows, zero, days).join(zero, on="patient_id", how="left", maintain_order="left")
    ends = []
    for date, day in days.items():
        # A source that counts days has no date, or one that is not that of the day.
        of_date = (pl.col(date) - pl.col("zero")).dt.total_days() == pl.col(day)
        for name, end in (("earliest", "low"), ("latest", "high")):
            moved = (pl.col(f"_{end} {date}") - pl.col("zero")).dt.total_days().cast(pl.Int32)
            ends.append(pl.when(of_date).then(moved).otherwise(pl.col(day)).alias(f"{day}_{name}"))
    return counted.with_columns(ends).drop(
        "zero", *(f"_{end} {date}" for date in days for end in ("low", "high"))
    )


def _narrowed(
    rows: pl.DataFrame, dates: list[str], diagnosis: pl.DataFrame, vital_status: pl.DataFrame
) -> pl.DataFrame:
    diagnosed = diagnosis.select(
        *TUMOUR, _diagnosed=pl.coalesce("diagnosis_date_earliest", "diagnosis_date")
    ).unique(TUMOUR, keep="any")
    _, last = interval(pl.col("death_date"), pl.col("death_date_precision"))
    died = vital_status.select("patient_id", _died=last)
    frame = rows.join(diagnosed, on=TUMOUR, how="left", nulls_equal=True, maintain_order="left").join(
        died, on="patient_id", how="left", maintain_order="left"
    )
    told = {date: interval(pl.col(date), pl.col(f"{date}_precision")) for date in dates}
    frame = frame.with_columns(
        bound
        for at, date in enumerate(dates)
        for bound in (
            pl.max_horizontal("_diagnosed", *(told[d][0] for d in dates[:at])).alias(f"_from {date}"),
            pl.min_horizontal("_died", *(told[d][1] for d in dates[at + 1 :])).alias(f"_until {date}"),
        )
    )
    for date in dates:
        frame = cut(
            frame, date, f"{date}_precision", pl.col(f"_from {date}"), pl.col(f"_until {date}")
        ).rename({"_low": f"_low {date}", "_high": f"_high {date}"})
    return frame.drop(
        "_diagnosed", "_died", *(f"_{end} {date}" for date in dates for end in ("from", "until"))
    )


def day_of_reports(rows: Sequence[Mapping[str, Any]], column: str) -> tuple[dt.date | None, str | None]:
    """Return the date of an event and its precision: the last one, or the last exact one that it may mean.

    Args:
        rows: reports of one event in rising order of credibility.
        column: the date; ``{column}_precision`` goes with it.
    """
    told = [(row[column], row[f"{column}_precision"]) for row in rows if row[column] is not None]
    if not told:
        return None, None
    first, last = days_of(*told[-1])
    exact = [day for day, precision in told if precision in (None, "day") and first <= day <= last]
    return (exact[-1], "day") if exact else told[-1]


def finest(precisions: Iterable[str | None]) -> str | None:
    """Return the finest precision of one date; a date without a precision is exact."""
    known = [precision or "day" for precision in precisions]
    return min(known, key=DATE_PRECISION.index) if known else None
