"""Turn observations into findings: add words, file and position for the steward, and mask identities."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from sarcoma_pipeline.quality import repeated_faults, rule_catalogue
from schemas.contract import CONTRACTS
from schemas.quality import Finding
from schemas.volumes import ALL, DATASET

MASK = "•••"
_SHORTEST_NAME = 4
"""Minimum length of names that are masked in paths; shorter ones occur in too many words."""


_OF_SOURCE = pl.col("record_id").str.starts_with(DATASET)
_OF_STUDY = pl.col("record_id") == DATASET + ALL

WHOLE_FILE = "file.column-missing"
"""Rule that makes every row of a file unreadable; it becomes one finding per file."""


PLACE = ("record_id", "file_id", "position", "record_key", "content_hash")
"""Columns of every received table with the position and the key of a record."""


def places(received: Mapping[str, pl.DataFrame], files: pl.DataFrame) -> pl.DataFrame:
    """Return file and position of every received record, and the keys that identify it across refreshes.

    Args:
        received: received tables, with the columns :data:`PLACE`.
        files: ``file_id``, ``path``, ``source`` of ``meta.files``.

    Returns:
        ``record_id``, ``file_id``, ``path``, ``source``, ``position``, ``record_key``, ``content_hash``,
        ``received_as`` (the received table).
    """
    return pl.concat(
        [pl.DataFrame(schema=dict.fromkeys((*PLACE, "received_as"), pl.String))]
        + [f.select(*PLACE, received_as=pl.lit(table)) for table, f in sorted(received.items())]
    ).join(files.select("file_id", "path", "source").unique("file_id"), on="file_id", how="left")


def persons_of(typed: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return ``record_id`` and ``person_ref`` of the records of typed tables."""
    return pl.concat(frame.select("record_id", "person_ref") for frame in typed.values()).unique()


def finding_ids(
    observed: pl.DataFrame,
    records: pl.DataFrame,
    centre: str = "",
    decisions: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Compute the id of each observation's finding; the same fault of the same record keeps its id.

    The id is a hash of rule, record key, table and column; for a fault of a whole file, of rule and source.
    Several records with the same key (repeated lines of a table), and several such files, are several
    findings: the second one, in the order of the files, has the suffix ``-1``. A finding with a decision
        keeps its suffix while its record has the same content, even if other records or files are added or
        renamed.

    Args:
        observed: observations; all observations of a rule, because the suffix counts them.
        records: places, from :func:`places`.
        centre: the records' centre in a study with several: two centres may use the same keys.
        decisions: ``quality.decisions``.

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
            path=pl.coalesce(
                "path",
                pl.when(_OF_STUDY)
                .then(pl.lit("all sources"))
                .when(_OF_SOURCE)
                .then(pl.col("record_id").str.strip_prefix(DATASET)),
            ),
            position=pl.coalesce(
                "position",
                pl.when(_OF_STUDY)
                .then(pl.lit("the study as a whole"))
                .when(_OF_SOURCE)
                .then(pl.lit("the source as a whole")),
            ),
        )
        # Sorted by length first, so that line 9 comes before line 10 and inserted lines do not swap ids.
        .sort("path", pl.col("position").str.len_chars(), "position", "record_id", nulls_last=True)
    )
    whole_file = pl.col("rule_id") == WHOLE_FILE
    subject = frame.select(
        "rule_id",
        pl.when(whole_file).then("source").otherwise("record_key"),
        "table_name",
        "column_name",
    )
    ids = [stem(s, centre) for s in subject.iter_rows()]
    frame = frame.with_columns(finding_id=pl.Series(ids, dtype=pl.String))
    # Rows are sorted by path, so that each file of a source is one run.
    nth = pl.when(whole_file).then(pl.col("path").rle_id()).otherwise(pl.int_range(pl.len()))
    frame = frame.with_columns(_nth=nth.over("finding_id").cast(pl.Int64))
    if decisions is not None:
        frame = _keep_decided(frame, decisions)
    return frame.with_columns(finding_id=_suffixed()).drop("_nth")


def stem(subject: tuple[str | None, ...], centre: str = "") -> str:
    """Return the id of a finding without suffix, from rule, key, table and column."""
    of = (centre,) if centre else ()
    return hashlib.blake2b(repr(subject + of).encode(), digest_size=8).hexdigest()


