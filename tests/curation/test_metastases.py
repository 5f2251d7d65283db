"""Metastases from every report: which are one, on which day, and which were there at diagnosis."""

import datetime as dt
import json

import pytest

from schemas import received as r

DAY = dt.date


def fm(*metastases):
    """Menge_FM of (date, exactness, site)."""
    return json.dumps(
        [{"Diagnosedatum": d, "Datumsgenauigkeit": e, "Lokalisation": s} for d, e, s in metastases]
    )


def follow_up(records, on, *metastases, **values):
    return records.meldung(
        r.ObdsFollowUp, Untersuchungsdatum_Verlauf=on, Menge_FM=fm(*metastases),
        Gesamtbeurteilung_Tumorstatus="P", Verlauf_Tumorstatus_Fernmetastasen="R", Module_ID=f"V{on}",
        **values,
    )  # fmt: skip


def surgery(records, on, **values):
    return records.meldung(
        r.ObdsSurgery, Datum=on, Intention="K", Module_ID=f"O{on}", Menge_OPS='["5-782.b0"]',
        Lokale_Beurteilung_Residualstatus="R0", **values,
    )  # fmt: skip


def found(outcome, *columns):
    return outcome["metastasis"].select(columns).rows()


def test_every_metastasis_of_every_report_is_a_row_with_the_day_that_reports_it(records):
    records.patient()
    records.diagnosis()
    follow_up(records, "2013-06-01", ("2013-05-01", "E", "PUL"), ("2013-05-20", "E", "OSS"))
    outcome = records.run()
    assert found(outcome, "site", "metastasis_date", "metastasis_day", "reported_day", "origin") == [
        ("PUL", DAY(2013, 5, 1), 486, 517, "follow-up"),
        ("OSS", DAY(2013, 5, 20), 505, 517, "follow-up"),
    ]
    assert outcome["metastasis"]["tumour_id"].to_list() == ["T1", "T1"]
    assert outcome["metastasis"]["at_diagnosis"].to_list() == [False, False]


def test_two_reports_of_one_metastasis_are_one_row_that_names_both(records):
    records.patient()
    first = records.diagnosis(Menge_FM=fm(("2013-05-01", "E", "PUL")))
    second = follow_up(records, "2013-06-01", ("2013-05-01", "E", "PUL"))
    rows = records.run()["metastasis"]
    assert rows.height == 1
    assert set(rows["record_ids"].to_list()[0]) == {first, second}
    assert rows["reported_date"].to_list() == [DAY(2013, 6, 1)], "a Diagnose has no day of its own"


@pytest.mark.parametrize(
    ("metastases", "date", "site"),
    [
        ([("01.02.2019", "E", "OSS"), ("15.01.2018", "E", "PUL")], DAY(2018, 1, 15), "PUL"),
        ([(None, None, "LYM"), ("2018-01-15", "E", "PUL")], DAY(2018, 1, 15), "PUL"),
        ([("1900-01-01", "V", "LYM"), ("2018-01-15", "E", "PUL")], DAY(2018, 1, 15), "PUL"),
        ([("2018-03-20", "E", "OSS"), ("2018-01-15", "M", "PUL")], DAY(2018, 3, 20), "OSS"),
        ([("2018-09-20", "E", "OSS"), ("2018-01-15", "M", "PUL")], DAY(2018, 7, 2), "PUL"),
        ([("2018-01-15", "T", "PUL"), ("2018-01-15", "E", "OSS")], DAY(2018, 1, 15), "OSS"),
        ([(None, None, "LYM")], None, "LYM"),
    ],
)
def test_the_first_metastasis_of_an_examination_is_had_from_typed_dates(records, metastases, date, site):
    records.patient()
    records.diagnosis()
    follow_up(records, "2019-06-01", *metastases)
    outcome = records.run()
    assert outcome["assessment"].select("distant_date", "distant_site").rows() == [(date, site)]


def test_a_metastasis_without_a_usable_date_is_a_finding_and_keeps_its_examination(records):
    records.patient()
    records.diagnosis()
    bad = follow_up(records, "2013-06-01", ("1900-01-01", "V", "PUL"), ("2013-05-01", "E", "OSS"))
    outcome = records.run()
    assert outcome.quarantined == set()
    assert outcome.rules() == {"metastasis.date-missing"}
    assert set(outcome.observed["record_id"]) == {bad}
    assert outcome["assessment"].height == 1


