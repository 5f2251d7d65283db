"""A reused patient number is seen after the old export is gone; its new holder is a new patient."""

import polars as pl
import pytest

from sarcoma_pipeline.curation import identity
from schemas.curated import Link
from schemas.curated_identity import IdentityReading
from tests.conftest import Records

DIFFER, RENAMED = "identity.master-data-differ", "identity.name-changed"


class Nights:
    """What was delivered once and what is delivered tonight."""

    def __init__(self):
        self.past, self.now = Records(), Records()

    def link(self, *keys):
        former = self.past.typed()["typed.person"] if self.past.count else None
        return identity.link(self.now.typed(), frozenset(keys), former)

    def findings(self, *keys):
        seen = self.link(*keys).observed.filter(pl.col("rule_id").is_in([DIFFER, RENAMED]))
        return seen.select("rule_id", "record_id", "column_name", "value").sort(pl.all()).rows()

    def patients(self, *keys):
        return dict(self.link(*keys).frames[Link.table()].select("person_ref", "patient_id").iter_rows())

    def answers(self, *keys):
        rows = self.link(*keys).frames[IdentityReading.table()].filter(pl.col("rule_id") == DIFFER)
        return dict(rows.sort("record_id", "reading").select("reading", "reading_key").iter_rows())


@pytest.fixture
def nights():
    return Nights()


@pytest.mark.parametrize(
    ("before", "column", "value"),
    [
        ({"born": "1931-01-01"}, "birth_date", "1931-01-01"),
        ({"sex": "M"}, "sex", "male"),
        ({"born": "1931-01-01", "sex": None}, "birth_date", "1931-01-01"),
        ({"sex": "M", "born": None}, "sex", "male"),
        ({"born": "1931-01-01", "family": "Schmidt"}, "birth_date", "1931-01-01"),
    ],
)
def test_a_number_with_other_master_data_before_is_a_finding_though_the_export_is_gone(
    nights, before, column, value
):
    nights.past.patient(**before, Meldedatum="2019-01-01")
    now = nights.now.patient(Meldedatum="2020-01-01")
    assert nights.findings() == [(DIFFER, now, column, value)]
    assert nights.patients() == {"number:1": "number:1"}


@pytest.mark.parametrize("before", [{}, {"born": None}, {"sex": "U"}, {"number": "2", "born": "1931-01-01"}])
def test_the_same_master_data_what_is_missing_and_another_number_ask_nothing(nights, before):
    nights.past.patient(**before, Meldedatum="2019-01-01")
    nights.now.patient(Meldedatum="2020-01-01")
    assert nights.findings() == []
    assert nights.answers() == {}


def test_another_name_alone_is_a_notice_and_changes_nothing(nights):
    nights.past.patient(family="Schmidt", Meldedatum="2019-01-01")
    now = nights.now.patient(Meldedatum="2020-01-01")
    assert nights.findings() == [(RENAMED, now, "family_name", "Schmidt")]
    assert nights.patients() == {"number:1": "number:1"}


def test_another_person_has_a_patient_of_their_own_and_keeps_it(nights):
    nights.past.patient(born="1931-01-01", Meldedatum="2019-01-01")
    nights.now.patient(Meldedatum="2020-01-01")
    two = nights.answers()[2]
    own = nights.patients(two)["number:1"]
    assert own != "number:1" and own.startswith("number:1")
    assert nights.findings(two) == []
    # The new person marries, and later their own date of birth is corrected: they stay who they are.
    nights.past.patient(Meldedatum="2020-01-01")
    nights.now = Records()
    nights.now.patient(family="Schulz", Meldedatum="2021-01-01")
    assert nights.patients(two)["number:1"] == own
    nights.now = Records()
    nights.now.patient(family="Schulz", born="1950-03-05", Meldedatum="2022-01-01")
    assert nights.patients(two)["number:1"] == own
    assert [rule for rule, *_ in nights.findings(two)] == [DIFFER]
    one = nights.answers(two)[1]
    assert nights.findings(two, one) == [] and nights.patients(two, one)["number:1"] == own


def test_one_person_keeps_the_pseudonym_of_the_number(nights):
    nights.past.patient(born="1931-01-01", Meldedatum="2019-01-01")
    nights.now.patient(Meldedatum="2020-01-01")
    one = nights.answers()[1]
    assert nights.findings(one) == []
    assert nights.patients(one) == {"number:1": "number:1"}


