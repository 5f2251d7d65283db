"""Delivered fractions: keys, continuations, shares, gaps, summaries."""

import datetime as dt
from dataclasses import replace

import pytest

from sarcoma_pipeline.curation.delivery import Delivered, as_prescribed, delivered, filled
from sarcoma_pipeline.curation.prescription import Prescription
from sarcoma_pipeline.curation.radiotherapy_plans import Group, GroupBeam, Plan
from sarcoma_pipeline.curation.treatment_records import GroupSummary, Session, TreatmentRecord

TWO_BEAMS = (GroupBeam("1", 1.0, 200.0), GroupBeam("2", 1.0, 100.0))
PLAN = Plan("plan", "1.1", groups=(Group("1", 25, (), TWO_BEAMS, (), 0),))
WITHOUT_UNITS = Plan("plan", "1.1", groups=(Group("1", 25, (), (), (), 0),))


def _day(n: int) -> dt.date:
    return dt.date(2015, 3, 2) + dt.timedelta(n)


def _record(n, number: int | None = 0, *, beam=None, units=None, ended="NORMAL", kind="TREATMENT", **more):
    session = Session(
        beam, (n if number == 0 else number) or None, kind, ended, more.pop("said", None), units
    )
    values = {
        "uid": more.pop("uid", f"u{n}{beam}{units}"),
        "time": None,
        "group": None,
        "origin": None,
    } | more
    return TreatmentRecord(
        f"record {n} {beam} {units} {values['uid']}", plan="1.1", date=_day(n), sessions=(session,),
        summaries=(), **values,
    )  # fmt: skip


def _summary(count, last=30, dates=()):
    return TreatmentRecord(
        f"summary {count}", f"s{count}", "1.1", None, None, None, None, (), (GroupSummary(count, dates),),
        _day(0), _day(last),
    )  # fmt: skip


def _given(*records, plan=PLAN) -> Delivered:
    found = delivered(plan, records)
    assert found is not None
    return found


def _notes(found: Delivered):
    return [(rule.id, value) for rule, _, value in found.notes]


LINKED = tuple(Group(n, count, ("1",), (), (), 0) for n, count in (("1", 25), ("2", 10)))
SEQUENTIAL = Prescription(
    65.0, 35, (65.0, 50.0), "P4", "target prescription", phases=((50.0, 25), (15.0, 10))
)
ALL_AND_FOUR = (("1", 25, 25.0), ("2", 4, 4.0))


def _as_prescribed(groups, read: Prescription, of_plan=LINKED) -> tuple[int, float, float | None]:
    given = Delivered(29, 29.0, (_day(1),), "records", ("r",), groups=groups)
    found = as_prescribed(given, Plan("plan", "1.1", groups=of_plan), read)
    return found.fractions, found.shares, found.dose


def test_groups_that_follow_each_other_have_their_own_doses_per_fraction():
    """25 fractions of 2 Gy and 4 of 1.5 Gy."""
    assert _as_prescribed(ALL_AND_FOUR, SEQUENTIAL) == (29, 29.0, 56.0)
    assert _as_prescribed(ALL_AND_FOUR[1:], SEQUENTIAL) == (29, 29.0, 6.0)


def test_groups_side_by_side_are_parts_of_the_same_fractions():
    both = Prescription(50.0, 25, (50.0,), "P5", "target prescription")
    assert _as_prescribed((("1", 25, 25.0), ("2", 24, 24.5)), both) == (25, 25.0, None)


@pytest.mark.parametrize(
    ("groups", "read", "of_plan"),
    [
        ((), SEQUENTIAL, LINKED),
        # A group that the plan does not have.
        ((*ALL_AND_FOUR, (None, 1, 1.0)), SEQUENTIAL, LINKED),
        # Which dose belongs to which group is not said.
        (ALL_AND_FOUR, SEQUENTIAL, (LINKED[0], replace(LINKED[1], references=()))),
        # One group, and nothing follows.
        (ALL_AND_FOUR[:1], Prescription(50.0, 25, (50.0,), "P1", "target prescription"), LINKED[:1]),
    ],
)
def test_without_a_dose_of_each_group_nothing_is_converted(groups, read, of_plan):
    assert _as_prescribed(groups, read, of_plan) == (29, 29.0, None)


