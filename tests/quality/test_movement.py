"""The account of movement: what each kind of change explains, and what nothing explains."""

import polars as pl
import pytest

from sarcoma_pipeline.quality import findings, movement, movement_findings, record_changes
from sarcoma_pipeline.quality.moved_values import OF_ESTIMATES, OF_PATIENTS, moved
from sarcoma_pipeline.quality.movement import Circumstances
from sarcoma_pipeline.quality.movement_findings import observe
from schemas.all_contracts import CONTRACTS
from schemas.cohort import CohortEligibility
from schemas.movement import Movement
from tests.quality.movement_evidence import (
    ADDED,
    BASE,
    CHANGED,
    CHANGED_FILE,
    EXAM,
    NIGHT,
    VANISHED,
    WHO,
    evidence_of,
    frame_of,
    is_record,
    used_record,
    was_record,
)

ENDPOINT = {
    "pseudonym": WHO,
    "endpoint": "OS",
    "time_days": 100,
    "event_kind": "censored",
    "evidence": ["r1"],
}


def _released(**changes):
    return {"cohort.endpoints": pl.DataFrame([{**ENDPOINT, **changes}])}


MOVED = moved(_released(), _released(time_days=130, evidence=["r2"]), OF_PATIENTS)
LEFT = moved(_released(), {"cohort.endpoints": _released()["cohort.endpoints"].clear()}, OF_PATIENTS)


def _account(evidence, moves=MOVED, differing=("Untersuchungsdatum_Verlauf",), eligibility=None, **changes):
    def rows_of(_, ids):
        return pl.DataFrame({"record_id": ids}).with_columns(
            *(pl.col("record_id").alias(c) for c in differing), same=pl.lit("x")
        )

    return movement.account(
        moves,
        record_changes.changes(evidence),
        CohortEligibility.empty() if eligibility is None else eligibility,
        Circumstances(NIGHT, BASE, **changes),
        rows_of,
    )


QUIET = evidence_of(
    [used_record("r1", "f1")],
    [used_record("r1", "f1")],
    [is_record("r1", "k", "c1", "f1")],
    [("f1", "a", "bytes", BASE, None)],
)


def _said(made):
    return made.values.select("causes", "unexplained").unique().rows()


def test_only_values_move_and_evidence_alone_does_not():
    assert MOVED.select("pseudonym", "row", "column_name", "old", "new").rows() == [
        (WHO, "OS", "time_days", "100", "130")
    ]
    assert moved(_released(), _released(evidence=["r9"]), OF_PATIENTS).is_empty()
    assert LEFT.select("column_name", "old", "new").rows() == [("(row)", "present", "absent")]


def test_a_value_that_becomes_null_moves():
    gone = moved(_released(event_kind=None), _released(event_kind="death"), OF_PATIENTS)
    assert gone.select("old", "new").rows() == [(None, "death")]


@pytest.mark.parametrize("silent", [CHANGED, VANISHED])
def test_a_silent_change_is_a_finding_with_patient_values_and_files(silent):
    made = _account(silent)
    assert _said(made) == [(["file changed"], True)]
    seen = observe(made.values, silent.now.select("pseudonym", "record_id"))
    assert seen["rule_id"].to_list() == ["release.moved-unexplained"]
    assert seen["value"].to_list() == ["100 → 130"]
    note = seen["note"].item()
    assert WHO in note and "OS time_days: 100 → 130" in note and "f1" in note
    assert made.records["moved"].all()


def test_a_changed_record_whose_difference_is_no_part_of_the_value_does_not_explain_it():
    """The patient's name changed the same night: it moves no time."""
    made = _account(CHANGED, differing=("Meldung_ID",), program=True)
    assert _said(made) == [(["program"], False)]


def test_an_added_record_explains_the_move():
    made = _account(ADDED)
    assert _said(made) == [(["file changed"], False)]
    assert made.values["file_ids"].to_list() == [["f2"]]
    assert observe(made.values, ADDED.now.select("pseudonym", "record_id")).is_empty()


def test_an_added_record_does_not_excuse_a_changed_one():
    both = evidence_of(
        [used_record("r1", "f1")],
        [used_record("r2", "f2"), used_record("r3", "f2")],
        [
            was_record("r1", "k", "c1", "f1"),
            is_record("r2", "k", "c2", "f2", since=NIGHT),
            is_record("r3", "k3", "c3", "f2", since=NIGHT),
        ],
        CHANGED_FILE,
    )
    assert _said(_account(both)) == [(["file changed"], True)]


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"program": True}, "program"),
        ({"configuration": True}, "configuration"),
        ({"decided": frozenset({WHO})}, "decision"),
        ({"decided_all": True}, "decision"),
        ({"lapsed": frozenset({WHO})}, "calendar"),
        ({"key": True}, "key"),
    ],
)
def test_what_holds_for_the_whole_study_explains_where_no_record_is_another_one(given, cause):
    assert _said(_account(QUIET, **given)) == [([cause], False)]


