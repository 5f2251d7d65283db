"""Measure the error of the linkage on persons whose identity is known.

The first record of each identity represents the patient, every further one a reply without a number. They
are linked by the function of the refresh; nothing is stored.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sarcoma_pipeline.curation import identity, near_matches
from sarcoma_pipeline.curation.typed_records import TYPED
from schemas import typed

IDENTITY = "identity"
COLUMNS: dict[str, tuple[str, ...]] = {
    "family_name": ("family_name", "lname", "lname_c1", "surname", "last_name"),
    "family_name_2": ("family_name_2", "lname_c2"),
    "given_names": ("given_names", "given_name", "fname", "fname_c1", "first_name"),
    "given_names_2": ("given_names_2", "fname_c2"),
    "birth_date": ("birth_date", "date_of_birth", "dob"),
    "year": ("birth_year", "by"),
    "month": ("birth_month", "bm"),
    "day": ("birth_day", "bd"),
    "sex": ("sex", "gender"),
}
"""Compared field to its possible headers; the second part of a name may be missing."""

_SEX = {"m": "male", "male": "male", "w": "female", "f": "female", "female": "female", "d": "diverse"}


class NoPairs(Exception):
    """The file has no labelled pairs; the message says what is missing."""


@dataclass(frozen=True)
class Rates:
    """The error counts of the linkage.

    Attributes:
        patients: persons to whom others can be linked.
        pairs: further records whose patient is among them.
        linked: pairs that were linked to the right patient.
        offered: pairs whose right patient was offered as a near match.
        missed: pairs that were neither.
        wrong_links: records that were linked to another person.
        wrong_offers: records for which another person was offered, or any person although their patient is
            unknown.
    """

    patients: int
    pairs: int
    linked: int
    offered: int
    missed: int
    wrong_links: int
    wrong_offers: int


def read(path: Path) -> pl.DataFrame:
    """Read labelled persons from a CSV file, with any of the usual delimiters.

    Raises:
        NoPairs: a column is missing, or the file cannot be read.
    """
    try:
        head = path.read_text("utf-8-sig").partition("\n")[0]
        delimiter = max((",", ";", "\t"), key=head.count)
        frame = pl.read_csv(path, separator=delimiter, infer_schema=False)
    except (OSError, UnicodeError, pl.exceptions.PolarsError) as broken:
        raise NoPairs(f"{path.name} cannot be read as CSV in UTF-8: {type(broken).__name__}") from None
    present = {header.strip().casefold(): header for header in frame.columns}
    found = {name: present[h] for name, listed in COLUMNS.items() for h in reversed(listed) if h in present}
    missing = [name for name in ("family_name", "given_names") if name not in found]
    if IDENTITY not in present:
        missing.append(IDENTITY)
    if "birth_date" not in found and not {"year", "month", "day"} <= set(found):
        missing.append("birth_date, or birth_year, birth_month and birth_day")
    if missing:
        raise NoPairs(f"{path.name} has no column {', '.join(missing)}")
    return frame.select(
        pl.col(present[IDENTITY]).str.strip_chars().alias(IDENTITY),
        family_name=_name(found, "family_name"),
        given_names=_name(found, "given_names"),
        birth_date=_birth(found),
        sex=_sex(found),
    )


def _name(found: dict[str, str], name: str) -> pl.Expr:
    parts = [pl.col(found[n]).fill_null("") for n in (name, f"{name}_2") if n in found]
    return pl.concat_str(parts, separator=" ").str.strip_chars()


def _birth(found: dict[str, str]) -> pl.Expr:
    if "birth_date" in found:
        text = pl.col(found["birth_date"]).str.strip_chars()
        return pl.coalesce(text.str.to_date(f, strict=False) for f in ("%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"))
    parts = [
        pl.col(found[n]).str.strip_chars().cast(pl.Float64, strict=False) for n in ("year", "month", "day")
    ]
    whole = [part.cast(pl.Int64).cast(pl.String).str.zfill(2) for part in parts]
    return pl.concat_str(whole, separator="-").str.to_date("%Y-%m-%d", strict=False)


def _sex(found: dict[str, str]) -> pl.Expr:
    if "sex" not in found:
        # Without a sex column, sex contradicts and distinguishes nothing.
        return pl.lit("unknown")
    word = pl.col(found["sex"]).str.strip_chars().str.to_lowercase()
    return word.replace_strict(_SEX, default=None, return_dtype=pl.String)


def rates(persons: pl.DataFrame) -> Rates:
    """Link the further records of every identity, and count the results.

    Args:
        persons: :func:`read`.
    """
    frame = persons.with_row_index("row").with_columns(
        first=pl.col(IDENTITY).is_first_distinct() & pl.col(IDENTITY).is_not_null()
    )
    number = pl.when("first").then(pl.col(IDENTITY))
    mentions = frame.select(
        record_id=pl.format("R{}", "row"),
        source=pl.when("first").then(pl.lit("oBDS")).otherwise(pl.lit("registry office")),
        person_ref=pl.coalesce([pl.lit("number:") + number, pl.format("record:R{}", "row")]),
        received_on=pl.lit(dt.date(2000, 1, 1)),
        hospital_number=number,
        family_name="family_name",
        given_names="given_names",
        birth_date="birth_date",
        sex="sex",
        master="first",
        truth=pl.lit("number:") + pl.col(IDENTITY),
    )
    nothing_else = {contract.table(): contract.empty() for contract in TYPED}
    made = identity.link({**nothing_else, typed.Person.table(): typed.Person.conform(mentions)})
    others = mentions.filter(~pl.col("master")).select("record_id", "person_ref", "truth")
    known = mentions.filter("master")
    judged = others.join(
        made.frames["curated.link"].select("person_ref", "patient_id"), on="person_ref", how="left"
    )
    right = pl.col("patient_id") == pl.col("truth")
    asked = made.observed.filter(pl.col("rule_id").is_in([identity.NEAR_MATCH.id, identity.AMBIGUOUS.id]))
    doubtful = mentions.filter(~pl.col("master")).join(asked, on="record_id", how="semi")
    near = near_matches.near_matches(
        doubtful,
        known.select(patient_id="person_ref", family_name="family_name", given_names="given_names",
                     birth_date="birth_date", sex="sex"),
    )  # fmt: skip
    offered = others.join(near.select("record_id", "patient_id"), on="record_id")
    paired = others.join(known.select(truth="person_ref"), on="truth", how="semi")
    linked = judged.filter(right).height
    hit = offered.filter(right).height
    return Rates(
        patients=known.height,
        pairs=paired.height,
        linked=linked,
        offered=hit,
        missed=paired.height - linked - hit,
        wrong_links=judged.filter(~right).height,
        wrong_offers=offered.filter(~right.fill_null(False)).height,
    )