def test_the_share_of_the_beams_dose_needs_no_links():
    unlinked = (LINKED[0], replace(LINKED[1], references=()))
    by_beams = replace(SEQUENTIAL, origin="beam dose")
    assert _as_prescribed(ALL_AND_FOUR, by_beams, unlinked) == (29, 29.0, 56.0)


def test_units_of_a_beam_that_the_plan_does_not_have_are_unknown():
    assert [PLAN.meterset_of(number) for number in ("1", "2", "3", None)] == [200.0, 100.0, None, None]


def test_one_fraction_a_record():
    found = _given(*(_record(n) for n in range(1, 6)))
    assert (found.fractions, found.shares, found.origin) == (5, 5.0, "records")
    assert (found.dates[0], found.dates[-1], found.numbers) == (_day(1), _day(5), (1, 2, 3, 4, 5))
    assert _notes(found) == []


def test_a_record_for_each_beam_is_one_fraction():
    found = _given(_record(1, beam="1", units=200.0), _record(1, beam="2", units=100.0))
    assert (found.fractions, found.shares) == (1, 1.0)
    half = _given(_record(1, beam="1", units=200.0))
    assert (half.fractions, round(half.shares, 6)) == (1, round(200 / 300, 6))


def test_a_continuation_is_merged_and_a_fraction_is_never_more_than_whole():
    parts = (_record(1, beam="1", units=150.0, ended="MACHINE"), _record(2, 1, beam="1", units=50.0,
             kind="CONTINUATION"), _record(2, 1, beam="2", units=100.0))  # fmt: skip
    assert (_given(*parts).fractions, _given(*parts).shares) == (1, 1.0)
    assert _given(_record(1, beam="1", units=330.0)).shares == 1.0


def test_monitor_units_outweigh_the_termination_status():
    assert _given(_record(1, beam=None, units=300.0, ended="OPERATOR")).shares == 1.0
    assert _given(_record(1, beam=None, units=150.0, ended="NORMAL")).shares == 0.5


def test_an_early_end_without_monitor_units_does_not_count():
    found = _given(_record(1), _record(2, ended="MACHINE"))
    assert (found.fractions, found.shares) == (1, 1.0)
    assert _notes(found) == [("records.ended-early", "2")]
    done = _given(_record(1), _record(2, ended="MACHINE"), _record(3, 2, kind="CONTINUATION"))
    assert (done.fractions, _notes(done)) == (2, [])


@pytest.mark.parametrize(
    ("ended", "shares", "notes"),
    [("NORMAL", 1.0, []), (None, 1.0, []), ("MACHINE", 0.0, [("records.ended-early", "1")])],
)
def test_a_beam_without_delivered_units_has_those_of_the_plan_only_if_it_ended_normally(ended, shares, notes):
    """Both beams of the plan: 200 and 100 monitor units."""
    found = _given(_record(1, beam="1", ended=ended), _record(1, beam="2", ended=ended))
    assert (found.shares, _notes(found)) == (shares, notes)


def test_a_beam_that_ended_normally_adds_its_planned_units_to_those_of_the_others():
    found = _given(_record(1, beam="1"), _record(1, beam="2", units=40.0))
    assert found.shares == pytest.approx((200 + 40) / 300)


def test_without_a_number_the_day_is_the_key():
    found = _given(*(_record(n, None) for n in (1, 2, 3)), _record(3, None, uid="again"))
    assert (found.fractions, found.numbers) == (3, ())


@pytest.mark.parametrize("kind", ["VERIFICATION", "SETUP", "OPEN_PORTFILM"])
def test_verification_setup_and_port_films_do_not_count(kind):
    assert delivered(PLAN, [_record(1, kind=kind)]) is None
    assert _given(_record(1), _record(2, kind=kind)).fractions == 1
    assert _given(_record(1, kind="TRMT_PORTFILM")).fractions == 1


def test_a_simulation_does_not_count():
    assert delivered(PLAN, [_record(1, origin="SIMULATION")]) is None
    assert _given(_record(1, origin="MEASURED")).fractions == 1


def test_gaps_in_the_numbers_are_found():
    found = _given(*(_record(n) for n in (1, 2, 5)))
    assert found.missing == (3, 4) and found.fractions == 3
    assert _given(*(_record(n) for n in (9, 10, 11))).missing == (), "an earlier plan may have the first"
    assert _given(*(_record(n, None) for n in (1, 4))).missing == ()


