"""Find records and master data that contradict the person of their patient number."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from sarcoma_pipeline.curation import number_history
from sarcoma_pipeline.curation.event_rows import NEWEST_LAST
from sarcoma_pipeline.curation.identity_names import PERSON, folded_names
from schemas.observations import observation
from schemas.partial_dates import interval
from schemas.quality import Observation
from schemas.rule import Rule
from schemas.sides import MASTER_DATA

CONTRADICTION = Rule(
    "identity.contradiction",
    "error",
    on="curated.link",
    scope="source",
    what=(
        "The record has a known patient number, but both its name and its date of birth differ from "
        "that patient's."
    ),
    remedy="Find out to whom the record belongs. Correct the patient number in the sending system.",
    sides=(MASTER_DATA,),
)


DETAIL_DIFFERS = Rule(
    "identity.detail-differs",
    "warning",
    on="curated.link",
    scope="source",
    what=(
        "The patient number is known, but the name or the date of birth differs from the patient file "
        "(Patienten_Stammdaten)."
    ),
    remedy=(
        "Compare name and date of birth with the patient administration. Correct the wrong one; a change of"
        " name needs no correction."
    ),
    sides=(MASTER_DATA,),
)


MASTER_DIFFERS = Rule(
    "identity.master-data-differ",
    "warning",
    on="curated.link",
    scope="source",
    what="An older export has another date of birth or sex for the same patient number. The newest master "
    "data count.",
    remedy="Compare Geburtsdatum and Geschlecht with the patient administration. If two persons have the "
    "number, give each person their own number in the sending system and export both again.",
    source="oBDS 3.0.4 Patienten_Stammdaten",
    overruled=True,
    sides=(MASTER_DATA.at_times(),),
)


NAME_CHANGED = Rule(
    "identity.name-changed",
    "notice",
    on="curated.link",
    scope="source",
    what="An export that is no longer delivered had another name for the same patient number; date of birth"
    " and sex are the same. It stays one patient with the same pseudonym.",
    remedy="Nothing needs to be done after a change of name. If the number was given to another person, "
    "give each person their own number in the sending system.",
    source="oBDS 3.0.4 Patienten_Stammdaten",
    overruled=True,
    alone="the export with the former name is no longer delivered",
)


def contradictions(known: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
    """Return the observations on records that contradict the patient of their number."""
    if known.is_empty():
        return Observation.empty()
    both = known.join(
        latest.select(
            "patient_id", master_folded="_folded", master_birth="birth_date", master_families="family_names"
        ),
        left_on="person_ref",
        right_on="patient_id",
    )
    # A birth or former name on either side is no other name; given names are compared as before.
    shared = pl.col("family_names").list.set_intersection("master_families").list.len() > 0
    given = pl.col("_folded").str.split("|").list.last() == pl.col("master_folded").str.split("|").list.last()
    name = ((pl.col("_folded") != pl.col("master_folded")) & ~(shared & given)).fill_null(False)
    born = (pl.col("birth_date") != pl.col("master_birth")).fill_null(False)
    shown = {"table": PERSON, "column": "family_name", "value": pl.col("family_name")}
    return pl.concat(
        [
            observation(both.filter(name & born), CONTRADICTION, **shown),
            observation(both.filter(name ^ born), DETAIL_DIFFERS, **shown),
        ]
    )


def masters_differ(masters: pl.DataFrame, latest: pl.DataFrame) -> pl.DataFrame:
    """Return the observations on master data with another date of birth or sex than the newest."""
    if masters.height == latest.height:
        # Every person has one row of master data.
        return Observation.empty()
    both = masters.join(
        latest.select("patient_id", _sex="sex", _born="birth_date", _exactness="birth_date_precision"),
        left_on="person_ref",
        right_on="patient_id",
        maintain_order="left",
    )
    first, last = interval(pl.col("birth_date"), pl.col("birth_date_precision"))
    other_first, other_last = interval(pl.col("_born"), pl.col("_exactness"))
    known = pl.all_horizontal(pl.col("sex", "_sex").is_in(["female", "male", "diverse"]))
    # No day that the one may mean is one that the other may mean.
    born = both.filter((first > other_last) | (last < other_first))
    sex = both.filter(known & (pl.col("sex") != pl.col("_sex")))
    return pl.concat(
        [
            observation(born, MASTER_DIFFERS, PERSON, "birth_date", pl.col("birth_date").cast(pl.String)),
            observation(sex, MASTER_DIFFERS, PERSON, "sex", pl.col("sex")),
        ]
    )


def formerly(shown: Sequence[number_history.Question]) -> pl.DataFrame:
    """Return numbers that had another date of birth or sex in an export that is no longer delivered."""
    rows = [
        (one.newest, column, before)
        for one in shown
        if one.gone
        for column, before, after in (
            ("birth_date", one.before.born, one.after.born), ("sex", one.before.sex, one.after.sex)
        )
        if before and after and before != after
    ]  # fmt: skip
    schema = {"record_id": pl.String, "column": pl.String, "before": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    note = pl.lit("an export that is no longer delivered gave the number the value that is shown here")
    return observation(frame, MASTER_DIFFERS, PERSON, pl.col("column"), pl.col("before"), note)


def renamed(former: pl.DataFrame | None, latest: pl.DataFrame) -> pl.DataFrame:
    """Return numbers with another name before, but the same date of birth and sex."""
    if former is None:
        return Observation.empty()
    before = (
        former.sort("person_ref", *NEWEST_LAST, nulls_last=False)
        .group_by("person_ref", maintain_order=True)
        .last()
        .with_columns(_was=folded_names())
    )
    both = latest.join(
        before.select(
            patient_id="person_ref", _was="_was", was="family_name", _born="birth_date", _sex="sex"
        ),
        on="patient_id",
        maintain_order="left",
    )
    same = (pl.col("birth_date") == pl.col("_born")) & (pl.col("sex") == pl.col("_sex"))
    found = both.filter((pl.col("_was") != pl.col("_folded")) & same)
    return observation(found, NAME_CHANGED, PERSON, "family_name", pl.col("was"))
