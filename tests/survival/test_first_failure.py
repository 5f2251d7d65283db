"""Pattern of first failure: which sites, which comes first, each patient once."""

from collections.abc import Sequence

import polars as pl
import pytest

from sarcoma_pipeline.survival.first_failure import first_failure

Events = Sequence[tuple[str, int | None, str]]


def _patterns(events: Events, patients: str = "ab", days: int = 30) -> dict[str, int]:
    frame = pl.DataFrame(
        events, schema={"pseudonym": pl.String, "day": pl.Int32, "kind": pl.String}, orient="row"
    )
    made = first_failure(frame, pl.DataFrame({"pseudonym": list(patients)}), days)
    assert made["n"].sum() == len(patients)
    assert made["percent"].sum() == pytest.approx(100)
    return dict(made.select("pattern", "n").iter_rows())


@pytest.mark.parametrize(
    ("events", "pattern"),
    [
        ([("a", 100, "local relapse")], "local relapse"),
        ([("a", 100, "distant relapse"), ("a", 130, "local relapse")], "local and distant relapse"),
        ([("a", 100, "distant relapse"), ("a", 131, "local relapse")], "distant relapse"),
        ([("a", 100, "local relapse"), ("a", 100, "regional relapse"), ("a", 90, "distant relapse")],
         "local and regional and distant relapse"),
        ([("a", 100, "relapse of unknown site")], "unknown site relapse"),
        ([("a", 100, "death")], "death without relapse"),
        ([("a", None, "death")], "death without relapse"),
        ([("a", 100, "death"), ("a", 50, "local relapse")], "local relapse"),
        ([("a", 50, "second malignancy"), ("a", 100, "local relapse")], "second malignancy"),
        ([("a", 100, "second malignancy"), ("a", 100, "local relapse")], "local relapse"),
        ([("a", 90, "second malignancy"), ("a", 100, "death")], "second malignancy"),
        ([("a", None, "local relapse"), ("a", 100, "death")], "relapse without a date"),
        ([("a", None, "local relapse"), ("a", 100, "distant relapse")], "distant relapse"),
        ([("a", 10, "radiotherapy start"), ("a", 20, "assessment"), ("a", 900, "alive")], "no failure"),
        # Nobody of the study.
        ([("z", 10, "local relapse")], "no failure"),
    ],
)  # fmt: skip
def test_what_came_first(events: Events, pattern: str) -> None:
    assert _patterns(events, "a") == {pattern: 1}
    assert _patterns(list(reversed(events)), "a") == {pattern: 1}


def test_the_window_is_declared() -> None:
    events = [("a", 100, "distant relapse"), ("a", 101, "local relapse")]
    assert _patterns(events, "a", days=0) == {"distant relapse": 1}
    assert _patterns(events, "a", days=1) == {"local and distant relapse": 1}


def test_relapses_come_first_and_patients_without_failure_last() -> None:
    events: Events = [
        ("a", 304, "local relapse"), ("b", 50, "death"), ("c", 10, "second malignancy"),
        ("d", 609, "local relapse"), ("d", 700, "death"), ("e", 5, "distant relapse"),
    ]  # fmt: skip
    frame = pl.DataFrame(events, schema=["pseudonym", "day", "kind"], orient="row")
    made = first_failure(frame, pl.DataFrame({"pseudonym": list("abcdef")}), 30)
    assert made["pattern"].to_list() == [
        "local relapse", "distant relapse", "second malignancy", "death without relapse", "no failure",
    ]  # fmt: skip
    local = made.row(0, named=True)
    assert (local["n"], local["died"], local["denominator"]) == (2, 1, 6)
    assert local["median_months"] == pytest.approx((304 + 609) / 2 / 30.4375)
    assert made["median_months"][-1] is None


def test_without_patients_there_is_no_pattern() -> None:
    events = pl.DataFrame(schema={"pseudonym": pl.String, "day": pl.Int32, "kind": pl.String})
    assert first_failure(events, pl.DataFrame(schema={"pseudonym": pl.String}), 30).is_empty()
