"""One patient per kind of situation that planning systems and tumour documentation deliver.

Each is read from files, curated and asked for, all in one run. The expected courses follow from the tables of
docs/radiotherapy.md by pencil: doses are dose per fraction × fractions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from pydicom.dataset import Dataset

from tests.curation.clinic import Clinic, Situation, check, check_accounts, clinic_of
from tests.curation.conftest import Case
from tests.curation.rt_files import (
    ION_PLAN,
    Field,
    FractionGroup,
    ct,
    electrons,
    hdr,
    level,
    plan,
    records,
    structure_set,
)

STANDS: dict[str, Any] = {"kind": "STATIC", "turns": "NONE", "shapes": [(-20, 20), (-20, 20)]}
WEDGE: dict[str, Any] = STANDS | {"kind": "DYNAMIC", "wedge": "DYNAMIC"}
METABOLIC: dict[str, Any] = {
    "Applikationsart": "Metabolisch", "Strahlenart": "SO", "Gesamtdosis_Einheit": "GBq",
    "Einzeldosis_Einheit": "GBq",
}  # fmt: skip
DOSE = "prescribed_dose_gy fractions"
TECHNIQUE = f"{DOSE} technique"
BOOST = f"{DOSE} boost"


def arcs(single: float, meterset: float = 300.0, **more: Any) -> list[Field]:
    """Two arcs; other monitor units make another plan of them."""
    return [Field(single / 2, meterset, **more), Field(single / 2, meterset, **{"turns": "CC", **more})]


def two(single: float = 1.8, fractions: int = 28, **more: Any) -> list[Field]:
    """Two beams alike."""
    return [Field(single / 2, **more), Field(single / 2, **more)]


def documented(dose: float | None, single: float | None, *datasets: Dataset | Iterable[Dataset], **more: Any):
    """A documented course and files."""

    def deliver(case: Case) -> None:
        case.course(dose, single, **more)
        case.files(*datasets)

    return deliver


def files(*datasets: Dataset | Iterable[Dataset]):
    """Files without documentation."""
    return lambda case: case.files(*datasets)


def several(*parts: Any):
    """Reports and files one after the other."""

    def deliver(case: Case) -> None:
        for part in parts:
            part(case)

    return deliver


def st(dose: float | None, single: float | None, start: str, end: str, name: str, part: int = 1, **more: Any):
    """A documented irradiation."""
    return lambda case: case.course(dose, single, start, end, st=name, part=part, **more)


def reviewed(dataset: Dataset, day: str) -> Dataset:
    """A plan that was approved on a day."""
    dataset.ReviewDate = day
    return dataset


SLICES = [ct(f"3.{n}", "2.1", 2.5) for n in range(4)]
DIAGNOSTIC = [ct(f"4.{n}", "2.2", 0.6, frame="7.7") for n in range(9)]

PLANS = {
    "full replan, linked, documented": Situation(
        documented(60, 2, plan("1.1", 60, 30, date="20150218"),
                   plan("1.2", 60, 30, date="20150319", beams=arcs(2, 320),
                        relations=[("1.1", "PREDECESSOR")])),
        [(60, 30)],
    ),
    "replan for the rest, linked, documented": Situation(
        documented(54, 1.8, plan("1.1", 54, 30),
                   plan("1.2", 32.4, 18, date="20150317", beams=arcs(1.8, 320),
                        relations=[("1.1", "PREDECESSOR")])),
        [(54, 30)],
    ),
    "full replan, unlinked, documented": Situation(
        documented(45, 1.8, plan("1.1", 45, 25), plan("1.2", 45, 25, date="20150312", beams=arcs(1.8, 320))),
        [(45, 25)], findings="course.replan-unlinked",
    ),
    "boost in a plan of its own, documented as the sum": Situation(
        documented(54, 1.8, plan("1.1", 45, 25), plan("1.2", 9, 5, date="20150402", label="BOOST",
                                                      references=[level(9, "PTV boost")])),
        [(54, 30, "sequential")], BOOST,
    ),
    "verification plan of one fraction": Situation(
        documented(45, 1.8, plan("1.1", 45, 25), plan("1.2", 1.8, 1, intent="VERIFICATION", frame="1.8",
                                                      relations=[("1.1", "VERIFIED_PLAN")])),
        [(45, 25)],
    ),
    "machine QA plan beside": Situation(
        documented(60, 2, plan("1.1", 60, 30), plan("1.2", 60, 30, beams=arcs(2, 310), intent="MACHINE_QA",
                                                    geometry="TREATMENT_DEVICE")),
        [(60, 30)], findings="plan.qa-with-fractions",
    ),
    "service plan alone": Situation(
        documented(60, 2, plan("1.1", 60, 30, intent="SERVICE")),
        [(60, None, None)], TECHNIQUE, findings="plan.qa-with-fractions",
    ),
    "approved again under another UID": Situation(
        documented(45, 1.8, plan("1.1", 45, 25), plan("1.2", 45, 25, date="20150226")),
        [(45, 25)], findings="plan.copy",
    ),
    "approved again, only the day of approval differs": Situation(
        documented(54, 1.8, reviewed(plan("1.1", 54, 30), "20150221"),
                   reviewed(plan("1.2", 54, 30), "20150227")),
        [(54, 30)], findings="plan.copy",
    ),
    "daily adaptive plans, each the whole prescription": Situation(
        documented(36, 6, *(plan(f"1.{n}", 36, 6, date=f"201503{n + 1:02}", beams=arcs(6, 300 + n))
                            for n in range(1, 5)), end="2015-03-09"),
        [(36, 6)], findings="course.replan-unlinked",
    ),
    "daily adaptive plans of one fraction": Situation(
        documented(24, 6, *(plan(f"1.{n}", 6, 1, date=f"201503{n + 1:02}", beams=arcs(6, 300 + n))
                            for n in range(1, 5)), end="2015-03-05"),
        [(24, 4, "unspecified")], BOOST,
    ),
    "two sites, one documented": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, label="KNIE"),
                   plan("1.2", 45, 25, label="HUEFTE", isocentre=(0.0, 0.0, 250.0))),
        [(45, 25)], findings="course.parallel-sites",
    ),
    "two sites, both documented": Situation(
        several(st(54, 1.8, "2015-03-02", "2015-04-10", "ST1"),
                st(45, 1.8, "2015-03-02", "2015-04-03", "ST2", Zielgebiet="5.9"),
                files(plan("1.1", 54, 30), plan("1.2", 45, 25, isocentre=(0.0, 0.0, 250.0)))),
        [(54, 30), (45, 25)],
    ),
    "a later palliative course that nobody documented": Situation(
        documented(60, 2, plan("1.1", 60, 30), plan("1.2", 20, 5, date="20180611", intent="PALLIATIVE")),
        [(60, 30), (20, 5)], findings="plan.outside-courses",
    ),
    "plans of two eras, nothing documented": Situation(
        files(plan("1.1", 60, 30), plan("1.2", 20, 5, date="20180611", intent="PALLIATIVE")),
        [(60, 30), (20, 5)], findings="plan.without-course",
    ),
    "the second plan has no date": Situation(
        several(st(60, 2, "2015-03-02", "2015-04-10", "ST1"),
                st(20, 4, "2018-06-18", "2018-06-22", "ST2", Intention="P"),
                files(plan("1.1", 60, 30), plan("1.2", 20, 5, date=None))),
        [(60, 30), (20, 5)],
    ),
    "the next course is planned before the first one ends": Situation(
        several(st(60, 2, "2015-03-02", "2015-04-10", "ST1"), st(45, 1.8, "2015-05-26", "2015-06-29", "ST2"),
                files(plan("1.1", 60, 30), plan("1.2", 45, 25, date="20150408"))),
        [(60, 30), (45, 25)], operated=None,
    ),
    "the postoperative boost is planned before the operation": Situation(
        several(st(50.4, 1.8, "2015-03-02", "2015-04-08", "ST1"),
                st(14.4, 1.8, "2015-06-15", "2015-06-24", "ST2", Stellung_OP="A"),
                files(plan("1.1", 50.4, 28), plan("1.2", 14.4, 8, date="20150409"))),
        [(50.4, 28), (14.4, 8)],
    ),
    "no approval status": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, approval=None)),
        [(45, 25, "VMAT")], TECHNIQUE, findings="plan.approval-missing",
    ),
    "no approval status beside an approved plan": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, date="20150218"),
                   plan("1.2", 45, 25, beams=two(**STANDS), approval=None)),
        [(45, 25, "VMAT")], TECHNIQUE, findings="plan.approval-missing course.replan-unlinked",
    ),
    "protons": Situation(
        documented(59.4, 1.8, plan("1.1", 59.4, 33, sop_class=ION_PLAN,
                                   beams=[Field(1.8, **STANDS | {"radiation": "PROTON", "shapes": None})]),
                   end="2015-04-15", Strahlenart="PN"),
        [(59.4, 33, "proton")], TECHNIQUE,
    ),
    "brachytherapy beside": Situation(
        documented(45, 1.8, hdr("1.1", 21, 3, date="20150216"), plan("1.2", 45, 25)),
        [(45, 25, "VMAT")], TECHNIQUE,
    ),
    "intraoperative electrons before": Situation(
        documented(50.4, 1.8, electrons("1.1", 10, 1, date="20150219", label="IORT"), plan("1.2", 50.4, 28)),
        [(50.4, 28, "VMAT", 6)], f"{TECHNIQUE} beam_energy_mv",
    ),
    "electrons alone": Situation(
        documented(45, 1.8, electrons("1.1", 45, 25), Strahlenart="ES"),
        [(45, 25, "electron", None)], f"{TECHNIQUE} beam_energy_mv",
    ),
    "calculation point among the references": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, references=[level(45), level(46.2, "ISO", "COORDINATES")])),
        [(45, 25, "unspecified")], BOOST,
    ),
    "integrated boost": Situation(
        documented(58.8, 2.1, plan("1.1", 58.8, 28, references=[level(50.4), level(58.8, "PTV2")]),
                   Boost="SIB"),
        [(58.8, 28, "simultaneous integrated")], BOOST,
    ),
    "two phases in one plan": Situation(
        documented(59.4, 1.8, plan("1.1", references=[level(50.4), level(9, "boost")], groups=[
            FractionGroup(28, arcs(1.8), links=[1]), FractionGroup(5, arcs(1.8, 250), links=[2])]),
            end="2015-04-15", Boost="SEQ"),
        [(59.4, 33, "sequential")], BOOST,
    ),
    "two phases in one plan, references cumulative": Situation(
        documented(59.4, 1.8, plan("1.1", references=[level(45), level(59.4, "boost")], groups=[
            FractionGroup(25, arcs(1.8), links=[1]), FractionGroup(8, arcs(1.8, 250), links=[2])]),
            end="2015-04-15", Boost="SEQ"),
        [(59.4, 33)],
    ),
    "two isocentres of one volume": Situation(
        documented(50.4, 1.8, plan("1.1", references=[level(50.4), level(50.4, "PTV distal")], groups=[
            FractionGroup(28, arcs(1.8), links=[1]),
            FractionGroup(28, arcs(1.8, isocentre=(0.0, 0.0, 200.0)), links=[2])])),
        [(50.4, 28)],
    ),
    "three isocentres of one volume": Situation(
        documented(54, 1.8, plan("1.1", references=[level(54, f"PTV{n}") for n in range(3)], groups=[
            FractionGroup(30, arcs(1.8, isocentre=(0.0, 0.0, 200.0 * n)), links=[n + 1]) for n in range(3)])),
        [(54, 30)],
    ),
    "the prescription is 0": Situation(
        documented(50.4, 1.8, plan("1.1", 0, 28, beams=two(1.8))), [(50.4, 28)],
    ),
    "the fractions are 0": Situation(
        documented(45, 1.8, plan("1.1", 45, 0, beams=two(1.8))),
        [(45, None, 1.8)], f"{DOSE} single_dose_gy", findings="plan.fractions-missing",
    ),
    "the fractions are empty": Situation(
        documented(54, 1.8, plan("1.1", 54, None, beams=two(1.8))),
        [(54, None, 1.8)], f"{DOSE} single_dose_gy", findings="plan.fractions-missing",
    ),
    "the prescription in centigray": Situation(
        documented(45, 1.8, plan("1.1", 4500, 25, beams=two(1.8))),
        [(45, 25)], findings="plan.prescription-in-cgy",
    ),
    "the prescription of one fraction": Situation(
        documented(50.4, 1.8, plan("1.1", 1.8, 28, beams=two(1.8))),
        [(50.4, 28)], findings="plan.prescription-per-fraction",
    ),
    "beam dose of one of two beams": Situation(
        documented(50.4, 1.8, plan("1.1", None, 28, beams=[Field(0.9), Field(None)])),
        [(50.4, 28)], findings="plan.beam-dose-incomplete",
    ),
    "neither prescription nor beam dose": Situation(
        documented(60, 2, plan("1.1", None, 30, beams=[Field(None), Field(None)])),
        [(60, 30)], findings="plan.dose-missing",
    ),
    "a diagnostic CT in another frame": Situation(
        documented(60, 2, plan("1.1", 60, 30, structures="5.1"), structure_set("5.1", "2.1"),
                   SLICES, DIAGNOSTIC),
        [(2.5,)], "ct_slice_thickness_mm",
    ),
    "a diagnostic CT alone": Situation(
        documented(60, 2, plan("1.1", 60, 30), DIAGNOSTIC), [(None,)], "ct_slice_thickness_mm",
    ),
    "aborted after 12 of 28": Situation(
        documented(21.6, 1.8, plan("1.1", 50.4, 28), records("1.1", "20150302", 12), end="2015-03-17",
                   Ende_Grund="A"),
        [(50.4, 28, 21.6, 12)], f"{DOSE} delivered_dose_gy delivered_fractions",
        findings="course.delivered-less",
    ),
    "aborted, documented to the planned end": Situation(
        documented(21.6, 1.8, plan("1.1", 50.4, 28), records("1.1", "20150302", 12), end="2015-04-08",
                   Ende_Grund="A"),
        [("2015-03-17", 16)], "end_date overall_days",
        findings="course.dates-differ course.delivered-less",
    ),
    "complete by records, documented to a later end": Situation(
        documented(60, 2, plan("1.1", 60, 30), records("1.1", "20150302", 30), end="2015-04-20"),
        [("2015-04-10", 40)], "end_date overall_days", findings="course.dates-differ",
    ),
    "records of the last fractions are missing": Situation(
        documented(60, 2, plan("1.1", 60, 30), records("1.1", "20150302", 20), end="2015-04-10",
                   Ende_Grund="E"),
        [("2015-04-10", 40)], "end_date overall_days",
        findings="course.dates-differ course.delivered-less course.end-reason",
    ),
    "complete with records": Situation(
        documented(60, 2, plan("1.1", 60, 30), records("1.1", "20150302", 30), end="2015-04-10"),
        [(60, 30, 60)], f"{DOSE} delivered_dose_gy",
    ),
    "records without documentation": Situation(
        files(plan("1.1", 45, 25), records("1.1", "20150309", 25)),
        [("2015-03-09", "2015-04-10", 45, 25)],
        f"start_date end_date {DOSE}", findings="plan.without-course",
    ),
    "dynamic wedge": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, beams=two(1.8, **WEDGE))),
        [(45, 25, "3D conformal")], TECHNIQUE,
    ),
    "conformal arc": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, beams=arcs(1.8, kind="STATIC", shapes=STANDS["shapes"]))),
        [(45, 25, "3D conformal")], TECHNIQUE,
    ),
    "sliding window": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, beams=[Field(0.36, turns="NONE") for _ in range(5)])),
        [(45, 25, "static IMRT")], TECHNIQUE,
    ),
    "a dynamic arc whose leaves stand": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, beams=arcs(1.8, shapes=STANDS["shapes"]))),
        [(45, 25, "3D conformal")], TECHNIQUE,
    ),
    "a machine that is called tomo": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, beams=arcs(1.8, machine="TOMO_ERSATZ"))),
        [(45, 25, "VMAT")], TECHNIQUE,
    ),
    "a machine that is called automotion": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, beams=arcs(1.8, machine="AUTOMOTION2"))),
        [(45, 25, "VMAT")], TECHNIQUE,
    ),
    "tomotherapy by its maker": Situation(
        documented(45, 1.8, plan("1.1", 45, 25, beams=[
            Field(1.8, machine="0210477", manufacturer="TomoTherapy Incorporated", model="Hi-Art")])),
        [(45, 25, "helical tomotherapy")], TECHNIQUE,
    ),
}  # fmt: skip
"""Situation of plans and treatment records."""

DOCUMENTED = {
    "a sequential boost in one ST": Situation(
        several(st(45, 1.8, "2015-03-02", "2015-04-03", "ST1"),
                st(14.4, 1.8, "2015-04-07", "2015-04-16", "ST1", 2, Boost="SEQ")),
        [("2015-03-02", "2015-04-16", 59.4, 1.8, "sequential")],
        "start_date end_date prescribed_dose_gy single_dose_gy boost",
    ),
    "two target regions in one ST": Situation(
        several(st(54, 1.8, "2015-03-02", "2015-04-10", "ST1"),
                st(45, 1.8, "2015-03-02", "2015-04-03", "ST1", 2, Zielgebiet="5.9")),
        [(54, 1), (45, 2)], "prescribed_dose_gy target",
    ),
    "brachytherapy and beams in one ST": Situation(
        several(st(21, 7, "2015-02-16", "2015-02-18", "ST1", Applikationsart="Kontakt", Strahlenart="UH"),
                st(45, 1.8, "2015-03-02", "2015-04-03", "ST1", 2)),
        [(45, 1.8)], "prescribed_dose_gy single_dose_gy",
    ),
    "an activity in an ST of its own": Situation(
        several(st(60, 2, "2015-03-02", "2015-04-10", "ST1"),
                st(5.5, 5.5, "2016-02-01", "2016-02-01", "ST2", **METABOLIC)),
        [("2015-03-02", 60, 2), ("2016-02-01", None, None)], "start_date prescribed_dose_gy single_dose_gy",
    ),
    "an activity before the beams": Situation(
        several(st(3.1, 3.1, "2015-02-09", "2015-02-09", "ST1", **METABOLIC),
                st(54, 1.8, "2015-03-02", "2015-04-10", "ST2")),
        [("2015-02-09", None), ("2015-03-02", 54)], "start_date prescribed_dose_gy",
    ),
    "an integrated boost in one ST": Situation(
        several(st(50.4, 1.8, "2015-03-02", "2015-04-08", "ST1"),
                st(58.8, 2.1, "2015-03-02", "2015-04-08", "ST1", 2, Boost="SIB")),
        [(58.8, 2.1, "simultaneous integrated")], "prescribed_dose_gy single_dose_gy boost",
    ),
}  # fmt: skip
"""Situation of documented irradiations alone."""

SITUATIONS = PLANS | DOCUMENTED


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    return clinic_of(tmp_path_factory.mktemp("clinic"), SITUATIONS)


@pytest.mark.parametrize("name", SITUATIONS)
def test_situation(clinic: Clinic, name: str) -> None:
    check(clinic, name, SITUATIONS[name])


def test_every_record_of_all_patients_is_accounted_for(clinic: Clinic) -> None:
    check_accounts(clinic)
