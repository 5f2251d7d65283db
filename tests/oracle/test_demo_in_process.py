"""The demo's 86 known patients are recovered to the day by readers, curation and cohort, without a refresh.

``tests/refresh/test_demo.py`` asks the same of a whole refresh, and more.
"""

from __future__ import annotations

from collections import Counter

import polars as pl
import pytest

from sarcoma_pipeline.quality import accounting
from sarcoma_pipeline.synthetic.people import people
from schemas.vocabularies import ERROR
from tests.refresh.test_demo import DATA, ENDPOINTS, OF_PATIENTS
from tests.refreshed import SEED


def table(name: str) -> pl.DataFrame:
    return pl.read_csv(DATA / f"{name}.csv", try_parse_dates=True, infer_schema_length=None)


@pytest.fixture(scope="module")
def cohort() -> pl.DataFrame:
    """The known patients, with the number that the hospital gave each of them."""
    known = [(p.patient, p.number) for p in people(table("demo_cohort"), table("ineligible"), SEED)]
    numbers = pl.DataFrame(known, schema=["patient", "hospital_number"], orient="row")
    return table("demo_cohort").join(numbers, on="patient")


def test_every_endpoint_is_right_to_the_day(read_demo, cohort):
    named = read_demo.derived["patient"].select("hospital_number", "pseudonym")
    known = cohort.join(named, on="hospital_number")
    derived = read_demo.derived["cohort.endpoints"]
    assert known.height == 86
    for name in ENDPOINTS:
        of_endpoint = derived.filter(endpoint=name)
        both = known.join(of_endpoint, on="pseudonym")
        assert both.height == of_endpoint.height == 86
        assert both["time_days"].to_list() == both[f"{name.lower()}_days"].to_list(), name
        assert both["event"].to_list() == both[f"{name.lower()}_event"].to_list(), name


def test_the_numbers_of_events_and_relapses_are_the_papers(read_demo):
    events = read_demo.derived["cohort.endpoints"].filter("event").group_by("endpoint").len()
    assert dict(events.iter_rows()) == {"OS": 18, "DFS": 45, "DMFS": 39, "LRFS": 22}
    patterns = dict(read_demo.derived["cohort.patients"].group_by("relapse_pattern").len().iter_rows())
    assert sum(patterns.values()) == 86
    assert {k: n for k, n in patterns.items() if k != "none"} == {
        "local only": 4, "distant only": 27, "local and distant": 8,
    }  # fmt: skip


def test_every_seeded_defect_is_found_by_its_rule_and_no_other_rule_fires(read_demo):
    found = Counter(read_demo.derived.made.observed["rule_id"])
    seeded = Counter(read_demo.truth["rule_id"])
    assert seeded.total() > 50 and seeded - found == Counter()
    assert [rule for rule in found if rule not in seeded and not rule.startswith(OF_PATIENTS)] == []


def test_every_record_is_accounted_for(read_demo):
    made = read_demo.derived.made
    account = accounting.account(read_demo.received, made.curated, made.quarantine, made.disposition)
    parts = account.select("curated", "quarantined", "duplicates", "out_of_scope").sum().row(0)
    assert account["records"].sum() == sum(parts) > 2000
    assert account.select("unaccounted", "counted_twice").sum().row(0) == (0, 0)
    quarantined = set(made.observed.filter(severity=ERROR)["record_id"])
    assert set(made.quarantine["record_id"]) == quarantined
