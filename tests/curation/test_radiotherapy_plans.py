"""Facts of one plan: monitor units and beam doses, by fraction group."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest

from sarcoma_pipeline.curation.radiotherapy_plans import (
    Beam,
    DoseReference,
    Group,
    GroupBeam,
    Plan,
    distance_mm,
    finite,
    legacy_groups,
    plan_of,
)
from schemas.typed_dicom import Plan as TypedPlan

ONE = GroupBeam("1", 0.5, 100.0)
TWO = GroupBeam("2", 1.5, 50.0)


def _group(*beams: GroupBeam, number="1", fractions: int | None = 25) -> Group:
    return Group(number, fractions, (), beams, (), 0)


def _plan(*groups: Group, **more) -> Plan:
    return Plan("record", "key", groups=groups, **more)


def _beam(at: tuple[float, float, float]) -> Beam:
    return Beam("1", "DYNAMIC", "PHOTON", None, None, None, None, None, 6.0, at, True, 3, 2, None, "key")


@pytest.mark.parametrize(("number", "units"), [("1", 100.0), ("2", 50.0), ("3", None), (None, None)])
def test_the_monitor_units_of_a_beam(number, units):
    """Of a beam without a number nothing is known, even if the plan has one."""
    plan = _plan(_group(GroupBeam(None, 1.0, 70.0), ONE), _group(TWO, number="2"))
    assert plan.meterset_of(number) == units


def test_the_monitor_units_of_a_fraction():
    def units(*beams: GroupBeam) -> float | None:
        group = _group(*beams)
        return _plan(group).meterset(group)

    assert units(ONE, TWO) == 150
    assert units() is None
    assert units(ONE, GroupBeam("2", 1.5, None)) is None
    assert units(GroupBeam("1", 1.0, 0.0)) == 0


@pytest.mark.parametrize(
    ("groups", "dose"),
    [
        ((_group(ONE, TWO),), 50.0),
        ((_group(ONE),), 12.5),
        ((_group(ONE, TWO, fractions=None),), None),
        ((_group(ONE, TWO), _group(ONE, number="2")), None),
        ((_group(ONE, GroupBeam("2", None, 50.0)),), None),
        ((_group(),), None),
        ((), None),
    ],
)
def test_the_beam_dose_of_a_plan_with_one_fraction_group(groups, dose):
    assert _plan(*groups).beam_dose == dose


def _of_kind(delivery: str | None) -> Beam:
    return replace(_beam((0, 0, 0)), delivery=delivery)


def test_beams_that_only_take_images_give_no_dose():
    imaging = [_of_kind(kind) for kind in ("SETUP", "OPEN_PORTFILM", "VERIFICATION")]
    for beam in imaging:
        plan = _plan(beams=(beam, replace(_of_kind("TREATMENT"), number="2")))
        group = _group(ONE, TWO)
        assert plan.group_beams(group) == (TWO,) and plan.meterset(group) == 50
        assert [one.number for one in plan.treating] == ["2"]


@pytest.mark.parametrize(
    ("what", "is_one"),
    [
        ({}, False),
        ({"brachy_type": "HDR"}, True),
        ({"applications": ((),)}, True),
        ({"groups": (Group("1", 5, (), (), (ONE,), 0),)}, True),
        ({"groups": (Group("1", 5, (), (), (), 1),)}, True),
        ({"groups": (_group(ONE),)}, False),
        # A plan whose beams give dose is external, whatever else it has.
        ({"brachy_type": "HDR", "beams": (_of_kind("TREATMENT"),)}, False),
        ({"brachy_type": "HDR", "beams": (_of_kind("SETUP"),)}, True),
        ({"beams": (_of_kind("SETUP"),)}, False),
    ],
)
def test_the_dose_comes_from_sources_or_from_beams(what, is_one):
    assert Plan("record", "key", **what).is_brachytherapy is is_one


def test_the_distance_of_two_plans_is_that_of_their_nearest_isocentres():
    one = _plan(frame="9", beams=(_beam((0, 0, 0)), _beam((100, 0, 0))))
    other = _plan(frame="9", beams=(_beam((130, 40, 0)), _beam((400, 0, 0))))
    assert distance_mm(one, other) == distance_mm(other, one) == 50
    for unknown in (_plan(frame="9"), _plan(frame="8", beams=other.beams), _plan(beams=other.beams)):
        assert distance_mm(one, unknown) is distance_mm(unknown, one) is None
    assert distance_mm(_plan(beams=one.beams), _plan(beams=other.beams)) is None


def _reference(kind: str | None = "TARGET", structure: str | None = "SITE", dose: float | None = 50.0):
    return DoseReference("1", kind, structure, None, dose)


@pytest.mark.parametrize(
    ("reference", "is_level"),
    [
        (_reference(), True), (_reference(structure="VOLUME"), True), (_reference(None), True),
        (_reference(structure=None), True), (_reference(dose=0.1), True), (_reference(dose=0.0), False),
        (_reference(dose=None), False), (_reference("ORGAN_AT_RISK"), False),
        (_reference(structure="POINT"), False), (_reference(structure="COORDINATES"), False),
    ],
)  # fmt: skip
def test_the_dose_of_a_target_volume_is_a_level(reference, is_level):
    assert reference.is_level is is_level


def test_levels_that_do_not_say_what_they_are_count_only_if_there_are_no_others():
    said, unsaid, half = _reference(), _reference(None, None, 60.0), _reference("TARGET", None, 70.0)
    assert _plan(references=(unsaid, said, half)).levels == (said,)
    assert _plan(references=(unsaid, half, _reference("ORGAN_AT_RISK"))).levels == (unsaid, half)


def test_the_fractions_of_a_plan_are_those_of_its_longest_group():
    assert _plan(_group(fractions=8), _group(fractions=25), _group(fractions=None)).fractions == 25
    assert _plan(_group(fractions=None)).fractions is _plan().fractions is None


def test_an_isocentre_of_several_beams_or_of_an_imaging_one_stands_once_or_never():
    setup = replace(_beam((9, 9, 9)), delivery="SETUP")
    beams = (
        _beam((5, 0, 0)),
        _beam((1, 0, 0)),
        _beam((5, 0, 0)),
        setup,
        replace(_beam((0, 0, 0)), isocentre=None),
    )
    assert _plan(beams=beams).isocentres == ((1, 0, 0), (5, 0, 0))


COPIED = _plan(_group(ONE), frame="9", beams=(_beam((0, 0, 0)),), references=(_reference(),))


@pytest.mark.parametrize(
    ("change", "is_a_copy"),
    [
        (
            {"record_id": "r", "key": "k", "label": "x", "date": dt.date(2015, 1, 1), "approval": "APPROVED",
             "intent": "CURATIVE", "structures": "1.5", "relations": (("1", None),)},
            True,
        ),
        ({"references": (_reference(), _reference(dose=None))}, True),
        ({"references": (_reference(dose=51.0),)}, False),
        ({"references": (_reference(structure="VOLUME"),)}, False),
        ({"frame": "8"}, False),
        ({"ion": True}, False),
        ({"brachy_type": "HDR"}, False),
        ({"applications": ("x",)}, False),
        ({"groups": (_group(ONE, fractions=24),)}, False),
        ({"groups": (_group(GroupBeam("1", 0.5, 101.0)),)}, False),
        ({"groups": (_group(ONE, number="7"),)}, True),
        ({"beams": (_beam((1, 0, 0)),)}, False),
        ({"beams": (replace(_beam((0, 0, 0)), digest="other"),)}, False),
        ({"beams": (replace(_beam((0, 0, 0)), energy=15.0),)}, False),
        ({"beams": (replace(_beam((0, 0, 0)), number="9", machine="LINAC 2"),)}, True),
    ],
)  # fmt: skip
def test_what_makes_a_plan_a_copy(change, is_a_copy):
    assert (replace(COPIED, **change).fingerprint == COPIED.fingerprint) is is_a_copy


def test_references_in_another_order_are_the_same_prescription():
    two = (_reference(), _reference(dose=60.0))
    assert _plan(references=two).fingerprint == _plan(references=two[::-1]).fingerprint


def _row(**columns: Any) -> dict[str, Any]:
    told = {
        name: value if isinstance(value, str | bool) else json.dumps(value) for name, value in columns.items()
    }
    return dict.fromkeys(TypedPlan.polars_schema()) | {"record_id": "r", "sop_instance_uid": "1.1"} | told


def test_a_plan_is_read_from_its_columns():
    group = {
        "FractionGroupNumber": "1", "NumberOfFractionsPlanned": "25", "DoseReferences": ["1", None, ""],
        "Beams": [{"ReferencedBeamNumber": "1", "BeamDose": "2.5", "BeamMeterset": "nan"}],
        "Applications": [
            {"ReferencedBrachyApplicationSetupNumber": "4", "BrachyApplicationSetupDose": "7"}
        ],
        "NumberOfBrachyApplicationSetups": "3",
    }  # fmt: skip
    beam = {
        "BeamNumber": "1", "IsocenterPosition": "1\\2\\-3", "GantryRotationDirection": ["NONE", "CC"],
        "ControlPoints": "12", "RadiationMassNumber": "12", "NominalBeamEnergy": "6", "LeafPositions": 3,
        "SourceAxisDistance": "1000",
    }  # fmt: skip
    plan = plan_of(
        _row(
            fraction_groups=[group], beams=[beam, {}], phantom=False, ion_plan=True,
            dose_references=[{"DoseReferenceType": "TARGET", "TargetPrescriptionDose": "50"}],
            plan_relations=[
                {"ReferencedSOPInstanceUID": "1.9", "RTPlanRelationship": "PREDECESSOR"},
                {"ReferencedSOPInstanceUID": None, "RTPlanRelationship": "PREDECESSOR"},
            ],
            applications=[{"Digest": "d"}],
        )
    )  # fmt: skip
    assert (plan.key, plan.phantom, plan.ion, plan.known_metersets) == ("1.1", False, True, True)
    assert plan.relations == (("1.9", "PREDECESSOR"),)
    assert plan.groups == (
        Group("1", 25, ("1",), (GroupBeam("1", 2.5, None),), (GroupBeam("4", 7.0, None),), 3),
    )
    first, empty = plan.beams
    assert (first.isocentre, first.turns, first.points, first.mass_number) == ((1.0, 2.0, -3.0), True, 12, 12)
    assert (first.energy, first.axis_distance, first.shapes) == (6.0, 1000.0, 3)
    assert (empty.isocentre, empty.turns, empty.points, empty.shapes) == (None, False, 0, None)
    assert (plan.references[0].kind, plan.references[0].dose, plan.applications) == ("TARGET", 50.0, ("d",))


@pytest.mark.parametrize(
    ("text", "fractions"),
    [
        ("25", 25),
        ("1", 1),
        ("0", None),
        ("-1", None),
        ("2.5", None),
        ("x", None),
        (None, None),
        ("inf", None),
    ],
)
def test_a_number_of_fractions_is_a_whole_number_above_0(text, fractions):
    plan = plan_of(_row(fraction_groups=[{"NumberOfFractionsPlanned": text, "DoseReferences": []}]))
    assert plan.groups[0].fractions == fractions


@pytest.mark.parametrize(
    ("at", "isocentre"),
    [("1\\2", None), ("1\\x\\3", None), ("1\\2\\3\\4", None), ("0\\0\\0", (0.0, 0.0, 0.0))],
)
def test_an_isocentre_has_three_numbers(at, isocentre):
    assert plan_of(_row(beams=[{"IsocenterPosition": at}])).beams[0].isocentre == isocentre


@pytest.mark.parametrize(
    ("groups", "known"),
    [([], False), ([{"DoseReferences": []}], True), ([{"DoseReferences": []}, {}], False)],
)
def test_a_record_of_an_earlier_reader_has_no_monitor_units(groups, known):
    assert plan_of(_row(fraction_groups=groups)).known_metersets is known


def test_a_plan_without_a_uid_is_known_by_its_record():
    assert plan_of(_row() | {"sop_instance_uid": None}).key == "r"


def test_groups_of_an_earlier_reader():
    def found(fractions: str | None, doses: str | None) -> list[tuple]:
        groups = json.loads(legacy_groups(fractions, doses) or "[]")
        return [
            (g["FractionGroupNumber"], g["NumberOfFractionsPlanned"], g["Beams"][0]["BeamDose"])
            for g in groups
        ]

    assert found("[25, 8]", "[2.0, 1.8]") == [("1", 25, 2.0), ("2", 8, 1.8)]
    assert found("[25, 8]", "[2.0]") == [("1", 25, None), ("2", 8, None)]
    assert found("[25]", None) == [("1", 25, None)]
    assert legacy_groups(None, "[2.0]") is legacy_groups("[]", "[]") is None


@pytest.mark.parametrize(
    ("value", "number"),
    [("2.5", 2.5), (3, 3.0), ("nan", None), ("inf", None), ("", None), (None, None), ([], None)],
)
def test_a_finite_number(value, number):
    assert finite(value) == number