def test_what_another_plan_of_the_same_weeks_gave_is_not_missing():
    odd, even = _given(*(_record(n) for n in (1, 3, 5))), _given(*(_record(n) for n in (2, 6)))
    assert (odd.missing, even.missing) == ((2, 4), (3, 4, 5))
    both = filled({"odd": odd, "even": even})
    assert (both["odd"].missing, both["even"].missing) == ((4,), (4,))
    later = _given(*(_record(day, day - 20) for day in (22, 24)))
    assert filled({"odd": odd, "later": later})["odd"].missing == (2, 4)


def test_missing_fractions_are_looked_for_in_plans_that_share_a_day():
    odd = _given(*(_record(n) for n in (1, 3, 5)))
    for days, missing in (
        ((5, 9), (4,)), ((6, 9), (2, 4)), ((-4, 1), (4,)), ((-4, 0), (2, 4)), ((), (2, 4)),
    ):  # fmt: skip
        other = Delivered(2, 2.0, tuple(map(_day, days)), "records", ("r",), numbers=(2,))
        assert filled({"odd": odd, "other": other})["odd"].missing == missing
        assert filled({"other": other, "odd": odd})["odd"].missing == missing
    # The third fraction of another group of the plan is not that of this one.
    apart = replace(odd, numbers=(1, 2, 3, 4), missing=(3,))
    assert filled({"one": apart})["one"].missing == (3,)


def test_one_number_on_two_days_with_whole_doses_is_found():
    found = _given(_record(1, 1, units=300.0), _record(2, 1, units=300.0))
    assert (found.fractions, _notes(found)) == (1, [("records.fraction-twice", "1")])
    assert _notes(_given(_record(1, 1, units=200.0), _record(2, 1, units=100.0))) == []


def test_a_fraction_has_too_many_units_above_five_percent_on_more_than_one_day():
    def twice(*records):
        return [(rule.id, i, value) for rule, i, value in _given(*records).notes]

    # 105 % of 300 monitor units are 315.
    assert twice(_record(1, 1, units=300.0), _record(2, 1, units=15.0)) == []
    assert twice(_record(1, units=600.0)) == []
    # The finding is of the first record by day, by time, by UID.
    early, late = _record(1, 1, units=300.0, uid="z"), _record(2, 1, units=300.0, uid="0")
    for records in ((early, late), (late, early)):
        assert twice(*records) == [("records.fraction-twice", early.record_id, "1")]
    morning = replace(early, uid="z", time="080000")
    evening = replace(early, uid="a", time="180000", record_id="record evening")
    for records in ((morning, evening, late), (late, evening, morning)):
        assert twice(*records) == [("records.fraction-twice", morning.record_id, "1")]
    first = replace(early, uid="a", record_id="record z")
    second = replace(early, uid="b", record_id="record a")
    for records in ((first, second, late), (late, second, first)):
        assert twice(*records) == [("records.fraction-twice", "record z", "1")]


def test_records_without_a_uid_or_a_time_are_not_taken_for_one():
    beam = _record(1, beam="1", units=50.0, uid="a")
    other = replace(beam, uid="b", record_id="other")
    assert round(_given(beam, other).shares, 6) == round(100 / 300, 6)
    assert _given(*(replace(_record(n), uid=None) for n in (1, 2, 3))).fractions == 3
    assert round(_given(beam, replace(beam, record_id="other")).shares, 6) == round(50 / 300, 6)
    timed = [replace(one, time="101500") for one in (_summary(9), _summary(25))]
    assert _given(*timed).fractions == _given(*reversed(timed)).fractions == 25


def test_an_early_end_counts_neither_its_fraction_nor_its_day():
    lost = _record(2, ended="MACHINE")
    for plan in (PLAN, WITHOUT_UNITS):
        found = _given(_record(1), lost, plan=plan)
        assert (found.fractions, found.dates, found.groups) == (1, (_day(1),), (("1", 1, 1.0),))
        assert [(rule.id, i) for rule, i, _ in found.notes] == [("records.ended-early", lost.record_id)]
    # A single monitor unit is a treatment, where nobody knows how many were planned.
    assert _given(_record(1, units=1.0), plan=WITHOUT_UNITS).shares == 1.0
    assert _given(_record(1, units=0.5), plan=WITHOUT_UNITS).fractions == 1


