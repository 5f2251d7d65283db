"""DICOM records to typed ones: the meta group of a file, and the planning system that tells a technique."""

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import dicom
from schemas import received as r
from schemas.configuration import DicomSource
from schemas.contract import Contract

SOURCE = DicomSource(kind="dicom", name="clinic", files=("*.dcm",))


def received(contract: type[Contract], *rows: dict[str, str | None]) -> pl.DataFrame:
    schema = contract.polars_schema()
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in schema}, schema=schema)


@pytest.mark.parametrize(("told", "has_one"), [("yes", True), ("no", False), (None, True)])
def test_a_file_lacks_its_meta_group_only_if_the_reader_said_so(told, has_one):
    row = {"record_id": "i1", "PatientID": "1", "SOPInstanceUID": "1.1", "file_meta": told}
    images = received(r.DicomImage, row).with_columns(received_on=pl.lit(dt.date(2021, 12, 1)))
    ((_, typed, _),) = dicom.typed_frames("received.dicom_image", images, SOURCE)
    assert typed["has_file_meta"].to_list() == [has_one]


ROTATING = {
    "BeamNumber": "1", "BeamType": "DYNAMIC", "RadiationType": "PHOTON", "TreatmentDeliveryType": "TREATMENT",
    "GantryRotationDirection": ["CW"], "LeafPositions": 40,
}  # fmt: skip


@pytest.mark.parametrize(
    ("maker", "model", "technique"),
    [
        ("TomoTherapy Incorporated", None, "helical tomotherapy"),
        (None, "TomoTherapy Planning", "helical tomotherapy"),
        ("Maker", "Model", "VMAT"),
        ("", None, "VMAT"),
        (None, None, "VMAT"),
    ],
)
def test_the_maker_or_model_of_the_planning_system_tells_tomotherapy(maker, model, technique):
    """If the beam does not name the maker of its machine."""
    row = {"Beams": json.dumps([ROTATING]), "Manufacturer": maker, "ManufacturerModelName": model}
    assert dicom.with_plan_facts(received(r.DicomPlan, row))["_technique"].to_list() == [technique]


@pytest.mark.parametrize(
    ("delivered", "family", "given"),
    [("Muster^Anna^^Dr.", "Muster", "Anna"), ("Muster", "Muster", None), (None, None, None)],
)
def test_a_person_name_may_lack_components(delivered, family, given):
    """DICOM PS3.5 6.2.1.2: components from the right may be left out with their signs."""
    row = {"record_id": "p1", "PatientID": "1", "SOPInstanceUID": "1.1", "PatientName": delivered}
    plans = received(r.DicomPlan, row).with_columns(received_on=pl.lit(dt.date(2021, 12, 1)))
    (_, person, _), _ = dicom.typed_frames("received.dicom_plan", plans, SOURCE)
    assert person.select("family_name", "given_names").rows() == [(family, given)]


@pytest.mark.parametrize(
    ("sop_class", "ion"),
    [("1.2.840.10008.5.1.4.1.1.481.8", True), ("1.2.840.10008.5.1.4.1.1.481.5", False)],
)
def test_an_rt_ion_plan_is_told_by_its_class(sop_class, ion):
    """DICOM PS3.6, table A-1: RT Ion Plan Storage, RT Plan Storage."""
    row = {"record_id": "p1", "PatientID": "1", "SOPInstanceUID": "1.1", "SOPClassUID": sop_class}
    plans = received(r.DicomPlan, row).with_columns(received_on=pl.lit(dt.date(2021, 12, 1)))
    _, (_, plan, _) = dicom.typed_frames("received.dicom_plan", plans, SOURCE)
    assert plan["ion_plan"].to_list() == [ion]
