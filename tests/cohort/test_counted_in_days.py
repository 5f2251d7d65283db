"""A source that counts in days since the diagnosis, without a date, gives the same times."""

import polars as pl

from sarcoma_pipeline.cohort.derivation import cohort
from tests.conftest import Records
from tests.spec.told import FREE, Told, local, on, study

TIMES = [
    "endpoint",
    "time_days",
    "time_days_earliest",
    "time_days_latest",
    "event",
    "event_kind",
    "entry_days",
]


def test_days_without_their_dates_give_the_same_times():
    records = Records()
    patients = [
        Told(), Told(died=on(731)), Told(seen={}), Told(seen={}, died=on(300)),
        Told(seen={366: FREE, 500: local("R")}),
    ]  # fmt: skip
    for number, told in enumerate(patients, start=1):
        told.put(records, str(number))
    curated = records.run().frames
    undated = {}
    for name, frame in curated.items():
        dates = [c for c, kind in frame.schema.items() if kind == pl.Date]
        undated[name] = frame.with_columns(pl.lit(None, dtype=pl.Date).alias(c) for c in dates)
    everybody = curated["curated.patient"]["pseudonym"]
    dated, counted = (
        cohort(frames, study(), chosen=everybody).derived.endpoints for frames in (curated, undated)
    )
    assert dated.height > 15 and (dated["time_days"] == 0).any()
    assert counted.select("pseudonym", *TIMES).equals(dated.select("pseudonym", *TIMES))
