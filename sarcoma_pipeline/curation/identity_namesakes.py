"""Find patients under two numbers whose names differ only in their spelling or in a part.

Exactly equal names have :data:`.identity_numbers.TWO_NUMBERS`. Here are those that no equality finds: an
umlaut written out, an accent, one part of a double name, a birth name, a second given name.
"""

from __future__ import annotations

import polars as pl

from sarcoma_pipeline.curation.identity_names import PERSON, family_names
from sarcoma_pipeline.curation.near_matches import folded, without_title
from schemas.observations import observation
from schemas.rule import Rule
from schemas.sides import NAMED, Side

_SAME = ("birth_date", "sex")


def _parts(names: pl.Expr) -> pl.Expr:
    """Return the parts of names in plain letters: of double names both."""
    parts = names.list.eval(pl.element().str.replace_all("-", " ").str.split(" ")).list.eval(
        pl.element().explode()
    )
    return parts.list.eval(folded(pl.element())).list.unique().list.set_difference([""])


def _families(prefix: str = "") -> pl.Expr:
    return _parts(family_names(prefix))


def _givens(prefix: str = "") -> pl.Expr:
    return _parts(pl.concat_list(without_title(pl.col(f"{prefix}given_names"))))


def _alike(families: tuple[pl.Expr, pl.Expr], givens: tuple[pl.Expr, pl.Expr]) -> pl.Expr:
    """Return whether family names share a part, and all given names of one are given names of the other."""
    one, other = givens
    fewer = pl.min_horizontal(one.list.len(), other.list.len())
    subset = (fewer > 0) & (one.list.set_intersection(other).list.len() == fewer)
    return subset & (families[0].list.set_intersection(families[1]).list.len() > 0)


NAMESAKES = Rule(
    "identity.two-numbers-alike",
    "warning",
    on="curated.link",
    scope="source",
    what="Two patient numbers have the same date of birth and sex, and names that differ only in spelling or "
    "in a part (umlaut, double name, birth name, second given name). They are kept as two patients.",
    remedy="Check in the patient administration whether it is one person. If so, merge the two numbers "
    "there.",
    source="record linkage: people decide on near matches",
    sides=(
        Side(
            PERSON,
            NAMED,
            by=_SAME,
            where=pl.col("master") & _alike((_families(), _families("own_")), (_givens(), _givens("own_"))),
        ),
    ),
)


def namesakes(latest: pl.DataFrame) -> pl.DataFrame:
    """Return the observations on persons whose names are alike under two numbers.

    Args:
        latest: the newest master data of each number, with ``patient_id`` and ``_name``.
    """
    whole = latest.filter(pl.all_horizontal(pl.col(*_SAME, "_name").is_not_null()))
    several = whole.filter(pl.len().over(_SAME) > 1)
    if several.is_empty():
        return observation(several, NAMESAKES, PERSON, "hospital_number", pl.col("hospital_number"))
    told = several.select("patient_id", "_name", *_SAME, families=_families(), givens=_givens())
    families = (pl.col("families"), pl.col("families_right"))
    pairs = told.join(told, on=_SAME).filter(
        pl.col("patient_id") != pl.col("patient_id_right"),
        pl.col("_name") != pl.col("_name_right"),
        _alike(families, (pl.col("givens"), pl.col("givens_right"))),
    )
    found = several.join(pairs, on="patient_id", how="semi", maintain_order="left")
    return observation(found, NAMESAKES, PERSON, "hospital_number", pl.col("hospital_number"))
