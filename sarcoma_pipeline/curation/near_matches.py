"""Find patients similar to a person of another source: candidates for a person to decide on, never a link.

Family name, given names and date of birth are compared field by field. A field agrees, differs by one
small error, or differs. A candidate has at most two fields with a small error and none that differs. Small
errors are those known from record linkage of registries: one letter added, lost, wrong or swapped with its
neighbour; a part of a double name; a second given name; a date with one digit or one of its three parts
wrong, or with day and month transposed. A different sex counts as one more error, a missing one does not.
"""

from __future__ import annotations

import duckdb
import polars as pl

from schemas.pandera_polars import without_pandas
from schemas.umlauts import UMLAUTS

_TITLES = (
    "prof|dr|med|dent|vet|rer|nat|phil|habil|mult|pd|univ|dipl|ing|mag|"
    "freiherr|freifrau|freiin|frhr|frfr|baron|baronin|graf|gräfin|ritter|edler|edle|fürst|fürstin|prinz|prinzessin"
)
_OF = "von|vom|van|zu|zum|zur|de|den|der|dem|und|la|le|di|del|da|dos|du|ter|ten|v|vd|d|z|u"
_BEFORE = rf"^(?:(?:{_TITLES}|{_OF}) )+"
_BEHIND = rf"(?: (?:{_TITLES}|{_OF}))+$"
"""Titles and name prefixes. Sources write them before or after the family name ("Berg, v. d."), with the
given names, or in a separate field."""

_BEHIND_GIVEN = (
    rf"(?: (?:{_TITLES}|von|vom|zu|zum|zur|und|v|vd|u|(?:von|van|v|zu|de) (?:der|den|dem|d|la)))+$"
)
"""After given names only words that are no given name are removed: "Thi Van" and "Maria La" stay."""


def normalised(name: pl.Expr) -> pl.Expr:
    """Return a name in lower case, without outer and repeated blanks: equal results are the same spelling."""
    return name.str.normalize("NFC").str.to_lowercase().str.strip_chars().str.replace_all(r"\s+", " ")


def without_prefix(family_name: pl.Expr) -> pl.Expr:
    """Return a family name as :func:`normalised`, without titles and name prefixes before or after it."""
    plain = _words(family_name)
    behind_first = plain.str.replace(_BEHIND, "").str.replace(_BEFORE, "")
    before_first = plain.str.replace(_BEFORE, "").str.replace(_BEHIND, "")
    # A person named "Zu" keeps the name, and "von Graf" becomes "graf".
    named = [
        pl.when(~bare.str.contains(rf"^(?:{_OF})?$")).then(bare) for bare in (behind_first, before_first)
    ]
    return pl.coalesce([*named, plain])


def without_title(given_names: pl.Expr) -> pl.Expr:
    """Return given names as :func:`normalised`, without titles before and name prefixes after them."""
    # A word always stays: a title has one behind it, a name prefix one before it.
    return _words(given_names).str.replace(_BEHIND_GIVEN, "").str.replace(rf"^(?:(?:{_TITLES}) )+", "")


def _words(name: pl.Expr) -> pl.Expr:
    return normalised(normalised(name).str.replace_all(r"[.,;()]", " "))


def folded(name: pl.Expr) -> pl.Expr:
    """Return a name in plain letters: umlauts written out, without accents, hyphens and blanks."""
    plain = normalised(name).str.replace_many(UMLAUTS)
    return plain.str.normalize("NFD").str.replace_all(r"[^a-z]", "")


def number_form(number: pl.Expr) -> pl.Expr:
    """Return a patient number without leading zeros, blanks, signs, case and ``.0``.

    Programs change these parts.
    """
    plain = number.str.strip_chars().str.replace(r"\.0+$", "").str.to_lowercase()
    bare = plain.str.replace_all(r"[\s\-./]", "").str.replace(r"^0+", "")
    return pl.when(bare != "").then(bare)


