"""Which date of death counts, and which findings the others cause."""

import datetime as dt
from collections.abc import Mapping, Sequence

import polars as pl
import pytest

from sarcoma_pipeline.curation import vital_status
from schemas import received as r
from schemas import typed
from tests.one_curation import sarcoma, together

SEEN = (typed.Assessment, typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Diagnosis)
CONFLICT = "vital-status.death-date-conflict"


def died(records, on, **values):
    return records.meldung(r.ObdsDeath, Sterbedatum=on, **values)


def answered(records, on):
    return records.reply(answer="verstorben", event_date=on)


def outcome_of(outcome):
    told = sorted(outcome.observed.filter(rule_id=CONFLICT)["record_id"])
    return outcome["vital_status"]["death_date"].to_list(), told


@together(sarcoma)
def test_the_less_credible_date_is_the_finding(patient):
    answered(patient, "01.06.2014")
    loser = died(patient, "2014-06-03")
    outcome = yield
    assert outcome_of(outcome) == ([dt.date(2014, 6, 1)], [loser])


def test_of_two_reports_of_one_source_the_newest_counts_whatever_their_order(patient):
    newest = {"reported": "2020-05-01", "record_id": "a"}
    oldest = {"reported": "2020-02-01", "record_id": "z"}
    died(patient, "2014-06-01", **newest)
    died(patient, "2014-06-03", **oldest)
    assert outcome_of(patient.run()) == ([dt.date(2014, 6, 1)], ["z"])


@together()
def test_a_dated_death_without_a_date_of_diagnosis_is_a_dated_death(records):
    records.patient()
    records.diagnosis(None)
    died(records, "2014-06-03")
    outcome = yield
    found = outcome["vital_status"].select("status", "death_date", "death_day").rows()
    assert found == [("deceased", dt.date(2014, 6, 3), None)]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([("deceased", 300)], ("deceased", None, 300, None)),
        ([("deceased", 300), ("deceased", 310)], ("deceased", None, 310, None)),
        ([("deceased", None)], ("deceased, date unknown", None, None, None)),
        ([("deceased, date unknown", None), ("alive", 200)], ("deceased, date unknown", None, None, 200)),
        ([("deceased", 300), ("alive", 200)], ("deceased", None, 300, 200)),
        # Nobody is alive after the death.
        ([("deceased", 300), ("alive", 400)], ("deceased", None, 300, 300)),
        ([("alive", 400)], ("alive", None, None, 400)),
        ([("alive", 400), ("moved", 500)], ("alive", None, None, 500)),
        ([("alive", None)], ("alive", None, None, None)),
    ],
)
def test_a_source_that_counts_days_has_no_dates(told, expected):
    rows = [
        {"record_id": f"r{n}", "patient_id": "p", "source": "table", "status": status, "status_day": day}
        for n, (status, day) in enumerate(told)
    ]
    schema = typed.VitalStatus.polars_schema() | {"patient_id": pl.String}
    sound = {c.table(): c.empty().with_columns(patient_id=pl.lit("")) for c in SEEN}
    sound[typed.VitalStatus.table()] = pl.DataFrame(rows, schema=schema)
    zero = pl.DataFrame({"patient_id": ["p"], "zero": [None]}, schema_overrides={"zero": pl.Date})
    made = vital_status.curate(sound, zero, ["table"])
    assert made.select("status", "death_date", "death_day", "last_alive_day").rows() == [expected]


@together(sarcoma)
def test_two_reports_of_one_day_contradict_nobody(patient):
    answered(patient, "03.06.2014")
    died(patient, "2014-06-03")
    outcome = yield
    assert outcome_of(outcome) == ([dt.date(2014, 6, 3)], [])


@together(sarcoma)
def test_a_month_contradicts_no_day(patient):
    answered(patient, "00.06.2014")
    died(patient, "2014-06-03")
    outcome = yield
    assert outcome_of(outcome) == ([dt.date(2014, 6, 3)], [])


@pytest.mark.parametrize("of_office", ["00.05.2014", "00.00.2013", "00.00.2015"])
@together(sarcoma)
def test_a_month_or_a_year_that_the_day_is_not_in_is_a_finding_and_no_evidence(patient, of_office):
    other = answered(patient, of_office)
    exact = died(patient, "2014-06-03")
    outcome = yield
    assert outcome_of(outcome) == ([dt.date(2014, 6, 3)], [other])
    assert outcome["vital_status"]["death_record_ids"].to_list() == [[exact]]


@pytest.mark.parametrize("of_office", ["00.06.2014", "00.00.2014", "03.06.2014"])
@together(sarcoma)
def test_a_month_or_a_year_that_the_day_is_in_is_evidence(patient, of_office):
    both = sorted([answered(patient, of_office), died(patient, "2014-06-03")])
    outcome = yield
    assert outcome_of(outcome) == ([dt.date(2014, 6, 3)], [])
    assert outcome["vital_status"]["death_record_ids"].to_list() == [both]


