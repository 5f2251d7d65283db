"""Metastases from every report: which are one, on which day, and which were there at diagnosis."""

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import metastases
from schemas import received as r
from schemas import typed
from schemas.vocabularies import REPORT_ORIGIN
from tests.one_curation import sarcoma, together

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


@together(sarcoma)
def test_every_metastasis_of_every_report_is_a_row_with_the_day_that_reports_it(records):
    follow_up(records, "2013-06-01", ("2013-05-01", "E", "PUL"), ("2013-05-20", "E", "OSS"))
    outcome = yield
    assert found(outcome, "site", "metastasis_date", "metastasis_day", "reported_day", "origin") == [
        ("PUL", DAY(2013, 5, 1), 486, 517, "follow-up"),
        ("OSS", DAY(2013, 5, 20), 505, 517, "follow-up"),
    ]
    assert outcome["metastasis"]["tumour_id"].to_list() == ["T1", "T1"]


@together()
def test_two_reports_of_one_metastasis_are_one_row_that_names_both(records):
    records.patient()
    first = records.diagnosis(Menge_FM=fm(("2013-05-01", "E", "PUL")))
    second = follow_up(records, "2013-06-01", ("2013-05-01", "E", "PUL"))
    outcome = yield
    rows = outcome["metastasis"]
    assert rows.height == 1
    assert set(rows["record_ids"].to_list()[0]) == {first, second}
    assert rows["reported_date"].to_list() == [DAY(2013, 6, 1)], "a Diagnose has no day of its own"


@pytest.mark.parametrize(
    ("first", "precision", "day"),
    [
        ("2013-05-20", "day", DAY(2013, 5, 20)),
        ("00.05.2013", "month", DAY(2013, 5, 15)),  # an exact later report does not date the first one
        ("00.06.2013", "day", DAY(2013, 6, 15)),  # the middle of June is the day of the exact report
    ],
)
@together(sarcoma)
def test_a_metastasis_was_reported_on_the_earliest_day_with_its_precision(records, first, precision, day):
    same = ("2013-05-01", "E", "PUL")
    follow_up(records, "2013-06-15", same)
    follow_up(records, first, same)
    outcome = yield
    columns = ("reported_date", "reported_date_precision", "reported_day")
    assert found(outcome, *columns) == [(day, precision, (day - DAY(2012, 1, 1)).days)]


def _examined(patient, metastases):
    patient.patient()
    patient.diagnosis()
    follow_up(patient, "2019-06-01", *metastases)


@pytest.mark.parametrize(
    ("metastases", "date", "site"),
    [
        ([("01.02.2019", "E", "OSS"), ("15.01.2018", "E", "PUL")], DAY(2018, 1, 15), "PUL"),
        ([(None, None, "LYM"), ("2018-01-15", "E", "PUL")], DAY(2018, 1, 15), "PUL"),
        ([("1900-01-01", "V", "LYM"), ("2018-01-15", "E", "PUL")], DAY(2018, 1, 15), "PUL"),
        ([("2018-03-20", "E", "OSS"), ("2018-01-15", "M", "PUL")], DAY(2018, 3, 20), "OSS"),
        ([("2018-09-20", "E", "OSS"), ("2018-01-15", "M", "PUL")], DAY(2018, 7, 1), "PUL"),
        ([("2018-01-15", "T", "PUL"), ("2018-01-15", "E", "OSS")], DAY(2018, 1, 15), "OSS"),
        ([(None, None, "LYM")], None, "LYM"),
    ],
)
@together()
def test_the_first_metastasis_of_an_examination_is_had_from_typed_dates(patient, metastases, date, site):
    _examined(patient, metastases)
    outcome = yield
    assessment = outcome["assessment"]
    assert assessment.select("distant_date", "distant_site").rows() == [(date, site)]


@together(sarcoma)
def test_a_metastasis_without_a_usable_date_is_a_finding_and_keeps_its_examination(records):
    bad = follow_up(records, "2013-06-01", ("1900-01-01", "V", "PUL"), ("2013-05-01", "E", "OSS"))
    outcome = yield
    assert outcome.quarantined == set()
    assert outcome.rules() == {"metastasis.date-missing", "assessment.component-missing"}
    assert set(outcome.observed["record_id"]) == {bad}
    assert outcome["assessment"].height == 1


@together(sarcoma)
def test_a_metastasis_dated_after_the_operation_that_found_it_is_a_finding(records):
    surgery(records, "2013-06-01", Menge_FM=fm(("2013-06-02", "E", "PUL")))
    outcome = yield
    assert "metastasis.after-report" in outcome.rules()


