"""Volumes and doses from files: computed in a worker process, kept in files, told as findings."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.curation.planned_doses import ObjectAt, PlanFiles, Work
from sarcoma_pipeline.orchestration import dose_work
from sarcoma_pipeline.orchestration.assets import dose_volume
from sarcoma_pipeline.orchestration.dose_inbox import Inbox
from sarcoma_pipeline.sources.worker_process import Readers
from schemas.dose_settings import DoseSettings
from schemas.structures_toml import StructureNames
from tests.curation import rt_phantoms as rt

CC = 4 / 3 * np.pi * 3**3
"""Volume of a ball of 30 mm radius."""
BALL = ("PTV", "PTV", rt.sphere(30))
INNER = ("CTV", "CTV", rt.sphere(20))
WIDE: dict[str, Any] = {"first": (-60, -60, -60), "apart": (5, 5, 5), "count": (25, 25, 25)}


def even(dose: float):
    return lambda x, y, z: np.full_like(x, dose)


def put(folder: Path, name: str, data) -> ObjectAt:
    path = folder / name
    data.save_as(path, enforce_file_format=True)
    content = path.read_bytes()
    return ObjectAt(name, "file", hashlib.blake2b(content, digest_size=16).hexdigest(), len(content))


def plan(uid: str, fractions: int | None, doses: list[ObjectAt], share: float = 1.0) -> PlanFiles:
    groups = (PlannedGroup("1", fractions, frozenset({"1"})),)
    return PlanFiles(PlanOfDose(uid, groups, fractions, share), tuple(doses))


def work(
    folder: Path,
    regions: Sequence[Any] = (BALL,),
    dose: float = 50,
    levels: tuple[float, ...] = (50.0,),
    fractions: int | None = 25,
    **how: Any,
) -> Work:
    drawn = put(folder, "RS.dcm", rt.structure_set_object(regions))
    given = put(folder, "RD.dcm", rt.dose_object(even(dose), **{**WIDE, **how}))
    return Work(drawn, (plan("1.2", fractions, [given]),), levels)


def compute(folder: Path, one: Work, settings: DoseSettings | None = None, own=()) -> dict:
    found = dose_work.compute([one], folder, settings or DoseSettings(), own, lambda _: None, {})
    assert found.result is not None
    return found.result


def doubts(result: dict) -> set[str]:
    return {one["id"] for one in result["doubts"]}


def test_volume_dose_and_equivalent_dose_of_a_ball_in_an_even_dose(tmp_path):
    (row,) = compute(tmp_path, work(tmp_path, dose=60, levels=(60.0,), fractions=20))["structures"]
    assert row["volume_cc"] == pytest.approx(CC, rel=0.01)
    for column in ("mean_gy", "max_gy", "d98_gy", "d95_gy", "d50_gy", "d2_gy"):
        assert row[column] == pytest.approx(60, abs=0.01), column
    assert row["v95_percent"] == pytest.approx(100)
    assert dict(zip(row["vx_gy"], row["vx_percent"], strict=True)) == {20: 100, 40: 100, 50: 100}
    # 20 fractions of 3 Gy: 60 (3 + 4) / (2 + 4).
    assert (row["alpha_beta_gy"], row["eqd2_mean_gy"]) == (4, pytest.approx(70, abs=0.02))
    assert (row["tg263"], row["role"], row["fractions"], row["dose_kind"]) == ("PTV", "target", 20, "PLAN")


def test_alpha_beta_and_limits_are_those_that_the_study_declares(tmp_path):
    own = [StructureNames(names=("PTV",), role="target", tg263="PTV", alpha_beta_gy=10.0, most_cc=100.0)]
    result = compute(tmp_path, work(tmp_path, dose=60, levels=(60.0,), fractions=20), own=own)
    # 60 (3 + 10) / (2 + 10).
    assert result["structures"][0]["eqd2_mean_gy"] == pytest.approx(65, abs=0.02)
    # The even dose reaches the border of the grid, so that no isodose is whole.
    cut, implausible = {"dose.isodose-cut"}, {"structure.volume-implausible"}
    assert doubts(result) - cut == implausible
    assert doubts(compute(tmp_path, work(tmp_path), DoseSettings(target_least_cc=200))) - cut == implausible
    assert doubts(compute(tmp_path, work(tmp_path))) - cut == set()


def test_without_the_number_of_fractions_there_is_no_equivalent_dose(tmp_path):
    (row,) = compute(tmp_path, work(tmp_path, fractions=None))["structures"]
    assert row["eqd2_mean_gy"] is None and row["fractions"] is None and row["mean_gy"] is not None


def test_the_plans_of_a_course_are_added_and_each_keeps_its_dose_per_fraction(tmp_path):
    one = work(tmp_path)
    boost = put(tmp_path, "RD2.dcm", rt.dose_object(even(15), **WIDE))
    both = replace(one, plans=(*one.plans, plan("1.3", 5, [boost])), levels=(65.0,))
    (row,) = compute(tmp_path, both)["structures"]
    assert row["mean_gy"] == pytest.approx(65, abs=0.01)
    assert (row["fractions"], row["prescribed_dose_gy"]) == (30, 65)
    # 50 (2 + 4) / 6 + 15 (3 + 4) / 6
    assert row["eqd2_mean_gy"] == pytest.approx(67.5, abs=0.02)
    # A plan of 25 fractions of which 10 count, and its revision of 15: once 50 Gy.
    first = plan("1.2", 25, list(one.plans[0].doses), 10 / 25)
    again = put(tmp_path, "RD3.dcm", rt.dose_object(even(30), **WIDE))
    (row,) = compute(tmp_path, replace(one, plans=(first, plan("1.4", 15, [again]))))["structures"]
    assert row["mean_gy"] == pytest.approx(50, abs=0.01) and row["fractions"] == 25
    elsewhere = put(tmp_path, "RD4.dcm", rt.dose_object(even(15), FrameOfReferenceUID="9.9", **WIDE))
    result = compute(tmp_path, replace(both, plans=(*one.plans, plan("1.3", 5, [elsewhere]))))
    assert doubts(result) == {"dose.frame-differs"} and result["structures"][0]["mean_gy"] is None


def test_the_margin_of_two_balls_is_the_difference_of_their_radii(tmp_path):
    result = compute(tmp_path, work(tmp_path, (BALL, INNER)))
    (margin,) = result["margins"]
    assert (margin["inner"], margin["outer"], margin["axis"]) == ("CTV", "PTV", "patient")
    assert margin["radial_p50_mm"] == pytest.approx(10, abs=1)
    assert margin["superior_mm"] == pytest.approx(9, abs=2)
    turned = compute(tmp_path, work(tmp_path, (("CTV", "CTV", BALL[2]), ("PTV", "PTV", INNER[2]))))
    assert {"target.order", "margin.not-within"} <= doubts(turned)


@pytest.mark.parametrize(
    ("rule", "how"),
    [
        ("dose.units", {"DoseUnits": "RELATIVE"}),
        ("dose.units", {"DoseUnits": "CGY"}),
        ("dose.frame-differs", {"FrameOfReferenceUID": "9.9"}),
        ("dose.grid-too-small", {"count": (12, 25, 25)}),
        ("dose.far-from-prescription", {"dose": 40}),
        ("dose.far-from-prescription", {"dose": 2, "fractions": 25}),
        ("dose.file-unreadable", {"DoseGridScaling": None}),
        ("dose.sum-incomplete", {"DoseSummationType": "BEAM"}),
    ],
)
def test_a_fault_is_a_doubt_and_never_a_number(tmp_path, rule, how):
    result = compute(tmp_path, work(tmp_path, **how))
    assert rule in doubts(result)
    assert result["structures"][0]["volume_cc"] == pytest.approx(CC, rel=0.01)
    if rule != "dose.far-from-prescription":
        assert result["structures"][0]["mean_gy"] is None


def test_a_file_that_changed_since_the_refresh_gives_no_result(tmp_path):
    one = work(tmp_path)
    (tmp_path / "RD.dcm").write_bytes(b"another content")
    assert dose_work.compute([one], tmp_path, DoseSettings(), (), lambda _: None, {}).result is None
    (tmp_path / "RS.dcm").unlink()
    assert dose_work.compute([one], tmp_path, DoseSettings(), (), lambda _: None, {}).result is None


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")
def test_a_worker_process_computes_within_its_memory_and_dies_alone(tmp_path):
    one = work(tmp_path, (BALL, INNER))
    large = put(tmp_path, "large.dcm", rt.dose_object(even(50), **WIDE, Manufacturer="x" * (80 << 20)))
    heavy = replace(one, plans=(plan("1.2", 25, [large]),))
    arguments = (tmp_path, DoseSettings(), ())
    with Readers(dose_work.compute, dose_work.join, 1, *arguments, memory=60 << 20) as workers:
        failed, computed = (workers.submit([1], [each]).result() for each in (heavy, one))
    assert failed.result is not None and doubts(failed.result) == {"dose.file-unreadable"}
    assert failed.result["structures"] == []
    assert computed.result == compute(tmp_path, one)
    assert computed.seconds / 2 < 0.6


def test_results_wait_in_files_for_their_owner_only(tmp_path):
    one, box = work(tmp_path), Inbox(tmp_path / "box")
    assert box.work() == {} and box.waiting() == []
    box.write_work({})
    assert not box.folder.exists()
    box.write_work({"k": one, "other": one})
    assert box.work() == {"k": one, "other": one}
    computed = dose_work.compute([one], tmp_path, DoseSettings(), (), lambda _: None, {})
    box.put("k", computed)
    assert (box.waiting(), list(box.work())) == (["k"], ["other"])
    assert box.result("k") == computed
    assert {p.stat().st_mode & 0o077 for p in (box.folder, *box.folder.iterdir())} == {0}
    (box.folder / "k.result.json").write_text('{"result": ')
    assert box.result("k") is None and box.waiting() == []
    box.put("k", computed)
    box.drop(["k"])
    assert box.waiting() == []


def test_the_result_is_plain_json(tmp_path):
    result = compute(tmp_path, work(tmp_path, (BALL, INNER)))
    assert json.loads(json.dumps(result)) == result


@pytest.mark.parametrize(
    ("names", "kinds", "told"),
    [
        (None, None, []),
        ('["PTV", null]', None, [("PTV", None), (None, None)]),
        ('["PTV", "B"]', '["PTV"]', [("PTV", "PTV"), ("B", None)]),
        ('["PTV"]', '["PTV", "ORGAN"]', [("PTV", "PTV")]),
    ],
)
def test_each_structure_has_its_name_and_its_type_if_one_is_told(names, kinds, told):
    assert dose_volume._structures(names, kinds) == told
