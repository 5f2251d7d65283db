"""Determine what changed in the records behind each patient's values since an earlier release.

A record is the same if its content is the same: position and file name do not count, so that a permuted,
split or renamed delivery changes nothing. A record that differs although the bytes of its file are the
same was read differently: the program or the configuration changed, not the delivery.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from schemas.movement import MovementRecord

NEEDS_FINDING = ("changed", "vanished", "outranked", "set aside", "of another patient", "no longer used")
"""Changes that explain a move only together with a finding on the record."""

_NOT_HASHED = "not hashed"
_NO_LIST = pl.lit([], dtype=pl.List(pl.String))


@dataclass(frozen=True)
class Evidence:
    """The records behind the values at an earlier release and now.

    Attributes:
        base: last refresh on which the earlier release can depend.
        before: ``pseudonym``, ``record_id``, ``table_name``, ``file_id``, ``position``, ``rule_ids``,
            ``role`` of its ``meta.lineage``.
        now: the same of this refresh.
        owned: ``pseudonym``, ``record_id``: all present records of these patients, used or not.
        versions: ``table_name``, ``record_id``, ``record_key``, ``content_hash``, ``file_id``, ``position``,
            ``first_refresh``, ``last_refresh``: the records of both sides, all records of their keys and
            contents, and their earlier versions.
        files: ``meta.files`` with its earlier versions.
        broken: ``record_id``, ``rule_id`` of this refresh.
        unread: ``file_id``, ``rule_id``: why nothing could be read of a present file.
        aside: ``record_id`` of records in quarantine or set aside now.
    """

    base: str
    before: pl.DataFrame
    now: pl.DataFrame
    owned: pl.DataFrame
    versions: pl.DataFrame
    files: pl.DataFrame
    broken: pl.DataFrame
    unread: pl.DataFrame
    aside: pl.Series

    @cached_property
    def past(self) -> pl.DataFrame:
        """The versions of records at the release before."""
        return open_at(self.versions, self.base)

    @cached_property
    def current(self) -> pl.DataFrame:
        """The present versions of records."""
        return _open_now(self.versions)

    @cached_property
    def past_files(self) -> pl.DataFrame:
        """The files at the release before."""
        return open_at(self.files, self.base)

    @cached_property
    def current_files(self) -> pl.DataFrame:
        """The present files."""
        return _open_now(self.files)


def open_at(frame: pl.DataFrame, refresh: str) -> pl.DataFrame:
    """Return the rows of an append-only table that were current after a refresh."""
    last = pl.col("last_refresh")
    return frame.filter(pl.col("first_refresh") <= refresh, last.is_null() | (last >= refresh))


def _open_now(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col("last_refresh").is_null())


def changes(evidence: Evidence) -> pl.DataFrame:
    """Compare the records behind each patient's values.

    Args:
        evidence: both sides.

    Returns:
        ``meta.movement_record`` without ``compared_with`` and ``differing`` and with ``moved`` false, one row
        per changed record, sorted.
    """
    gone, come = _gone(evidence), _come(evidence)
    rows = _paired(pl.concat([gone, come], how="diagonal_relaxed"), evidence)
    broken = evidence.broken.group_by("record_id").agg(rules=pl.col("rule_id").unique().sort())
    rows = (
        rows.join(broken.rename({"record_id": "record_now"}), on="record_now", how="left")
        .join(_no_longer_read(evidence), on="file_before", how="left")
        .with_columns(
            pl.when(pl.col("change") == "vanished").then("of_file").otherwise("rules").alias("rules")
        )
        .with_columns(pl.col("rules", "old_rules").fill_null(_NO_LIST))
        .with_columns(new_rules=pl.col("rules").list.set_difference("old_rules").list.sort())
        .with_columns(
            explained=~pl.col("change").is_in(NEEDS_FINDING) | (pl.col("new_rules").list.len() > 0),
            cause=_cause(evidence),
            differing=_NO_LIST,
            moved=pl.lit(False),
        )
    )
    return MovementRecord.conform(
        rows.sort("pseudonym", "table_name", "change", "record_before", "record_now", nulls_last=True)
    )


def _no_longer_read(evidence: Evidence) -> pl.DataFrame:
    """Return the earlier files of whose successor at the same path nothing can be read, with the reasons.

    The finding on such a file explains why its records vanished. Of a file of which some records are read,
    it explains none: a record may also have been left out by the sender.
    """
    now = evidence.current_files.select("file_id", "path").unique()
    earlier = evidence.past_files.select("path", file_before="file_id").unique()
    return (
        evidence.unread.join(now, on="file_id")
        .join(earlier, on="path")
        .group_by("file_before")
        .agg(of_file=pl.col("rule_id").unique().sort())
    )


def _known(frame: pl.DataFrame) -> pl.DataFrame:
    columns = ("table_name", "record_id", "record_key", "content_hash", "file_id", "position")
    return frame.select(columns).sort(columns).unique("record_id", keep="first", maintain_order=True)


def _before(evidence: Evidence) -> pl.DataFrame:
    """Return the records behind the earlier values, one row per patient and record.

    Key and content are added if known.
    """
    roles = evidence.before.group_by("pseudonym", "record_id", "table_name", "file_id", "position").agg(
        old_rules=pl.col("rule_ids").explode().drop_nulls().unique().sort(),
        was_overruled=(pl.col("role") == "overruled").any(),
    )
    named = _known(evidence.past).select("table_name", "record_id", "record_key", "content_hash")
    found = roles.join(named, on=["table_name", "record_id"], how="left")
    # A new version of the program may give records other ids, but their positions stay the same.
    place = ["table_name", "file_id", "position"]
    by_place = (
        evidence.versions.select(*place, "record_key", "content_hash")
        .unique()
        .filter(pl.len().over(place) == 1)
    )
    return (
        found.join(by_place, on=place, how="left", suffix="_placed")
        .with_columns(pl.coalesce(c, f"{c}_placed").alias(c) for c in ("record_key", "content_hash"))
        .drop("record_key_placed", "content_hash_placed")
    )


def _contents(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select("table_name", "content_hash").unique()


def _same_bytes(evidence: Evidence) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the earlier file versions with bytes still present, and the present ones with earlier bytes."""
    past, current = evidence.past_files, evidence.current_files
    hashed = ~pl.col("content_hash").str.starts_with(_NOT_HASHED)
    sides = (past, current), (current, past)
    still, known = (
        one.filter(hashed).join(other.select("content_hash").unique(), on="content_hash", how="semi")
        for one, other in sides
    )
    return still.select("file_id").unique(), known.select("file_id").unique()