@pytest.mark.parametrize("date", ["2013-06-01", "2013-05-01"])
@together(sarcoma)
def test_a_metastasis_dated_before_or_on_the_day_of_its_operation_is_none(records, date):
    surgery(records, "2013-06-01", Menge_FM=fm((date, "E", "PUL")))
    outcome = yield
    assert "metastasis.after-report" not in outcome.rules()


@pytest.mark.parametrize(
    ("metastasis", "m", "expected"),
    [
        (("2012-01-01", "E", "PUL"), None, True),
        (("2012-02-29", "E", "PUL"), "0", True),
        (("2012-04-02", "E", "PUL"), "0", True),  # day 92
        (("2012-04-03", "E", "PUL"), "0", False),
        (("2014-01-01", "E", "PUL"), None, None),
        (("2011-12-20", "E", "PUL"), "0", True),  # a Diagnose tells of what was there
        ((None, None, "PUL"), None, True),
        ((None, None, "PUL"), "X", True),
        ((None, None, "PUL"), "0", False),
        (("2012-07-01", "M", "PUL"), None, True),  # some day of 2012
        (("2012-07-01", "M", "PUL"), "0", False),
        (("2013-07-01", "M", "PUL"), None, None),
        (("2014-01-01", "E", "PUL"), "1", True),  # the Diagnose's own M
    ],
)
@together()
def test_a_metastasis_of_a_diagnose_was_there_at_diagnosis_within_the_window(
    patient, metastasis, m, expected
):
    patient.patient()
    patient.diagnosis(M=m, Menge_FM=fm(metastasis))
    outcome = yield
    diagnosis = outcome["diagnosis"]
    assert diagnosis["distant_metastasis"].to_list() == [expected]


def test_the_first_therapy_closes_the_window_and_a_biopsy_does_not(records):
    for number, intent, expected in (("1", "K", False), ("2", "D", True)):
        records.patient(number, family=f"Name{number}")
        records.diagnosis(number=number, Menge_FM=fm(("2012-02-20", "E", "PUL")))
        records.meldung(
            r.ObdsSurgery, number=number, Datum="2012-02-10", Intention=intent, Menge_OPS='["5-782.b0"]'
        )
        outcome = records.run()
        patient = outcome["diagnosis"].filter(patient_id=f"number:{number}")
        assert patient["distant_metastasis"].to_list() == [expected]


@pytest.mark.parametrize(
    ("found_on", "therapies", "expected"),
    [
        # An excision five days before its report was the biopsy: it closes no window.
        ("2012-01-01", ["2011-12-27"], True),
        ("2012-02-20", ["2011-12-27"], True),
        ("2012-02-20", ["2011-12-27", "2012-03-01"], True),
        ("2012-02-20", ["2011-12-27", "2012-02-10"], False),
        ("2012-02-20", ["2012-02-20"], True),
    ],
)
@together()
def test_a_therapy_before_the_diagnosis_closes_no_window(records, found_on, therapies, expected):
    records.patient()
    records.diagnosis(M=None, Menge_FM=fm((found_on, "E", "PUL")))
    for day in therapies:
        surgery(records, day)
    outcome = yield
    assert outcome["diagnosis"]["distant_metastasis"].to_list() == [True if expected else None]
    assert ("metastasis.later-in-diagnosis" in outcome.rules()) == (not expected)


@together()
def test_a_later_metastasis_in_a_diagnose_is_a_finding(records):
    records.patient()
    bad = records.diagnosis(M=None, Menge_FM=fm(("2014-01-01", "E", "PUL")))
    outcome = yield
    seen = outcome.observed.filter(rule_id="metastasis.later-in-diagnosis")
    assert seen["record_id"].to_list() == [bad]


@together()
def test_a_synchronous_metastasis_in_a_diagnose_is_no_later_one(records):
    records.patient()
    records.diagnosis(M="1", Menge_FM=fm(("2012-01-05", "E", "PUL")))
    outcome = yield
    assert "metastasis.later-in-diagnosis" not in outcome.rules()


