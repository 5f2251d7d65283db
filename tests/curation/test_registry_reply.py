"""Answers of registry offices in their usual wordings; a death is never lost, and never made."""

import datetime as dt

import pytest

DAY = dt.date(2014, 3, 11)


def _status(records, **values):
    records.patient()
    records.diagnosis()
    records.reply(hospital_number="1", **{"answered_on": "19.06.2014", **values})
    outcome = records.run()
    columns = ("status", "death_date", "last_alive_date")
    return outcome["vital_status"].select(columns).row(0), outcome.rules()


@pytest.mark.parametrize("answer", ["verstorben", "Gestorben", "verst.", " TOT ", "gest."])
def test_the_wordings_of_a_death(records, answer):
    assert _status(records, answer=answer, event_date="11.03.2014")[0][:2] == ("deceased", DAY)


@pytest.mark.parametrize(
    "answer", ["verstorben am 11.03.2014", "Gestorben  am 11.03.2014.", "tot seit 2014-03-11"]
)
def test_the_day_may_stand_in_the_answer(records, answer):
    assert _status(records, answer=answer)[0][:2] == ("deceased", DAY)


def test_two_days_in_one_reply_are_no_answer(records):
    said, rules = _status(records, answer="verstorben am 11.03.2014", event_date="12.03.2014")
    assert rules == {"value.code-unknown"} and said[0] == "alive"


@pytest.mark.parametrize("answer", ["wohnhaft", "lebt", "hier gemeldet"])
def test_the_wordings_of_a_life_hold_on_the_day_of_the_answer(records, answer):
    said, rules = _status(records, answer=answer)
    assert said == ("alive", None, dt.date(2014, 6, 19)) and rules == set()


@pytest.mark.parametrize("answer", ["unbekannt verzogen", "verzogen nach Berlin", "ins Ausland verzogen"])
def test_who_moved_was_alive_until_then(records, answer):
    said, rules = _status(records, answer=answer, event_date="11.03.2014")
    assert said == ("alive", None, DAY) and rules == set()


@pytest.mark.parametrize("event_date", [None, "Frühjahr 2014", "11.03.14"])
def test_a_death_without_a_readable_date_is_a_death(records, event_date):
    said, rules = _status(records, answer="verstorben", event_date=event_date)
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


def test_a_life_before_an_undated_death_is_none(records):
    records.patient()
    records.diagnosis()
    records.reply(hospital_number="1", answer="lebt", answered_on="01.12.2013")
    records.reply(hospital_number="1", answer="verstorben", answered_on="19.06.2014")
    assert "vital-status.alive-after-undated-death" not in records.run().rules()