def _keep_decided(frame: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Keep the suffixes of records of one key on which a decision was taken; number the others."""
    number = pl.col("finding_id").str.extract(r"-(\d+)$").cast(pl.Int64).fill_null(0)
    decided: dict[str, dict[int, str]] = {}
    known = decisions.sort("at", maintain_order=True).drop_nulls("content_hash")
    of_stem = known.select(
        pl.col("finding_id").str.split("-").list.first(), number.alias("n"), "content_hash"
    )
    for name, nth, content in of_stem.iter_rows():
        decided.setdefault(name, {})[nth] = content
    shared = frame.with_row_index("_row").filter(
        pl.col("finding_id").is_in(list(decided)), pl.col("rule_id") != WHOLE_FILE
    )
    numbers = frame["_nth"].to_list()
    for (name,), group in shared.group_by("finding_id", maintain_order=True):
        rows = dict(group.select("_row", "content_hash").iter_rows())
        kept: dict[int, int] = {}
        for nth, content in sorted(decided[str(name)].items()):
            same = [row for row, own in rows.items() if own == content and row not in kept]
            if same:
                kept[same[0]] = nth
        free = (n for n in range(len(rows) + len(kept)) if n not in kept.values())
        for row in rows:
            numbers[row] = kept[row] if row in kept else next(free)
    return frame.with_columns(_nth=pl.Series(numbers, dtype=pl.Int64))


def joined_ids(
    observed: pl.DataFrame,
    records: pl.DataFrame,
    centre: str = "",
    decisions: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Compute the id of each observation's finding; a fault that repeats in a file has one id.

    That id is a hash of rule, source, table and column, so it stays when the number of records changes or the
    file is renamed; of several such files of a source the second has the suffix ``-1``. A single finding with
    a decision stays single, and a joined finding with a decision stays joined, however few records are left:
    no decision lapses because a fault became more or less frequent.

    Args:
        observed: observations; all observations of a rule.
        records: places, from :func:`places`.
        centre: the records' centre in a study with several.
        decisions: ``quality.decisions``.

    Returns:
        The rows of :func:`finding_ids`, and ``joined``.
    """
    group = ["rule_id", "source", "path", "table_name", "column_name"]
    frame = finding_ids(observed, records, centre, decisions)
    decided = [] if decisions is None else decisions["finding_id"].unique().to_list()
    own = pl.col("finding_id").is_in(decided) | (pl.col("rule_id") == WHOLE_FILE)
    # Only a record of a file has a source; a fault of a whole source is one finding anyway.
    frame = frame.with_columns(_one=~own & pl.col("source").is_not_null())
    ones = frame.filter("_one")
    groups = ones.group_by(group).agg(_times=pl.len()).sort(group)
    ids = [stem(("repeated", *s), centre) for s in groups.drop("path", "_times").iter_rows()]
    groups = groups.with_columns(finding_id=pl.Series(ids, dtype=pl.String))
    is_decided = pl.col("finding_id").is_in([name.partition("-")[0] for name in decided])
    groups = groups.filter((pl.col("_times") > repeated_faults.MANY) | is_decided)
    if groups.is_empty():
        return frame.with_columns(joined=pl.lit(False)).drop("_one")
    of_group = ones.select(*group, "content_hash").join(groups, on=group, nulls_equal=True)
    contents = of_group.group_by(group).agg(pl.col("content_hash").sort())
    digests = [repeated_faults.digest(hashes) for hashes in contents["content_hash"]]
    contents = contents.with_columns(content_hash=pl.Series(digests, dtype=pl.String))
    groups = groups.join(contents, on=group, how="left", nulls_equal=True).sort(group)
    groups = groups.with_columns(_nth=pl.int_range(pl.len()).over("finding_id").cast(pl.Int64))
    if decisions is not None:
        groups = _keep_decided(groups, decisions)
    groups = groups.with_columns(_group=_suffixed()).filter(
        (pl.col("_times") > repeated_faults.MANY) | pl.col("_group").is_in(decided)
    )
    joined = pl.col("_one") & pl.col("_group").is_not_null()
    marked = frame.join(
        groups.select(*group, "_group"), on=group, how="left", nulls_equal=True, maintain_order="left"
    )
    return marked.with_columns(
        finding_id=pl.when(joined).then("_group").otherwise("finding_id"), joined=joined
    ).drop("_group", "_one")


def _suffixed() -> pl.Expr:
    """Return the id with the number of the finding among those with the same stem."""
    suffixed = pl.when(pl.col("_nth") > 0).then(pl.format("{}-{}", "finding_id", "_nth"))
    return suffixed.otherwise("finding_id")


def findings(
    observed: pl.DataFrame,
    records: pl.DataFrame,
    persons: pl.DataFrame,
    patients: pl.DataFrame,
    link: pl.DataFrame,
    centre: str = "",
    decisions: pl.DataFrame | None = None,
    moved: pl.DataFrame | None = None,
    readings: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Add words and positions to observations; a fault that repeats in a file becomes one finding.

    Args:
        observed: observations of every step (``schemas.quality.Observation``).
        records: places of their records, from :func:`places`.
        persons: ``record_id``, ``person_ref`` of the typed records, from :func:`persons_of`.
        patients: ``curated.patient``.
        link: ``curated.link``.
        centre: the records' centre in a study with several.
        decisions: ``quality.decisions``.
        moved: ``meta.movement``, used to find the patients of records that are no longer delivered.
        readings: ``curated.identity_reading``, used to name the patients whom a record may be.

    Returns:
        ``quality.findings``; the same fault of the same record has the same id in every refresh.
    """
    owners = (
        persons.unique("record_id")
        .join(link.select("person_ref", "patient_id"), on="person_ref")
        .join(patients.select("patient_id", "pseudonym"), on="patient_id")
        .select("record_id", "pseudonym")
    )
    if moved is not None:
        gone = moved.filter("unexplained").select("record_id", "pseudonym").drop_nulls()
        gone = gone.sort("record_id", "pseudonym").unique("record_id", keep="first", maintain_order=True)
        owners = pl.concat([owners, gone.join(owners, on="record_id", how="anti")])
    words = rule_catalogue.catalogue().select("rule_id", "what", "remedy")
    found = joined_ids(observed, records, centre, decisions)
    frame = (
        repeated_faults.one_row_each(found.join(owners, on="record_id", how="left", maintain_order="left"))
        .drop("content_hash")
        .join(repeated_faults.content(found), on="finding_id", how="left")
        .join(words, on="rule_id", how="left")
        .join(_whom(readings, patients), on=["rule_id", "record_id"], how="left")
        .with_columns(
            path=masked_path(pl.col("path"), patients).fill_null("?"),
            value=masked_value(),
            note=pl.concat_str(
                masked_path(pl.col("note"), patients), "_whom", separator="; ", ignore_nulls=True
            ).replace("", None),
            position=pl.col("position").fill_null("?"),
        )
    )
    order = pl.col("severity").replace_strict({"error": 0, "warning": 1, "notice": 2}, return_dtype=pl.Int32)
    return Finding.conform(frame.sort(order, "rule_id", "path", "position", "finding_id"))


def _whom(readings: pl.DataFrame | None, patients: pl.DataFrame) -> pl.DataFrame:
    """Return the patients, by pseudonym, whom the record of an identity finding may be."""
    if readings is None:
        return pl.DataFrame(schema=dict.fromkeys(("rule_id", "record_id", "_whom"), pl.String))
    asked = readings.drop_nulls("patient_id").select("rule_id", "record_id", "patient_id").unique()
    named = asked.join(patients.select("patient_id", "pseudonym"), on="patient_id").sort("pseudonym")
    return named.group_by("rule_id", "record_id", maintain_order=True).agg(
        _whom=pl.format("patient {}", pl.col("pseudonym").unique().sort().str.join(", "))
    )


IDENTIFYING = ("hospital_number", "family_name")
"""Columns of ``curated.patient`` that may occur in folder names."""


def masked_path(path: pl.Expr, patients: pl.DataFrame) -> pl.Expr:
    """Mask known patient numbers and family names in a path; folders may be named after patients."""
    known = pl.concat([patients[c].alias("word") for c in IDENTIFYING])
    words = known.drop_nulls().filter(known.drop_nulls().str.len_chars() >= _SHORTEST_NAME).unique().sort()
    if words.is_empty():
        return path
    return path.str.replace_many(words.to_list(), [MASK], ascii_case_insensitive=True)


def is_identifying() -> pl.Expr:
    """Return whether the values of ``table_name`` and ``column_name`` name a patient."""
    identifying = [
        f"{table}.{c.name}"
        for table, contract in CONTRACTS.items()
        if table.startswith("typed.")
        for c in contract.columns()
        if c.identifying == "identifier"
    ]
    return pl.concat_str("table_name", pl.lit("."), "column_name").is_in(identifying)


def masked_value() -> pl.Expr:
    """Return ``value``; for an identifying column only its shape (letters x, digits 9)."""
    shape = pl.col("value").str.replace_all(r"\p{L}", "x").str.replace_all(r"\d", "9")
    return pl.when(is_identifying()).then(shape).otherwise("value")