def test_the_decision_holds_before_and_after_the_old_export_is_gone(nights):
    both = nights.now
    both.patient(born="1931-01-01", Meldedatum="2019-01-01")
    both.patient(Meldedatum="2020-01-01")
    two = nights.answers()[2]
    own = nights.patients(two)["number:1"]
    assert own != "number:1"
    nights.past.patient(born="1931-01-01", Meldedatum="2019-01-01")
    nights.now = Records()
    nights.now.patient(Meldedatum="2020-01-01")
    assert nights.patients(two)["number:1"] == own
    assert nights.findings(two) == []


def test_another_person_stays_another_one_where_nobody_knows_the_first_any_more(nights):
    nights.past.patient(born="1931-01-01", Meldedatum="2019-01-01")
    now = nights.now.patient(Meldedatum="2020-01-01")
    nights.now.patient("2", Meldedatum="2020-01-01")
    two = nights.answers()[2]
    own = nights.patients(two)
    nights.past = Records()
    assert nights.patients(two) == own and own["number:2"] == "number:2" != own["number:1"]
    told = nights.link(two).observed.filter(pl.col("rule_id") == "identity.decided")
    assert told["record_id"].to_list() == [now]
    assert nights.patients() == {"number:1": "number:1", "number:2": "number:2"}


def test_a_third_holder_is_told_from_the_second(nights):
    nights.past.patient(born="1931-01-01", Meldedatum="2018-01-01")
    nights.past.patient(born="1940-01-01", Meldedatum="2019-01-01")
    nights.now.patient(Meldedatum="2020-01-01")
    last = nights.answers()
    assert [value for *_, value in nights.findings()] == ["1940-01-01"]
    third = nights.patients(last[2])["number:1"]
    earlier = nights.answers(last[2])
    assert [value for *_, value in nights.findings(last[2])] == ["1931-01-01"]
    assert nights.patients(last[2], earlier[2])["number:1"] == third
    assert nights.patients(earlier[2])["number:1"] not in (third, "number:1")


def test_a_corrected_second_holder_keeps_their_patient_where_nobody_knows_anything_before(nights):
    """The date of birth of the second holder is corrected, and then the warehouse is lost."""
    nights.past.patient(born="1931-01-01", Meldedatum="2019-01-01")
    nights.now.patient(Meldedatum="2020-01-01")
    two = nights.answers()[2]
    own = nights.patients(two)["number:1"]
    nights.past.patient(Meldedatum="2020-01-01")
    nights.now = Records()
    nights.now.patient(born="1950-03-05", Meldedatum="2021-01-01")
    one = nights.answers(two)[1]
    assert nights.patients(two, one)["number:1"] == own and nights.findings(two, one) == []
    nights.past = Records()
    assert nights.patients(two, one)["number:1"] == own and nights.findings(two, one) == []
    # Without the answers nothing is kept, and a number with other master data is not meant.
    assert nights.patients(two)["number:1"] == "number:1"
    nights.now = Records()
    nights.now.patient(born="1931-01-01", Meldedatum="2018-01-01")
    assert nights.patients(two, one)["number:1"] == "number:1"


def test_a_correction_after_the_loss_keeps_the_patient_too(nights):
    nights.past.patient(born="1931-01-01", Meldedatum="2019-01-01")
    nights.now.patient(Meldedatum="2020-01-01")
    two = nights.answers()[2]
    own = nights.patients(two)["number:1"]
    nights.past, nights.now = Records(), Records()
    nights.past.patient(Meldedatum="2020-01-01")
    nights.now.patient(born="1950-03-05", Meldedatum="2021-01-01")
    assert nights.patients(two)["number:1"] == own
    one = nights.answers(two)[1]
    nights.past = Records()
    assert nights.patients(two, one)["number:1"] == own
    # And once more.
    nights.past.patient(born="1950-03-05", Meldedatum="2021-01-01")
    nights.now = Records()
    nights.now.patient(born="1950-03-06", Meldedatum="2022-01-01")
    again = nights.answers(two, one)[1]
    nights.past = Records()
    assert nights.patients(two, one, again)["number:1"] == own


def test_a_holder_before_is_asked_about_beside_the_holders_that_are_delivered(nights):
    nights.past.patient(born="1931-01-01", Meldedatum="2018-01-01")
    older = nights.now.patient(born="1940-01-01", Meldedatum="2019-01-01")
    newest = nights.now.patient(Meldedatum="2020-01-01")
    assert sorted((record, value) for _, record, _, value in nights.findings()) == sorted(
        [(older, "1940-01-01"), (newest, "1931-01-01")]
    )
