"""Which images belong to a course, and the slice thickness of its planning CT."""

from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import planning_images
from schemas.typed_dicom import Dose, Image, StructureSet

PLAN = {
    "patient_id": "P", "course_id": "C", "sop_instance_uid": "1.1", "frame_of_reference_uid": "9",
    "structures": "1.5", "rank": 0,
}  # fmt: skip
KEYS = {name: pl.Int32 if name == "rank" else pl.String for name in PLAN}


def slices(*thickness: float | None, series: str = "8", frame: str = "9") -> list[dict[str, Any]]:
    return [
        {
            "record_id": f"i{series} {at}", "series_uid": series, "frame_of_reference_uid": frame,
            "slice_thickness_mm": mm,
        }
        for at, mm in enumerate(thickness)
    ]  # fmt: skip


def drawn(*series: str, uid: str = "1.5") -> dict[str, Any]:
    return {"record_id": f"s{uid}", "sop_instance_uid": uid, "series_uids": [*series]}


def attached(images, sets=(), doses=(), plans=(PLAN,)) -> tuple[set[str], list[float | None]]:
    """The records of the course, and its slice thickness if it has images."""
    sound = {}
    for contract, rows in ((Image, images), (StructureSet, sets), (Dose, doses)):
        schema = dict(contract.polars_schema()) | {"patient_id": pl.String()}
        told = [{"patient_id": "P"} | one for one in rows]
        columns = {name: [one.get(name) for one in told] for name in schema}
        sound[contract.table()] = pl.DataFrame(columns, schema=schema)
    links, thickness = planning_images.attach(sound, pl.DataFrame([*plans], schema=KEYS))
    assert set(links["course_id"]) <= {"C"} and set(links["patient_id"]) <= {"P"}
    return set(links["record_id"]), thickness["ct_slice_thickness_mm"].to_list()


OTHER = slices(5.0, series="7")


@pytest.mark.parametrize(
    ("sets", "records", "thickness"),
    [
        # The series on which the structures were drawn; without one, the images in the plan's frame.
        ([drawn("8")], {"s1.5", "i8 0"}, [3.0]),
        ([drawn("7")], {"s1.5", "i7 0"}, [5.0]),
        ([drawn()], {"s1.5", "i8 0", "i7 0"}, [3.0]),
        ([], {"i8 0", "i7 0"}, [3.0]),
        ([drawn("7", uid="1.6")], {"i8 0", "i7 0"}, [3.0]),
        ([drawn("6")], {"s1.5"}, []),
    ],
)
def test_the_planning_ct_is_that_of_the_structure_set_else_that_of_the_frame(sets, records, thickness):
    assert attached([*slices(3.0), *OTHER], sets) == (records, thickness)


@pytest.mark.parametrize(
    ("given", "thickness"),
    [
        ((3.0, 5.0, 5.0), 5.0),
        ((5.0, 3.0), 3.0),
        ((3.0, 5.0), 3.0),
        # From 0.4 to 10 mm is plausible, however often another one is stated.
        ((20.0, 20.0, 3.0), 3.0),
        ((0.1, 0.1, 0.4), 0.4),
        ((10.0, 10.1, 10.1), 10.0),
        ((None, None, 3.0), 3.0),
        ((20.0,), None),
    ],
)
def test_the_most_frequent_plausible_thickness_counts_of_equally_frequent_ones_the_smallest(given, thickness):
    assert attached(slices(*given))[1] == [thickness]


def test_the_thickness_is_that_of_the_plan_with_most_of_the_dose():
    plans = [PLAN | {"rank": 1, "frame_of_reference_uid": "4"}, PLAN | {"sop_instance_uid": "1.2"}]
    images = [*slices(1.0, 1.0, series="6", frame="4"), *slices(3.0)]
    for order in (plans, plans[::-1]):
        assert attached(images, plans=order) == ({"i6 0", "i6 1", "i8 0"}, [3.0])


def test_a_dose_belongs_to_the_course_of_its_plan():
    doses = [{"record_id": "d1", "refers_to": "1.1"}, {"record_id": "d2", "refers_to": "1.9"}]
    assert attached([], doses=doses) == ({"d1"}, [])
