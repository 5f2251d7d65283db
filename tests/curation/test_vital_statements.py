"""What sources state of life and death: equal statements of one source are one, in one order."""

import datetime as dt

import polars as pl

from sarcoma_pipeline.curation import vital_statements
from schemas import typed

D = dt.date


def test_equal_statements_of_one_source_are_one_and_their_order_does_not_depend_on_the_records():
    alive = {"source": "oBDS", "status": "alive", "status_date": D(2014, 6, 15), "reported_on": D(2015, 1, 1)}
    month = {"status_date_precision": "month"}
    rows = [
        {"record_id": "r4"} | alive, {"record_id": "r1"} | alive,
        {"record_id": "r2"} | alive | month, {"record_id": "r3"} | alive | month,
        {"record_id": "r5"} | alive | {"source": "table"},
        {"record_id": "r6"} | alive | {"reported_on": D(2014, 12, 31)},
        {"record_id": "r7"} | alive | {"reported_on": None},
        {"record_id": "r8"} | alive | {"status": "no information"},
    ]  # fmt: skip
    schema = typed.VitalStatus.polars_schema() | {"patient_id": pl.String}
    for some in (rows, rows[::-1]):
        made = vital_statements.curate(pl.DataFrame([{"patient_id": "p"} | r for r in some], schema=schema))
        # By the day of telling, the source, then the precision of the day.
        assert made["record_ids"].to_list() == [["r6"], ["r2", "r3"], ["r1", "r4"], ["r5"], ["r7"]]
        assert made["told_date"].to_list() == [D(2014, 12, 31), *[D(2015, 1, 1)] * 3, None]


def test_a_death_without_a_readable_day_is_an_undated_death():
    rows = [
        {"status": "deceased", "status_date": D(2014, 6, 15)}, {"status": "deceased", "status_day": 5},
        {"status": "deceased"}, {"status": "alive"},
    ]  # fmt: skip
    told = pl.DataFrame(rows, schema=typed.VitalStatus.polars_schema())
    made = vital_statements.undated_deaths(told)["status"].to_list()
    assert made == ["deceased", "deceased", "deceased, date unknown", "alive"]
