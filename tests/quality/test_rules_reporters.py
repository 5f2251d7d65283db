"""A Melder that stops reporting while others of its source go on is a finding on its newest report."""

import pytest

from schemas import received as r
from tests.one_curation import together

A = {"Absender_ID": "X", "Melder_ID": "A"}
B = {"Absender_ID": "X", "Melder_ID": "B"}


def silent(records, days, other):
    """Reports of B on the given days, and one of A."""
    records.patient()
    ids = [
        records.meldung(
            r.ObdsFollowUp, reported=day, Module_ID=f"V{n}", Untersuchungsdatum_Verlauf=f"2015-01-{n + 1:02}",
            Gesamtbeurteilung_Tumorstatus="V", **B,
        )
        for n, day in enumerate(days)
    ]  # fmt: skip
    records.diagnosis(reported=other, **A)
    found = records.run().observed
    return found.filter(rule_id="reporter.silent")["record_id"].to_list(), ids


@pytest.mark.parametrize(
    ("days", "other", "which"),
    [
        (["2019-12-01", *["2020-01-01"] * 9], "2021-01-01", [9]),  # 366 days, 2020 is a leap year
        (["2020-01-01", *["2019-12-01"] * 9], "2021-01-01", [0]),
        (["2020-01-01"] * 10, "2020-12-31", []),
        (["2020-01-01"] * 9, "2021-01-01", []),
        ([*["2020-01-01"] * 9, None], "2021-01-01", []),  # nine with a day
        (["2020-01-01"] * 10, None, []),
        (["2021-01-01", *["2020-01-01"] * 9], "2018-01-01", []),  # the other one has one report
    ],
)
def test_a_silent_reporter_is_a_finding_on_its_newest_report(records, days, other, which):
    found, ids = silent(records, days, other)
    assert found == [ids[n] for n in which]


@pytest.mark.parametrize(
    ("operations", "found"),
    [
        # Melder, day, id: one operation of 20 June, which the other Melder dates on the 21st.
        ([(A, "2015-06-20", "1"), (B, "2015-06-21", "7")], [1]),
        ([(A, "2015-06-23", "1"), (B, "2015-06-20", "7")], [0]),
        ([(A, "2015-06-20", "1"), (B, "2015-06-24", "7")], []),
        ([(A, "2015-06-20", "1"), (B, "2015-06-20", "7")], []),  # surgery.twice-a-day
        ([(A, "2015-06-20", "1"), (A, "2015-06-21", "2")], []),  # one Melder knows of two operations
        ([(A, "2015-06-20", "1"), (A, "2015-06-21", "2"), (B, "2015-06-21", "7")], []),
        ([(A, "2015-06-20", "1"), (B, None, "7")], []),
        ([(A, "2015-06-20", "1"), ({}, "2015-06-21", "7")], []),  # nobody says who reports
    ],
)
@together()
def test_an_operation_that_two_reporters_date_apart_is_a_finding(records, operations, found):
    records.patient()
    records.diagnosis("2015-03-10", **A)
    ids = [
        records.meldung(
            r.ObdsSurgery, Module_ID=number, Datum=day, Intention="K", Meldung_ID=f"M{n}",
            Lokale_Beurteilung_Residualstatus="R0", **melder,
        )
        for n, (melder, day, number) in enumerate(operations)
    ]  # fmt: skip
    outcome = yield
    seen = outcome.observed.filter(rule_id="surgery.on-other-day-by-other-reporter")
    assert seen["record_id"].to_list() == [ids[n] for n in found]


@together()
def test_a_biopsy_before_the_operation_is_none_of_two_days(records):
    records.patient()
    records.diagnosis("2015-03-10", **A)
    for melder, day, intent in ((A, "2015-06-20", "D"), (B, "2015-06-21", "K")):
        records.meldung(
            r.ObdsSurgery, Module_ID=day, Datum=day, Intention=intent, Meldung_ID=day,
            Lokale_Beurteilung_Residualstatus="R0", **melder,
        )  # fmt: skip
    outcome = yield
    assert "surgery.on-other-day-by-other-reporter" not in outcome.rules()
