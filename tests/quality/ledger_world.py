"""Findings of a simulated world, for the tests of the ledger."""

import datetime as dt

import polars as pl

from schemas.quality import Finding

RULES = {
    "f1": ("assessment.after-death", "error"),
    "f2": ("assessment.after-death", "error"),
    "f3": ("diagnosis.t-against-size", "warning"),
    "f4": ("file.empty", "error"),
}
"""Findings of the simulated world; the last has no record that a waiver could let through."""

START = dt.datetime(2030, 1, 1, 12, tzinfo=dt.UTC)


def found(world: dict[str, str]) -> pl.DataFrame:
    rows = [
        {
            "finding_id": f, "rule_id": RULES[f][0], "severity": RULES[f][1], "path": "a.csv",
            "position": "line 2", "table_name": "typed.assessment", "what": "w", "remedy": "r",
            "record_id": f"{f} {content}",
        }
        for f, content in world.items()
    ]  # fmt: skip
    return Finding.conform(pl.DataFrame(rows))


def content_of(world: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {"record_id": [f"{f} {c}" for f, c in world.items()], "content_hash": list(world.values())},
        schema={"record_id": pl.String, "content_hash": pl.String},
    )
