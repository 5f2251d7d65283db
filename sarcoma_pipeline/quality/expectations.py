"""Define the expectations of the release gate as configurations of Great Expectations.

Most expectations follow from the contracts: columns, nullability, code lists and the plausible range of each
unit. Others check referential integrity, volumes and drift against the last release, and the absence of
identifying data. ``release_gate`` evaluates them with polars before publication, ``second_opinion`` with
Great Expectations after it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import polars as pl

from schemas.cohort import CohortDerivability, CohortEndpoint, CohortPatient
from schemas.contract import CONTRACTS
from schemas.gate import Gate
from schemas.release import RELEASED, released_columns
from schemas.vocabularies import VOCABULARIES

PATIENTS, ENDPOINTS = CohortPatient.table(), CohortEndpoint.table()
COLUMNS, DRIFT = "release.columns", "release.drift"
"""Pages in addition to the tables: names and types of all released columns, and the drift of shares."""

_CALENDAR_DATE = (
    r"\b(?:(?:19|20)\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?:19|20)\d{2})\b"
)
"""ISO 8601, DICOM DA, and day.month.year."""
_IDENTIFYING_WORDS = (
    "family_?name", "given_?name", "sur_?name", "first_?name", "last_?name", "birth", "address", "street",
    "postcode", "phone", "e_?mail", "insurance", "hospital_?number", "patient_?(?:id|number)",
)  # fmt: skip
_ROUNDING = 1e-9
KNOWN = f"pseudonym in {PATIENTS}"
"""Column of the endpoints' page; a set of all pseudonyms would be copied for every expectation."""


@dataclass(frozen=True)
class Page:
    """The expectations of one frame.

    Attributes:
        name: the table, ``release.columns`` or ``release.drift``.
        frame: the frame to check.
        expectations: Great Expectations' configurations.
        names_shown: whether failing values may be shown, because they are names of columns and not values of
            patients.
    """

    name: str
    frame: pl.DataFrame
    expectations: list[dict[str, Any]] = field(default_factory=list)
    names_shown: bool = False


def expected(
    tables: Mapping[str, pl.DataFrame], last: Mapping[str, pl.DataFrame], thresholds: Gate
) -> Iterator[Page]:
    """Yield the pages of expectations: each table, the release's columns, the drift from the last release.

    Each table is read once, because ``tables`` may read it from a file whenever it is asked.
    """
    present: dict[str, str] = {}
    for table, frame in tables.items():
        present |= {f"{table}.{name}": str(dtype) for name, dtype in frame.schema.items()}
        if table in CONTRACTS:
            page = Page(table, frame, list(_of_contract(table, frame, thresholds)))
            page.expectations.extend(_volume(table, last, thresholds))
            if table == PATIENTS:
                page.expectations.extend(_medians(frame, last, thresholds))
            if table == ENDPOINTS and PATIENTS in tables:
                known = tables[PATIENTS].select("pseudonym", pl.col("pseudonym").alias(KNOWN))
                page = replace(page, frame=frame.join(known.unique(), on="pseudonym", how="left"))
                page.expectations.extend(_referential(tables))
            yield page
    yield _columns(present)
    drift = _drift(tables, last, thresholds)
    if drift is not None:
        yield drift


