"""Which operations are resections of the primary tumour (OPS 2012 to 2024; definitions, section 3)."""

import polars as pl
import pytest

from sarcoma_pipeline.cohort.resection import definitive, parts, resections, residual
from schemas.assumptions import Assumptions
from schemas.curated import Diagnosis, Surgery


@pytest.mark.parametrize(
    ("codes", "is_one"),
    [
        (["5-782.b0"], True),
        # Without a code nothing says that it was elsewhere.
        ([], True),
        (None, True),
        # Lung (5-32, 5-33), lymph nodes (5-40), liver (5-50), brain (5-01): where sarcomas spread to.
        (["5-324.71"], False),
        (["5-334.2"], False),
        (["5-401.50"], False),
        (["5-502.0"], False),
        (["5-015.0"], False),
        (["5-324.71", "5-401.50"], False),
        (["5-782.b0", "5-401.50"], True),
        # The chest wall (5-34) may have the primary.
        (["5-343.3"], True),
        # A biopsy (1-) resects nothing.
        (["1-503.4"], False),
        (["1-503.4", "5-782.b0"], True),
    ],
)
def test_what_is_done_elsewhere_or_is_a_biopsy_is_no_resection_of_the_primary(codes, is_one):
    tumour = Diagnosis.conform(pl.DataFrame([{"patient_id": "i", "tumour_id": "t", "index_tumour": True}]))
    operation = {
        "patient_id": "i",
        "tumour_id": "t",
        "surgery_day": 10,
        "ops_codes": codes,
        "residual_status": "R0",
    }
    surgery = Surgery.conform(
        pl.DataFrame([operation], schema_overrides={"surgery_day": pl.Int32, "ops_codes": pl.List(pl.String)})
    )
    found = resections({"curated.diagnosis": tumour, "curated.surgery": surgery})
    assert found.height == is_one


def _frames(*operations: dict) -> dict[str, pl.DataFrame]:
    """The curated tables of a patient with these operations on the limb."""
    tumour = Diagnosis.conform(pl.DataFrame([{"patient_id": "i", "tumour_id": "t", "index_tumour": True}]))
    usual = {"patient_id": "i", "tumour_id": "t", "ops_codes": ["5-782.b0"], "record_ids": ["r"]}
    rows = [usual | one for one in operations]
    schema = Surgery.polars_schema()
    surgery = pl.DataFrame({name: [one.get(name) for one in rows] for name in schema}, schema=schema)
    return {"curated.diagnosis": tumour, "curated.surgery": surgery}


def _of(day: int | None, status: str | None, record: str = "r", **more) -> dict:
    return {"surgery_day": day, "residual_status": status, "record_ids": [record], **more}


def test_resections_are_in_order_and_of_one_day_the_worse_comes_last():
    told = [
        _of(5, "R2"), _of(10, "RX"), _of(10, "R0", "a"), _of(10, "R0", "b"), _of(10, "R1"), _of(10, "R2"),
        _of(12, None), _of(None, "R0"),
    ]  # fmt: skip
    for given in (told, told[::-1]):
        found = resections(_frames(*given)).select("surgery_day", "residual_status", "record_ids").rows()
        assert found == [(one["surgery_day"], one["residual_status"], one["record_ids"]) for one in told]


def _dated(day: int, status: str | None, **more) -> dict:
    """An operation whose date may mean any of twenty days."""
    days = {"surgery_day_earliest": day - 10, "surgery_day_latest": day + 9}
    return _of(day, status, surgery_date_precision="month", **days, **more)


@pytest.mark.parametrize(
    ("operations", "first"),
    [
        ([_dated(20, "R0"), _dated(50, "R1")], (20, 10, 29, "month", True)),
        ([_dated(20, "R2"), _dated(50, "R1"), _dated(60, "R0")], (50, 40, 59, "month", True)),
        ([_dated(20, "R2"), _dated(50, "RX")], (50, 40, 59, "month", True)),
        ([_dated(20, None), _dated(50, "R0")], (20, 10, 29, "month", True)),
        ([_dated(20, "R2"), _of(None, "R0")], (None, None, None, None, False)),
        ([_of(None, "R0"), _dated(50, "R1")], (50, 40, 59, "month", True)),
        ([_dated(20, "R2")], None),
    ],
)
def test_the_definitive_resection_is_the_first_one_without_known_residues(operations, first):
    columns = ("resected_on", "resected_on_earliest", "resected_on_latest", "resected_on_precision", "dated")
    for given in (operations, operations[::-1]):
        found = definitive(resections(_frames(*given))).select(columns).rows()
        assert found == ([first] if first else [])


