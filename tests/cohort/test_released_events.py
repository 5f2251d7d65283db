"""The released timeline: who is in it, in which order, and on which records an event rests."""

import polars as pl

from sarcoma_pipeline.cohort import released_events
from sarcoma_pipeline.cohort.timeline import Timeline
from schemas.assumptions import Assumptions


def test_the_events_of_the_members_by_day_and_of_one_day_in_the_order_of_the_timeline():
    told = [
        ("2", 5, "assessment", ["r2", "r1", "r2"]), ("1", 9, "surgery", []), ("1", None, "death", []),
        ("3", 1, "alive", []), ("1", 9, "assessment", ["r"]), ("1", -3, "assessment", []),
    ]  # fmt: skip
    schema = {"patient_id": pl.String, "day": pl.Int32, "kind": pl.String, "record_ids": pl.List(pl.String)}
    frame = pl.DataFrame(told, schema, orient="row").with_columns(
        detail=pl.lit(None, pl.String), states=pl.lit([], pl.List(pl.String)), day_earliest="day",
        day_latest="day", precision=pl.lit("day"),
    )  # fmt: skip
    for members in ([("1", "b"), ("2", "a")], [("2", "a"), ("1", "b")]):
        named = pl.DataFrame(members, ["patient_id", "pseudonym"], orient="row")
        made = released_events.events(Timeline(frame, pl.DataFrame(), Assumptions()), named)
        assert made.select("pseudonym", "day", "kind", "evidence").rows() == [
            ("a", 5, "assessment", ["r1", "r2"]),
            ("b", -3, "assessment", []),
            ("b", 9, "surgery", []),
            ("b", 9, "assessment", ["r"]),
            ("b", None, "death", []),
        ]
