"""A dated death against a later life: the declared precedence decides, and a finding names the loser."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.quality.curate import curate
from schemas import received as r
from tests.conftest import FILES, SOURCES

NIGHT = {"refresh_id": ["R1"], "received_on": [dt.date(2021, 12, 1)]}
REFUTED, AFTER = "vital-status.death-refuted", "vital-status.alive-after-death"
OFFICE_FIRST = ("registry office", "oBDS", "table")
HOSPITAL_FIRST = ("oBDS", "registry office", "table")


@pytest.fixture
def dead(records):
    records.patient()
    records.diagnosis()
    records.death = records.meldung(r.ObdsDeath, Sterbedatum="2015-06-01")
    return records


def _judged(records, order=OFFICE_FIRST):
    sources = SOURCES.model_copy(update={"precedence": {**SOURCES.precedence, "death": order}})
    made = curate(records.frames, sources, pl.DataFrame(NIGHT), FILES)
    (status,) = made.curated["curated.vital_status"].iter_rows(named=True)
    found = {
        rule: records_
        for rule in (REFUTED, AFTER)
        if (records_ := set(made.observed.filter(pl.col("rule_id") == rule)["record_id"]))
    }
    return status, found, set(made.quarantine["record_id"])


def test_a_later_life_of_a_more_credible_source_sets_the_death_aside(dead):
    dead.reply(answer="lebt", answered_on="01.06.2018")
    status, found, held = _judged(dead)
    assert status["status"] == "alive" and status["last_alive_date"] == dt.date(2018, 6, 1)
    assert found == {REFUTED: {dead.death}} and dead.death in held


def test_a_later_life_of_a_less_credible_source_is_set_aside(dead):
    life = dead.reply(answer="lebt", answered_on="01.06.2018")
    status, found, held = _judged(dead, HOSPITAL_FIRST)
    assert (status["status"], status["death_date"]) == ("deceased", dt.date(2015, 6, 1))
    assert found == {AFTER: {life}} and life in held


def test_between_equally_credible_sources_the_death_stands(dead):
    death = dead.reply(answer="verstorben", event_date="02.06.2015", answered_on="01.08.2015")
    life = dead.reply(answer="lebt", answered_on="01.06.2018")
    status, found, held = _judged(dead)
    assert status["death_date"] == dt.date(2015, 6, 2)
    assert found == {AFTER: {life}} and death not in held


def test_a_source_that_the_precedence_does_not_name_comes_last(dead):
    life = dead.reply(answer="lebt", answered_on="01.06.2018")
    assert _judged(dead, ("oBDS",))[1] == {AFTER: {life}}
    assert _judged(dead, ("registry office",))[1] == {REFUTED: {dead.death}}


@pytest.mark.parametrize("answered_on", [None, "01.06.2015", "01.03.2015"])
def test_a_life_on_an_unknown_or_earlier_day_refutes_nothing(dead, answered_on):
    dead.reply(answer="lebt", answered_on=answered_on)
    status, found, _ = _judged(dead)
    assert status["status"] == "deceased" and found == {}


def test_examinations_after_a_death_that_is_set_aside_count(dead):
    dead.reply(answer="lebt", answered_on="01.06.2018")
    seen = dead.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf="2017-01-01", Gesamtbeurteilung_Tumorstatus="V"
    )
    _, _, held = _judged(dead)
    assert seen not in held


def test_of_several_deaths_all_are_set_aside_and_an_undated_one_is_not_revived(dead):
    second = dead.meldung(r.ObdsDeath, Sterbedatum="2016-01-01", Module_ID="X")
    dead.reply(answer="lebt", answered_on="01.06.2018")
    status, found, _ = _judged(dead)
    assert status["status"] == "alive" and found == {REFUTED: {dead.death, second}}
