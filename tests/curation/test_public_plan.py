"""A genuine plan goes through, and a second computation outside the program agrees."""

import csv
import io
import lzma
from pathlib import Path

import pytest
from pydicom import dcmread

from sarcoma_pipeline.curation.dose_volume import calculation
from sarcoma_pipeline.curation.dose_volume.calculation import PlanParts
from sarcoma_pipeline.curation.dose_volume.plan_of_dose import PlannedGroup, PlanOfDose
from sarcoma_pipeline.sources import dicom_contours, dicom_dose_parts
from schemas.dose_settings import DoseSettings
from schemas.structures_toml import StructureNames

HERE = Path(__file__).parent / "public_plan"
GROUPS = (PlannedGroup("1", 7, frozenset({"1", "2"})),)
OWN = (StructureNames(names=("Tumor Bed Block",), tg263="PTV", role="target"),)


def read(name: str):
    return dcmread(io.BytesIO(lzma.decompress((HERE / f"{name}.dcm.xz").read_bytes())))


@pytest.fixture(scope="module")
def result():
    structures, dose = dicom_contours.structures(read("rtss")), read("rtdose")
    parts, histograms = [dicom_dose_parts.part(dose)], dicom_dose_parts.embedded(dose)
    plan = PlanParts(PlanOfDose("1", GROUPS, 7), parts, histograms)
    return calculation.calculate(structures, [plan], (14.0,), DoseSettings(), OWN)


def test_volumes_and_doses_are_those_of_a_second_computation(result):
    with (HERE / "expected.csv").open() as stream:
        expected = {int(row["number"]): row for row in csv.DictReader(stream)}
    found = {row["roi_number"]: row for row in result.structures}
    del expected[7]  # "Nodes" has the type AVOIDANCE and no usual name: a structure of the optimiser
    assert found.keys() == expected.keys()
    for number, row in expected.items():
        for name in ("mean_gy", "d98_gy", "d95_gy", "d50_gy", "d2_gy"):
            assert found[number][name] == pytest.approx(float(row[name]), abs=0.1, rel=0.005), (row, name)
        volume = float(row["volume_cc"])
        assert found[number]["volume_cc"] == pytest.approx(volume, abs=0.01, rel=0.005), row


def test_only_its_small_structures_and_a_steep_dose_are_doubtful(result):
    """The planning system samples volumes below 15 cm³ coarsely, and the breast lies half in the boost.

    Borders and Tumor Bed both have the type CTV. Breast has the type GTV and is larger than the block that
    OWN declares as PTV.
    """
    told = {(one["id"], one["structure"]) for one in result.doubts}
    small = {"Borders", "Scar", "Tumor Bed"}
    assert told == {
        ("contours.few-planes", "Borders"), ("contours.coarse", "Scar"), ("structure.name-repeated", ""),
        ("target.order", "GTV"), ("dvh.differs", "Breast"), *(("dvh.differs", one) for one in small),
    }  # fmt: skip


def test_rounding_of_the_planning_system_is_no_broken_histogram():
    """Five of its seven histograms end with a volume of -1e-13 cm³."""
    histograms = dicom_dose_parts.embedded(read("rtdose"))
    assert len(histograms) == 7
    assert [one.fault for one in histograms] == [None] * 7
    assert min(float(one.volumes.min()) for one in histograms) == 0