def test_a_decision_about_another_patient_explains_nothing():
    assert _said(_account(QUIET, decided=frozenset({"p2"}))) == [([], True)]


@pytest.mark.parametrize("given", [{"program": True}, {"configuration": True}])
def test_a_new_program_does_not_excuse_a_record_that_a_sender_changed(given):
    assert [unexplained for _, unexplained in _said(_account(CHANGED, **given))] == [True]


def test_a_move_that_nothing_explains_is_a_finding_about_the_patients_first_record():
    made = _account(QUIET)
    assert _said(made) == [([], True)]
    assert observe(made.values, QUIET.now.select("pseudonym", "record_id"))["record_id"].to_list() == ["r1"]


def test_a_patient_who_leaves_has_the_criterion_that_they_do_not_meet():
    columns = {**dict.fromkeys(CohortEligibility.polars_schema()), "pseudonym": WHO, "position": 1}
    row = {**columns, "criterion": "site", "met": False, "reason": "head", "excluded_here": True}
    left = CohortEligibility.conform(pl.DataFrame([row], strict=False))
    whole = [("f1", "a", "bytes", BASE, None)]
    gone = evidence_of(
        [used_record("r1", "f1")], [], [is_record("r1", "k", "c1", "f1")], whole, owned=[(WHO, "r1")]
    )
    made = _account(gone, LEFT, eligibility=left, configuration=True)
    assert made.values.select("criterion", "reason").rows() == [("site", "head")]
    assert _said(made) == [(["configuration"], False)]
    assert _said(_account(gone, LEFT, eligibility=left)) == [([], True)]


def test_the_day_of_the_cut_off_moves_the_age_of_answers_and_nothing_else():
    columns = "table_name pseudonym row column_name old new"
    age = frame_of(columns, [("cohort.patients", WHO, None, "registry_answer_age_months", "1", "2")])
    assert _said(_account(QUIET, age, cut_off=True)) == [(["calendar"], False)]
    assert _said(_account(QUIET, age)) == [([], True)]
    assert _said(_account(QUIET, cut_off=True)) == [([], True)]


def test_an_unexplained_move_stands_until_the_value_moves_again_or_a_steward_decides():
    made = _account(CHANGED).values
    nothing = MOVED.clear()
    stands = movement.standing(made, nothing, _released(time_days=130))
    assert stands.equals(made)
    assert movement.standing(made, nothing, _released(time_days=100)).is_empty()
    assert movement.standing(made, MOVED, _released(time_days=130)).is_empty()
    assert movement.standing(
        made, nothing, {"cohort.endpoints": _released()["cohort.endpoints"].clear()}
    ).is_empty()
    used = CHANGED.now.select("pseudonym", "record_id")
    for at, unexplained in (("2030-01-02T09:00:00+00:00", False), ("2030-01-01T09:00:00+00:00", True)):
        decided = movement_findings.decided(stands, used, frame_of("record_id at", [("r2", at)]))
        assert decided["unexplained"].to_list() == [unexplained]
    assert movement_findings.decided(stands, used, frame_of("record_id at", [("other", at)]))[
        "unexplained"
    ].all()
    assert movement.standing(Movement.empty(), nothing, {}).is_empty()


def test_the_first_and_the_last_patient_of_many_have_findings_of_their_own():
    """The order of rows does not change the account."""
    two = MOVED.with_columns(pseudonym=pl.lit("p0")).vstack(MOVED)
    orders = [observe(_account(CHANGED, frame).values, CHANGED.now) for frame in (two, two.reverse())]
    assert orders[0].height == 2 and orders[0].equals(orders[1])


def test_estimates_move_because_patients_moved():
    row = {
        "endpoint": "OS",
        "quantity": "median",
        "horizon_months": 12,
        "value": 1.0,
        "ci_low": 0.5,
        "ci_high": None,
    }
    old, new = ({"analysis.survival_estimate": pl.DataFrame([{**row, "value": v}])} for v in (1.0, 2.0))
    estimates = moved(old, new, OF_ESTIMATES)
    assert estimates["row"].to_list() == ["OS median 12"]
    patients = _account(ADDED).values
    made = movement.of_estimates(estimates, patients, BASE, frozenset())
    assert made.select("causes", "unexplained").rows() == [(["patients"], False)]
    alone = movement.of_estimates(estimates, Movement.empty(), BASE, frozenset())
    assert alone.select("causes", "unexplained").rows() == [([], True)]
    upgraded = movement.of_estimates(estimates, Movement.empty(), BASE, frozenset({"program"}))
    assert upgraded.select("causes", "unexplained").rows() == [(["program"], False)]
    earlier = movement.of_estimates(estimates, patients, "another release", frozenset())
    assert earlier["unexplained"].all()