@together(sarcoma)
def test_a_month_counts_before_the_year_of_a_more_credible_source(patient):
    answered(patient, "00.00.2014")
    died(patient, "00.06.2014")
    outcome = yield
    assert outcome_of(outcome) == ([dt.date(2014, 6, 15)], [])


@pytest.mark.parametrize(
    ("of_office", "of_obds"), [("00.00.2013", "00.06.2014"), ("00.05.2014", "00.06.2014")]
)
@together(sarcoma)
def test_two_partial_dates_that_exclude_each_other_are_a_finding(patient, of_office, of_obds):
    office, obds = answered(patient, of_office), died(patient, of_obds)
    outcome = yield
    (date,), told = outcome_of(outcome)
    # Of two months the registry office's counts; a month counts before a year.
    assert (date, told) == (
        (dt.date(2014, 5, 15), [obds]) if of_office.startswith("00.05") else (dt.date(2014, 6, 15), [office])
    )


@together(sarcoma)
def test_the_finding_shows_a_partial_date_as_it_was_told(patient):
    answered(patient, "00.00.2013")
    died(patient, "2014-06-03")
    outcome = yield
    assert outcome.observed.filter(rule_id=CONFLICT)["value"].to_list() == ["2013"]


@together(sarcoma)
def test_a_death_without_a_date_contradicts_nobody(patient):
    answered(patient, None)
    died(patient, "2014-06-03")
    outcome = yield
    assert outcome_of(outcome) == ([dt.date(2014, 6, 3)], [])


@pytest.mark.parametrize("told", ["00.12.2011", "00.00.2011", "31.12.2011"])
@together(sarcoma)
def test_a_death_before_the_diagnosis_is_set_aside_however_exact_it_is(patient, told):
    """The diagnosis is of 1 January 2012: such a death would end every endpoint on day 0."""
    record = answered(patient, told)
    outcome = yield
    assert "death.before-diagnosis" in outcome.rules()
    assert outcome.quarantined == {record}
    assert outcome["vital_status"]["death_date"].drop_nulls().to_list() == []


@pytest.mark.parametrize(
    ("precisions", "chosen"),
    [
        (("day", None), 2),  # a date without a precision is exact: the more credible source counts
        ((None, "day"), 2),
        (("day", "month"), 1),
        ((None, "year"), 1),
        (("month", "year"), 1),
        (("year", "month"), 2),
        (("month", "month"), 2),
    ],
)
def test_the_most_exact_date_of_death_counts_then_the_most_credible_source(precisions, chosen):
    days = (dt.date(2013, 5, 15), dt.date(2015, 7, 1))
    sources = ("office", "oBDS")
    rows = [
        {"patient_id": "p", "record_id": f"r{n}", "source": source, "status": "deceased", "status_date": day,
         "status_date_precision": precision}
        for n, (source, day, precision) in enumerate(zip(sources, days, precisions, strict=True))
    ]  # fmt: skip
    zero = pl.DataFrame({"patient_id": ["p"], "zero": [dt.date(2012, 1, 1)]})
    for some in (rows, rows[::-1]):
        own = {"patient_id": pl.String, "tumour_id": pl.String}
        sound = {
            contract.table(): pl.DataFrame([], schema=contract.polars_schema() | own)
            for contract in (
                typed.Assessment, typed.Surgery, typed.Radiotherapy, typed.SystemicTherapy, typed.Diagnosis
            )
        }  # fmt: skip
        told = pl.DataFrame(some, schema=typed.VitalStatus.polars_schema() | own)
        made = vital_status.curate(sound | {typed.VitalStatus.table(): told}, zero, ["oBDS", "office"])
        assert made["death_date"].to_list() == [days[chosen - 1]]
        assert made["death_record_ids"].to_list() == [[f"r{chosen - 1}"]]


def told_of(
    statements: Sequence[Mapping[str, object]],
    seen: Mapping[type, Sequence[Mapping[str, object]]] | None = None,
) -> dict[str, pl.DataFrame]:
    """The typed tables of one patient, with what was stated and on which days they were seen."""
    own = {"patient_id": pl.String, "tumour_id": pl.String}
    events = {typed.VitalStatus: statements, **dict.fromkeys(SEEN, ()), **(seen or {})}
    return {
        contract.table(): pl.DataFrame(
            [{"patient_id": "p", "record_id": f"{contract.__name__}{n}", "source": "oBDS", **row}
             for n, row in enumerate(rows)],
            schema=contract.polars_schema() | own,
        )
        for contract, rows in events.items()
    }  # fmt: skip


