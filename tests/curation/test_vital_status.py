"""Which date of death counts, and what is told of the others."""

import datetime as dt

from schemas import received as r

CONFLICT = "vital-status.death-date-conflict"


def died(records, on, **values):
    return records.meldung(r.ObdsDeath, Sterbedatum=on, **values)


def answered(records, on):
    return records.reply(answer="verstorben", event_date=on, hospital_number="1")


def outcome_of(records):
    outcome = records.run()
    told = sorted(outcome.observed.filter(rule_id=CONFLICT)["record_id"])
    return outcome["vital_status"]["death_date"].to_list(), told


def test_the_less_credible_date_is_the_finding(patient):
    answered(patient, "01.06.2014")
    loser = died(patient, "2014-06-03")
    assert outcome_of(patient) == ([dt.date(2014, 6, 1)], [loser])


def test_of_two_reports_of_one_source_the_newest_counts_whatever_their_order(patient):
    newest = {"reported": "2020-05-01", "record_id": "a"}
    oldest = {"reported": "2020-02-01", "record_id": "z"}
    died(patient, "2014-06-01", **newest)
    died(patient, "2014-06-03", **oldest)
    assert outcome_of(patient) == ([dt.date(2014, 6, 1)], ["z"])


def test_two_reports_of_one_day_contradict_nobody(patient):
    answered(patient, "03.06.2014")
    died(patient, "2014-06-03")
    assert outcome_of(patient) == ([dt.date(2014, 6, 3)], [])


def test_a_month_contradicts_no_day(patient):
    answered(patient, "00.06.2014")
    died(patient, "2014-06-03")
    assert outcome_of(patient) == ([dt.date(2014, 6, 3)], [])


def test_a_death_without_a_date_contradicts_nobody(patient):
    answered(patient, None)
    died(patient, "2014-06-03")
    assert outcome_of(patient) == ([dt.date(2014, 6, 3)], [])
