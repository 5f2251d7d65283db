"""Technique, radiation and energy by the beams that give most dose."""

from dataclasses import replace

import pytest

from sarcoma_pipeline.curation.radiotherapy_plans import Beam, Group, GroupBeam, Plan
from sarcoma_pipeline.curation.technique import technique_of

ARC = Beam("1", "DYNAMIC", "PHOTON", "TREATMENT", "LINAC1", "Maker", "Model", 1000.0, 6.0, None, True, 90, 40,
           None, "d")  # fmt: skip
STATIC = replace(ARC, kind="STATIC", turns=False, shapes=1, points=2)


def _plan(*beams: Beam, doses=None, **more) -> Plan:
    numbered = tuple(replace(b, number=str(at)) for at, b in enumerate(beams))
    each = doses or [1.0] * len(beams)
    used = tuple(GroupBeam(b.number, dose, 100.0) for b, dose in zip(numbered, each, strict=True))
    return Plan("r", "k", beams=numbered, groups=(Group("1", 25, (), used, (), 0),), **more)


def _technique(*beams: Beam, **more) -> str:
    return technique_of(_plan(*beams, **more)).technique


def test_arcs():
    assert _technique(ARC, ARC) == "VMAT"
    assert _technique(replace(ARC, shapes=1)) == "3D conformal", "a fixed opening that turns"
    assert _technique(replace(ARC, kind="STATIC", shapes=1)) == "3D conformal"
    assert _technique(replace(ARC, kind="STATIC")) == "VMAT", "the leaves move while it turns"
    assert _technique(replace(ARC, shapes=None)) == "VMAT", "of a record that does not tell the leaves"
    assert _technique(replace(ARC, shapes=0)) == "VMAT"


def test_standing_beams():
    sliding = replace(ARC, turns=False)
    assert _technique(sliding) == "static IMRT"
    assert _technique(replace(sliding, shapes=1)) == "3D conformal", "a dynamic wedge: only the jaws move"
    assert _technique(replace(sliding, shapes=0)) == "3D conformal"
    assert _technique(replace(sliding, shapes=None)) == "static IMRT"
    assert _technique(STATIC) == "3D conformal"
    assert _technique(replace(STATIC, shapes=2)) == "3D conformal", "a field in a field"
    assert _technique(replace(STATIC, shapes=3)) == "static IMRT", "step and shoot"
    assert _technique(replace(STATIC, shapes=5)) == "static IMRT"
    assert _technique(replace(STATIC, shapes=None)) == "3D conformal"
    assert _technique(replace(sliding, shapes=2)) == "static IMRT", "two shapes: the leaves move"
    assert _technique(replace(ARC, kind="STATIC", shapes=0)) == "3D conformal", "no leaves, and it turns"


@pytest.mark.parametrize(
    ("change", "tomotherapy"),
    [
        ({"manufacturer": "TomoTherapy Incorporated"}, True),
        ({"manufacturer": "Accuray", "model": "TomoTherapy"}, True),
        ({"manufacturer": "Accuray", "model": "Radixact X9"}, True),
        ({"manufacturer": "Accuray", "model": "Hi-Art"}, True),
        ({"manufacturer": "Accuray", "model": "CyberKnife"}, False),
        ({"machine": "TOMO_BACKUP_TB2"}, False),
        ({"machine": "AUTOMOTION1"}, False),
        ({"machine": "Tomo1", "axis_distance": 850.0}, True),
        ({"machine": "LINAC1", "axis_distance": 850.0}, False),
    ],
)
def test_machine_names_decide_nothing_by_themselves(change, tomotherapy):
    assert (_technique(replace(ARC, **change)) == "helical tomotherapy") == tomotherapy


def test_the_planning_system_names_the_maker_where_the_beam_does_not():
    bare = replace(ARC, manufacturer=None, model=None)
    assert _technique(bare, manufacturer="TomoTherapy Incorporated Hi-Art") == "helical tomotherapy"
    assert _technique(bare, manufacturer="RaySearch RayStation") == "VMAT"
    assert _technique(ARC, manufacturer="TomoTherapy Incorporated") == "VMAT", "the beam has its own maker"


