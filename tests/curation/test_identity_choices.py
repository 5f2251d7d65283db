"""What a data steward decides about identities: it is done and told, and lapses with what it rests on."""

import polars as pl
import pytest

from sarcoma_pipeline.curation import identity
from sarcoma_pipeline.curation import identity_choices as choices
from schemas import received as r
from schemas import typed_dicom
from schemas.curated_identity import IdentityReading

DECIDED = "identity.decided"


def _answers(records):
    """Rule and number of each answer that is offered to its key."""
    made = identity.link(records.typed()).frames[IdentityReading.table()]
    return {(row["rule_id"], row["reading"]): row["reading_key"] for row in made.rows(named=True)}


def _chosen(records, keys):
    """Rule and number of each answer that is marked as the chosen one."""
    made = identity.link(records.typed(), keys).frames[IdentityReading.table()]
    return {(row["rule_id"], row["reading"]) for row in made.rows(named=True) if row["chosen"]}


def _one(records):
    records.patient()
    records.diagnosis()


def _reply(records, **values):
    return records.reply(answer="lebt", answered_on="01.06.2015", **values)


@pytest.mark.parametrize(
    ("values", "rule", "stays"),
    [
        (
            {"family_name": "Schmidt", "birth_date": "01.01.1931"},
            "identity.contradiction",
            "the record belongs to the patient of its number all the same",
        ),
        (
            {"family_name": "Schmidt"},
            "identity.detail-differs",
            "the record belongs to the patient of its number",
        ),
    ],
)
def test_what_a_steward_may_answer_about_a_record_that_differs_from_its_number(records, values, rule, stays):
    _one(records)
    _reply(records, hospital_number="1", **values)
    made = identity.link(records.typed()).frames[IdentityReading.table()]
    assert made.select("rule_id", "text").sort("text").rows() == sorted([
        (rule, "the record does not belong to the patient of its number; it is left out"), (rule, stays),
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("of_set", "of_plans", "mismatched"),
    [
        ("number:1", ["number:2"], True),
        ("number:1", ["number:1"], False),
        ("number:1", ["number:2", "number:1"], False),
        ("number:1", [], False),
        # Without a PatientID, a file is under no other PatientID.
        (None, ["number:2"], False),
        ("number:1", [None], False),
        ("number:1", [None, "number:2"], True),
    ],
)
def test_a_structure_set_whose_plans_are_all_of_another_patient_is_mismatched(of_set, of_plans, mismatched):
    def frame(contract, *rows):
        known = [
            {"person_ref": ref or "record:x", "has_patient_id": ref is not None, **more} for ref, more in rows
        ]
        return {contract.table(): contract.conform(pl.DataFrame(known))}

    plans = [(ref, {"record_id": f"plan {n}", "refers_to": "1.5"}) for n, ref in enumerate(of_plans)]
    typed = frame(typed_dicom.StructureSet, (of_set, {"record_id": "set", "sop_instance_uid": "1.5"}))
    found = identity.mismatched_structures(typed | frame(typed_dicom.Plan, *plans))
    assert found["record_id"].to_list() == ["set"] * mismatched


@pytest.mark.parametrize(
    "values",
    [{"family_name": "Mueller"}, {"birth_date": "03.04.1950"}, {"hospital_number": "01"}],
    ids=["spelling", "birth", "number"],
)
def test_a_near_match_is_linked_by_decision_and_later_ones_with_the_same_words_as_well(records, values):
    _one(records)
    first = _reply(records, **values)
    assert records.run().quarantined == {first}
    same = frozenset({_answers(records)["identity.near-match", 1]})
    assert (_chosen(records, frozenset()), _chosen(records, same)) == (set(), {("identity.near-match", 1)})
    later = _reply(records, **values)
    outcome = records.run(same)
    assert outcome.quarantined == set() and outcome.rules() == {DECIDED}
    assert {first, later} <= set(outcome["vital_status"]["record_ids"].item())
    assert outcome["vital_status"]["last_alive_day"].to_list() == [1247]
    other = _reply(records, **{**values, "given_names": "Annа"})
    outcome = records.run(same)
    # Under a number that the steward gave to the patient, another name is a finding as under their own.
    told = {row["record_id"] for row in outcome.observed.rows(named=True) if row["rule_id"] != DECIDED}
    assert told == {other} and (other in outcome.quarantined) == ("hospital_number" not in values)


def test_a_near_match_that_is_nobody_is_left_out_and_accounted_for(records):
    _one(records)
    reply = _reply(records, family_name="Mueller")
    nobody = frozenset({_answers(records)["identity.near-match", 2]})
    outcome = records.run(nobody)
    assert outcome.quarantined == set() and outcome.rules() == {DECIDED}
    assert reply not in outcome["vital_status"]["record_ids"].item()
    assert outcome.accounting.select("unaccounted", "counted_twice").sum().row(0) == (0, 0)


def test_of_twins_the_steward_names_the_one(records):
    records.patient("1")
    records.patient("2")
    reply = _reply(records)
    answers = _answers(records)
    assert {n for rule, n in answers if rule == "identity.ambiguous"} == {1, 2, 3}
    outcome = records.run(frozenset({answers["identity.ambiguous", 2]}))
    linked = dict(outcome["vital_status"].select("patient_id", "record_ids").iter_rows())
    assert reply in linked["number:2"] and reply not in linked.get("number:1", [])


@pytest.mark.parametrize("numbers", [("17", "18"), ("18", "17"), ("9", "100")])
def test_two_numbers_become_one_person_under_the_shortest_then_first_number(records, numbers):
    for number in numbers:
        records.patient(number)
        records.diagnosis(number=number)
    records.meldung(r.ObdsDeath, number=numbers[1], Sterbedatum="2015-06-01")
    assert records.run()["patient"].height == 2
    answers = _answers(records)
    keys = frozenset({answers["identity.two-numbers", 1]})
    outcome = records.run(keys)
    (kept,) = outcome["patient"]["patient_id"]
    assert kept == {("9", "100"): "number:9"}.get(numbers, "number:17")
    assert outcome["vital_status"].select("patient_id", "status").rows() == [(kept, "deceased")]
    assert "identity.two-numbers" not in outcome.rules() and DECIDED in outcome.rules()
    apart = records.run(frozenset({answers["identity.two-numbers", 2]}))
    assert apart["patient"].height == 2 and "identity.two-numbers" not in apart.rules()


def test_joined_numbers_chain_and_an_order_of_decisions_decides_nothing(records):
    choice = identity.identity_choices.Choice
    pairs = [("number:3", "number:2"), ("number:1", "number:2")]
    made = [
        choice("r", str(n), "p", 1, "t", identity.identity_choices.ONE, None, str(n), pair)
        for n, pair in enumerate(pairs)
    ]
    for order in (made, made[::-1]):
        joined = identity.identity_choices.Decided(tuple(order)).joined()
        assert joined == dict.fromkeys(("number:1", "number:2", "number:3"), "number:1")


def test_a_decision_lapses_when_an_identity_is_corrected(records):
    for number in ("17", "18"):
        records.patient(number)
    keys = frozenset({_answers(records)["identity.two-numbers", 1]})
    assert records.run(keys)["patient"].height == 1
    records.patient("18", born="1951-03-04", Meldedatum="2021-01-01")
    outcome = records.run(keys)
    assert outcome["patient"].height == 2 and DECIDED not in outcome.rules()


def test_a_record_of_somebody_else_is_taken_from_the_patient_of_its_number(records):
    _one(records)
    reply = _reply(records, hospital_number="1", family_name="Schmidt")
    answers = _answers(records)
    outcome = records.run(frozenset({answers["identity.detail-differs", 2]}))
    assert outcome.quarantined == {reply}
    assert outcome.rules() == {DECIDED, "identity.not-this-patient"}
    assert outcome["vital_status"]["last_alive_day"].to_list() == [0]
    stays = records.run(frozenset({answers["identity.detail-differs", 1]}))
    assert stays.quarantined == set() and stays.rules() == {DECIDED}


def test_a_record_whose_name_and_birth_differ_is_let_in_by_decision(records):
    _one(records)
    reply = _reply(records, hospital_number="1", family_name="Schmidt", birth_date="01.01.1931")
    assert records.run().quarantined == {reply}
    outcome = records.run(frozenset({_answers(records)["identity.contradiction", 1]}))
    assert outcome.quarantined == set() and reply in outcome["vital_status"]["record_ids"].item()


def test_a_number_that_stands_for_two_persons_keeps_the_newest_master_data(records):
    old = records.patient(born="1931-01-01", Meldedatum="2019-01-01")
    records.patient(Meldedatum="2021-01-01")
    assert "identity.master-data-differ" in records.run().rules()
    answers = _answers(records)
    outcome = records.run(frozenset({answers["identity.master-data-differ", 2]}))
    assert old in outcome.quarantined
    # The first holder's pseudonym stays theirs: the second one has another.
    assert "number:1" not in set(outcome.link["patient_id"])
    assert {"identity.number-of-two-persons", DECIDED} <= outcome.rules()
    one = records.run(frozenset({answers["identity.master-data-differ", 1]}))
    assert one.quarantined == set() and "identity.master-data-differ" not in one.rules()


def test_nothing_is_offered_where_nothing_is_asked(records):
    _one(records)
    _reply(records, hospital_number="1")
    assert _answers(records) == {}


def _pairs(*rows: tuple[str, str]) -> pl.DataFrame:
    same = {"hospital_number": None, "family_name": "Müller", "given_names": "Anna", "birth_date": None,
            "sex": "female", "why": "one letter"}  # fmt: skip
    made = [same | {"record_id": one, "person_ref": f"record:{one}", "patient_id": of} for one, of in rows]
    return pl.DataFrame(made, schema_overrides={"hospital_number": pl.String, "birth_date": pl.Date})


def test_the_candidates_of_a_record_are_numbered_by_the_order_of_numbers_and_nobody_is_the_last():
    rows = [("r2", "number:10"), ("r1", "number:100"), ("r1", "number:9"), ("r1", "number:10")]
    first, second = (
        list(choices.of_candidates(identity.NEAR_MATCH, _pairs(*some))) for some in (rows, rows[::-1])
    )
    assert first == second
    assert [(one.record_id, one.reading, one.patient, one.effect) for one in first] == [
        ("r1", 1, "number:9", choices.SAME), ("r1", 2, "number:10", choices.SAME),
        ("r1", 3, "number:100", choices.SAME), ("r1", 4, None, choices.NOBODY),
        ("r2", 1, "number:10", choices.SAME), ("r2", 2, None, choices.NOBODY),
    ]  # fmt: skip
    assert len({one.key for one in first}) == 6
    assert list(choices.of_candidates(identity.NEAR_MATCH, _pairs(*rows).clear())) == []


def test_the_key_of_an_answer_stays_because_decisions_are_stored_with_it():
    """As GNU b2sum -l 128 gives it of the rule, the identity and the candidates, the effect and the patient:

    ('identity.near-match', ('', 'Müller', 'Anna', '', 'female', 'number:9'), 'is the patient', 'number:9')
    """
    (same, _) = choices.of_candidates(identity.NEAR_MATCH, _pairs(("r", "number:9")))
    assert same.key == "437e7a9deb4ef7ae7912143d9c568dc8"


def test_two_numbers_are_one_person_under_the_shortest_or_two():
    twins = _pairs(("r1", "number:100"), ("r2", "number:9")).with_columns(shared=pl.lit("x"))
    for some in (twins, twins.reverse()):
        made = list(choices.of_numbers(identity.TWO_NUMBERS, some, ["shared"]))
        assert sorted((one.record_id, one.reading, one.effect, one.patient, one.group) for one in made) == [
            (record, reading, effect, patient, group)
            for record in ("r1", "r2")
            for reading, effect, patient, group in (
                (1, choices.ONE, "number:9", ("number:9", "number:100")), (2, choices.TWO, None, ()),
            )
        ]  # fmt: skip


def test_of_two_chosen_answers_to_one_question_the_first_counts():
    offered = list(choices.of_candidates(identity.NEAR_MATCH, _pairs(("r", "number:1"), ("r", "number:2"))))
    for some in (offered, offered[::-1]):
        decided = choices.Decided.of(some, {offered[1].key, offered[2].key})
        assert decided.links().rows() == [("record:r", "number:2")]
        assert decided.left_out().is_empty()
        read = choices.readings(some, decided)
        assert read.select("reading", "chosen").rows() == [(1, False), (2, True), (3, False)]
    nobody = choices.Decided.of(offered, {offered[2].key})
    assert nobody.links().is_empty() and nobody.left_out()["record_id"].to_list() == ["r"]
    assert choices.Decided.of(offered, set()).choices == ()


def test_the_key_of_an_answer_stays_the_same():
    """Decisions are stored with this key: with another key they would lapse. The digest is that of b2sum."""
    first, _ = choices.of_candidates(identity.NEAR_MATCH, _pairs(("r1", "number:9")))
    assert first.key == "437e7a9deb4ef7ae7912143d9c568dc8"


def test_the_key_of_an_answer_that_keeps_an_id_also_counts_without_the_id():
    assert choices.plain({"k", "a/b:c"}) == {"k", "a/b:c", "a"}
