"""Prescriptions P1 to P8: expected doses by hand from the page on radiotherapy."""

import pytest

from sarcoma_pipeline.curation.prescription import Prescription, decide, readings, same_dose
from sarcoma_pipeline.curation.radiotherapy_plans import DoseReference, Group, GroupBeam, Plan


def _ref(dose, structure="SITE", kind="TARGET", number: str | None = "1"):
    return DoseReference(number, kind, structure, "PTV", dose)


def _group(fractions: int | None = 25, doses=(1.0, 1.0), links=(), number="1"):
    beams = tuple(GroupBeam(f"{number}{at}", dose, 300.0) for at, dose in enumerate(doses))
    return Group(number, fractions, tuple(links), beams, (), 0)


def _plan(references=(), groups=()) -> Plan:
    return Plan("record", "key", references=tuple(references), groups=tuple(groups))


def _one(references, groups, *documented) -> Prescription:
    return decide(readings(_plan(references, groups)), documented)


def _shown(p: Prescription):
    return p.dose, p.fractions, p.rule


def _notes(p: Prescription):
    return [rule.id for rule in p.notes]


def test_p1_the_highest_target_level():
    p = _one([_ref(50), _ref(60, number="2")], [_group(doses=(1.2, 1.2))])
    assert _shown(p) == (60, 25, "P1") and p.levels == (60, 50)
    assert p.is_integrated_boost and p.origin == "target prescription"
    assert _shown(_one([_ref(50, "VOLUME")], [_group()])) == (50, 25, "P1")


@pytest.mark.parametrize(
    "more",
    [_ref(51.3, "COORDINATES"), _ref(51.3, "POINT"), _ref(55, kind="ORGAN_AT_RISK"), _ref(0), _ref(None)],
)
def test_p1_points_organs_and_nothing_are_no_level(more):
    p = _one([_ref(50), more], [_group()])
    assert _shown(p) == (50, 25, "P1") and not p.is_integrated_boost


def test_p1_levels_within_two_percent_are_one():
    assert _one([_ref(50), _ref(50.9, number="2")], [_group()]).levels == (50.9,)
    assert _one([_ref(50), _ref(51.1, number="2")], [_group()]).levels == (51.1, 50)


def test_p1_only_the_references_that_the_group_is_linked_to():
    both = [_ref(50), _ref(66, number="2")]
    assert _shown(_one(both, [_group(links=["1"])])) == (50, 25, "P1")
    assert _shown(_one(both, [_group(links=["7"])])) == (66, 25, "P1")


@pytest.mark.parametrize("nothing", [(), [_ref(0)], [_ref(None)], [_ref(50, "POINT")]])
def test_p2_beam_dose_times_fractions(nothing):
    p = _one(nothing, [_group()])
    assert (*_shown(p), p.origin) == (50, 25, "P2", "beam dose")


def test_p2_only_if_every_treating_beam_has_a_dose():
    p = _one((), [_group(doses=(1.0, None))])
    assert _shown(p) == (None, 25, "") and _notes(p) == ["plan.beam-dose-incomplete"]
    assert _notes(_one((), [_group(doses=(None, None))])) == []
    assert _one((), [_group(None)]).dose is None


def test_p3_groups_of_one_reference_add_their_fractions():
    p = _one([_ref(50)], [_group(15, links=["1"]), _group(10, links=["1"], number="2")])
    assert _shown(p) == (50, 25, "P3")
    unlinked = _one([_ref(66)], [_group(25), _group(8, number="2")])
    assert _shown(unlinked) == (66, 33, "P3"), "beam dose times fractions of both gives it"


def test_p3_groups_that_each_give_the_whole_dose_are_side_by_side():
    p = _one([_ref(50)], [_group(25, links=["1"]), _group(25, links=["1"], number="2")])
    assert _shown(p) == (50, 25, "P5")


def test_p3_groups_of_one_reference_add_unless_each_gives_the_whole_dose_in_as_many_fractions():
    def linked(*groups: tuple[int, tuple[float | None, ...]]) -> tuple[float | None, int | None, str]:
        made = [_group(n, doses, ["1"], str(at)) for at, (n, doses) in enumerate(groups)]
        return _shown(_one([_ref(50)], made))

    assert linked((25, (1.0, 1.0)), (20, (1.0, 1.5))) == (50, 45, "P3"), "other fractions"
    assert linked((25, (0.5, 0.5)), (25, (0.5, 0.5))) == (50, 50, "P3"), "half of the dose each"
    assert linked((25, (1.0, 1.0)), (25, (0.5, 0.5))) == (50, 50, "P3"), "one gives it all"
    assert linked((25, (1.0, None)), (25, (1.0, 1.0))) == (50, 50, "P3"), "a beam without a dose"