ZERO = pl.DataFrame({"patient_id": ["p"], "zero": [dt.date(2012, 1, 1)]})
MONTH_OF_DEATH = {"status": "deceased", "status_date": dt.date(2014, 6, 15), "status_date_precision": "month"}


@pytest.mark.parametrize(
    ("examined", "alive", "died"),
    [
        (None, None, dt.date(2014, 6, 15)),
        (dt.date(2014, 6, 20), None, dt.date(2014, 6, 25)),
        (None, dt.date(2014, 6, 20), dt.date(2014, 6, 25)),
        # The later of both days is the last one on which they lived for certain.
        (dt.date(2014, 6, 10), dt.date(2014, 6, 20), dt.date(2014, 6, 25)),
        (dt.date(2014, 6, 20), dt.date(2014, 6, 10), dt.date(2014, 6, 25)),
        (dt.date(2014, 6, 1), None, dt.date(2014, 6, 15)),
        (dt.date(2014, 6, 30), None, dt.date(2014, 6, 30)),
    ],
)
def test_a_month_of_death_begins_at_the_last_contact_and_its_day_moves_with_it(examined, alive, died):
    statements = [MONTH_OF_DEATH]
    if alive:
        statements.append({"status": "alive", "status_date": alive, "status_date_precision": "day"})
    seen = {typed.Assessment: [{"assessment_date": examined}]} if examined else None
    made = vital_status.curate(told_of(statements, seen), ZERO, ["oBDS"])
    assert made.select("death_date", "death_day").rows() == [(died, (died - dt.date(2012, 1, 1)).days)]
    last = max(day for day in (examined, alive, dt.date(2012, 1, 1)) if day)
    if examined or alive:
        assert made["last_alive_date"].to_list() == [last]


def test_a_month_of_death_begins_at_the_last_of_several_contacts_which_is_the_last_day_alive():
    seen = {
        typed.Assessment: [{"assessment_date": dt.date(2014, 6, day)} for day in (20, 10)],
        typed.Surgery: [{"surgery_date": dt.date(2014, 6, 4)}],
    }
    made = vital_status.curate(told_of([MONTH_OF_DEATH], seen), ZERO, ["oBDS"])
    days = dt.date(2014, 6, 25), dt.date(2014, 6, 20)
    assert made.select("death_date", "last_alive_date").rows() == [days]


@pytest.mark.parametrize(
    ("stated", "examined", "evidence"),
    [(2, 1, "VitalStatus0"), (1, 2, "Assessment0"), (1, 1, "VitalStatus0")],
)
def test_the_evidence_of_life_is_the_last_contact_and_of_one_day_the_statement(stated, examined, evidence):
    alive = {"status": "alive", "status_date": dt.date(2014, 6, stated)}
    seen = {typed.Assessment: [{"assessment_date": dt.date(2014, 6, examined)}]}
    made = vital_status.curate(told_of([alive], seen), ZERO, ["oBDS"])
    assert made["last_alive_record_ids"].to_list() == [[evidence]]


def test_of_two_statements_of_one_day_the_newest_is_the_evidence_and_an_undated_report_is_the_oldest():
    alive = {"status": "alive", "status_date": dt.date(2014, 6, 1)}
    rows = [
        alive | {"record_id": record, "reported_on": day}
        for record, day in (("a", dt.date(2015, 1, 2)), ("b", dt.date(2015, 1, 1)), ("c", None))
    ]
    for some in (rows, rows[::-1]):
        made = vital_status.curate(told_of(some), ZERO, ["oBDS"])
        assert made["last_alive_record_ids"].to_list() == [["a"]]


def test_an_examination_without_a_day_says_nothing_of_life():
    undated, dated = ({"assessment_date": day} for day in (None, dt.date(2014, 6, 1)))
    assert vital_status.curate(told_of([], {typed.Assessment: [undated]}), ZERO, ["oBDS"]).is_empty()
    for some in ([undated, dated], [dated, undated]):
        made = vital_status.curate(told_of([], {typed.Assessment: some}), ZERO, ["oBDS"])
        assert made.select("status", "last_alive_date").rows() == [("alive", dt.date(2014, 6, 1))]


def test_the_day_of_death_is_no_day_after_it():
    """The source of the death counts days; 2014-06-01 is day 882 since 2012-01-01."""
    dead = {"status": "deceased", "status_day": 882, "source": "table"}
    alive = {"status": "alive", "status_date": dt.date(2014, 6, 1)}
    made = vital_status.curate(told_of([dead, alive]), ZERO, ["oBDS", "table"])
    found = made.select("death_day", "last_alive_day", "last_alive_date").rows()
    assert found == [(882, 882, dt.date(2014, 6, 1))]