@pytest.mark.parametrize("symbol", ["r_Symbol", "y_Symbol"])
@together()
def test_m1_of_a_relapse_or_after_therapy_is_a_metastasis_and_not_m1(records, symbol):
    records.patient()
    records.diagnosis(M=None)
    tnm = {"kind": "pTNM", "Version": "7", symbol: symbol[0], "M": "1"}
    records.meldung(r.ObdsPathology, TNM=json.dumps([tnm]), Tumor_Histologiedatum="2014-06-01")
    outcome = yield
    assert found(outcome, "site", "metastasis_date", "origin") == [(None, DAY(2014, 6, 1), "pathology")]
    assert outcome["diagnosis"].select("m_stage", "distant_metastasis").rows() == [(None, None)]


@together()
def test_an_undated_rm1_is_a_finding(records):
    records.patient()
    records.diagnosis(M=None)
    bad = records.meldung(r.ObdsPathology, TNM=json.dumps([{"kind": "pTNM", "r_Symbol": "r", "M": "1"}]))
    outcome = yield
    seen = outcome.observed.filter(rule_id="metastasis.date-missing")
    assert seen["record_id"].to_list() == [bad]
    assert found(outcome, "metastasis_date", "reported_date") == [(None, None)]


@pytest.mark.parametrize(("of_tnm", "day"), [(None, DAY(2012, 6, 1)), ("2012-06-20", DAY(2012, 6, 20))])
@together(sarcoma)
def test_the_month_of_a_histology_is_not_that_of_m1(records, of_tnm, day):
    """The day of the operation, or of its TNM, is exact."""
    stage = {"kind": "TNM", "c_p_u_Praefix_M": "c", "M": "1", "Datum": of_tnm}
    month = {"Tumor_Histologiedatum": "2012-07-15", "Tumor_Histologiedatum_Datumsgenauigkeit": "T"}
    surgery(records, "2012-06-01", TNM=json.dumps([stage]), Histologie=json.dumps([month]))
    outcome = yield
    assert found(outcome, "metastasis_date", "metastasis_date_precision") == [(day, "day")]


@together()
def test_m1_said_again_of_a_tumour_that_was_m1_is_no_metastasis_of_its_own(records):
    records.patient()
    records.diagnosis(M="1")
    surgery(records, "2012-06-01", TNM=json.dumps([{"kind": "TNM", "c_p_u_Praefix_M": "c", "M": "1"}]))
    outcome = yield
    assert outcome["metastasis"].is_empty()


@pytest.mark.parametrize(
    ("icd", "topography", "site", "extent"),
    [
        ("C78.0", "C34.9", "PUL", "distant"),
        ("C79.5", "C41.2", "OSS", "distant"),
        # The code of the secondary tumour says where it is, the topography where the primary is.
        ("C78.0", "C49.2", "PUL", "distant"),
        ("C77.4", "C77.4", "LYM", "regional"),
        ("C34.1", "C34.1", "PUL", "distant"),  # by behaviour /6 alone
    ],
)
@together(sarcoma)
def test_a_metastasis_told_as_a_tumour_is_a_metastasis_of_the_known_one(
    records, icd, topography, site, extent
):
    records.diagnosis("2013-07-01", tumour="T2", Primaertumor_ICD=icd, T=None, N=None, M=None,
                      Primaertumor_Topographie_ICD_O=topography, Morphologie_ICD_O='["8802/6"]')  # fmt: skip
    follow_up(records, "2014-01-01", ("2014-01-01", "E", "HEP"), tumour="T2")
    outcome = yield
    assert outcome["diagnosis"].select("tumour_id", "m_stage").rows() == [("T1", "M0")]
    told = found(outcome, "tumour_id", "site", "extent", "metastasis_date", "origin")
    assert told[0] == ("T1", site, extent, DAY(2013, 7, 1), "tumour")
    assert told[1][:2] == ("T1", "HEP"), "what is reported under its number belongs to the known tumour"
    assert "diagnosis.relapse-as-tumour" in outcome.rules()


@together(sarcoma)
def test_a_metastasis_of_another_histology_is_not_the_sarcomas(records):
    records.diagnosis("2013-07-01", tumour="T2", Primaertumor_ICD="C78.0",
                      Primaertumor_Topographie_ICD_O="C34.9", Morphologie_ICD_O='["8140/6"]')  # fmt: skip
    outcome = yield
    assert outcome["metastasis"].is_empty()
    assert outcome["diagnosis"].height == 2


@together(sarcoma)
def test_another_tumours_metastasis_keeps_its_tumour(records):
    records.diagnosis("2011-01-01", tumour="T2", Primaertumor_ICD="C50.4", Morphologie_ICD_O='["8500/3"]')
    follow_up(records, "2013-06-01", ("2013-05-01", "E", "PUL"), tumour="T2")
    outcome = yield
    assert found(outcome, "tumour_id", "site") == [("T2", "PUL")]


