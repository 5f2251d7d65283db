"""Which texts without a value are told as unreadable."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation.parse import Reading
from sarcoma_pipeline.curation.typed_columns import read
from sarcoma_pipeline.curation.value_rules import DATE_COUNTED_AS_DAY, DATE_UNREADABLE
from schemas import typed


@pytest.mark.parametrize(
    ("text", "value", "noted", "told"),
    [
        ("soon", None, False, [DATE_UNREADABLE.id]),
        ("2014-06-01", dt.date(2014, 6, 1), False, []),
        # Nothing was delivered.
        (None, None, False, []),
        ("", None, False, []),
        ("  ", None, False, []),
        # Another rule says why there is no value; one that is not known to hold says nothing.
        ("soon", None, True, [DATE_COUNTED_AS_DAY.id]),
        ("soon", None, None, [DATE_UNREADABLE.id]),
    ],
)
def test_a_text_without_a_value_is_unreadable_unless_another_rule_explains_it(text, value, noted, told):
    schema = {"record_id": pl.String, "text": pl.String, "value": pl.Date, "noted": pl.Boolean}
    frame = pl.DataFrame([("r", text, value, noted)], schema=schema, orient="row")
    notes = ((DATE_COUNTED_AS_DAY, pl.col("noted")),)
    reading = Reading(pl.col("value"), pl.col("text"), DATE_UNREADABLE, notes=notes)
    _, seen = read(
        frame, typed.VitalStatus, {"record_id": Reading(pl.col("record_id")), "status_date": reading}
    )
    assert seen["rule_id"].to_list() == told
