"""Records behind released values before and after, for the tests of movement."""

from dataclasses import replace

import polars as pl

from sarcoma_pipeline.quality.record_changes import Evidence

BASE, NIGHT = "20300101T010000Z-a", "20300102T010000Z-b"
EXAM, REPLY = "received.obds_follow_up", "received.registry_reply"
WHO = "p1"


def frame_of(columns, rows):
    return pl.DataFrame(rows, schema=dict.fromkeys(columns.split(), pl.String), orient="row")


def lineage_of(*rows):
    """Rows of meta.lineage: (pseudonym, record, table, file, rules, role)."""
    made = [(p, r, t, f, f"at {r}", rules, role) for p, r, t, f, rules, role in rows]
    names = ("pseudonym", "record_id", "table_name", "file_id", "position", "rule_ids", "role")
    schema = {n: pl.List(pl.String) if n == "rule_ids" else pl.String for n in names}
    return pl.DataFrame(made, schema=schema, orient="row")


def evidence_of(before, now, versions, files, *, broken=(), unread=(), aside=(), owned=None):
    """Build both sides.

    Args:
        before: rows of :func:`lineage_of`.
        now: the same.
        versions: (table, record, key, content, file, first refresh, last refresh).
        files: (file, path, content, first refresh, last refresh).
        broken: (record, rule).
        unread: (file, rule) of files of which nothing was read.
        aside: records in quarantine or set aside.
        owned: (pseudonym, record); the used ones by default.
    """
    used = [(row[0], row[1]) for row in now]
    placed = [(t, r, k, c, f, f"at {r}", first, last) for t, r, k, c, f, first, last in versions]
    return Evidence(
        base=BASE,
        before=lineage_of(*before),
        now=lineage_of(*now),
        owned=frame_of("pseudonym record_id", used if owned is None else owned),
        versions=frame_of(
            "table_name record_id record_key content_hash file_id position first_refresh last_refresh", placed
        ),
        files=frame_of("file_id path content_hash first_refresh last_refresh", files),
        broken=frame_of("record_id rule_id", list(broken)),
        unread=frame_of("file_id rule_id", list(unread)),
        aside=pl.Series("record_id", list(aside), dtype=pl.String),
    )


def used_record(record, file, table=EXAM, *, rules=(), role="supports", who=WHO):
    return (who, record, table, file, list(rules), role)


def was_record(record, key, content, file, table=EXAM):
    """A record that was there at the release before and is gone."""
    return (table, record, key, content, file, BASE, BASE)


def is_record(record, key, content, file, table=EXAM, *, since=BASE):
    return (table, record, key, content, file, since, None)


OLD_FILE = ("f1", "obds/a.xml", "bytes 1", BASE, BASE)
NEW_FILE = ("f2", "obds/a.xml", "bytes 2", NIGHT, None)
CHANGED_FILE = [OLD_FILE, NEW_FILE]

CHANGED = evidence_of(
    [used_record("r1", "f1")],
    [used_record("r2", "f2")],
    [was_record("r1", "k", "c1", "f1"), is_record("r2", "k", "c2", "f2", since=NIGHT)],
    CHANGED_FILE,
)
VANISHED = evidence_of([used_record("r1", "f1")], [], [was_record("r1", "k", "c1", "f1")], CHANGED_FILE)
ADDED = evidence_of(
    [used_record("r1", "f1")],
    [used_record("r1", "f2"), used_record("r2", "f2")],
    [
        was_record("r1", "k", "c1", "f1"),
        is_record("r1", "k", "c1", "f2", since=NIGHT),
        is_record("r2", "k2", "c2", "f2", since=NIGHT),
    ],
    CHANGED_FILE,
)
SET_ASIDE = evidence_of(
    [used_record("r1", "f1"), used_record("r3", "f1")],
    [used_record("r3", "f1")],
    [is_record("r1", "k", "c1", "f1"), is_record("r3", "k3", "c3", "f1")],
    [("f1", "obds/a.xml", "bytes 1", BASE, None)],
    aside=["r1"],
    owned=[(WHO, "r1"), (WHO, "r3")],
)


def altered(evidence, **changes):
    return replace(evidence, **changes)
