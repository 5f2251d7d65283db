"""Find persons with several patient numbers, and numbers that differ in their form only."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.identity_names import PERSON, folded_names
from sarcoma_pipeline.curation.near_matches import number_form
from schemas.observations import observation
from schemas.rule import Rule
from schemas.sides import NAMED, Side

_OWN_FORM = number_form(pl.col("own_person_ref").str.strip_prefix("number:"))
SAME_PERSON_TWICE = Side(
    PERSON, NAMED, by=("birth_date", "sex"), where=pl.col("master") & (folded_names() == folded_names("own_"))
)
SAME_NUMBER_TWICE = Side(
    PERSON,
    NAMED,
    by=(),
    where=pl.col("master") & (number_form(pl.col("hospital_number")) == _OWN_FORM),
)
"""Other persons with the name, or with the number, of the person at fault."""

TWO_NUMBERS = Rule(
    "identity.two-numbers",
    "warning",
    on="curated.link",
    scope="source",
    what=("Two patient numbers have the same name, date of birth and sex. They are kept as two patients."),
    remedy=(
        "Check in the patient administration whether it is one person. If so, merge the two numbers there."
    ),
    sides=(SAME_PERSON_TWICE,),
)


NUMBERS_ALIKE = Rule(
    "identity.numbers-alike",
    "warning",
    on="curated.link",
    scope="source",
    what="Two patients have the same patient number in two forms. They are kept as two patients.",
    remedy="Check whether it is one person. If so, write the number in the same form in every source.",
    sides=(SAME_NUMBER_TWICE,),
)


WHO = ["_name", "birth_date", "sex"]


def twins(latest: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers that share name, date of birth and sex with another number."""
    if latest.height < 2:
        return latest.clear()
    whole = latest.filter(pl.all_horizontal(pl.col(WHO).is_not_null()))
    return whole.filter(pl.len().over(WHO) > 1)


def two_numbers(latest: pl.DataFrame) -> pl.DataFrame:
    """Return the observations on persons with two numbers."""
    return observation(twins(latest), TWO_NUMBERS, PERSON, "hospital_number", pl.col("hospital_number"))


def alike_numbers(latest: pl.DataFrame) -> pl.DataFrame:
    """Return the numbers that another number repeats in another form."""
    number = pl.col("hospital_number")
    if latest.height < 2:
        return latest.clear().with_columns(_form=pl.lit(None, dtype=pl.String))
    numbered = latest.with_columns(_form=number_form(number)).drop_nulls("_form")
    return numbered.filter(number.n_unique().over("_form") > 1)


def numbers_alike(latest: pl.DataFrame) -> pl.DataFrame:
    """Return the observations on numbers that stand in two forms."""
    number = pl.col("hospital_number")
    alike = alike_numbers(latest)
    return observation(alike, NUMBERS_ALIKE, PERSON, "hospital_number", number)
