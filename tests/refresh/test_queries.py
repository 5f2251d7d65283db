"""The queries of docs/queries.md run on the release and give the documented results."""

import re
from pathlib import Path

import polars as pl
import pytest

from schemas.vocabularies import FNCLCC_GRADE, HISTOLOGY_GROUP

PAGE = Path(__file__).parents[2] / "docs/queries.md"
TEXT = PAGE.read_text("utf-8")
QUERIES = {
    title: (purpose, sql)
    for title, purpose, sql in re.findall(r"^## (.+)\n\n(.+)\n\n```sql\n([^`]+)```", TEXT, re.M)
}


def test_all_queries_of_the_page_are_tested():
    assert len(QUERIES) >= 12
    assert len(QUERIES) == TEXT.count("```sql")


@pytest.mark.parametrize("title", QUERIES)
def test_a_query_has_a_purpose_and_a_result(demo, title):
    purpose, sql = QUERIES[title]
    assert purpose[0].isupper() and purpose.endswith(".")
    assert demo.published(sql).height


def test_the_groups_come_in_the_order_of_their_vocabulary(demo):
    groups = demo.published(QUERIES["Who is in the cohort?"][1])
    known = [g for g in groups["histology_group"].cast(pl.String) if g is not None]
    assert known == [g for g in HISTOLOGY_GROUP if g in known]
    assert groups["patients"].sum() == demo.published("SELECT eligible FROM meta.release").item()


def test_the_wide_table_has_every_patient_once(demo):
    wide = demo.published(QUERIES["One row per patient, for a model of my own"][1])
    assert wide["pseudonym"].is_unique().all()
    assert wide.height == demo.published("FROM patients").height
    events = demo.published("SELECT count(*) FROM endpoints WHERE event AND endpoint = 'OS'").item()
    assert wide["os_event"].sum() == events


def test_the_survival_at_a_horizon_is_read_off_the_curve(demo):
    sql = QUERIES["What is the survival at any time?"][1].replace("30", "24")
    read = demo.published(sql).select("endpoint", "survival")
    told = demo.published(
        "SELECT endpoint, value FROM analysis.survival_estimate "
        "WHERE quantity = 'survival' AND horizon_months = 24"
    )
    both = read.join(told, on="endpoint")
    assert both.height == told.height
    assert both["survival"].to_list() == pytest.approx(both["value"].to_list())


def test_the_lines_of_python_run(demo, monkeypatch):
    code = re.search(r"```python\n(.+?)```", TEXT, re.S)
    assert code
    monkeypatch.chdir(demo.root)
    names: dict[str, object] = {}
    exec(code[1], names)
    patients = names["patients"]
    assert isinstance(patients, pl.DataFrame)
    assert patients.height == demo.published("FROM patients").height


def test_a_type_lists_its_codes_as_the_page_says(demo):
    query = re.search(r"`(SELECT enum_range[^`]+)`", TEXT)
    assert query
    assert tuple(demo.published(query[1]).item()) == FNCLCC_GRADE


def test_the_endpoints_follow_from_the_events(demo):
    """Written a second time, in another language: row by row what the pipeline derived."""
    columns = (
        "pseudonym, endpoint, time_days, event, event_kind::VARCHAR AS event_kind, "
        "date_precision::VARCHAR AS date_precision, time_days_earliest, time_days_latest"
    )
    again = demo.published(QUERIES["How do the endpoints follow from the events?"][1])
    ours = demo.published(f"SELECT {columns} FROM endpoints ORDER BY ALL")
    assert again.cast({"date_precision": pl.String}).sort(pl.all()).rows() == ours.sort(pl.all()).rows()
    assert again.height == 4 * 86


def test_no_event_has_a_calendar_date_and_everybody_has_their_diagnosis_on_day_0(demo):
    assert "DATE" not in set(demo.published("SELECT column_type FROM (DESCRIBE events)")["column_type"])
    zero = demo.published("SELECT pseudonym, day FROM events WHERE kind = 'diagnosis'")
    assert zero["day"].to_list() == [0] * 86 and zero["pseudonym"].n_unique() == 86
    assert demo.published("SELECT pseudonym FROM events ANTI JOIN patients USING (pseudonym)").is_empty()


def test_the_join_of_the_dictionary_leaves_no_column_over(demo):
    told = demo.published(QUERIES["Is every column documented?"][1]).row(0, named=True)
    assert told["columns"] > 500 and told["without_words"] == 0