@pytest.mark.parametrize(
    ("precision", "moved"), [("day", dt.date(2014, 6, 25)), ("month", dt.date(2014, 6, 15))]
)
def test_a_partial_day_on_which_they_lived_proves_life_on_its_first_day_only(precision, moved):
    alive = {"status": "alive", "status_date": dt.date(2014, 6, 20), "status_date_precision": precision}
    made = vital_status.curate(told_of([MONTH_OF_DEATH, alive]), ZERO, ["oBDS"])
    assert made["death_date"].to_list() == [moved]
    seen = {typed.Assessment: [{"assessment_date": alive["status_date"],
                                "assessment_date_precision": precision}]}  # fmt: skip
    assert vital_status.curate(told_of([MONTH_OF_DEATH], seen), ZERO, ["oBDS"])["death_date"].item() == moved


@pytest.mark.parametrize(
    ("contract", "date", "counts"),
    [
        (typed.Assessment, "assessment_date", True), (typed.Surgery, "surgery_date", True),
        (typed.Radiotherapy, "start_date", True), (typed.Radiotherapy, "end_date", True),
        (typed.SystemicTherapy, "start_date", False), (typed.Diagnosis, "diagnosis_date", False),
    ],
)  # fmt: skip
def test_a_partial_begin_of_drugs_or_diagnosis_is_no_contact(contract, date, counts):
    living = {"status": "alive", "status_date": dt.date(2012, 1, 1)}
    for precision, known in ((None, True), ("day", True), ("month", counts), ("year", counts)):
        row = {date: dt.date(2013, 5, 15), f"{date}_precision": precision}
        made = vital_status.curate(told_of([living], {contract: [row]}), ZERO, ["oBDS"])
        assert made["last_alive_date"].to_list() == [dt.date(2013, 5, 15) if known else dt.date(2012, 1, 1)]


DATED = {"status": "deceased", "status_date": dt.date(2014, 6, 1)}
UNDATED = {"status": "deceased, date unknown", "status_date": None}


@pytest.mark.parametrize(
    ("causes", "chosen", "other"),
    [
        # The newest known cause of a dated death, then that of an undated one, then "unknown".
        ([(DATED, "yes"), (DATED, "no")], "no", [0]),
        ([(DATED, "yes"), (DATED, "unknown")], "yes", []),
        ([(DATED, "yes"), (DATED, None)], "yes", []),
        ([(DATED, "yes"), (UNDATED, "no")], "yes", [1]),
        ([(DATED, "unknown"), (UNDATED, "no")], "no", []),
        ([(DATED, None), (UNDATED, "unknown")], "unknown", []),
        ([(DATED, None), (UNDATED, None)], None, []),
        # What a living patient is said to have died of is no cause.
        ([(DATED, "yes"), ({"status": "alive", "status_date": dt.date(2014, 1, 1)}, "no")], "yes", []),
        ([(DATED, None), ({"status": "alive", "status_date": dt.date(2014, 1, 1)}, "no")], None, []),
    ],
)
def test_the_newest_known_cause_of_a_dated_death_counts_and_another_one_is_told(causes, chosen, other):
    statements = [
        dict(said) | {"tumour_related": cause, "reported_on": dt.date(2015, 1, 1 + n)}
        for n, (said, cause) in enumerate(causes)
    ]
    ids = [f"VitalStatus{n}" for n in range(len(statements))]
    for some in (statements, statements[::-1]):
        sound = told_of(some)
        made = vital_status.curate(sound, ZERO, ["oBDS"])
        assert made["tumour_related"].to_list() == [chosen]
        told = vital_status.observe(sound, ZERO, ["oBDS"]).filter(rule_id="vital-status.causes-differ")
        named = [ids[n] if some is statements else ids[len(ids) - 1 - n] for n in other]
        assert told["record_id"].to_list() == named


def test_alive_after_every_undated_death_was_reported_refutes_it():
    """Only a waived contradiction comes so far; an undated death of an unknown day is refuted by nothing."""
    alive = {"status": "alive", "status_date": dt.date(2015, 1, 2)}
    for reported, status in [
        ([dt.date(2015, 1, 1)], "alive"),
        ([dt.date(2015, 1, 2)], "deceased, date unknown"),
        ([dt.date(2015, 1, 1), dt.date(2015, 1, 3)], "deceased, date unknown"),
        ([dt.date(2015, 1, 1), None], "deceased, date unknown"),
    ]:
        deaths = [UNDATED | {"reported_on": day, "tumour_related": "yes"} for day in reported]
        made = vital_status.curate(told_of([*deaths, alive]), ZERO, ["oBDS"])
        cause = None if status == "alive" else "yes"
        assert made.select("status", "tumour_related").rows() == [(status, cause)]
