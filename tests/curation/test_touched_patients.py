"""Which patients are curated anew, and that the rows of the others are as if all had been."""

import datetime as dt
import random
from typing import Any

import polars as pl
import pytest

from sarcoma_pipeline.curation import reconcile, touched_patients
from sarcoma_pipeline.curation.typed_records import Result
from sarcoma_pipeline.warehouse import step_cache
from schemas import received as r
from tests.conftest import SOURCES
from tests.curation.clinic import Clinic, clinic_of
from tests.curation.test_habits import HABITS
from tests.curation.test_situations import SITUATIONS

NOTHING: frozenset[str] = frozenset()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """Patients of half of the situations, and those with a question; a record of one refers to no plan."""
    asked = {name: one for name, one in HABITS.items() if "undecided" in one.findings or "research" in name}
    chosen = asked | dict(list(SITUATIONS.items())[::2])
    clinic = clinic_of(tmp_path_factory.mktemp("clinic"), chosen)
    clinic.records.add(
        r.DicomTreatment, PatientID="1001", SOPInstanceUID="7.1", ReferencedRTPlan="no such plan"
    )
    return clinic


def _facts(clinic: Clinic) -> dict[str, Any]:
    outcome = clinic.run()
    patients = outcome.link["patient_id"].unique().sort().to_frame()
    plans = frozenset(outcome.typed["typed.plan"]["sop_instance_uid"])
    return {
        "typed": outcome.typed,
        "link": outcome.link,
        "quarantined": pl.Series("record_id", sorted(outcome.quarantined), dtype=pl.String),
        "pseudonyms": patients.with_columns(pseudonym=pl.col("patient_id").str.reverse()),
        "known_plans": plans,
    }


def _curated(
    facts: dict[str, Any],
    typed: dict[str, pl.DataFrame],
    link: pl.DataFrame,
    decided: frozenset[str] = NOTHING,
) -> Result:
    return reconcile.curate(
        typed, link, facts["quarantined"], SOURCES, facts["pseudonyms"],
        known_plans=facts["known_plans"], decided=decided,
    )  # fmt: skip


def _same(one: Result, other: Result) -> list[str]:
    """The tables that are equal, with the order of their rows."""
    pairs = {
        **{table: (frame, other.frames[table]) for table, frame in one.frames.items()},
        "observed": (one.observed, other.observed),
        "disposition": (one.disposition, other.disposition),
    }
    return [name for name, (a, b) in pairs.items() if step_cache.version(a) == step_cache.version(b)]


@pytest.mark.parametrize("touched", [0.5, 0.02])
def test_curating_some_patients_and_keeping_the_rest_is_curating_all(clinic, touched):
    facts = _facts(clinic)
    typed, link = facts["typed"], facts["link"]
    whole = touched_patients.by_record(_curated(facts, typed, link))
    owned = touched_patients.owners(typed, link)
    assert touched_patients.is_local(whole, owned)
    everybody = link["patient_id"].unique().sort()
    chosen = random.Random(touched).sample(everybody.to_list(), int(touched * everybody.len()) or 1)
    some = pl.DataFrame({"patient_id": chosen})
    rest = everybody.to_frame().join(some, on="patient_id", how="anti")
    theirs, of_them = touched_patients.of_patients(typed, link, some)
    assert 0 < theirs["typed.plan"].height < typed["typed.plan"].height
    again = _curated(facts, theirs, of_them)
    got = touched_patients.combined(again, whole, owned, rest)
    assert len(_same(got, whole)) == len(whole.frames) + 2
    # Without the rest, the result would not be that of all.
    assert len(_same(again, whole)) < len(whole.frames)


def _touched(facts: dict[str, Any], **changed: Any) -> set[str]:
    before, after = touched_patients.inputs(**facts), touched_patients.inputs(**facts | changed)
    either = pl.concat([before, after]).filter(pl.struct(pl.all()).is_unique())
    return set(either["patient_id"])


def _row(facts: dict[str, Any], table: str, person: str) -> pl.Expr:
    """The first row of a patient in a typed table."""
    row = facts["typed"][table].with_row_index().filter(pl.col("person_ref") == person)["index"][0]
    return pl.int_range(pl.len()) == row


def _with(facts: dict[str, Any], table: str, **columns: pl.Expr) -> dict[str, pl.DataFrame]:
    return {**facts["typed"], table: facts["typed"][table].with_columns(**columns)}


