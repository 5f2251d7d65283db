"""The blocks of Table 1 that the peer script leaves out; it and what compares it read them here."""

import tomllib
from pathlib import Path

NOT_DERIVED = ("delivered_dose_gy", "delivered_fractions", "overall_days", "longest_gap_days", "interrupted")
"""Columns of Table 1 that need treatment records, which the script does not read."""


def left_out(study: Path) -> list[str]:
    """Titles of their blocks in a study.toml."""
    declared = tomllib.loads(study.read_text("utf-8"))["table_one"]
    return [row["title"] for row in declared if row["column"] in NOT_DERIVED]
