"""How long a patient could have been observed, in days by hand."""

from __future__ import annotations

import polars as pl
import pytest

from sarcoma_pipeline.cohort.observed import observed
from tests.conftest import Records
from tests.spec.told import FREE, Told, local, on, study


@pytest.fixture(scope="module")
def curated() -> dict[str, pl.DataFrame]:
    patients = [
        # The office's last answer of all, on day 1827, is the last day of any record: the cut-off.
        Told(),
        Told(died=on(731)),
        Told(seen={}, alive=1000),
        Told(seen={366: FREE, 500: local("R")}),
    ]
    records = Records()
    for number, told in enumerate(patients, start=1):
        told.put(records, str(number))
    return records.run().frames


def _days(curated: dict[str, pl.DataFrame], endpoint: str, **assumptions: object) -> list[tuple]:
    chosen = study(**assumptions)
    frame = observed(curated, chosen, curated["curated.patient"]["pseudonym"]).filter(endpoint=endpoint)
    columns = ("possible_days", "looked_days", "radiotherapy start", "definitive resection")
    return frame.sort("pseudonym").select(columns).rows()


def test_a_time_could_last_to_the_cut_off_or_to_what_ends_it(curated):
    assert _days(curated, "DFS") == [
        (1827, 366, 31, 102), (731, 366, 31, 102), (1827, None, 31, 102), (500, 366, 31, 102),
    ]  # fmt: skip
    # Who says something of the primary only has not looked at the whole.
    # A local relapse does not end the time to metastasis.
    assert _days(curated, "DMFS")[3] == (1827, 366, 31, 102)
    assert _days(curated, "OS") == [(1827, None, 31, 102), (731, None, 31, 102), *[(1827, None, 31, 102)] * 2]


def test_days_count_from_the_endpoints_origin(curated):
    found = _days(curated, "DFS", relapse_origin="radiotherapy start")
    assert found[0] == (1796, 335, 0, 71)


def test_the_declared_cut_off_counts(curated):
    assert [days[0] for days in _days(curated, "DFS", data_cutoff=on(600))] == [600, 600, 600, 500]