def test_every_input_of_a_patient_touches_that_patient_and_nobody_else(clinic):
    facts, table, one = _facts(clinic), "typed.diagnosis", "number:1004"
    mine = _row(facts, table, one)
    changed = _with(facts, table, tumour_id=pl.when(mine).then(pl.lit("other")).otherwise("tumour_id"))
    assert _touched(facts, typed=changed) == {one}
    assert _touched(facts, typed={**facts["typed"], table: facts["typed"][table].filter(~mine)}) == {one}
    moved = _with(facts, table, person_ref=pl.when(mine).then(pl.lit("number:1005")).otherwise("person_ref"))
    assert _touched(facts, typed=moved) == {one, "number:1005"}
    record = facts["typed"][table].filter(mine)["record_id"]
    assert record[0] not in facts["quarantined"]
    assert _touched(facts, quarantined=pl.concat([facts["quarantined"], record])) == {one}
    other = pl.when(pl.col("patient_id") == one).then(pl.lit("x")).otherwise("pseudonym")
    assert _touched(facts, pseudonyms=facts["pseudonyms"].with_columns(pseudonym=other)) == {one}
    joined = pl.when(pl.col("patient_id") == one).then(pl.lit("number:1005")).otherwise("patient_id")
    assert _touched(facts, link=facts["link"].with_columns(patient_id=joined)) == {one, "number:1005"}


def test_a_plan_of_anybody_touches_the_patient_whose_record_refers_to_it(clinic):
    facts = _facts(clinic)
    treatment = facts["typed"]["typed.treatment"]
    lone = treatment.join(
        facts["typed"]["typed.plan"], left_on="refers_to", right_on="sop_instance_uid", how="anti"
    )
    uid, person = lone.select("refers_to", "person_ref").drop_nulls().row(0)
    assert _touched(facts, known_plans=facts["known_plans"] | {uid}) == {person}
    assert _touched(facts, known_plans=facts["known_plans"] | {"of nobody"}) == set()


def test_another_place_and_day_of_receipt_touch_nobody_but_another_order_does(clinic):
    facts = _facts(clinic)
    moved = {
        table: frame.with_columns(
            place=pl.lit("another/export.xml ") + pl.col("place"), received_on=pl.lit(dt.date(2031, 5, 6))
        )
        for table, frame in facts["typed"].items()
    }
    assert _touched(facts, typed=moved) == set()
    whole = touched_patients.by_record(_curated(facts, facts["typed"], facts["link"]))
    assert len(_same(touched_patients.by_record(_curated(facts, moved, facts["link"])), whole)) == 16
    radiotherapy = facts["typed"]["typed.radiotherapy"]
    several = radiotherapy.group_by("person_ref").agg(pl.col("place").n_unique()).filter(pl.col("place") > 1)
    person = several["person_ref"].sort()[0]
    places = radiotherapy.filter(pl.col("person_ref") == person)["place"].unique().sort()
    swapped = pl.when(pl.col("person_ref") == person).then(
        pl.col("place").replace({places[0]: places[1], places[1]: places[0]})
    )
    other = _with(facts, "typed.radiotherapy", place=swapped.otherwise("place"))
    assert _touched(facts, typed=other) == {person}


@pytest.mark.parametrize("rule", ["course.undecided", "course.research-plan"])
def test_a_chosen_reading_touches_its_patient_and_so_does_its_end(clinic, rule):
    facts = _facts(clinic)
    typed, link = facts["typed"], facts["link"]
    owned = touched_patients.owners(typed, link)
    undecided = touched_patients.by_record(_curated(facts, typed, link))
    readings = undecided.frames["curated.radiotherapy_reading"]
    one, key = (
        readings.filter(rule_id=rule, reading=2).select("patient_id", "reading_key").sort(pl.all()).row(0)
    )
    decided = frozenset({key, "a reading of nobody"})
    whole = touched_patients.by_record(_curated(facts, typed, link, decided))
    assert readings["patient_id"].n_unique() > 1
    for before, after, keys in ((undecided, whole, decided), (whole, undecided, NOTHING)):
        asked = before.frames["curated.radiotherapy_reading"]
        some = touched_patients.decided_otherwise(asked, keys)
        assert some["patient_id"].to_list() == [one]
        rest = link.select("patient_id").unique().join(some, on="patient_id", how="anti")
        new = _curated(facts, *touched_patients.of_patients(typed, link, some), keys)
        assert len(_same(touched_patients.combined(new, before, owned, rest), after)) == 16
        assert len(_same(before, after)) < 16
        assert touched_patients.decided_otherwise(
            after.frames["curated.radiotherapy_reading"], keys
        ).is_empty()


def test_what_is_said_of_a_record_of_nobody_or_of_two_patients_is_not_local(clinic):
    facts = _facts(clinic)
    owned = touched_patients.owners(facts["typed"], facts["link"])
    made = _curated(facts, facts["typed"], facts["link"])
    assert touched_patients.is_local(made, owned)
    said = made.observed["record_id"][0]
    assert not touched_patients.is_local(made, owned.filter(pl.col("record_id") != said))
    twice = pl.DataFrame({"record_id": [said], "patient_id": ["number:other"]})
    assert not touched_patients.is_local(made, pl.concat([owned, twice]))