@together(sarcoma)
def test_undated_metastases_of_two_examinations_are_not_joined(records):
    for day in ("2013-06-01", "2014-06-01"):
        follow_up(records, day, (None, None, "PUL"))
    outcome = yield
    assert found(outcome, "reported_date") == [(DAY(2013, 6, 1),), (DAY(2014, 6, 1),)]


@pytest.mark.parametrize(
    ("date", "exactness", "day", "precision", "rule"),
    [
        ("00.05.2013", None, DAY(2013, 5, 15), "month", "date.legacy-format"),
        ("00.00.2013", None, DAY(2013, 7, 1), "year", "date.legacy-format"),
        ("2013-05-03", "T", DAY(2013, 5, 15), "month", "date.partial"),
        ("2013-05-03", "E", DAY(2013, 5, 3), "day", None),
    ],
)
@together(sarcoma)
def test_a_metastasis_in_a_month_of_the_older_format_has_the_finding_of_this_format(
    records, date, exactness, day, precision, rule
):
    record = follow_up(records, "2013-08-01", (date, exactness, "PUL"))
    outcome = yield
    assert found(outcome, "metastasis_date", "metastasis_date_precision") == [(day, precision)]
    seen = outcome.observed.filter(table_name="typed.metastasis", record_id=record)["rule_id"].to_list()
    assert [one for one in seen if one.startswith("date.")] == ([rule] if rule else [])


@together(sarcoma)
def test_a_metastasis_has_the_origin_that_stands_first_in_the_list_whenever_it_was_reported(records):
    surgery(records, "2013-06-20", Menge_FM=fm(("2013-05-01", "E", "PUL"), (None, None, "OSS")))
    follow_up(records, "2013-06-01", ("2013-05-01", "E", "PUL"))
    outcome = yield
    ordered = sorted(("surgery", "follow-up"), key=REPORT_ORIGIN.index)
    # The undated one comes last.
    assert found(outcome, "site", "origin", "reported_date") == [
        ("PUL", ordered[0], DAY(2013, 6, 1)), ("OSS", "surgery", DAY(2013, 6, 20)),
    ]  # fmt: skip


def test_of_two_examinations_of_a_table_that_counts_days_the_earlier_one_reports_the_metastasis():
    own = {"patient_id": pl.String, "tumour_id": pl.String, "of_relapse_report": pl.Boolean}
    exams = [
        {"patient_id": "p", "tumour_id": "t", "source": "table", "record_id": f"r{day}",
         "assessment_day": day, "distant_date": DAY(2013, 5, 1), "distant_site": "PUL"}
        for day in (500, 490, 510)
    ]  # fmt: skip
    sound = {
        contract.table(): pl.DataFrame(rows, schema=contract.polars_schema() | own)
        for contract, rows in ((typed.Assessment, exams), (typed.Metastasis, []), (typed.Diagnosis, []))
    }
    staged = pl.DataFrame(schema={"patient_id": pl.String, "tumour_id": pl.String})
    made = metastases.curate(sound, staged)
    assert made.select("reported_day", "origin", "record_ids").rows() == [
        (490, "table", ["r490", "r500", "r510"])
    ]


@pytest.mark.parametrize("tumour", ["1", None])
@pytest.mark.parametrize(("day", "expected"), [(DAY(2012, 2, 10), True), (DAY(2012, 2, 11), False)])
def test_the_window_of_a_tumour_without_a_number_is_closed_by_its_therapy_too(tumour, day, expected):
    own = {"patient_id": pl.String, "tumour_id": pl.String}
    of = {"patient_id": "p", "tumour_id": tumour}
    found = of | {
        "record_id": "r", "origin": "diagnosis", "extent": "distant", "metastasis_date": day,
        "metastasis_date_precision": "day",
    }  # fmt: skip
    told = of | {"diagnosis_date": DAY(2012, 1, 1), "therapies": [DAY(2012, 2, 10)], "m_stage": None}
    schema = {"diagnosis_date": pl.Date, "therapies": pl.List(pl.Date), "m_stage": pl.String}
    made = metastases.at_diagnosis(
        pl.DataFrame([found], schema=typed.Metastasis.polars_schema() | own),
        pl.DataFrame([told], schema=own | schema),
        92,
    )
    assert made["at_diagnosis"].to_list() == [expected]
