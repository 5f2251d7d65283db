"""Seed defects: in whole files, registry replies, the department's table and DICOM files.

:mod:`defects_obds`, :mod:`defects_radiotherapy`, :mod:`defects_reports` and :mod:`defects_missing` seed the
other kinds;
``data/demo/defects.csv`` lists the seeded defects.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl
from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import DeflatedExplicitVRLittleEndian, RTPlanStorage, generate_uid

from sarcoma_pipeline.synthetic import (
    defects_missing,
    defects_obds,
    defects_radiotherapy,
    defects_reports,
    defects_toxicity,
    department_table,
)
from sarcoma_pipeline.synthetic.drop import OFFICES, TABLE, Drop, Planned
from sarcoma_pipeline.synthetic.people import Person
from sarcoma_pipeline.synthetic.registry_reply import german, reply
from sarcoma_pipeline.synthetic.seeding import PLANTS, Planted, plants

__all__ = [
    "PLANTS",
    "defects_missing",
    "defects_obds",
    "defects_radiotherapy",
    "defects_reports",
    "defects_toxicity",
    "plant",
]

_ARCHIVED = (2021, 12, 30, 12, 0, 0)
_STRANGER = {"family": "Xantelbrook", "given": "Paul", "born": "11.06.1948", "sex": "M", "number": ""}
_HEADER_BYTES = 700
"""Length that keeps the file meta and the patient, but not the prescription."""
_NUMBER_OF_NOBODY = "39999998"
_PHANTOM = {"patient_id": "QA_PHANTOM_01", "patient_name": "QA^Phantom", "birth_date": "", "sex": "O"}


def plant(drop: Drop, defects: pl.DataFrame, persons: Mapping[str, Person]) -> dict[str, Planted]:
    """Seed every defect of a table.

    Args:
        drop: the faultless drop; it is changed.
        defects: ``defect_id``, ``kind`` and ``patient`` (the patient with the defect; null for any).
        persons: ``patient`` to person; the first one is used where no patient is named.

    Returns:
        ``defect_id`` to its place.

    Raises:
        KeyError: the kind or the patient is unknown.
    """
    anybody = next(iter(persons.values()))
    rows = defects.select("defect_id", "kind", "patient").iter_rows()
    return {
        defect: PLANTS[kind](drop, persons[carrier] if carrier else anybody) for defect, kind, carrier in rows
    }


# --- files --------------------------------------------------------------------------------------------


@plants("empty file")
def _empty(drop: Drop, person: Person) -> Planted:
    path = "registry/meldeamt_ost.csv"
    drop.raw[path] = b""
    return Planted(path)


@plants("archive named XML")
def _archive(drop: Drop, person: Person) -> Planted:
    path = "obds/tudok_2021-12.xml"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        # With the current time, the archive's bytes would differ every time.
        archive.writestr(zipfile.ZipInfo("tudok_2021-12.xml", _ARCHIVED), "<oBDS/>")
    drop.raw[path] = content.getvalue()
    return Planted(path)


@plants("column left out")
def _column_missing(drop: Drop, person: Person) -> Planted:
    path = "registry/meldeamt_ohne_auskunft.csv"
    drop.replies[path] = [reply(person, "MR-2022-O001", "lebt", as_of=person.last_known_alive_date)]
    drop.without[path] = "Auskunft"
    return Planted(path)


@plants("cut DICOM file")
def _cut_dicom(drop: Drop, person: Person) -> Planted:
    course = replace(drop.courses[person.number][0].course, modalities=("RTPLAN",))
    planned = Planned(course, "dicom/unvollstaendig", f"{person.number} cut", kept=_HEADER_BYTES)
    drop.courses[person.number].append(planned)
    return Planted(planned.folder, planned=planned)


@plants("damaged compression")
def _damaged(drop: Drop, person: Person) -> Planted:
    path = "dicom/beschaedigt/RP.export.dcm"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RTPlanStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[path])
    meta.ImplementationClassUID = generate_uid(entropy_srcs=["sarcoma_pipeline", "implementation"])
    meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    header = DicomBytesIO()
    write_file_meta_info(header, meta)
    noise = random.Random(path).randbytes(_HEADER_BYTES)
    drop.raw[path] = bytes(128) + b"DICM" + header.getvalue() + noise
    return Planted(path)


# --- registry offices ---------------------------------------------------------------------------------


def _told(reference: str) -> Planted:
    return Planted(OFFICES[0], reference)


def _alive(drop: Drop, person: Person, **changed: str) -> Planted:
    return _told(drop.tell(person, "lebt", "", person.last_known_alive_date, **changed))


@plants("umlaut written out")
def _umlaut(drop: Drop, person: Person) -> Planted:
    written = person.family
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue")):
        written = written.replace(umlaut, letters)
    return _alive(drop, person, family=written, number="")


@plants("half of a double name")
def _half(drop: Drop, person: Person) -> Planted:
    return _alive(drop, person, family=person.family.split("-")[0], number="")


@plants("day and month of birth transposed")
def _transposed(drop: Drop, person: Person) -> Planted:
    return _alive(drop, person, born=f"{person.birth_date:%m.%d.%Y}", number="")


@plants("reply about a stranger")
def _stranger(drop: Drop, person: Person) -> Planted:
    return _alive(drop, person, **_STRANGER)


@plants("number of somebody else")
def _contradiction(drop: Drop, person: Person) -> Planted:
    return _alive(drop, person, **(_STRANGER | {"number": person.number}))


@plants("alive after death")
def _alive_after_death(drop: Drop, person: Person) -> Planted:
    assert person.death_date is not None
    # The office has reported the death before: a death known only from a less credible source would not
    # stand.
    drop.tell(person, "verstorben", person.death_date, person.death_date + dt.timedelta(days=30))
    return _told(drop.tell(person, "lebt", "", person.death_date + dt.timedelta(days=200)))


@plants("death without a date")
def _death_unknown(drop: Drop, person: Person) -> Planted:
    # The office answers on the last day on which anyone reported the person alive, so no source contradicts
    # it.
    return _told(drop.tell(person, "verstorben, Datum unbekannt", "", person.last_known_alive_date))


@plants("no information")
def _no_information(drop: Drop, person: Person) -> Planted:
    return _told(drop.tell(person, "keine Auskunft", "", dt.date(2021, 12, 1)))


@plants("death exact to the month")
def _month(drop: Drop, person: Person) -> Planted:
    return _told(drop.tell(person, "verstorben", "00.05.2012", dt.date(2012, 9, 1)))


@plants("unknown answer")
def _unknown_answer(drop: Drop, person: Person) -> Planted:
    return _told(drop.tell(person, "verschollen", "", dt.date(2021, 12, 1)))


# --- the table ----------------------------------------------------------------------------------------


def _cell(drop: Drop, person: Person, value: str) -> Planted:
    row = next(r for r in drop.rows if r["Patientennummer"] == person.number)
    row["Tumorgröße (cm)"] = value
    return Planted(TABLE, person.number)


@plants("size that is no number")
def _no_number(drop: Drop, person: Person) -> Planted:
    return _cell(drop, person, "12,x")


@plants("two sizes in one cell")
def _several(drop: Drop, person: Person) -> Planted:
    return _cell(drop, person, "4,5 / 5,0")


@plants("size in millimetres")
def _millimetres(drop: Drop, person: Person) -> Planted:
    return _cell(drop, person, "310")


@plants("row of nobody")
def _nobodys_row(drop: Drop, person: Person) -> Planted:
    row = department_table.row(person) | {
        "Patientennummer": _NUMBER_OF_NOBODY, "Letzter Kontakt": german(dt.date(2020, 3, 3))
    }  # fmt: skip
    drop.rows.append(row)
    return Planted(TABLE, _NUMBER_OF_NOBODY)


# --- DICOM --------------------------------------------------------------------------------------------


def _changed(drop: Drop, person: Person, modality: str = "RTPLAN", **values: Any) -> Planted:
    """Change the patient's own course."""
    planned = drop.courses[person.number][0]
    planned.course = replace(planned.course, **values)
    return Planted(planned.folder, planned=planned, modality=modality)