def _gone(evidence: Evidence) -> pl.DataFrame:
    """Return earlier records that are no longer used for their patient as before."""
    current = evidence.current
    content, whose = ["table_name", "content_hash"], ["pseudonym", "table_name", "content_hash"]
    marked = current.select("record_id", *content).unique()
    used = (
        evidence.now.select("pseudonym", "record_id", "role")
        .join(marked.rename({"table_name": "of_table"}), on="record_id")
        .rename({"of_table": "table_name"})
    )
    uses = used.group_by(whose).agg(overruled=(pl.col("role") == "overruled").any(), used=pl.lit(True))
    own = evidence.owned.join(marked, on="record_id").select(*whose, own=pl.lit(True)).unique()
    # Looked up before grouping: each group would hold a copy of the set, 24 GB if 10 000 plans vanish.
    delivered = (
        marked.with_columns(aside=pl.col("record_id").is_in(evidence.aside.implode()))
        .group_by(content)
        .agg(record_now=pl.col("record_id").min(), aside=pl.col("aside").all(), delivered=pl.lit(True))
    )
    in_cohort = evidence.now.select("pseudonym", member=pl.lit(True)).unique()
    by_key = (
        current.select("table_name", "record_key", changed_to="record_id")
        .group_by("table_name", "record_key")
        .agg(pl.col("changed_to").min())
    )
    same_bytes = _same_bytes(evidence)[0].with_columns(same_bytes=pl.lit(True))
    rows = (
        _before(evidence)
        .join(uses, on=whose, how="left")
        .join(own, on=whose, how="left")
        .join(delivered, on=content, how="left")
        .join(in_cohort, on="pseudonym", how="left")
        .join(by_key, on=["table_name", "record_key"], how="left")
        .join(same_bytes, on="file_id", how="left")
        .with_columns(
            pl.col("used", "own", "delivered", "member", "same_bytes", "aside", "overruled").fill_null(False)
        )
    )
    stands = pl.lit(None, dtype=pl.String)
    change = (
        pl.when(pl.col("content_hash").is_null())
        .then(pl.lit("read differently"))
        .when(pl.col("used"))
        .then(pl.when(pl.col("overruled") & ~pl.col("was_overruled")).then(pl.lit("outranked")))
        .when(pl.col("delivered") & pl.col("aside"))
        .then(pl.lit("set aside"))
        .when(pl.col("delivered") & ~pl.col("own"))
        .then(pl.lit("of another patient"))
        # No record of a patient who left the cohort is used; that they left is the move.
        .when(pl.col("delivered"))
        .then(pl.when(pl.col("member")).then(pl.lit("no longer used")).otherwise(stands))
        .when(pl.col("same_bytes"))
        .then(pl.lit("read differently"))
        .when(pl.col("changed_to").is_not_null())
        .then(pl.lit("changed"))
        .otherwise(pl.lit("vanished"))
    )
    rows = rows.with_columns(change=change).filter(pl.col("change").is_not_null())
    gone_now = pl.when(pl.col("change") == "changed").then("changed_to").when("delivered").then("record_now")
    return rows.select(
        "pseudonym",
        "table_name",
        "change",
        "old_rules",
        record_before="record_id",
        file_before="file_id",
        record_now=gone_now,
    ).unique(["pseudonym", "table_name", "record_before"], keep="first", maintain_order=True)


