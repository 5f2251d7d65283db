"""Compare the names of records and patients, and link records without a number by them."""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.near_matches import (
    folded,
    number_form,
    without_prefix,
    without_title,
)
from schemas import typed
from schemas.distinct_values import distinct

PERSON = typed.Person.table()


def folded_names(prefix: str = "") -> pl.Expr:
    """Return family name and given names in the form in which they are compared."""
    family = without_prefix(pl.col(f"{prefix}family_name"))
    return folded_plain(family, without_title(pl.col(f"{prefix}given_names")))


def folded_plain(family: pl.Expr, given: pl.Expr) -> pl.Expr:
    """Return the same, from names without prefixes and titles."""
    return pl.concat_str(folded(family), pl.lit("|"), folded(given))


def family_names(prefix: str = "") -> pl.Expr:
    """Return all family names of a person: today's, that at birth, and former ones."""
    own, *more = (f"{prefix}{name}" for name in ("family_name", "birth_name", "former_names"))
    others = pl.concat_str(more, separator=";", ignore_nulls=True)
    # A former name is delivered alone, in a list with signs between, or as the JSON of several elements.
    listed = others.str.replace_all(r'[\[\]"]', "").str.replace_all(r"[,/|]", ";").str.split(";")
    names = pl.concat_list(pl.concat_list(own), listed.fill_null([]))
    plain = names.list.eval(without_prefix(pl.element())).list.drop_nulls()
    return distinct(plain.list.eval(pl.element().filter(pl.element() != "")))


def linked_by_name(
    nameless: pl.DataFrame, latest: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Link by name, date of birth and sex; who has no patient so, by a birth or former name instead."""
    if nameless.is_empty():
        none = nameless.with_columns(
            pl.lit(None, dtype=pl.String).alias(c) for c in ("patient_id", "_method")
        )
        return none, none, nameless
    keys = ["_name", "birth_date", "sex"]
    named = nameless.join(latest.select("patient_id", *keys), on=keys, how="inner")
    rest = nameless.join(named.select("record_id").unique(), on="record_id", how="anti")
    pairs = pl.concat(
        [
            named.with_columns(_method=pl.lit("name, date of birth and sex")),
            _by_other_names(rest, latest).with_columns(
                _method=pl.lit("birth or former name, date of birth and sex")
            ),
        ]
    )
    once = pl.len().over("record_id") == 1
    matched = pairs.select("record_id").unique()
    return pairs.filter(once), pairs.filter(~once), nameless.join(matched, on="record_id", how="anti")


def _by_other_names(nameless: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
    """Return records and the patients with whom they share any family name, and all else exactly."""
    keys = ["_family", "_given", "birth_date", "sex"]
    given = without_title(pl.col("given_names")).alias("_given")

    def each(frame: pl.DataFrame, name: str) -> pl.DataFrame:
        return frame.select(name, given, "birth_date", "sex", _family="family_names").explode("_family")

    pairs = each(nameless, "record_id").join(each(latest, "patient_id"), on=keys, how="inner")
    shared = pairs.select("record_id", "patient_id").unique().sort("record_id", "patient_id")
    return nameless.join(shared, on="record_id", how="inner", maintain_order="left_right")


def in_another_form(unknown: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
    """Return records whose number one patient has in another form; name, date of birth and sex agree."""
    if unknown.is_empty():
        return unknown
    form = number_form(pl.col("hospital_number"))
    known = latest.with_columns(_form=form).filter(pl.col("patient_id").n_unique().over("_form") == 1)
    keys = ["_name", "birth_date", "sex"]
    same = pl.all_horizontal((pl.col(k) == pl.col(f"{k}_right")).fill_null(False) for k in keys)
    return (
        unknown.with_columns(_form=form)
        .join(known.select("patient_id", "_form", *keys), on="_form", how="inner", maintain_order="left")
        .filter(same)
    )
