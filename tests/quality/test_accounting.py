"""The value account: what was delivered is read, ignored by name or unknown, and nothing vanishes."""

import polars as pl

from sarcoma_pipeline.quality import accounting
from schemas.contract import CONTRACTS
from schemas.meta import MetaFile, MetaValueAccount
from schemas.quality import Disposition, Quarantine

FILES = MetaFile.conform(
    pl.DataFrame({"file_id": ["a", "b", "c"], "source": ["s", "s", "t"], "delivered_values": [10, 4, None]})
)


def _account(*rows):
    schema = {"file_id": pl.String, "path": pl.String, "outcome": pl.String, "values": pl.Int64}
    return MetaValueAccount.conform(pl.DataFrame(rows, schema=schema, orient="row"))


def _values(*rows):
    received = {t: c.empty() for t, c in CONTRACTS.items() if t.startswith("received.")}
    frame = accounting.account(received, {}, Quarantine.empty(), Disposition.empty(), FILES, _account(*rows))
    return {row["file_id"]: row for row in frame.iter_rows(named=True)}


def test_values_read_ignored_and_unknown_are_those_delivered():
    found = _values(
        ("a", "p", "read", 5), ("a", "q", "read", 2), ("a", "r", "ignored", 2), ("a", "s", "unknown", 1),
        ("b", "p", "read", 4),
    )  # fmt: skip
    of_a = {name: n for name, n in found["a"].items() if name.startswith("values_")}
    assert of_a == {
        "values_delivered": 10, "values_read": 7, "values_ignored": 2, "values_unknown": 1,
        "values_unaccounted": 0,
    }  # fmt: skip
    assert found["b"]["values_unaccounted"] == 0


def test_a_value_that_is_nowhere_is_unaccounted_and_so_is_one_that_was_never_delivered():
    found = _values(("a", "p", "read", 9), ("b", "p", "read", 5))
    assert found["a"]["values_unaccounted"] == found["b"]["values_unaccounted"] == 1
    # A file that was read before values were counted has no numbers of values.
    assert found["c"]["values_unaccounted"] == found["c"]["values_delivered"] == 0


def test_a_notice_names_each_path_of_a_source_that_no_column_takes_with_its_count():
    seen = accounting.unknown(
        FILES,
        _account(
            ("a", "x", "unknown", 2), ("b", "x", "unknown", 3), ("c", "x", "unknown", 1),
            ("a", "y", "unknown", 1), ("a", "z", "read", 9),
        ),
    )  # fmt: skip
    assert set(seen.select("rule_id", "severity").rows()) == {("value.unknown", "notice")}
    assert seen.select("record_id", "column_name", "value").rows() == [
        ("dataset:s", "x", "5 values in 2 files"),
        ("dataset:s", "y", "1 values in 1 files"),
        ("dataset:t", "x", "1 values in 1 files"),
    ]
    assert accounting.unknown(FILES, _account(("a", "z", "read", 9))).is_empty()
