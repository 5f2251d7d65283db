"""A Melder that stops reporting while others of its source go on is a finding on its newest report."""

import pytest

from schemas import received as r

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
