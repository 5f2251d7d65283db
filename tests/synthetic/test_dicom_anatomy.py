"""The limbs of the demo: contours and dose grids that are computed without a doubt, and one fault each."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from pydicom import dcmread

from sarcoma_pipeline.curation.dose_findings import names
from sarcoma_pipeline.curation.dose_volume.calculation import PlanParts, calculate
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.sources import dicom_contours, dicom_dose_parts
from sarcoma_pipeline.sources.dicom_dose_grid import NoGrid
from sarcoma_pipeline.synthetic import defects_grid, dicom, dicom_anatomy
from sarcoma_pipeline.synthetic.render import DOSE_FAULTS
from schemas.dose_settings import DoseSettings
from schemas.typed_dicom import StructureSet
from tests.quality.clean import row
from tests.synthetic.test_dicom import COURSE

LIMB = replace(COURSE, anatomy=True, prescribed_dose_gy=50.0, fractions=25, single_dose_gy=2.0)


def computed(folder, course=LIMB, seed="seed"):
    paths = dicom.write(course, folder, seed)
    structures = dicom_contours.structures(dcmread(paths["RTSTRUCT"]))
    doses = [dcmread(path) for name, path in paths.items() if name.startswith("RTDOSE")]
    try:
        parts, unplaced = [dicom_dose_parts.part(data) for data in doses], []
    except NoGrid as broken:
        parts, unplaced = [], [str(broken)]
    # A dose of the whole plan needs no beams.
    groups = (PlannedGroup("1", 25, frozenset("12")),) if len(doses) > 1 else ()
    one = PlanParts(PlanOfDose("1", groups, 25), parts, dicom_dose_parts.embedded(doses[0]), unplaced)
    result = calculate(structures, [one], (course.prescribed_dose_gy,), DoseSettings())
    told = names([("tps", [(s.name, s.interpreted_type) for s in structures])], ())
    types = row(StructureSet, roi_types=[s.interpreted_type for s in structures])
    on_arrival = StructureSet.failures(StructureSet.conform(pl.DataFrame([types])))["rule_id"]
    return result, {d["id"] for d in result.doubts} | set(told["rule_id"]) | set(on_arrival)


def test_a_limb_is_computed_without_a_doubt(tmp_path):
    result, found = computed(tmp_path)
    assert found == set()
    rows = {row["structure"]: row for row in result.structures}
    assert set(rows) == {"GTV", "CTV", "PTV", "Femur re", "Hautstreifen"}
    ptv = rows["PTV"]
    assert ptv["d95_gy"] == pytest.approx(50, abs=0.5) and ptv["v95_percent"] > 99
    # A polygon of 20 corners has 98.4 % of the area of its circle.
    ellipsoid = dicom_anatomy.volume_cc(dicom_anatomy.limb("seed"))
    assert ptv["volume_cc"] == pytest.approx(0.984 * ellipsoid, rel=0.02)
    assert ptv["volume_cc"] > rows["CTV"]["volume_cc"] > rows["GTV"]["volume_cc"]
    assert (rows["Femur re"]["tg263"], rows["Hautstreifen"]["role"]) == ("Femur_R", "skin corridor")
    assert rows["Hautstreifen"]["mean_gy"] < rows["Femur re"]["mean_gy"] < ptv["mean_gy"]
    margins = {(m["inner"], m["outer"]): m for m in result.margins}
    grown = margins["GTV", "CTV"]
    assert grown["axis"] == "Femur_R"
    # Planes 5 mm apart: an end is known to half of it on both sides.
    assert grown["superior_mm"] == pytest.approx(30, abs=5) and grown["inferior_mm"] == pytest.approx(
        30, abs=5
    )
    assert grown["radial_p50_mm"] == pytest.approx(15, abs=1.5)


@pytest.mark.parametrize(
    ("fault", "rule"), [one for one in DOSE_FAULTS.items() if one[1] not in defects_grid.ON_ARRIVAL]
)
def test_each_fault_is_found(tmp_path, fault, rule):
    _, found = computed(tmp_path, replace(LIMB, dose_fault=fault))
    assert rule in found


def test_the_header_of_a_limb_is_that_of_the_other_files(tmp_path):
    """The nightly reader takes the same values: the release does not depend on the anatomy."""
    limb = dicom.write(LIMB, tmp_path / "limb", "seed")
    plain = dicom.write(replace(LIMB, anatomy=False), tmp_path / "plain", "seed")
    assert {n: p.name for n, p in limb.items()} == {n: p.name for n, p in plain.items()}
    for name in ("RTPLAN", "CT"):
        assert limb[name].read_bytes() == plain[name].read_bytes()
    again = dicom.write(LIMB, tmp_path / "again", "seed")
    assert all(again[name].read_bytes() == limb[name].read_bytes() for name in limb)
    assert sum(path.stat().st_size for path in limb.values()) < 200_000
    assert np.ptp(dcmread(limb["RTDOSE"]).pixel_array) > 0