@pytest.mark.parametrize(
    ("change", "radiation", "technique"),
    [
        ({"radiation": "ELECTRON"}, "electrons", "electron"),
        ({"radiation": "PROTON"}, "protons", "proton"),
        ({"radiation": "ION", "mass_number": 12}, "heavier ions", "heavier ion"),
        ({"radiation": "ION", "mass_number": 1}, "protons", "proton"),
        ({"radiation": "NEUTRON"}, "neutrons", "neutron"),
        ({"energy": 1.25}, "cobalt", "VMAT"),
        ({}, "photons", "VMAT"),
        ({"radiation": None}, "photons", "VMAT"),
    ],
)
def test_radiation(change, radiation, technique):
    found = technique_of(_plan(replace(ARC, **change)))
    assert (found.radiation, found.technique) == (radiation, technique)
    assert found.energy_mv == (6.0 if radiation == "photons" else None)


def test_an_ion_plan_without_a_kind_of_radiation_is_of_protons():
    assert technique_of(_plan(replace(ARC, radiation=None), ion=True)).radiation == "protons"


def test_one_arc_among_static_beams_is_not_vmat():
    found = technique_of(_plan(STATIC, STATIC, ARC, doses=[0.9, 0.9, 0.2]))
    assert found.techniques == ("3D conformal", "VMAT")
    assert technique_of(_plan(STATIC, ARC, doses=[0.4, 1.6])).techniques == ("VMAT", "3D conformal")


def test_monitor_units_weigh_where_doses_are_missing():
    plan = _plan(STATIC, ARC, doses=[None, None])
    units = tuple(replace(b, meterset=m) for b, m in zip(plan.groups[0].beams, (50.0, 500.0), strict=True))
    heavy = replace(plan, groups=(replace(plan.groups[0], beams=units),))
    assert technique_of(heavy).technique == "VMAT"


def test_the_dose_of_all_fractions_of_a_group_weighs():
    def technique(*groups: tuple[int | None, Beam, float]) -> str:
        plan = _plan(*(beam for _, beam, _ in groups))
        made = tuple(
            Group(str(at), n, (), (GroupBeam(str(at), dose, 100.0),), (), 0)
            for at, (n, _, dose) in enumerate(groups)
        )
        return technique_of(replace(plan, groups=made)).technique

    assert technique((25, STATIC, 1.0), (5, ARC, 1.5)) == "3D conformal"
    assert technique((None, STATIC, 1.0), (1, ARC, 1.5)) == "VMAT", "unknown fractions are one"
    # A small dose is known all the same: monitor units do not decide.
    small = _plan(STATIC, ARC, doses=[0.5, 0.3])
    units = tuple(replace(b, meterset=m) for b, m in zip(small.groups[0].beams, (50.0, 500.0), strict=True))
    once = replace(small, groups=(Group("1", 1, (), units, (), 0),))
    assert technique_of(once).technique == "3D conformal"


def test_the_energy_is_that_of_the_first_technique_and_may_be_unknown():
    """Arcs give 1.0 Gy of 6 MV and 0.5 Gy of 10 MV, a static beam 1.2 Gy of 15 MV."""
    beams = ARC, replace(ARC, energy=10.0), replace(STATIC, energy=15.0)
    found = technique_of(_plan(*beams, doses=[1.0, 0.5, 1.2]))
    assert (found.technique, found.energies, found.energy_mv) == ("VMAT", (15.0, 6.0, 10.0), 6.0)
    unknown = technique_of(_plan(replace(ARC, energy=None)))
    assert (unknown.radiation, unknown.energies, unknown.energy_mv) == ("photons", (), None)


def test_mixed_energies_and_radiations_are_lists():
    electrons = replace(STATIC, radiation="ELECTRON", energy=12.0)
    found = technique_of(_plan(ARC, replace(ARC, energy=15.0), electrons, doses=[0.5, 1.3, 0.2]))
    assert found.radiations == ("photons", "electrons")
    assert (found.energies, found.energy_mv) == ((15.0, 6.0), 15.0)


def test_setup_beams_decide_nothing_and_nothing_is_unknown():
    assert _technique(STATIC, replace(ARC, delivery="SETUP"), doses=[2.0, 0.0]) == "3D conformal"
    assert technique_of(Plan("r", "k")).technique == "unknown"


def test_brachytherapy():
    plan = Plan("r", "k", brachy_type="HDR", groups=(Group("1", 5, (), (), (), 1),))
    assert technique_of(plan).techniques == ("brachytherapy",)
