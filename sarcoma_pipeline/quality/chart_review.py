"""Compare abstracted charts with the released values of a sample: error rate per variable, exact interval."""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import io
import os
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import polars as pl

from sarcoma_pipeline.quality.chart_sample import VARIABLES, Variable
from sarcoma_pipeline.survival.proportions import exact_interval
from schemas.review import ChartReview

Result = Literal["equal", "differs", "not in chart", "not reviewed"]

UNKNOWN = ("?", "unknown", "unbekannt", "not in chart", "nicht in der akte")
"""Words of an abstractor for a value of which the chart says nothing."""
NONE = ("none", "no", "-", "keine", "keiner", "keines", "nein", "entfällt")
"""Words of an abstractor for an event that did not happen."""
_UNKNOWN_CODES = ("GX", "RX", "TX", "NX", "unknown", "no entry", "unspecified")
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S")
ALL = "all"
"""Name of the row for all variables together."""

SAMPLE = {
    "sample_id": pl.String, "refresh_id": pl.String, "seed": pl.Int64, "pseudonym": pl.String,
    "variable": pl.String, "value": pl.String,
}  # fmt: skip
"""Columns of the log of drawn samples: the values are those of the day of drawing."""


class Unreadable(ValueError):
    """Raised for a value of a sheet that is no value of its variable."""


def compared(variable: Variable, released: str | None, given: str) -> Result:
    """Compare the value of a chart with the released one.

    Args:
        variable: the variable.
        released: the released value; None: unknown, or for an event that it did not happen.
        given: the abstractor's cell.

    Raises:
        Unreadable: the cell is no value of this variable.
    """
    text = " ".join(given.split())
    if not text:
        return "not reviewed"
    if text.casefold() in UNKNOWN:
        return "not in chart"
    if variable.event and text.casefold() in NONE:
        return "equal" if released is None else "differs"
    value = _value(variable, text)
    if variable.kind == "code" and value in _UNKNOWN_CODES:
        return "not in chart"
    if released is None:
        return "differs"
    known = _value(variable, released)
    if isinstance(value, float) and isinstance(known, float):
        return "equal" if abs(value - known) <= variable.tolerance + 1e-9 else "differs"
    return "equal" if value == known else "differs"


def _value(variable: Variable, text: str) -> str | float | dt.date:
    """Return a cell as a value that can be compared."""
    if variable.kind == "number":
        try:
            return float(text.replace(",", "."))
        except ValueError:
            raise Unreadable(f"{variable.name} is no number") from None
    if variable.kind == "date":
        for form in _DATES:
            try:
                return dt.datetime.strptime(text, form).date()
            except ValueError:
                continue
        none = ", none" if variable.event else ""
        raise Unreadable(f"{variable.name} is no day: write 2030-12-31, 31.12.2030{none} or unknown")
    if variable.kind == "code":
        codes = {code.casefold(): code for code in variable.codes}
        if text.casefold() not in codes:
            raise Unreadable(f"{variable.name} is none of: {', '.join(variable.codes)}, unknown")
        return codes[text.casefold()]
    return text.upper().replace(" ", "")


def review(
    drawn: pl.DataFrame, sheet: Mapping[str, Mapping[str, str]], read_on: dt.date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Compare an abstracted sheet with the values of its sample.

    Args:
        drawn: the rows of the log of samples with this sample's id.
        sheet: pseudonym to variable to the abstractor's cell.
        read_on: today.

    Returns:
        ``meta.chart_review``, and each value that differs: ``pseudonym``, ``variable``, ``released``,
        ``chart``.

    Raises:
        ValueError: a cell is no value of its variable, or a patient is not of the sample; names all of them.
    """
    by_name = {variable.name: variable for variable in VARIABLES}
    known = set(drawn["pseudonym"])
    problems = [f"{name} is no patient of the sample" for name in sorted(set(sheet) - known)]
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    differing = []
    for row in drawn.sort("pseudonym", "variable").iter_rows(named=True):
        given = sheet.get(row["pseudonym"], {}).get(row["variable"], "")
        try:
            result = compared(by_name[row["variable"]], row["value"], given)
        except Unreadable as wrong:
            problems.append(f"{row['pseudonym']}: {wrong}")
            continue
        for name in (row["variable"], ALL):
            counts[name][result] += 1
        if result == "differs":
            differing.append((row["pseudonym"], row["variable"], row["value"], " ".join(given.split())))
    if problems:
        raise ValueError("\n".join(problems))
    rows = [
        _rate(drawn, name, counts[name], read_on)
        for name in (*(v.name for v in VARIABLES), ALL)
        if name in counts
    ]
    told = {name: pl.String() for name in ("pseudonym", "variable", "released", "chart")}
    return ChartReview.conform(pl.DataFrame(rows)), pl.DataFrame(differing, schema=told, orient="row")


def _rate(drawn: pl.DataFrame, name: str, counts: Mapping[str, int], read_on: dt.date) -> dict[str, object]:
    errors = counts.get("differs", 0)
    reviewed = errors + counts.get("equal", 0)
    interval = exact_interval(errors, reviewed)
    return {
        "sample_id": drawn["sample_id"][0],
        "refresh_id": drawn["refresh_id"][0],
        "read_on": read_on.isoformat(),
        "patients": drawn["pseudonym"].n_unique(),
        "variable": name,
        "reviewed": reviewed,
        "errors": errors,
        "not_in_chart": counts.get("not in chart", 0),
        "error_rate": errors / reviewed if reviewed else None,
        "ci_low": interval[0] if interval else None,
        "ci_high": interval[1] if interval else None,
    }


def samples(path: Path) -> pl.DataFrame:
    """Read the log of drawn samples; empty if there is none."""
    return _log(path, SAMPLE)


def reviews(path: Path) -> pl.DataFrame:
    """Read ``meta.chart_review`` from the log of reviews: the last one of each sample."""
    rows = _log(path, dict(ChartReview.polars_schema()))
    # A sheet that is read again replaces its earlier result: later rows of the log are later readings.
    rows = rows.with_row_index("_row")
    last = rows.sort("_row").unique(["sample_id", "variable"], keep="last", maintain_order=True)
    return ChartReview.conform(last.sort("_row").drop("_row"))


def digest(path: Path) -> str | None:
    """Return a hash of the chart reviews; None if there are none."""
    rows = reviews(path)
    return hashlib.blake2b(rows.write_csv().encode(), digest_size=8).hexdigest() if rows.height else None


def _log(path: Path, schema: Mapping[str, object]) -> pl.DataFrame:
    if not path.exists():
        return pl.DataFrame(schema=dict(schema))  # pyright: ignore[reportArgumentType]
    content = path.read_bytes()
    # A crash left an incomplete last line, which was not reported as success.
    whole = content[: content.rfind(b"\n") + 1]
    return pl.read_csv(io.BytesIO(whole), schema=dict(schema))  # pyright: ignore[reportArgumentType]


def append(path: Path, rows: pl.DataFrame) -> None:
    """Append rows to a log; they are on disk when it returns. Only the owner can read it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        content = stream.read()
        whole = content.rfind(b"\n") + 1
        stream.truncate(whole)
        stream.write(rows.write_csv(include_header=not whole).encode())
        stream.flush()
        os.fsync(stream.fileno())
