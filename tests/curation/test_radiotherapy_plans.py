"""Facts of one plan: monitor units and beam doses, by fraction group."""

from dataclasses import replace

import pytest

from sarcoma_pipeline.curation.radiotherapy_plans import Beam, Group, GroupBeam, Plan, distance_mm

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
