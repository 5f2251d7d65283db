"""Lineage: from every value of the cohort to the records that decided it."""

import polars as pl
import pytest


def test_every_endpoint_of_every_patient_has_a_record_that_decided_it(demo):
    undecided = demo.published(
        "SELECT pseudonym, endpoint FROM (SELECT pseudonym, endpoint::VARCHAR AS endpoint FROM endpoints) "
        "ANTI JOIN (SELECT pseudonym, subject AS endpoint FROM meta.lineage WHERE role = 'decided') "
        "USING (pseudonym, endpoint)"
    )
    assert undecided.is_empty()
    assert demo.published("SELECT count(DISTINCT pseudonym) FROM meta.lineage").item() == 86


def test_every_record_of_the_lineage_was_received(demo):
    lineage = demo.warehouse("FROM meta.lineage")
    for (table,), rows in lineage.group_by("table_name"):
        known = demo.warehouse(f"SELECT record_id FROM {table} WHERE last_refresh IS NULL")["record_id"]
        assert rows["record_id"].is_in(known.implode()).all(), table
    assert lineage["path"].null_count() == lineage["position"].null_count() == 0


def test_a_death_is_decided_by_a_record_that_says_so(demo):
    deaths = demo.warehouse(
        "SELECT l.pseudonym, list(DISTINCT v.status) AS said FROM meta.lineage l "
        "JOIN cohort.endpoints e ON e.pseudonym = l.pseudonym AND e.endpoint = l.subject AND e.event "
        "JOIN typed.vital_status v USING (record_id) "
        "WHERE l.subject = 'OS' AND l.role = 'decided' GROUP BY 1"
    )
    assert deaths.height == 18
    assert deaths.filter(~pl.col("said").list.contains("deceased")).is_empty()


@pytest.fixture
def dead(demo) -> str:
    return demo.published(
        "SELECT pseudonym FROM endpoints WHERE endpoint = 'OS' AND event ORDER BY 1 LIMIT 1"
    ).item()


def test_the_tree_names_file_position_and_what_was_read(demo, dead):
    told = demo.sarcoma("trace", dead, "--endpoint", "OS")
    assert told.exit_code == 0
    days = demo.published(
        f"SELECT time_days FROM endpoints WHERE endpoint = 'OS' AND pseudonym = '{dead}'"
    ).item()
    assert f"OS: {days} days" in told.output and ", death" in told.output
    assert "status = deceased" in told.output
    assert "DFS" not in told.output


def test_the_tree_has_no_identifying_data(demo, dead):
    told = demo.sarcoma("trace", dead).output
    person = demo.warehouse(
        "SELECT hospital_number, family_name, given_names, strftime(birth_date, '%Y-%m-%d') "
        f"FROM curated.patient WHERE pseudonym = '{dead}'"
    ).row(0)
    assert not [word for word in person if word in told]


@pytest.mark.parametrize("words", [["nobody"], ["DEAD", "--endpoint", "PFS"]])
def test_unknown_patients_and_endpoints_are_wrong_usage(demo, dead, words):
    told = demo.sarcoma("trace", *(dead if word == "DEAD" else word for word in words))
    assert told.exit_code == 2
    assert "Error: " in told.output
