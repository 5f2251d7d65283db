"""Turns observations into findings: with words, file and position for the steward, and without identities."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping

import polars as pl

from sarcoma_pipeline.quality import repeated_faults, rule_catalogue
from sarcoma_pipeline.quality.volumes import DATASET
from schemas.contract import CONTRACTS
from schemas.quality import Finding

MASK = "•••"
_SHORTEST_NAME = 4
"""Minimum length of names that are masked in paths; shorter ones occur in too many words."""


_OF_SOURCE = pl.col("record_id").str.starts_with(DATASET)

_WHOLE_FILE = "file.column-missing"
"""A rule that makes every row of a file unreadable; it becomes one finding and not thousands."""


PLACE = ("record_id", "file_id", "position", "record_key", "content_hash")
"""Columns of every received table with the place and the key of a record."""


def places(received: Mapping[str, pl.DataFrame], files: pl.DataFrame) -> pl.DataFrame:
    """Return the place of every received record, and the keys that identify it across refreshes.

    Args:
        received: received tables, with the columns :data:`PLACE`.
        files: ``meta.files``.

    Returns:
        ``record_id``, ``file_id``, ``path``, ``position``, ``record_key``, ``content_hash``, ``received_as``
        (the received table).
    """
    return pl.concat(
        [pl.DataFrame(schema=dict.fromkeys((*PLACE, "received_as"), pl.String))]
        + [f.select(*PLACE, received_as=pl.lit(table)) for table, f in sorted(received.items())]
    ).join(files.select("file_id", "path").unique("file_id"), on="file_id", how="left")


def finding_ids(observed: pl.DataFrame, records: pl.DataFrame, centre: str = "") -> pl.DataFrame:
    """Compute the id of each observation's finding; the same fault of the same record keeps its id.

    The id is a hash of rule, record key, table and column; for a fault of a whole file, of rule and path. Two
    records with the same key (a repeated line of a table) are two findings: the second one, in the order of
    the files, has the suffix ``-1``.

    Args:
        observed: observations; all of a rule, because the suffix counts them.
        records: places, from :func:`places`.
        centre: the records' centre in a study with several: two centres may use the same keys.

    Returns:
        The distinct observations with ``finding_id`` and the columns of ``records``, in the order of the
        files.
    """
    what = ["rule_id", "record_id", "table_name", "column_name"]
    frame = (
        observed.unique(what, keep="first", maintain_order=True)
        .join(records, on="record_id", how="left", maintain_order="left")
        .with_columns(
            record_key=pl.coalesce("record_key", pl.when(_OF_SOURCE).then("record_id")),
            path=pl.coalesce("path", pl.when(_OF_SOURCE).then(pl.col("record_id").str.strip_prefix(DATASET))),
            position=pl.coalesce("position", pl.when(_OF_SOURCE).then(pl.lit("the source as a whole"))),
        )
        # Sorted by length first, so that line 9 comes before line 10 and inserted lines do not swap ids.
        .sort("path", pl.col("position").str.len_chars(), "position", "record_id", nulls_last=True)
    )
    whole_file = pl.col("rule_id") == _WHOLE_FILE
    subject = frame.select(
        "rule_id",
        pl.when(whole_file).then("path").otherwise("record_key"),
        "table_name",
        "column_name",
    )
    of = (centre,) if centre else ()
    ids = [hashlib.blake2b(repr(s + of).encode(), digest_size=8).hexdigest() for s in subject.iter_rows()]
    frame = frame.with_columns(finding_id=pl.Series(ids, dtype=pl.String))
    nth = pl.int_range(pl.len()).over("finding_id")
    return frame.with_columns(
        finding_id=pl.when((nth > 0) & ~whole_file)
        .then(pl.format("{}-{}", "finding_id", nth))
        .otherwise("finding_id")
    )


def joined_ids(
    observed: pl.DataFrame, records: pl.DataFrame, centre: str = "", decided: Collection[str] = ()
) -> pl.DataFrame:
    """Compute the id of each observation's finding, as :func:`finding_ids`; a repeated fault has one id.

    Args:
        observed: observations; all of a rule.
        records: places, from :func:`places`.
        centre: the records' centre in a study with several.
        decided: findings on which a data steward has decided.
    """
    alone = finding_ids(observed, records, centre)
    return repeated_faults.join_repeated(alone, decided, centre, never=(_WHOLE_FILE,))


def findings(
    observed: pl.DataFrame,
    records: pl.DataFrame,
    typed: Mapping[str, pl.DataFrame],
    patients: pl.DataFrame,
    link: pl.DataFrame,
    centre: str = "",
    decided: Collection[str] = (),
) -> pl.DataFrame:
    """Describe observations in words, with their places; a fault that repeats in a file is one finding.

    Args:
        observed: observations of every step (``schemas.quality.Observation``).
        records: places of their records, from :func:`places`.
        typed: typed tables, which give the person of a record.
        patients: ``curated.patient``.
        link: ``curated.link``.
        centre: the records' centre in a study with several.
        decided: findings on which a data steward has decided.

    Returns:
        ``quality.findings``; the same fault of the same record has the same id in every refresh.
    """
    owners = (
        pl.concat([f.select("record_id", "person_ref") for f in typed.values()])
        .unique("record_id")
        .join(link.select("person_ref", "patient_id"), on="person_ref")
        .join(patients.select("patient_id", "pseudonym"), on="patient_id")
        .select("record_id", "pseudonym")
    )
    words = rule_catalogue.catalogue().select("rule_id", "what", "remedy")
    found = joined_ids(observed, records, centre, decided)
    frame = (
        repeated_faults.one_row_each(found.join(owners, on="record_id", how="left", maintain_order="left"))
        .drop("content_hash")
        .join(repeated_faults.content(found), on="finding_id", how="left")
        .join(words, on="rule_id", how="left")
        .with_columns(
            path=masked_path(pl.col("path"), patients).fill_null("?"),
            value=_masked_value(),
            note=masked_path(pl.col("note"), patients),
            position=pl.col("position").fill_null("?"),
        )
    )
    order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}, return_dtype=pl.Int32)
    return Finding.conform(frame.sort(order, "rule_id", "path", "position", "finding_id"))


IDENTIFYING = ("hospital_number", "family_name")
"""Columns of ``curated.patient`` that may occur in names of folders."""


def masked_path(path: pl.Expr, patients: pl.DataFrame) -> pl.Expr:
    """Mask known patient numbers and family names in a path: folders may be named after patients."""
    known = pl.concat([patients[c].alias("word") for c in IDENTIFYING])
    words = known.drop_nulls().filter(known.drop_nulls().str.len_chars() >= _SHORTEST_NAME).unique().sort()
    if words.is_empty():
        return path
    return path.str.replace_many(words.to_list(), [MASK], ascii_case_insensitive=True)


def _masked_value() -> pl.Expr:
    """Return the value; of an identifying column only its shape (letters x, digits 9)."""
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