def _that(kind: str, description: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    """Build an expectation as Great Expectations' configuration, without importing it."""
    return {"type": kind, "description": description, "severity": severity, "kwargs": kwargs}


def _columns(present: Mapping[str, str]) -> Page:
    """Return the page of the names and types of all columns: ``table.column`` to its type."""
    identifiers = {
        c.name
        for table, contract in CONTRACTS.items()
        if table.startswith(("received.", "typed.", "curated."))
        for c in contract.columns()
        if c.identifying == "identifier"
    }
    allowed = {f"{table}.{name}" for table in RELEASED for name in released_columns(table)}
    # A released contract may use the name of an identifier for something else, e.g. "reference" for a level.
    named = identifiers - {name.rpartition(".")[2] for name in allowed}
    words = "|".join([*map(re.escape, sorted(named)), *(f".*{w}.*" for w in _IDENTIFYING_WORDS)])
    names = sorted(allowed | present.keys())
    frame = pl.DataFrame(
        {
            "column": names,
            "typed": [f"{n} {present[n]}" if n in present else None for n in names],
            "missing": [None if n in present else n for n in names],
        },
        schema={"column": pl.String, "typed": pl.String, "missing": pl.String},
    )
    return Page(
        COLUMNS,
        frame,
        [
            _that(
                "expect_column_values_to_be_null",
                column="missing",
                description="Every column of the contracts exists.",
            ),
            _that(
                "expect_column_values_to_be_in_set",
                column="column",
                value_set=sorted(allowed),
                description="Every column is in a contract.",
            ),
            _that(
                "expect_column_values_to_not_match_regex",
                column="column",
                regex=rf"(?i)\.(?:{words})$",
                description="No column is named like an identifier.",
            ),
            _that(
                "expect_column_values_to_not_match_regex",
                column="typed",
                regex=r" (?:Date|Datetime)\b",
                description="No column is a calendar date.",
            ),
        ],
        names_shown=True,
    )


def _of_contract(table: str, frame: pl.DataFrame, thresholds: Gate) -> Iterator[dict[str, Any]]:
    unique = CONTRACTS[table].unique_columns()
    bounded = thresholds.bounded(CONTRACTS[table])
    for c in CONTRACTS[table].columns():
        if c.name not in frame.columns:
            continue
        if not c.nullable:
            yield _that(
                "expect_column_values_to_not_be_null",
                column=c.name,
                description=f"{c.title} is never missing.",
            )
        if c.name in unique:
            yield _that(
                "expect_column_values_to_be_unique", column=c.name, description=f"{c.title} is unique."
            )
        if c.vocabulary:
            codes = list(VOCABULARIES[c.vocabulary])
            yield _that(
                "expect_column_values_to_be_in_set",
                column=c.name,
                value_set=codes,
                description=f"{c.title} is one of {', '.join(codes)}.",
            )
        elif frame.schema[c.name] == pl.String:
            yield _that(
                "expect_column_values_to_not_match_regex",
                column=c.name,
                regex=_CALENDAR_DATE,
                description=f"{c.title} contains no calendar date.",
            )
        if c.name in bounded and frame.schema[c.name].is_numeric():
            low, high = bounded[c.name]
            yield _that(
                "expect_column_values_to_be_between",
                column=c.name,
                min_value=low,
                max_value=high,
                description=f"{c.title} is between {low:g} and {high:g} {c.unit}.",
            )


@runtime_checkable
class Counted(Protocol):
    """Tables that can be counted without being read."""

    def height(self, table: str) -> int:
        """Return the number of rows of a table."""
        ...


def _height(tables: Mapping[str, pl.DataFrame], table: str) -> int:
    return tables.height(table) if isinstance(tables, Counted) else tables[table].height


def _volume(table: str, last: Mapping[str, pl.DataFrame], thresholds: Gate) -> Iterator[dict[str, Any]]:
    before = _height(last, table) if table in last else 0
    cohort = table in (PATIENTS, ENDPOINTS)
    # In a small cohort one patient may be more than the allowed share; losing one never blocks the release.
    one = int(last[table].group_by("pseudonym").len()["len"].to_numpy().max()) if cohort and before else 0
    least = min(math.floor(before * (1 - thresholds.max_drop_percent / 100)), before - one)
    if before:
        yield _that(
            "expect_table_row_count_to_be_between",
            min_value=least,
            description=f"At least {least} rows: the last release had {before}, "
            f"and not more than {thresholds.max_drop_percent:g} % may be lost in one night, or one patient.",
            # The number of estimates changes with the models of study.toml; the number of patients does not.
            severity="critical" if cohort else "warning",
        )
    elif cohort:
        yield _that("expect_table_row_count_to_be_between", min_value=1, description="At least one row.")


def _referential(tables: Mapping[str, pl.DataFrame]) -> Iterator[dict[str, Any]]:
    patients = tables[PATIENTS].height
    yield _that(
        "expect_column_values_to_not_be_null",
        column=KNOWN,
        description=f"Every pseudonym is one of {PATIENTS}.",
    )
    yield _that(
        "expect_compound_columns_to_be_unique",
        column_list=["pseudonym", "endpoint"],
        description="A patient has each endpoint only once.",
    )
    if CohortDerivability.table() not in tables:
        return
    derivable = tables[CohortDerivability.table()].filter(pl.col("derivable"))["endpoint"].to_list()
    yield _that(
        "expect_column_values_to_be_in_set",
        column="endpoint",
        value_set=derivable,
        description="Every endpoint is derivable in this study.",
    )
    yield _that(
        "expect_table_row_count_to_equal",
        value=patients * len(derivable),
        description=f"One row for each of {patients} patients and {len(derivable)} derivable endpoints.",
        # Only a warning, because a patient without follow-up after time zero has no endpoints.
        severity="warning",
    )


def _medians(
    frame: pl.DataFrame, last: Mapping[str, pl.DataFrame], thresholds: Gate
) -> Iterator[dict[str, Any]]:
    before = last.get(PATIENTS)
    if before is None or before.height < thresholds.drift_from:
        return
    for c in CONTRACTS[PATIENTS].columns():
        if c.name not in before.columns or c.name not in frame.columns:
            continue
        if not before.schema[c.name].is_numeric() or before[c.name].count() < thresholds.drift_from:
            continue
        values = before[c.name].cast(pl.Float64)
        (median, deviation) = values.to_frame().select(m=pl.first().median(), s=pl.first().std()).row(0)
        reach = thresholds.max_median_sd * deviation
        below, above = _beside_the_median(values)
        yield _that(
            "expect_column_median_to_be_between",
            column=c.name,
            min_value=min(median - reach, below),
            max_value=max(median + reach, above),
            description=f"The median of {c.title} is within {reach:.3g} of the last release's {median:.4g}, "
            "or has moved by one patient's place.",
        )


def _beside_the_median(values: pl.Series) -> tuple[float, float]:
    """Return the range of the median after one patient was added, removed or changed."""
    known = values.drop_nulls().sort()
    middle = ((known.len() - 1) // 2, known.len() // 2)
    below = (known[max(place - 1, 0)] for place in middle)
    above = (known[min(place + 1, known.len() - 1)] for place in middle)
    return sum(below) / 2, sum(above) / 2


def _drift(
    tables: Mapping[str, pl.DataFrame], last: Mapping[str, pl.DataFrame], thresholds: Gate
) -> Page | None:
    now, before = _factors(tables), _factors(last)
    moved: dict[str, pl.Series] = {}
    described = []
    for name in (n for n in now if n in before and before[n].len() >= thresholds.drift_from):
        shares = _shares(before[name]).join(_shares(now[name]), on="level", how="full", coalesce=True)
        points = shares.select(
            "level", points=pl.col("share_right").fill_null(0) - pl.col("share").fill_null(0)
        )
        moved[name] = points["points"]
        # One patient alone can move a share by up to this.
        allowed = max(thresholds.max_share_points, 100 / max(min(before[name].len(), now[name].len()), 1))
        level, most = points.sort(pl.col("points").abs(), descending=True).row(0)
        described.append(
            _that(
                "expect_column_values_to_be_between",
                column=name,
                min_value=-allowed - _ROUNDING,
                max_value=allowed + _ROUNDING,
                description=f"No share moves by more than {allowed:g} percentage points "
                f"against the last release; {level} moved most, by {most:+.1f}.",
            )
        )
    if not moved:
        return None
    height = max(s.len() for s in moved.values())
    frame = pl.DataFrame({n: s.extend_constant(None, height - s.len()) for n, s in moved.items()})
    return Page(DRIFT, frame, described)


def _factors(tables: Mapping[str, pl.DataFrame]) -> dict[str, pl.Series]:
    """Return the coded columns of the patients, and the event of each endpoint, by table and column."""
    found: dict[str, pl.Series] = {}
    if PATIENTS in tables:
        patients = tables[PATIENTS]
        for c in CONTRACTS[PATIENTS].columns():
            codes = ("true", "false") if c.dtype == "Boolean" else VOCABULARIES.get(c.vocabulary or "")
            if codes and c.name in patients.columns:
                found[f"{PATIENTS}.{c.name}"] = _coded(patients[c.name], codes)
    if ENDPOINTS in tables:
        for (endpoint,), part in tables[ENDPOINTS].group_by("endpoint", maintain_order=True):
            found[f"{ENDPOINTS}.event of {endpoint}"] = part["event"].cast(pl.String)
    return found


def _coded(values: pl.Series, codes: Sequence[str]) -> pl.Series:
    """Replace values outside the code list by one level, because levels appear in logs."""
    text = values.cast(pl.String)
    level = pl.when(text.is_null() | text.is_in(codes)).then(text).otherwise(pl.lit("any other value"))
    return pl.select(level).to_series()


def _shares(values: pl.Series) -> pl.DataFrame:
    """Return ``level`` and ``share`` in percent; missing values are a level."""
    counts = values.fill_null("missing").rename("level").value_counts(sort=True)
    return counts.select("level", share=100 * pl.col("count") / max(values.len(), 1))