def _come(evidence: Evidence) -> pl.DataFrame:
    """Return present records that were not used for their patient before."""
    past, current = evidence.past, evidence.current
    content, whose = ["table_name", "content_hash"], ["pseudonym", "table_name", "content_hash"]
    before = _before(evidence).select(whose).unique()
    cohort = evidence.before.select("pseudonym").unique()
    used = evidence.now.select("pseudonym", "record_id", used=pl.lit(True)).unique()
    everyone = pl.concat([used.select("pseudonym", "record_id"), evidence.owned]).unique()
    same_bytes = _same_bytes(evidence)[1].with_columns(same_bytes=pl.lit(True))
    past_key = past.group_by("table_name", "record_key").agg(
        record_before=pl.col("record_id").min(), file_before=pl.col("file_id").min()
    )
    rows = (
        everyone.join(_known(current), on="record_id")
        .join(before, on=whose, how="anti")
        .join(used, on=["pseudonym", "record_id"], how="left")
        .join(cohort.with_columns(member=pl.lit(True)), on="pseudonym", how="left")
        .join(_contents(past).with_columns(known=pl.lit(True)), on=content, how="left")
        .join(past_key, on=["table_name", "record_key"], how="left")
        .join(same_bytes, on="file_id", how="left")
        .with_columns(pl.col("used", "known", "same_bytes", "member").fill_null(False))
    )
    change = (
        pl.when(pl.col("known"))
        .then(pl.when(pl.col("used") & pl.col("member")).then(pl.lit("newly used")))
        .when(pl.col("same_bytes"))
        .then(pl.lit("read differently"))
        .when(pl.col("record_before").is_not_null())
        .then(pl.lit("changed"))
        .otherwise(pl.lit("added"))
    )
    changed = pl.col("change") == "changed"
    return (
        rows.with_columns(change=change)
        .filter(pl.col("change").is_not_null())
        .select(
            "pseudonym",
            "table_name",
            "change",
            record_now="record_id",
            file_now="file_id",
            record_before=pl.when(changed).then("record_before"),
            file_before=pl.when(changed).then("file_before"),
        )
    )


def _paired(rows: pl.DataFrame, evidence: Evidence) -> pl.DataFrame:
    """Merge the two sides of a changed record into one row, also if only its position connects them."""
    places = evidence.versions.select("record_id", "file_id", "position").join(
        evidence.files.select("file_id", "path").unique("file_id"), on="file_id", how="left"
    )
    places = places.sort("record_id", "path", "position", "file_id", nulls_last=True).unique(
        "record_id", keep="first", maintain_order=True
    )
    lost = rows.filter(pl.col("change") == "vanished").join(
        places.select(record_before="record_id", path="path", position="position"), on="record_before"
    )
    new = rows.filter(pl.col("change") == "added").join(
        places.select(record_now="record_id", path="path", position="position"), on="record_now"
    )
    pairs = pl.DataFrame(schema={"record_before": pl.String, "record_now": pl.String, "pseudonym": pl.String})
    for on in (["pseudonym", "table_name", "path", "position"], ["pseudonym", "table_name", "path"]):
        single = pl.len().over(on) == 1
        left = lost.join(pairs, on=["pseudonym", "record_before"], how="anti").filter(single)
        right = new.join(pairs, on=["pseudonym", "record_now"], how="anti").filter(single)
        found = left.join(right.select(*on, now="record_now"), on=on)
        pairs = pl.concat([pairs, found.select("record_before", record_now="now", pseudonym="pseudonym")])
    rows = (
        rows.join(pairs.rename({"record_now": "pair"}), on=["pseudonym", "record_before"], how="left")
        .join(
            pairs.select("pseudonym", "record_now", paired=pl.lit(True)),
            on=["pseudonym", "record_now"],
            how="left",
        )
        .filter(~((pl.col("change") == "added") & pl.col("paired").fill_null(False)))
    )
    is_pair = (pl.col("change") == "vanished") & pl.col("pair").is_not_null()
    rows = rows.with_columns(
        change=pl.when(is_pair).then(pl.lit("changed")).otherwise("change"),
        record_now=pl.when(is_pair).then("pair").otherwise("record_now"),
    )
    merged = rows.group_by("pseudonym", "table_name", "change", "record_now", "record_before").agg(
        pl.col("file_before", "file_now").drop_nulls().min(),
        old_rules=pl.col("old_rules").explode().drop_nulls().unique().sort(),
    )
    current = _known(evidence.current).select(record_now="record_id", of_now="file_id")
    return merged.join(current, on="record_now", how="left").with_columns(
        file_now=pl.coalesce("file_now", "of_now")
    )


def _cause(evidence: Evidence) -> pl.Expr:
    """Return the cause as a change of files; null if no file caused the change."""
    past, current = evidence.past_files, evidence.current_files
    new_paths = current.join(past.select("path").unique(), on="path", how="anti")["file_id"].unique()
    lost_paths = past.join(current.select("path").unique(), on="path", how="anti")["file_id"].unique()
    came = pl.col("file_now").is_in(new_paths.implode())
    went = pl.col("file_before").is_in(lost_paths.implode())
    change = pl.col("change")
    return (
        pl.when(change.is_in(["added", "changed"]))
        .then(pl.when(came).then(pl.lit("file added")).otherwise(pl.lit("file changed")))
        .when(change == "vanished")
        .then(pl.when(went).then(pl.lit("file removed")).otherwise(pl.lit("file changed")))
    )