def test_a_metastasis_dated_after_the_operation_that_found_it_is_a_finding(records):
    records.patient()
    records.diagnosis()
    surgery(records, "2013-06-01", Menge_FM=fm(("2013-06-02", "E", "PUL")))
    assert "metastasis.after-report" in records.run().rules()


@pytest.mark.parametrize("date", ["2013-06-01", "2013-05-01"])
def test_a_metastasis_dated_before_or_on_the_day_of_its_operation_is_none(records, date):
    records.patient()
    records.diagnosis()
    surgery(records, "2013-06-01", Menge_FM=fm((date, "E", "PUL")))
    assert "metastasis.after-report" not in records.run().rules()


@pytest.mark.parametrize(
    ("metastasis", "m", "expected"),
    [
        (("2012-01-01", "E", "PUL"), None, True),
        (("2012-02-29", "E", "PUL"), "0", True),
        (("2012-04-02", "E", "PUL"), "0", True),  # day 92
        (("2012-04-03", "E", "PUL"), "0", False),
        (("2014-01-01", "E", "PUL"), None, False),
        (("2011-12-20", "E", "PUL"), "0", True),  # a Diagnose tells of what was there
        ((None, None, "PUL"), None, True),
        ((None, None, "PUL"), "X", True),
        ((None, None, "PUL"), "0", False),
        (("2012-07-01", "M", "PUL"), None, True),  # some day of 2012
        (("2012-07-01", "M", "PUL"), "0", False),
        (("2013-07-01", "M", "PUL"), None, False),
    ],
)
def test_a_metastasis_of_a_diagnose_was_there_at_diagnosis_within_the_window(
    records, metastasis, m, expected
):
    records.patient()
    records.diagnosis(M=m, Menge_FM=fm(metastasis))
    assert records.run()["metastasis"]["at_diagnosis"].to_list() == [expected]


@pytest.mark.parametrize(
    ("examined", "metastasis", "expected"),
    [
        ("2012-03-01", ("2012-02-20", "E", "PUL"), True),  # before the first therapy of 2012-03-10
        ("2012-03-20", ("2012-03-10", "E", "PUL"), True),
        ("2012-03-20", ("2012-03-11", "E", "PUL"), False),
        ("2012-03-01", (None, None, "PUL"), True),
        ("2013-06-01", (None, None, "PUL"), False),
        (
            "2013-06-01",
            ("2011-07-01", "E", "PUL"),
            False,
        ),  # before the diagnosis: no date
        ("2012-03-01", ("2012-05-01", "E", "PUL"), True),  # known on the day of the examination
    ],
)
def test_a_metastasis_of_an_examination_was_there_at_diagnosis_until_the_first_therapy(
    records, examined, metastasis, expected
):
    records.patient()
    records.diagnosis()
    surgery(records, "2012-03-10")
    follow_up(records, examined, metastasis)
    assert records.run()["metastasis"]["at_diagnosis"].to_list() == [expected]


def test_a_biopsy_ends_no_window(records):
    records.patient()
    records.diagnosis()
    records.meldung(r.ObdsSurgery, Datum="2012-01-01", Intention="D", Menge_OPS='["1-503.0"]')
    follow_up(records, "2012-03-01", ("2012-02-20", "E", "PUL"))
    assert records.run()["metastasis"]["at_diagnosis"].to_list() == [True]


def test_another_tumours_metastasis_keeps_its_tumour(records):
    records.patient()
    records.diagnosis()
    records.diagnosis("2011-01-01", tumour="T2", Primaertumor_ICD="C50.4", Morphologie_ICD_O='["8500/3"]')
    follow_up(records, "2013-06-01", ("2013-05-01", "E", "PUL"), tumour="T2")
    assert found(records.run(), "tumour_id", "site") == [("T2", "PUL")]


def test_undated_metastases_of_two_examinations_are_not_joined(records):
    records.patient()
    records.diagnosis()
    for day in ("2013-06-01", "2014-06-01"):
        follow_up(records, day, (None, None, "PUL"))
    assert found(records.run(), "reported_date") == [(DAY(2013, 6, 1),), (DAY(2014, 6, 1),)]
