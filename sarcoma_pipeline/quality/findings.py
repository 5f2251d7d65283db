"""Findings: observations as a steward reads them, with file and position, and nobody's name in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from schemas.contract import CATALOGUE, CONTRACTS
from schemas.quality import Finding

MASK = "•••"
_SHORTEST_NAME = 4
"""Shorter names are parts of too many words to be masked in a path."""


def findings(
    observed: pl.DataFrame,
    received: Mapping[str, pl.DataFrame],
    files: pl.DataFrame,
    typed: Mapping[str, pl.DataFrame],
    patients: pl.DataFrame,
    link: pl.DataFrame,
) -> pl.DataFrame:
    """Put observations into words and places.

    Args:
        observed: observations of every step (``schemas.quality.Observation``).
        received: received tables, for positions and record keys.
        files: ``meta.files``.
        typed: typed tables, for whose record it is.
        patients: ``curated.patient``.
        link: ``curated.link``.

    Returns:
        ``quality.findings``; the same fault of the same record has the same id night after night.
    """
    columns = ["record_id", "file_id", "position", "record_key"]
    places = pl.concat(
        [pl.DataFrame(schema=dict.fromkeys(columns, pl.String))]
        + [f.select(columns) for f in received.values()]
    ).join(files.select("file_id", "path").unique("file_id"), on="file_id", how="left")
    owners = (
        pl.concat([f.select("record_id", "person_ref") for f in typed.values()])
        .unique("record_id")
        .join(link.select("person_ref", "patient_id"), on="person_ref")
        .join(patients.select("patient_id", "pseudonym"), on="patient_id")
        .select("record_id", "pseudonym")
    )
    frame = observed.unique(
        ["rule_id", "record_id", "table_name", "column_name"], keep="first", maintain_order=True
    )
    words = pl.DataFrame(
        {
            "rule_id": list(CATALOGUE),
            "what": [r.what for r in CATALOGUE.values()],
            "remedy": [r.remedy for r in CATALOGUE.values()],
        }
    )
    frame = frame.join(places, on="record_id", how="left")
    # A missing column makes every row of the file unreadable: that is one fault to mend, not thousands.
    whole_file = pl.col("rule_id") == "file.column-missing"
    repeated = ~pl.struct("file_id", "rule_id").is_first_distinct()
    frame = frame.filter(~(whole_file & repeated))
    frame = (
        frame.join(owners, on="record_id", how="left")
        .join(words, on="rule_id", how="left")
        .with_columns(
            path=masked_path(pl.col("path"), patients).fill_null("?"),
            value=_masked_value(),
            position=pl.col("position").fill_null("?"),
        )
    )
    subject = zip(
        frame["rule_id"], frame["record_key"], frame["table_name"], frame["column_name"], strict=True
    )
    ids = [hashlib.blake2b(repr(s).encode(), digest_size=8).hexdigest() for s in subject]
    # Two rows of one key (a table's repeated line) still are two findings.
    frame = frame.with_columns(finding_id=pl.Series(ids, dtype=pl.String))
    nth = pl.int_range(pl.len()).over("finding_id")
    frame = frame.with_columns(
        finding_id=pl.when(nth > 0).then(pl.format("{}-{}", "finding_id", nth)).otherwise("finding_id")
    )
    order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}, return_dtype=pl.Int32)
    return Finding.conform(frame.sort(order, "rule_id", "path", "position", "finding_id"))


def masked_path(path: pl.Expr, patients: pl.DataFrame) -> pl.Expr:
    """A path with every known patient number and family name in it masked: folders are named after people."""
    known = pl.concat([patients["hospital_number"], patients["family_name"].alias("hospital_number")])
    words = known.drop_nulls().filter(known.drop_nulls().str.len_chars() >= _SHORTEST_NAME).unique().sort()
    if words.is_empty():
        return path
    return path.str.replace_many(words.to_list(), [MASK], ascii_case_insensitive=True)


def _masked_value() -> pl.Expr:
    """The value; of an identifying column only its shape (letters x, digits 9)."""
    identifying = [
        f"{table}.{c.name}"
        for table, contract in CONTRACTS.items()
        if table.startswith("typed.")
        for c in contract.columns()
        if c.identifying == "identifier"
    ]
    place = pl.concat_str("table_name", pl.lit("."), "column_name")
    shape = pl.col("value").str.replace_all(r"\p{L}", "x").str.replace_all(r"\d", "9")
    return pl.when(place.is_in(identifying)).then(shape).otherwise("value")
