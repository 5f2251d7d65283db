"""Which course is the primary one: irradiation during surgery is a phase of its own (radiotherapy.md, D9)."""

from typing import Any

import pytest

from sarcoma_pipeline.cohort import primary
from tests.curation.conftest import OPERATED, irradiated
from tests.one_curation import together

DURING: dict[str, Any] = {
    "start": OPERATED,
    "end": OPERATED,
    "st": "ST1",
    "Stellung_OP": "I",
    "Strahlenart": "EL",
}
AFTER: dict[str, Any] = {"start": "2015-06-29", "end": "2015-08-07", "st": "ST2", "Stellung_OP": "A"}
SHOWN = ("prescribed_dose_gy", "radiation_sequence")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(15, 15, DURING), (50, 2, AFTER)], (50.0, "postoperative adjuvant")),
        ([(50, 2, {}), (15, 15, DURING | {"st": "ST3"})], (50.0, "preoperative")),
        ([(15, 15, DURING)], (15.0, "intraoperative")),
        # A palliative course never becomes the primary one.
        ([(15, 15, DURING), (30, 3, AFTER | {"Intention": "P"})], (15.0, "intraoperative")),
        # Not known to be intraoperative: the first one.
        ([(15, 15, DURING | {"Stellung_OP": None}), (50, 2, AFTER)], (15.0, "postoperative adjuvant")),
    ],
)
@together(irradiated)
def test_irradiation_during_the_operation_is_primary_only_if_it_is_all(case, told, expected):
    for dose, single, more in told:
        case.course(dose, single, **more)
    outcome = yield
    assert primary.course(outcome.frames).select(SHOWN).rows() == [expected]