def test_p5_without_links_one_prescription_has_the_fractions_of_either_group():
    def offered(*numbers: int | None) -> list[tuple[float | None, int | None, str]]:
        groups = [_group(n, number=str(at)) for at, n in enumerate(numbers)]
        return [_shown(one) for one in readings(_plan([_ref(50)], groups))]

    assert offered(25, 8) == offered(8, 25) == [(50, 25, "P5"), (50, 8, "P5")]
    assert offered(1, None) == offered(None, 1) == [(50, 1, "P5"), (50, None, "P5")]


PHASES = ([_ref(50), _ref(16, number="2")], [_group(25, links=["1"]), _group(8, links=["2"], number="2")])
CUMULATIVE = ([_ref(50), _ref(66, number="2")], PHASES[1])


def test_p4_documentation_equals_the_sum():
    p = _one(*PHASES, (66.0, 33))
    assert _shown(p) == (66, 33, "P4") and p.sequential and p.levels == (66, 50)
    assert p.phases == ((50, 25), (16, 8))
    assert _shown(_one(*PHASES, (66.0, None))) == (66, 33, "P4")
    assert _shown(_one(*PHASES, (66.0, 30))) == (66, 33, "P4"), "a wrong single dose is another finding"


def test_p4_cumulative_references():
    p = _one(*CUMULATIVE, (66.0, 33))
    assert _shown(p) == (66, 33, "P4") and p.sequential
    assert p.phases == ((50, 25), (16, 8)) and p.levels == (66, 50)
    assert _one(*CUMULATIVE, (116.0, 33)).dose == 116, "only if documentation says so"


def test_p4_without_links_the_references_add():
    unlinked = (PHASES[0], [_group(25), _group(8, number="2")])
    p = _one(*unlinked, (66.0, 33))
    assert _shown(p) == (66, 33, "P4") and p.phases == ((50, 25), (16, 8))


def test_p5_documentation_equals_one_prescription():
    two = ([_ref(50)], [_group(25), _group(25, number="2")])
    assert _shown(_one(*two, (50.0, 25))) == (50, 25, "P5")
    three = ([_ref(50)], [_group(25), _group(25, number="2"), _group(25, number="3")])
    assert _shown(_one(*three, (50.0, 25))) == (50, 25, "P5")
    apart = ([_ref(50), _ref(46, number="2")], [_group(25, links=["1"]), _group(23, links=["2"], number="2")])
    assert _shown(_one(*apart, (50.0, 25))) == (50, 25, "P5")
    assert _shown(_one(*apart, (46.0, 23))) == (46, 23, "P5")


@pytest.mark.parametrize("documented", [(), ((60.0, 30),), ((None, None),)])
def test_p6_neither_has_no_dose_and_is_asked_for(documented):
    p = _one(*PHASES, *documented)
    assert (p.dose, p.rule) == (None, "P6")
    assert [(a.dose, a.fractions) for a in p.alternatives] == [(66, 33), (50, 25), (16, 8)]


def test_p7_centigray():
    p = _one([_ref(5000)], [_group()])
    assert _shown(p) == (50, 25, "P1 P7") and _notes(p) == ["plan.prescription-in-cgy"]
    assert _one([_ref(499)], [_group()]).rule == "P1"
    beams = _one((), [_group(doses=(100.0, 100.0))])
    assert _shown(beams) == (50, 25, "P2 P7") and _notes(beams) == ["plan.prescription-in-cgy"]
    levels = _one([_ref(5000), _ref(6000, number="2")], [_group(doses=(1.2, 1.2))])
    assert levels.levels == (60, 50)


def test_p8_the_dose_of_one_fraction():
    p = _one([_ref(2)], [_group()])
    assert _shown(p) == (50, 25, "P1 P8") and _notes(p) == ["plan.prescription-per-fraction"]
    both = _one([_ref(2.4), _ref(2, number="2")], [_group(doses=(1.2, 1.2))])
    assert both.levels == (60, 50)
    cgy = _one([_ref(200)], [_group()])
    assert _shown(cgy) == (50, 25, "P1 P7 P8")
    assert set(_notes(cgy)) == {"plan.prescription-in-cgy", "plan.prescription-per-fraction"}