@pytest.mark.parametrize(
    ("operations", "relapse", "days"),
    [
        ([_of(100, "R1"), _of(190, "R0"), _of(191, "R0")], None, [100, 190]),
        ([_of(99, "R2"), _of(100, "R1")], None, [100]),
        ([_of(100, "R1"), _of(150, "R0")], 99, [100, 150]),
        ([_of(100, "R1"), _of(150, "R0")], 100, [100, 150]),
        ([_of(100, "R1"), _of(150, "R0")], 101, [100]),
        ([_of(100, "R1"), _of(150, "R0")], 150, [100]),
        ([_of(100, "R1"), _of(150, "R0")], 151, [100, 150]),
        # Two operations on one day are one part; a revision of the wound is none, whatever its status.
        ([_of(100, "R1"), _of(150, "R0", "a"), _of(150, "R1", "b")], None, [100, 150]),
        ([_of(100, "R1"), _of(150, "R0", intent="revision")], None, [100]),
        # After the data cut-off: not in the timeline.
        ([_of(100, "R1"), _of(150, "R0", record="late")], None, [100]),
        # Nobody knows when the definitive resection was.
        ([_of(None, "R1"), _of(150, "R0")], None, []),
    ],
)
def test_a_re_resection_within_90_days_and_before_a_relapse_belongs_to_the_definitive_one(
    operations, relapse, days
):
    events = [("i", "surgery", one["surgery_day"]) for one in operations if one["record_ids"] != ["late"]]
    events += [("i", "local relapse", relapse)] if relapse else []
    timeline = pl.DataFrame(
        events, {"patient_id": pl.String, "kind": pl.String, "day": pl.Int32}, orient="row"
    )
    on = next(one["surgery_day"] for one in operations if one["residual_status"] != "R2")
    steps = pl.DataFrame(
        {"patient_id": ["i"], "resected_on": [on]}, schema_overrides={"resected_on": pl.Int32}
    )
    found = parts(_frames(*operations), steps, timeline, 90).sort("therapy_day")
    assert found.rows() == [("i", day, True) for day in days]


@pytest.mark.parametrize(
    ("operations", "relapse", "status", "left"),
    [
        ([_of(100, "R1", "b"), _of(190, "R0", "a")], None, ("R0", "R0"), "R0"),
        ([_of(100, "R1", "b"), _of(191, "R0", "a")], None, ("R1", "R0"), "R1"),
        ([_of(100, "R1", "b"), _of(150, None, "a")], None, ("R1", "R1"), "R1"),
        ([_of(100, "R1", "b"), _of(150, "R0", "a")], 101, ("R1", "R1"), "R1"),
        ([_of(100, "R1", "b"), _of(150, "R0", "a")], 150, ("R1", "R0"), "R1"),
        # A relapse before every operation: the rule of the definitive resection.
        ([_of(100, "R1", "b"), _of(150, "R0", "a"), _of(300, "R2", "c")], 99, ("R0", "R0"), "R0"),
        ([_of(100, "R2", "b"), _of(150, "R0", "a")], None, ("R0", "R0"), "R0"),
        # Without a definitive resection, the last status counts.
        ([_of(100, "R2", "b"), _of(400, "R2", "a")], 200, ("R2", "R2"), "R2"),
    ],
)
def test_the_residual_status_by_each_switch(operations, relapse, status, left):
    of = resections(_frames(*operations))
    relapsed = pl.DataFrame(
        {"patient_id": ["i"] if relapse else [], "relapsed_on": [relapse] if relapse else []},
        {"patient_id": pl.String, "relapsed_on": pl.Int32},
    )
    for switch, expected in zip(("definitive resection", "last resection"), status, strict=True):
        assumed = Assumptions.model_validate({"residual_status": switch})
        (found,) = residual(of, relapsed, assumed).rows(named=True)
        assert (found["residual_status"], found["left_status"]) == (expected, left), switch
        assert found["surgery_ids"] == [one["record_ids"][0] for one in operations]