def test_the_summary_says_first_what_nothing_explains():
    silent, told = _account(CHANGED).values, _account(ADDED).values
    assert movement.summary(pl.concat([told, silent])) == [
        "1 released value of 1 patient moved, and nothing says why: "
        "sarcoma findings --rule release.moved-unexplained",
        "1 released value of 1 patient moved: file changed 1",
    ]
    assert movement.summary(Movement.empty()) == []


def _silent(numbers, path="obds/a.xml"):
    """A night on which a record of each of these patients moved one value in silence."""
    file = f"id of {path}"
    rows = [
        {
            "refresh_id": NIGHT, "compared_with": BASE, "table_name": "cohort.endpoints",
            "pseudonym": f"p{n:03}", "row": "OS", "column_name": "time_days", "old": f"{n}",
            "new": f"{n + 14}",
            "causes": ["file changed"], "file_ids": [file], "unexplained": True,
            "record_id": f"{path} {n:03}",
        }
        for n in numbers
    ]  # fmt: skip
    places = [
        {
            "record_id": f"{path} {n:03}", "file_id": file, "path": path, "position": f"line {n}",
            "record_key": f"k{n}", "content_hash": f"c{n}", "received_as": EXAM, "source": "obds",
        }
        for n in numbers
    ]  # fmt: skip
    values = Movement.conform(pl.DataFrame(rows, schema_overrides=dict(Movement.polars_schema())))
    used = values.select("pseudonym", "record_id")
    return values, used, pl.DataFrame(places)


def _findings_of(values, used, places):
    patients = CONTRACTS["curated.patient"].empty()
    links = CONTRACTS["curated.link"].empty()
    return findings.findings(
        observe(values, used), places, CONTRACTS["typed.person"].empty(), patients, links
    )


@pytest.mark.parametrize(("many", "expected"), [(50, 50), (51, 1), (300, 1)])
def test_more_than_fifty_silent_moves_of_a_file_are_one_finding_with_a_count(many, expected):
    values, used, places = _silent(range(many))
    found = _findings_of(values, used, places)
    assert found.height == expected
    assert set(found["rule_id"]) == {"release.moved-unexplained"}
    assert found["records"].sum() == many
    if expected == 1:
        assert found["path"].item() == "obds/a.xml"
        assert found["position"].item() == f"line 0; line 1; line 2 and {many - 3} more"
        assert f"{many} records" in found["note"].item()
    # The account still names every patient, and the summary counts them.
    assert values.filter("unexplained")["pseudonym"].n_unique() == many
    assert str(many) in " ".join(movement.summary(values))


def test_silent_moves_of_two_files_are_counted_apart():
    one, other = _silent(range(60)), _silent(range(100, 140), "obds/b.xml")
    found = _findings_of(*(pl.concat(pair) for pair in zip(one, other, strict=True)))
    assert sorted(found.group_by("path").agg(pl.len(), pl.col("records").sum()).rows()) == [
        ("obds/a.xml", 1, 60), ("obds/b.xml", 40, 40),
    ]  # fmt: skip


def test_a_decision_on_the_joined_finding_is_the_cause_of_every_move_in_it():
    values, used, places = _silent(range(60))
    named = findings.joined_ids(
        observe(values, used), places, "", frame_of("finding_id at action until content_hash", [])
    )
    assert named["finding_id"].n_unique() == 1
    decided = named.select("record_id", at=pl.lit("2030-01-03T00:00:00+00:00"))
    settled = movement_findings.decided(values, used, decided)
    assert not settled["unexplained"].any()
    assert settled["causes"].list.contains("decision").all()


def test_moves_against_a_release_are_undone_when_nothing_differs_from_it_and_others_stay():
    other = _account(CHANGED)
    both = movement.Account(
        pl.concat([other.values, other.values.with_columns(compared_with=pl.lit(NIGHT))]),
        pl.concat([other.records, other.records.with_columns(compared_with=pl.lit(NIGHT))]),
    )
    assert set(other.records["compared_with"]) == {BASE}
    left = movement.undone(both, NIGHT)
    assert left.values.equals(other.values) and left.records.equals(other.records)