def near_matches(persons: pl.DataFrame, patients: pl.DataFrame) -> pl.DataFrame:
    """Return the most similar known patient of each person.

    Args:
        persons: ``record_id``, ``family_name``, ``given_names``, ``birth_date``, ``sex``; one row each.
        patients: ``patient_id`` and the same.

    Returns:
        ``record_id``, ``patient_id`` of the nearest patient, ``candidates`` (number of similar patients) and
        ``why`` (the differences). One row per person with a candidate.
    """
    if persons.is_empty() or patients.is_empty():
        return pl.DataFrame(schema=_SCHEMA)
    with duckdb.connect(config={"threads": 1}) as connection:
        # DuckDB imports pandas to check whether a table is a pandas frame.
        with without_pandas():
            connection.register("person", persons.select("record_id", **_fields()).to_arrow())
            connection.register("patient", patients.select("patient_id", **_fields()).to_arrow())
        return pl.DataFrame(connection.sql(_SQL)).cast(_SCHEMA)  # pyright: ignore[reportArgumentType]


_SCHEMA = {"record_id": pl.String, "patient_id": pl.String, "candidates": pl.Int64, "why": pl.String}


def _fields() -> dict[str, pl.Expr]:
    family, given = without_prefix(pl.col("family_name")), without_title(pl.col("given_names"))
    return {
        "family": folded(family),
        "families": family.str.replace_all("-", " "),
        "given": folded(given),
        "givens": given.str.replace_all("-", " "),
        "birth": pl.col("birth_date"),
        "sex": pl.when(pl.col("sex").is_in(["female", "male", "diverse"])).then("sex"),
    }


_SQL = """
WITH blocked AS (
    -- At most two of three fields err, so that one agrees.
    SELECT record_id, patient_id FROM person JOIN patient ON person.birth = patient.birth
    UNION SELECT record_id, patient_id FROM person JOIN patient ON person.family = patient.family
    UNION SELECT record_id, patient_id FROM person JOIN patient ON person.given = patient.given
),
compared AS (
    SELECT record_id, patient_id,
        CASE WHEN a.family = b.family THEN 0
             WHEN damerau_levenshtein(a.family, b.family) = 1 THEN 1
             WHEN list_has_any(string_split(a.families, ' '), string_split(b.families, ' ')) THEN 2
             ELSE 9 END AS family,
        CASE WHEN a.given = b.given THEN 0
             WHEN damerau_levenshtein(a.given, b.given) = 1 THEN 1
             WHEN list_has_all(string_split(a.givens, ' '), string_split(b.givens, ' '))
               OR list_has_all(string_split(b.givens, ' '), string_split(a.givens, ' ')) THEN 2
             ELSE 9 END AS given,
        CASE WHEN a.birth = b.birth THEN 0
             WHEN month(a.birth) = day(b.birth) AND day(a.birth) = month(b.birth)
                  AND year(a.birth) = year(b.birth) THEN 1
             WHEN damerau_levenshtein(strftime(a.birth, '%Y%m%d'), strftime(b.birth, '%Y%m%d')) = 1 THEN 2
             WHEN (year(a.birth) = year(b.birth))::INT + (month(a.birth) = month(b.birth))::INT
                  + (day(a.birth) = day(b.birth))::INT = 2 THEN 3
             ELSE 9 END AS birth,
        CASE WHEN a.sex IS NULL OR b.sex IS NULL THEN 1 WHEN a.sex = b.sex THEN 0 ELSE 2 END AS sex
    FROM blocked JOIN person AS a USING (record_id) JOIN patient AS b USING (patient_id)
),
near AS (
    SELECT *, (family > 0)::INT + (given > 0)::INT + (birth > 0)::INT + (sex = 2)::INT AS errors
    FROM compared WHERE family < 9 AND given < 9 AND birth < 9
),
ranked AS (
    SELECT *, row_number() OVER one AS place, count(*) OVER (PARTITION BY record_id) AS candidates
    FROM near WHERE errors <= 2
    WINDOW one AS (PARTITION BY record_id ORDER BY errors, family, given, birth, sex, patient_id)
)
SELECT record_id, patient_id, candidates, concat_ws('; ',
    CASE family WHEN 1 THEN 'one letter of the family name differs' WHEN 2 THEN 'a part of a double name' END,
    CASE given WHEN 1 THEN 'one letter of the given names differs' WHEN 2 THEN 'one given name more' END,
    CASE birth WHEN 1 THEN 'day and month of birth are transposed'
        WHEN 2 THEN 'one digit of the date of birth differs'
        WHEN 3 THEN 'day, month or year of birth differs' END,
    CASE sex WHEN 1 THEN 'the sex is missing' WHEN 2 THEN 'the sex differs' END,
    CASE WHEN family + given + birth + sex = 0 THEN 'the names are spelled differently' END
) AS why
FROM ranked WHERE place = 1 ORDER BY record_id
"""
