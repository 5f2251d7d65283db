"""Answers of registry offices in their usual wordings; a death is never lost, and never made."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.curation import reconcile, registry_reply
from schemas import received as r
from schemas.configuration import RegistrySource
from tests.conftest import SOURCES
from tests.one_curation import together

DAY = dt.date(2014, 3, 11)
LATE = {"follow-up.late-death"}
"""The patient of these tests was never examined: their death has this finding whatever the office says."""


def _replied(patient, **values):
    patient.patient()
    patient.diagnosis()
    patient.reply(**{"answered_on": "19.06.2014", **values})


def _said(outcome):
    columns = ("status", "death_date", "last_alive_date")
    return outcome["vital_status"].select(columns).row(0), outcome.rules()


@pytest.mark.parametrize("answer", ["verstorben", "Gestorben", "verst.", " TOT ", "gest."])
@together()
def test_the_wordings_of_a_death(patient, answer):
    _replied(patient, answer=answer, event_date="11.03.2014")
    outcome = yield
    assert _said(outcome)[0][:2] == ("deceased", DAY)


@pytest.mark.parametrize(
    "answer", ["verstorben am 11.03.2014", "Gestorben  am 11.03.2014.", "tot seit 2014-03-11"]
)
@together()
def test_the_day_may_stand_in_the_answer(patient, answer):
    _replied(patient, answer=answer)
    outcome = yield
    assert _said(outcome)[0][:2] == ("deceased", DAY)


@together()
def test_two_days_in_one_reply_are_no_answer(patient):
    _replied(patient, answer="verstorben am 11.03.2014", event_date="12.03.2014")
    outcome = yield
    said, rules = _said(outcome)
    assert rules == {"value.code-unknown"} and said[0] == "alive"


@pytest.mark.parametrize("answer", ["wohnhaft", "lebt", "hier gemeldet"])
@together()
def test_the_wordings_of_a_life_hold_on_the_day_of_the_answer(patient, answer):
    _replied(patient, answer=answer)
    outcome = yield
    said, rules = _said(outcome)
    assert said == ("alive", None, dt.date(2014, 6, 19)) and rules == set()


@pytest.mark.parametrize("answer", ["unbekannt verzogen", "verzogen nach Berlin", "ins Ausland verzogen"])
@together()
def test_who_moved_was_alive_until_then(patient, answer):
    _replied(patient, answer=answer, event_date="11.03.2014")
    outcome = yield
    said, rules = _said(outcome)
    assert said == ("alive", None, DAY) and rules == set()


@pytest.mark.parametrize("event_date", [None, "Frühjahr 2014", "11.03.14"])
@together()
def test_a_death_without_a_readable_date_is_a_death(patient, event_date):
    _replied(patient, answer="verstorben", event_date=event_date)
    outcome = yield
    said, rules = _said(outcome)
    assert said[:2] == ("deceased, date unknown", None)
    unreadable = {"value.date-unreadable"} if event_date else set()
    assert rules == {"vital-status.death-date-unknown"} | unreadable


def test_a_life_after_an_undated_death_is_told(records):
    records.patient()
    records.diagnosis()
    records.reply(hospital_number="1", answer="verstorben", answered_on="01.12.2013")
    alive = records.reply(hospital_number="1", answer="lebt", answered_on="19.06.2014")
    outcome = records.run()
    rule = "vital-status.alive-after-undated-death"
    assert rule in outcome.rules()
    assert outcome.observed.filter(rule_id=rule)["record_id"].to_list() == [alive]

    assert outcome.quarantined == {alive}
    # The death stands, and nobody is followed beyond the last day known alive before it.
    (row,) = outcome["vital_status"].to_dicts()
    assert (row["status"], row["last_alive_day"]) == ("deceased, date unknown", 0)


def test_a_life_that_a_steward_lets_through_refutes_an_undated_death(records):
    records.patient()
    records.diagnosis()
    records.reply(hospital_number="1", answer="verstorben", answered_on="01.12.2013")
    records.reply(hospital_number="1", answer="lebt", answered_on="19.06.2014")
    assert _let_through(records.run()) == ("alive", dt.date(2014, 6, 19))


def test_an_undated_death_that_was_told_again_later_stands(records):
    records.patient()
    records.diagnosis()
    records.reply(hospital_number="1", answer="verstorben", answered_on="01.12.2013")
    records.reply(hospital_number="1", answer="lebt", answered_on="19.06.2014")
    records.reply(hospital_number="1", answer="verstorben", answered_on="01.12.2014")
    assert _let_through(records.run()) == ("deceased, date unknown", dt.date(2014, 6, 19))


def test_what_was_done_after_an_undated_death_was_told_is_held_back(records):
    records.patient()
    records.diagnosis()
    seen = records.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2014-06-19", Verlauf_Lokaler_Tumorstatus="R"
    )
    records.reply(hospital_number="1", answer="verstorben", answered_on="01.12.2013")
    outcome = records.run()
    assert outcome.quarantined == {seen} and "assessment.after-death" in outcome.rules()
    assert _let_through(outcome) == ("alive", dt.date(2014, 6, 19))


def _let_through(outcome):
    """The vital status where waivers admit every record."""
    links = outcome.link
    named = links.select("patient_id").unique().with_columns(pseudonym="patient_id")
    made = reconcile.curate(outcome.typed, links, pl.Series(["none"]), SOURCES, named, None)
    (row,) = made.frames["curated.vital_status"].to_dicts()
    return row["status"], row["last_alive_date"]


def test_a_life_before_an_undated_death_is_none(records):
    records.patient()
    records.diagnosis()
    records.reply(hospital_number="1", answer="lebt", answered_on="01.12.2013")
    records.reply(hospital_number="1", answer="verstorben", answered_on="19.06.2014")
    assert "vital-status.alive-after-undated-death" not in records.run().rules()


@pytest.mark.parametrize(("answer", "event_date"), [
        ("† 11.03.2014", None), ("ist am 11.03.2014 verstorben", None),
        ("Person ist verstorben", "11.03.2014"),
        ("verstorben am 11.3.2014 in Hamburg", None), ("verstorben in Hamburg", "11.03.2014"),
        # The same day in two spellings contradicts nothing.
        ("verstorben am 11.3.2014", "11.03.2014"),
    ])  # fmt: skip
@together()
def test_a_death_as_a_sentence(patient, answer, event_date):
    _replied(patient, answer=answer, event_date=event_date)
    outcome = yield
    said, rules = _said(outcome)
    assert said[:2] == ("deceased", DAY) and rules - LATE == set()


@pytest.mark.parametrize(("answer", "event_date", "middle"), [
        # Exact to the month: its 15th. To the year: 1 July.
        ("verstorben", "03.2014", DAY.replace(day=15)), ("verstorben", "03/2014", DAY.replace(day=15)),
        ("verstorben", "3.2014", DAY.replace(day=15)), ("verstorben", "März 2014", DAY.replace(day=15)),
        ("verstorben im März 2014", None, DAY.replace(day=15)), ("verst. 03.2014", None, DAY.replace(day=15)),
        ("verstorben", "2014", dt.date(2014, 7, 1)), ("verstorben 2014", None, dt.date(2014, 7, 1)),
        ("verstorben", "00.00.2014", dt.date(2014, 7, 1)),
    ])  # fmt: skip
@together()
def test_a_death_without_day_or_month_is_dated_as_exactly_as_it_is_known(patient, answer, event_date, middle):
    _replied(patient, answer=answer, event_date=event_date, answered_on="19.06.2015")
    outcome = yield
    said, rules = _said(outcome)
    assert said[:2] == ("deceased", middle) and rules - LATE == {"date.partial"}


@pytest.mark.parametrize(
    "answer", ["Verstorben (Datum unbekannt)", "verstorben, Datum nicht bekannt", "Sterbedatum unbekannt"]
)
@together()
def test_a_death_that_says_that_its_day_is_unknown(patient, answer):
    _replied(patient, answer=answer)
    outcome = yield
    said, rules = _said(outcome)
    assert said[:2] == ("deceased, date unknown", None) and rules == {"vital-status.death-date-unknown"}


@pytest.mark.parametrize(
    "answer",
    ["nicht ermittelbar", "Person nicht ermittelbar", "kein Treffer", "Auskunftssperre gem. § 51 BMG"],
)
@together()
def test_an_office_that_says_nothing(patient, answer):
    _replied(patient, answer=answer)
    outcome = yield
    said, rules = _said(outcome)
    assert said[0] == "alive" and rules == {"vital-status.no-information"}


@pytest.mark.parametrize("answer", ["wohnhaft in Köln", "am Leben", "gemeldet in 50667 Köln"])
@together()
def test_a_life_with_its_place(patient, answer):
    _replied(patient, answer=answer)
    outcome = yield
    said, rules = _said(outcome)
    assert said == ("alive", None, dt.date(2014, 6, 19)) and rules == set()


@pytest.mark.parametrize(
    "answer",
    [
        "lebt nicht mehr", "nicht verstorben", "für tot erklärt", "tot aufgefunden", "Ehefrau verstorben",
        "11.03.2014",
    ],
)  # fmt: skip
@together()
def test_what_only_a_person_understands_is_never_guessed(patient, answer):
    _replied(patient, answer=answer)
    outcome = yield
    said, rules = _said(outcome)
    assert said[0] == "alive" and rules == {"value.code-unknown"}


@pytest.mark.parametrize(
    ("answer", "columns", "expected"),
    [
        # 41709 days after 1899-12-30 are 11 March 2014, 41809 are 19 June 2014.
        ("verstorben", {"event_date": "41709"}, ("deceased", DAY)),
        ("lebt", {"answered_on": "41809"}, ("alive", dt.date(2014, 6, 19))),
        ("verstorben", {"event_date": "40247 (1904)"}, ("deceased", DAY)),
        # A year, and a number of days that is none.
        ("verstorben", {"event_date": "2014"}, ("deceased", dt.date(2014, 7, 1))),
        ("verstorben", {"event_date": "12500"}, ("deceased", None)),
    ],
)
def test_a_spreadsheet_of_replies_with_dates_formatted_as_numbers(answer, columns, expected):
    names = ("hospital_number", "answer", "event_date", "answered_on")
    source = RegistrySource.model_validate(
        {"kind": "registry", "name": "o", "files": ["*"], "format": "xlsx", "columns": {n: n for n in names}}
    )
    row = {"record_id": "1", "hospital_number": "1", "answer": answer, **columns}
    received = r.RegistryReply.conform(pl.DataFrame([row])).with_columns(received_on=dt.date(2021, 12, 1))
    frames = {c.table(): f for c, f, _ in registry_reply.typed_frames(received, source)}
    assert frames["typed.vital_status"].select("status", "status_date").row(0) == expected


def _observed(source: dict, **columns) -> set[str]:
    names = ("hospital_number", "answer", "event_date", "answered_on", "place_of_death")
    headers = {name: name for name in names} | source
    office = RegistrySource.model_validate(
        {"kind": "registry", "name": "o", "files": ["*"], "columns": headers}
    )
    row = {"record_id": "1", "hospital_number": "1", "answered_on": "19.06.2014", **columns}
    received = r.RegistryReply.conform(pl.DataFrame([row])).with_columns(received_on=dt.date(2021, 12, 1))
    return {rule for _, _, seen in registry_reply.typed_frames(received, office) for rule in seen["rule_id"]}


_ERROR, _WARNING = {"vital-status.death-beside-life"}, {"vital-status.event-beside-life"}


@pytest.mark.parametrize(
    ("header", "answer", "event", "expected"),
    [
        ("Sterbedatum", "lebt", "11.03.2014", _ERROR), ("Sterbedatum", "wohnhaft", "2014", _ERROR),
        ("Todestag", "verzogen", "11.03.2014", _ERROR), ("Sterbedatum", "unbekannt", "11.03.2014", _ERROR),
        ("Date of death", "nicht ermittelbar", "11.03.2014", _ERROR),
        ("Tod am", "lebt", "11.03.2014", _ERROR),
        # Also if it is the day of the answer.
        ("Sterbedatum", "lebt", "19.06.2014", _ERROR),
        ("Sterbedatum", "verstorben", "11.03.2014", set()), ("Sterbedatum", "lebt", None, set()),
        # What offices write for no date.
        ("Sterbedatum", "lebt", "-", set()), ("Sterbedatum", "lebt", "entfällt", set()),
        ("Sterbedatum", "lebt", "00.00.0000", set()),
        # A column of more than deaths: a move has a date, a life has none but that of the answer.
        ("Datum", "verzogen", "11.03.2014", set()), ("Sterbe-/Wegzugsdatum", "verzogen", "11.03.2014", set()),
        ("Datum", "lebt", "19.06.2014", set()), ("Datum", "lebt", "11.03.2014", _WARNING),
        ("Datum", "unbekannt", "11.03.2014", _WARNING), ("Datum", "unbekannt", "19.06.2014", set()),
        ("Ereignisdatum", "lebt", "11.03.2014", _WARNING), ("Methode", "lebt", "11.03.2014", _WARNING),
    ],
)  # fmt: skip
def test_a_date_beside_an_answer_that_tells_of_no_event(header, answer, event, expected):
    assert _observed({"event_date": header}, answer=answer, event_date=event) == expected


@pytest.mark.parametrize(
    ("answer", "place", "expected"),
    [
        ("lebt", "Hanau", _ERROR), ("verzogen", "Hanau", _ERROR), ("unbekannt", "Hanau", _ERROR),
        ("verstorben am 11.03.2014", "Hanau", set()), ("lebt", None, set()), ("lebt", "-", set()),
        ("lebt", "entfällt", set()), ("lebt", "n. a.", set()),
    ],
)  # fmt: skip
def test_a_place_of_death_beside_an_answer_that_is_no_death(answer, place, expected):
    assert _observed({}, answer=answer, place_of_death=place) == expected


def test_a_day_of_an_answer_is_told_where_the_office_has_no_column_for_it():
    told = _observed({"event_date": "Datum"}, answer="lebt", event_date="11.03.2014", answered_on=None)
    assert told == _WARNING


@together()
def test_a_life_with_a_date_of_death_is_not_used(patient):
    _replied(patient, answer="lebt", place_of_death="Hanau", event_date="11.03.2014")
    outcome = yield
    said, rules = _said(outcome)
    assert rules == _ERROR
    # Neither the life nor the death counts until a data steward decides.
    assert said == ("alive", None, dt.date(2012, 1, 1)) or said[1] is None