def test_each_group_has_its_own_monitor_units():
    """150 of 300 and 150 of 600 units; a group that the plan does not have is compared with the first."""
    large = (GroupBeam("3", 1.0, 600.0),)
    plan = Plan("plan", "1.1", groups=(PLAN.groups[0], Group("2", 8, (), large, (), 0)))
    records = [_record(n, 1, group=group, units=150.0) for n, group in ((1, "1"), (2, "2"), (3, "9"))]
    assert _given(*records, plan=plan).groups == (("1", 1, 0.5), ("2", 1, 0.25), ("9", 1, 0.5))
    nameless = _given(_record(1), plan=plan)
    assert nameless.groups == ((None, 1, 1.0),)
    # In a plan with one group a record belongs to it, unless it names another one.
    assert _given(_record(1), _record(2, group="2")).groups == (("1", 1, 1.0), ("2", 1, 1.0))


@pytest.mark.parametrize("turned", [False, True])
def test_of_summaries_of_one_day_the_one_with_most_fractions_counts_and_one_without_a_number_last(turned):
    unknown = replace(_summary(None), record_id="summary z")
    for chosen, count in (([_summary(9), _summary(25)], 25), ([unknown, _summary(1)], 1)):
        assert _given(*(reversed(chosen) if turned else chosen)).fractions == count
    assert delivered(PLAN, [unknown]) is None


def test_a_summary_tells_each_day_if_it_has_as_many_days_as_fractions():
    def tells(fractions: int, origin: str) -> bool:
        return Delivered(fractions, 2.0, (_day(1), _day(2)), origin, ("r",)).tells_each_day

    assert [tells(n, "summary") for n in (1, 2, 3)] == [True, True, False]
    assert tells(3, "records")


def test_a_record_that_was_exported_twice_counts_once():
    same = _record(1, beam="1", units=100.0, uid="same")
    assert round(_given(same, same).shares, 6) == round(100 / 300, 6)
    again = (_record(1, beam="1", units=100.0, uid=u, time="101500") for u in ("a", "b"))
    assert round(_given(*again).shares, 6) == round(100 / 300, 6)


def test_a_plan_without_monitor_units_is_judged_by_the_specified_ones():
    assert _given(_record(1, units=150.0, said=300.0), plan=WITHOUT_UNITS).shares == 0.5
    assert _given(_record(1, units=150.0), plan=WITHOUT_UNITS).shares == 1.0


def test_a_summary_stands_for_missing_records():
    found = _given(_summary(25))
    assert (found.fractions, found.shares, found.origin) == (25, 25.0, "summary")
    assert found.dates == (_day(0), _day(30))
    latest = _given(_summary(10, last=10), _summary(25))
    assert latest.fractions == 25


@pytest.mark.parametrize("turned", [False, True])
def test_the_summary_of_the_latest_treatment_counts_dated_by_its_last_day_or_by_its_own(turned):
    """A later summary with fewer fractions corrects an earlier one; one without any day counts last."""
    older, newer = _summary(25, last=10), _summary(20, last=30)
    own_day = replace(_summary(18), first=None, last=None, date=_day(40))
    undated = replace(_summary(33), first=None, last=None)
    for chosen, count in (
        ([older, newer], 20), ([older, newer, own_day], 18), ([older, newer, own_day, undated], 18),
        ([older, undated], 25), ([undated], 33),
    ):  # fmt: skip
        assert _given(*(reversed(chosen) if turned else chosen)).fractions == count


def test_a_summary_checks_the_records():
    records = [_record(n) for n in range(1, 4)]
    assert _notes(_given(*records, _summary(3))) == []
    found = _given(*records, _summary(25))
    assert (found.fractions, found.origin) == (3, "records")
    assert _notes(found) == [("records.summary-differs", "summary 25, records 3")]


def test_fraction_groups_are_counted_apart():
    groups = (PLAN.groups[0], Group("2", 8, (), TWO_BEAMS, (), 0))
    plan = Plan("plan", "1.1", groups=groups)
    records = [_record(n, group="1") for n in (1, 2)] + [
        _record(n, n - 2, group="2", uid=f"g{n}") for n in (3, 4)
    ]
    assert _given(*records, plan=plan).fractions == 4


def test_no_record_gives_nothing():
    assert delivered(PLAN, []) is None