def _another(drop: Drop, person: Person, suffix: str, seed: str, **values: Any) -> Planted:
    """Add a second plan to a patient's course, without images."""
    first = drop.courses[person.number][0]
    course = replace(first.course, modalities=("RTPLAN",), **values)
    planned = Planned(course, f"{first.folder}_{suffix}", seed)
    drop.courses[person.number].append(planned)
    return Planted(planned.folder, planned=planned)


@plants("plan without PatientID")
def _no_patient_id(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, patient_id="", modalities=("RTPLAN",))


@plants("structure set of another patient")
def _mismatch(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, "RTSTRUCT", structure_set_patient_id=_NUMBER_OF_NOBODY)


@plants("plan without file meta")
def _no_file_meta(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, file_meta=False)


@plants("birth date of zeros")
def _zeros(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, birth_date="00/00/0000")


@plants("plan exported twice")
def _twice(drop: Drop, person: Person) -> Planted:
    return _another(drop, person, "kopie", drop.courses[person.number][0].seed)


@plants("unapproved plan")
def _unapproved(drop: Drop, person: Person) -> Planted:
    course = drop.courses[person.number][0].course
    fewer = course.fractions - 1
    dose = round(fewer * course.single_dose_gy, 4)
    return _another(
        drop, person, "entwurf", f"{person.number} draft",
        approval="UNAPPROVED", fractions=fewer, prescribed_dose_gy=dose,
    )  # fmt: skip


@plants("plan of a phantom")
def _phantom(drop: Drop, person: Person) -> Planted:
    course = replace(
        next(c[0].course for c in drop.courses.values()), modalities=("RTPLAN",), label="QA", **_PHANTOM
    )
    planned = Planned(course, "dicom/qa", "phantom")
    drop.courses[""] = [planned]
    return Planted(planned.folder, planned=planned)


@plants("dose at the beams only")
def _beam_dose(drop: Drop, person: Person) -> Planted:
    return _changed(drop, person, prescription=False)


@plants("two slice thicknesses")
def _thickness(drop: Drop, person: Person) -> Planted:
    thicker = drop.courses[person.number][0].course.ct_slice_thickness_mm + 2.0
    return _changed(drop, person, "CT2", second_slice_thickness_mm=thicker)
