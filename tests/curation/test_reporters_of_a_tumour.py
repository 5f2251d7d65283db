"""Which reporter's site, side and date count, from typed Diagnoses of one tumour."""

import datetime as dt
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import best_of
from schemas import typed

D = dt.date
SCHEMA = typed.Diagnosis.polars_schema() | dict.fromkeys(
    ("patient_id", "reporter", "reported_tumour"), pl.String
)
OF = {"patient_id": "p", "tumour_id": "T", "reported_tumour": "T", "source": "oBDS", "reporter": "A"}


def told(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([OF | {"record_id": f"r{n}"} | row for n, row in enumerate(rows)], schema=SCHEMA)


def found(*rows: dict[str, Any]) -> tuple[str | None, list[tuple[str, str]]]:
    """The site that counts, and the records with another value, whatever their order."""
    numbered = [{"record_id": f"r{n}"} | row for n, row in enumerate(rows)]
    made = []
    for some in (numbered, numbered[::-1]):
        frame = told(some)
        site = best_of.values(frame, ["registry office", "oBDS", "table"])["icdo3_topography"].to_list()
        seen = best_of.observe(frame, ["registry office", "oBDS", "table"])
        made.append((site, seen.select("record_id", "column_name").sort("record_id").rows()))
    assert made[0] == made[1]
    ((site,), other) = made[0]
    return site, other


NEW, OLD = {"reported_on": D(2020, 2, 1)}, {"reported_on": D(2020, 1, 1)}
SITE = "icdo3_topography"


@pytest.mark.parametrize(
    ("rows", "site", "others"),
    [
        ([{SITE: "C49.1"} | OLD, {SITE: "C49.2", "reporter": "B"} | NEW], "C49.2", ["r0"]),
        # Within one reporter and number the newest counts, and the older one has another finding.
        ([{SITE: "C49.1"} | OLD, {SITE: "C49.2"} | NEW], "C49.2", []),
        # A report of an unknown day is the oldest one, and a missing value replaces none.
        ([{SITE: "C49.1", "reported_on": None}, {SITE: "C49.2"} | OLD], "C49.2", []),
        ([{SITE: "C49.1"} | OLD, {SITE: None} | NEW], "C49.1", []),
        ([{SITE: "C49.1"} | OLD, {SITE: None, "reporter": "B"} | NEW], "C49.1", []),
        ([{SITE: "C49.1"} | OLD, {SITE: "C49.9", "reporter": "B"} | NEW], "C49.1", []),
        ([{SITE: "C49.1", "source": "table"} | NEW, {SITE: "C49.2"} | OLD], "C49.2", ["r0"]),
        ([{SITE: "C49.1", "source": "table"} | NEW, {SITE: "C49.9"} | OLD], "C49.1", []),
        ([{SITE: "C49.1", "reported_tumour": "U"} | OLD, {SITE: "C49.2"} | NEW], "C49.2", ["r0"]),
        # A tumour without a number of its own is one too.
        ([{SITE: "C49.1", "tumour_id": None} | OLD,
          {SITE: "C49.2", "tumour_id": None, "reporter": "B"} | NEW], "C49.2", ["r0"]),
    ],
)  # fmt: skip
def test_the_most_specific_site_counts_then_the_source_then_the_newest(rows, site, others):
    assert found(*rows) == (site, [(other, SITE) for other in others])


def test_the_order_of_credibility_holds_among_many_reporters():
    sites = [f"C49.{n % 5}" for n in range(60)] + ["C49.6"]
    rows = [
        {SITE: site, "reporter": f"{n:02}", "reported_on": D(2020, 1, 1) + dt.timedelta(n)}
        for n, site in enumerate(sites)
    ]
    site, others = found(*rows)
    assert (site, len(others)) == ("C49.6", 60)


@pytest.mark.parametrize(
    ("first", "second", "later"),
    [
        ((D(2012, 1, 1), "day"), (D(2012, 1, 1), "day"), []),
        ((D(2012, 1, 1), "day"), (D(2012, 1, 2), "day"), ["r1"]),
        ((D(2012, 1, 2), "day"), (D(2012, 1, 1), "day"), ["r0"]),
        # A month that may be that day contradicts nothing; the next one does.
        ((D(2012, 1, 31), "day"), (D(2012, 1, 15), "month"), []),
        ((D(2012, 1, 31), "day"), (D(2012, 2, 15), "month"), ["r1"]),
        ((D(2012, 2, 1), "day"), (D(2012, 1, 15), "month"), ["r0"]),
        ((D(2012, 1, 1), None), (D(2012, 7, 1), "year"), []),
    ],
)
def test_a_date_of_diagnosis_that_is_later_for_certain_is_told(first, second, later):
    rows = [
        {"diagnosis_date": day, "diagnosis_date_precision": precision, "reporter": reporter}
        for (day, precision), reporter in ((first, "A"), (second, "B"))
    ]
    assert found(*rows) == (None, [(one, "diagnosis_date") for one in later])


def test_two_numbers_and_two_sources_of_one_tumour_are_compared_elsewhere():
    days = [{"diagnosis_date": D(2012, 1, 1)}, {"diagnosis_date": D(2012, 5, 1), "reporter": "B"}]
    for other in ({"reported_tumour": "U"}, {"source": "table"}):
        assert found(days[0], days[1] | other) == (None, [])
