"""What a treatment record says about fractions, as read from its columns."""

import json

import pytest

from sarcoma_pipeline.curation.treatment_records import GroupSummary, record_of
from schemas.typed_dicom import Treatment

NOTHING = dict.fromkeys(Treatment.polars_schema().names()) | {"record_id": "t1"}
GROUP = json.dumps([{"NumberOfFractionsDelivered": "10", "ReferencedFractionGroupNumber": "2"}])


@pytest.mark.parametrize(
    ("groups", "fractions", "summaries"),
    [
        (None, None, ()),
        (None, 25, (GroupSummary(25, ()),)),
        (GROUP, None, (GroupSummary(10, (), "2"),)),
        (GROUP, 25, (GroupSummary(10, (), "2"),)),
    ],
)
def test_the_fractions_of_the_record_are_a_summary_if_those_of_its_groups_are_missing(
    groups, fractions, summaries
):
    row = NOTHING | {"group_summaries": groups, "fractions_delivered": fractions}
    assert record_of(row).summaries == summaries