def test_p7_from_500_and_p8_up_to_12_gy_and_from_two_fractions():
    assert _shown(_one([_ref(500)], [_group()])) == (5, 25, "P1 P7")
    assert _shown(_one((), [_group(doses=(10.0, 10.0))])) == (5, 25, "P2 P7")
    assert _shown(_one([_ref(12)], [_group(5, doses=(6.0, 6.0))])) == (60, 5, "P1 P8")
    assert _shown(_one([_ref(8)], [_group(2, doses=(8.0,))])) == (16, 2, "P1 P8")
    # 100 in 25 fractions with 1 Gy from the beams: centigray for one fraction.
    assert _shown(_one([_ref(100)], [_group(doses=(0.5, 0.5))])) == (25, 25, "P1 P7 P8")
    # 10 % of 2.21 Gy from the beams are 0.221 Gy: 200 cGy may be meant, but not 198 cGy.
    assert _shown(_one([_ref(200)], [_group(doses=(2.21,))])) == (50, 25, "P1 P7 P8")
    assert _shown(_one([_ref(198)], [_group(doses=(2.21,))])) == (198, 25, "P1")
    assert _shown(_one([_ref(5000)], [])) == (50, None, "P1 P7")
    both = ([_ref(5000), _ref(1600, number="2")], PHASES[1])
    assert _shown(_one(*both, (66.0, 33))) == (66, 33, "P4 P7")


def test_the_dose_of_a_fraction_may_be_small_but_not_nothing():
    assert _shown(_one((), [_group(doses=(0.5, 0.5))])) == (25, 25, "P2")
    nothing = _one((), [_group(doses=(0.0, 0.0))])
    assert _shown(nothing) == (None, 25, "") and _notes(nothing) == ["plan.beam-dose-incomplete"]


def test_a_group_without_beams_and_fractions_is_not_used():
    assert _shown(_one([_ref(50)], [_group(), _group(None, (), number="2")])) == (50, 25, "P1")
    # A group with fractions only is used: nobody knows which dose it gives.
    assert _shown(_one([_ref(50)], [_group(), _group(8, (), number="2")])) == (None, None, "P6")
    assert _shown(_one([_ref(50)], [_group(None, ())])) == (50, None, "P1")


def test_p6_keeps_the_fractions_on_which_all_readings_agree():
    two = [_group(25), _group(25, number="2")]
    assert _shown(_one([_ref(50)], two)) == (None, 25, "P6")


def test_references_without_numbers_are_told_apart():
    unnumbered = [_ref(16, number=None), _ref(50, number=None)]
    p = _one(unnumbered, [_group(25), _group(8, number="2")], (66.0, 33))
    assert _shown(p) == (66, 33, "P4") and p.phases == ((50, 25), (16, 8))


def test_p2_groups_of_one_beam_dose_are_offered_with_the_most_fractions_first():
    """25 fractions of 2 Gy and 10 of 5 Gy are 50 Gy each."""
    long, short = _group(25), _group(10, (2.5, 2.5), number="2")
    for groups in ([long, short], [short, long]):
        found = readings(_plan((), groups))
        assert [_shown(one) for one in found] == [
            (100, 35, "P2 P4"), (50, 25, "P2 P5"), (50, 10, "P2 P5"),
        ]  # fmt: skip


def test_doses_are_the_same_within_two_percent_of_the_greater():
    assert same_dose(50, 49) and same_dose(49, 50) and same_dose(0, 0)
    assert not same_dose(50, 48.99) and not same_dose(48.99, 50)


def test_p8_not_for_a_small_total_dose():
    assert _shown(_one([_ref(10)], [_group(5)])) == (10, 5, "P1"), "a boost of 5 x 2 Gy"
    assert _shown(_one([_ref(8)], [_group(1, doses=(8.0,))])) == (8, 1, "P1"), "one fraction of 8 Gy"
    assert _shown(_one([_ref(12.5)], [_group(5, doses=(12.5,))])) == (12.5, 5, "P1")


def test_p8_without_beam_doses_documentation_decides():
    without = ([_ref(2)], [_group(doses=(None, None))])
    assert _shown(_one(*without, (50.0, 25))) == (50, 25, "P1 P8")
    assert _shown(_one(*without)) == (2, 25, "P1")
    assert _shown(_one(*without, (50.0, 24))) == (2, 25, "P1"), "of other fractions"


@pytest.mark.parametrize("fractions", [None, 0])
def test_unknown_fractions_stay_unknown(fractions):
    p = _one([_ref(50)], [_group(fractions or None)])
    assert (p.dose, p.fractions, p.single) == (50, None, None)


def test_beam_doses_that_differ_from_the_prescription_are_a_warning():
    assert _notes(_one([_ref(50)], [_group(doses=(1.1, 1.1))])) == ["plan.beam-dose-differs"]
    assert _notes(_one([_ref(50)], [_group(doses=(1.02, 1.02))])) == []
    assert _notes(_one([_ref(50)], [_group(doses=(1.0, None))])) == []
    assert _notes(_one([_ref(50), _ref(60, number="2")], [_group()])) == [], "equal to a lower level"
    assert _notes(_one(*PHASES, (66.0, 33))) == []


def test_a_plan_without_groups_or_references():
    assert _shown(_one([_ref(50)], [])) == (50, None, "P1")
    assert _shown(_one([], [])) == (None, None, "")
