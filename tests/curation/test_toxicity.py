"""Side effects, complications and wound revisions: which therapy they belong to, and what contradicts it."""

import datetime as dt
import json

import polars as pl
import pytest

from sarcoma_pipeline.curation import toxicity, toxicity_findings
from schemas import received as r
from schemas import typed
from schemas.curated import VitalStatus
from schemas.curated_toxicity import Toxicity
from tests.conftest import FILES, SOURCES, Records
from tests.curation.conftest import told
from tests.one_curation import sarcoma, together
from tests.quality.clean import row

D = dt.date


def surgery(records: Records, on: str, *complications, ops="5-782.b", intent="K", **values):
    if complications:
        values["Menge_Komplikation"] = json.dumps(complications)
    return records.meldung(
        r.ObdsSurgery, Datum=on, Intention=intent, Module_ID=f"O{on}{ops}", Menge_OPS=json.dumps(ops.split()),
        Lokale_Beurteilung_Residualstatus="R0", **values,
    )  # fmt: skip


def radiotherapy(records: Records, *effects, **values):
    if effects:
        values["Menge_Nebenwirkung"] = json.dumps(effects)
    values = {
        "Module_ID": "S1",
        "Beginn": "2012-02-01",
        "Ende": "2012-03-07",
        "Gesamtdosis": "50",
        "Einzeldosis": "2",
        **values,
    }
    return records.meldung(
        r.ObdsRadiotherapy, Stellung_OP="N", Intention="K", Applikationsart="Perkutan",
        Gesamtdosis_Einheit="Gy", Einzeldosis_Einheit="Gy", **values,
    )  # fmt: skip


def rows(outcome, *columns):
    return outcome["toxicity"].select(columns).rows()


@together(sarcoma)
def test_a_side_effect_has_its_grade_kind_and_version_and_belongs_to_the_course_of_its_report(patient):
    effect = {"Bezeichnung": "Radiodermatitis", "Grad": "3", "Version": "5.0"}
    record = radiotherapy(patient, effect, {"MedDRA_Code": "10017076", "Grad": "4", "Version": "4.03"})
    outcome = yield
    assert rows(outcome, "category", "code", "grade", "ctcae_version", "stated_window") == [
        ("skin", None, 3, "5.0", "acute"),
        (None, "10017076", 4, "4.03", "acute"),
    ]
    assert (
        rows(outcome, "therapy_date", "therapy_day", "attribution", "record_ids")
        == [(D(2012, 2, 1), 31, "record", [record])] * 2
    )
    assert (
        outcome["toxicity"]["course_id"].to_list()
        == outcome["radiotherapy_course"]["course_id"].to_list() * 2
    )


@together(sarcoma)
def test_a_complication_of_a_biopsy_belongs_to_no_earlier_operation(patient):
    surgery(patient, "2012-05-01")
    surgery(patient, "2014-01-10", {"Kuerzel": "RNB"}, ops="1-503.5", intent="D")
    outcome = yield
    assert rows(outcome, "therapy", "statement", "therapy_date", "attribution") == [
        ("surgery", "present", None, None)
    ]


@pytest.mark.parametrize(
    ("stated", "statement", "grade"), [("K", "none", 0), ("1", "present", 1), ("2", "present", 2)]
)
@together(sarcoma)
def test_a_grade_up_to_2_has_no_kind(patient, stated, statement, grade):
    radiotherapy(patient, Grad_maximal2_oder_unbekannt=stated)
    outcome = yield
    assert rows(outcome, "statement", "grade", "category", "code") == [(statement, grade, None, None)]
    assert told(outcome, "toxicity.kind-missing") == []


@together(sarcoma)
def test_not_known_is_told_apart_from_none_and_from_no_statement(patient):
    radiotherapy(patient, Grad_maximal2_oder_unbekannt="U")
    surgery(patient, "2012-05-01", Komplikation_nein_oder_unbekannt="N")
    surgery(patient, "2014-05-01")
    outcome = yield
    assert rows(outcome, "therapy", "statement", "grade") == [
        ("radiotherapy", "unknown", None), ("surgery", "none", None)
    ]  # fmt: skip


@together(sarcoma)
def test_complications_are_read_by_abbreviation_and_by_icd10(patient):
    surgery(patient, "2012-05-01", {"Kuerzel": "WSS"}, {"ICD": "T81.4"}, {"ICD": "I26.9"}, {"Kuerzel": "RNB"})
    outcome = yield
    assert rows(outcome, "code_system", "code", "category", "revision") == [
        ("ICD-10", "I26.9", "other", False), ("oBDS", "RNB", "wound", True),
        ("ICD-10", "T81.4", "wound", False), ("oBDS", "WSS", "wound", False),
    ]  # fmt: skip


@together(sarcoma)
def test_an_unknown_abbreviation_is_a_finding_and_still_a_complication(patient):
    record = surgery(patient, "2012-05-01", {"Kuerzel": "QQQ"})
    outcome = yield
    assert rows(outcome, "statement", "code") == [("present", None)]
    seen = outcome.observed.filter(table_name="typed.toxicity", record_id=record)
    assert seen.select("rule_id", "column_name", "value").rows() == [("value.code-unknown", "code", "QQQ")]


@pytest.mark.parametrize(
    ("ops", "intent", "revision"),
    [
        ("5-896.1e 5-983", "K", "5-896.1e"),
        ("5-850.d8 5-902.4e 8-190.20", "X", "5-850.d8"),
        ("5-782.b", "R", None),
        ("5-866.3", "X", "5-866.3"),
        ("5-907.2e", "X", "5-907.2e"),
    ],
)
@together(sarcoma)
def test_a_second_operation_for_the_wound_belongs_to_the_operation_before(patient, ops, intent, revision):
    surgery(patient, "2012-05-01")
    record = surgery(patient, "2012-06-10", ops=ops, intent=intent)
    outcome = yield
    found = rows(outcome, "kind", "code", "therapy_date", "onset_date", "attribution", "record_ids")
    assert found == [
        (
            "wound revision", revision, D(2012, 5, 1), D(2012, 6, 10), "last operation before", [record],
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("5-782.b", "5-852.f8 5-896.1e", "a re-resection is no operation for the wound"),
        ("5-782.b", "5-902.4e", "a graft alone may be planned"),
        ("5-896.1e", "5-896.1e", "there was no operation on the tumour before"),
        ("5-782.b", "5-907.0e", "the correction of a scar is no complication of the wound"),
    ],
)
@together(sarcoma)
def test_what_is_no_wound_revision(patient, first, second, why):
    surgery(patient, "2012-05-01", ops=first)
    surgery(patient, "2012-06-10", ops=second)
    outcome = yield
    assert outcome["toxicity"].is_empty(), why


@together(sarcoma)
def test_a_closure_between_does_not_take_the_revision_from_the_resection(patient):
    surgery(patient, "2012-05-01")
    surgery(patient, "2012-05-20", ops="5-902.4e", intent="X")
    surgery(patient, "2012-06-10", ops="5-896.1e", intent="X")
    outcome = yield
    assert rows(outcome, "therapy_date", "onset_date") == [(D(2012, 5, 1), D(2012, 6, 10))]


@pytest.mark.parametrize(("intent", "found"), [("R", 1), ("X", 0)])
@together(sarcoma)
def test_on_the_day_of_the_operation_only_a_documented_revision_counts(patient, intent, found):
    """Two records of one day may be parts of one session, with a drain or a temporary cover."""
    surgery(patient, "2012-05-01")
    surgery(patient, "2012-05-01", ops="5-916.a1", intent=intent)
    outcome = yield
    assert outcome["toxicity"].filter(kind="wound revision").height == found


DAY_SURGERY = {
    "patient_id": pl.String, "tumour_id": pl.String, "ops_codes": pl.List(pl.String), "intent": pl.String,
    "surgery_date": pl.Date, "surgery_day": pl.Int32, "record_ids": pl.List(pl.String),
    "surgery_date_precision": pl.String, "surgery_day_earliest": pl.Int32, "surgery_day_latest": pl.Int32,
}  # fmt: skip
"""Columns of the operations of a source that counts days."""


def test_operations_of_a_source_without_any_code_are_judged_by_their_intent():
    rows = [
        ("p", "t", None, "curative", None, 10, ["a"], None, 10, 10),
        ("p", "t", None, "revision", None, 30, ["b"], None, 30, 30),
    ]
    types = DAY_SURGERY | {"ops_codes": pl.List(pl.Null)}
    made = toxicity.wound_revisions(pl.DataFrame(rows, schema=types, orient="row"))
    assert made["record_ids"].to_list() == [["b"]]


@pytest.mark.parametrize(
    ("intent", "day", "found"), [("revision", 10, 1), ("other", 10, 0), ("other", 11, 1)]
)
def test_a_wound_revision_by_days_is_after_the_operation_or_documented(intent, day, found):
    rows = [
        ("p", "t", ["5-782.b"], "curative", None, 10, ["a"], None, 10, 10),
        ("p", "t", ["5-916.a1"], intent, None, day, ["b"], None, day, day),
    ]
    made = toxicity.wound_revisions(pl.DataFrame(rows, schema=DAY_SURGERY, orient="row"))
    assert made.height == found


def test_parts_and_reports_of_one_course_tell_of_one_side_effect(patient):
    effect = {"Bezeichnung": "Dermatitis", "Grad": "3", "Version": "5.0"}
    both = [
        radiotherapy(patient, effect, position=f"line {n} ST/Bestrahlung[{n}]", Meldung_ID="M1")
        for n in (1, 2)
    ]
    outcome = patient.run()
    assert rows(outcome, "grade", "record_ids") == [(3, both)]
    assert outcome.accounting["unaccounted"].sum() == 0 and outcome.accounting["counted_twice"].sum() == 0


@together(sarcoma)
def test_reports_that_differ_on_whether_there_was_any_are_a_finding(patient):
    nothing = radiotherapy(patient, Grad_maximal2_oder_unbekannt="K", Meldung_ID="M1")
    radiotherapy(patient, Grad_maximal2_oder_unbekannt="2", Meldung_ID="M2", reported="2020-02-01")
    outcome = yield
    assert told(outcome, "toxicity.reports-differ") == [nothing]
    assert sorted(rows(outcome, "statement", "grade")) == [("none", 0), ("present", 2)]


@pytest.mark.parametrize(
    ("acute", "day", "differ"),
    [
        ("1", "01.05.2013", False),  # acute toxicity, and no late toxicity on day 455
        ("K", "01.05.2013", False),
        ("1", "01.03.2012", True),  # none on day 29, within the acute window
    ],
)
def test_no_late_toxicity_does_not_contradict_an_acute_one(patient, monkeypatch, acute, day, differ):
    radiotherapy(patient, Grad_maximal2_oder_unbekannt=acute)
    ids, outcome = by_table(patient, monkeypatch, {"Art": "", "Grad": "0", "Tag": day})
    assert told(outcome, "toxicity.reports-differ") == (ids if differ else [])


def test_none_before_the_onset_does_not_contradict_it(patient, monkeypatch):
    radiotherapy(patient)
    cells = [
        {"Art": "", "Grad": "0", "Tag": "01.10.2012"},
        {"Art": "Fibrose", "Grad": "2", "Tag": "01.05.2013"},
    ]
    _, outcome = by_table(patient, monkeypatch, *cells)
    assert told(outcome, "toxicity.reports-differ") == []


def test_a_fatal_toxicity_needs_a_death(patient):
    effect = {"Bezeichnung": "Sepsis", "Grad": "5", "Version": "5.0"}
    record = radiotherapy(patient, effect)
    assert told(patient.run(), "toxicity.fatal-without-death") == [record]
    patient.meldung(r.ObdsDeath, Sterbedatum="2012-04-01", Tod_tumorbedingt="N")
    assert told(patient.run(), "toxicity.fatal-without-death") == []


# --- tables ------------------------------------------------------------------------------------------

MAPPED = {
    "name": "late", "kind": "table", "format": "csv", "files": ["l"], "key": ["Nr"],
    "date_format": "%d.%m.%Y",
    "entities": [
        {
            "entity": "toxicity",
            "columns": {
                "hospital_number": "Nr",
                "therapy": {"constant": "radiotherapy", "codes": {"radiotherapy": "radiotherapy"}},
                "category": {"column": "Art", "codes": {"Fibrose": "fibrosis"}},
                "grade": "Grad", "onset_date": "Tag",
            },
        }
    ],
}  # fmt: skip


def by_table(records: Records, monkeypatch, *cells: dict[str, str]):
    sources = SOURCES.model_copy(
        update={"source": (*SOURCES.source, type(SOURCES).model_validate({"source": [MAPPED]}).source[0])}
    )
    monkeypatch.setattr("tests.conftest.SOURCES", sources)
    monkeypatch.setattr(
        "tests.conftest.FILES",
        pl.concat([FILES, pl.DataFrame({"file_id": ["l"], "path": ["l"], "source": ["late"]})]),
    )
    ids = [records.add(r.TableRow, table_name="late", values=json.dumps({"Nr": "1", **c})) for c in cells]
    return ids, records.run()


def test_a_table_belongs_to_the_only_course_that_began_before(patient, monkeypatch):
    radiotherapy(patient)
    ids, outcome = by_table(patient, monkeypatch, {"Art": "Fibrose", "Grad": "2", "Tag": "01.05.2013"})
    assert rows(outcome, "category", "grade", "onset_day", "attribution", "therapy_day", "record_ids") == [
        ("fibrosis", 2, 486, "only therapy before", 31, ids)
    ]
    assert outcome.accounting["unaccounted"].sum() == 0


def test_of_two_courses_none_is_guessed(patient, monkeypatch):
    radiotherapy(patient)
    radiotherapy(patient, Module_ID="S2", Beginn="2013-02-01", Ende="2013-03-07")
    ids, outcome = by_table(patient, monkeypatch, {"Art": "Fibrose", "Grad": "2", "Tag": "01.05.2014"})
    assert told(outcome, "toxicity.unattributed") == ids
    assert rows(outcome, "attribution", "therapy_day") == [(None, None)]


def test_late_or_acute_that_is_not_known_is_a_finding(patient, monkeypatch):
    radiotherapy(patient)
    ids, outcome = by_table(patient, monkeypatch, {"Art": "Fibrose", "Grad": "2", "Tag": ""})
    assert told(outcome, "toxicity.not-placed") == ids


def test_toxicity_before_its_therapy_is_a_finding(patient, monkeypatch):
    radiotherapy(patient)
    ids, outcome = by_table(patient, monkeypatch, {"Art": "Fibrose", "Grad": "2", "Tag": "01.01.2012"})
    # The only course began later: it belongs to none.
    assert told(outcome, "toxicity.unattributed") == ids


def test_toxicity_dated_before_the_therapy_of_its_own_row_is_a_finding(patient, monkeypatch):
    mapped = json.loads(json.dumps(MAPPED))
    mapped["entities"].append(
        {
            "entity": "radiotherapy",
            "columns": {"hospital_number": "Nr", "start_date": "Beginn", "end_date": "Ende"},
        }
    )
    monkeypatch.setattr("tests.curation.test_toxicity.MAPPED", mapped)
    cells = {"Art": "Fibrose", "Grad": "2", "Tag": "01.01.2012", "Beginn": "01.02.2012", "Ende": "07.03.2012"}
    ids, outcome = by_table(patient, monkeypatch, cells)
    assert told(outcome, "toxicity.before-therapy") == ids
    assert told(outcome, "toxicity.not-placed") == [], "one fault is one finding"


@pytest.mark.parametrize(
    ("onset", "therapy", "faulty"),
    [
        ({"onset_date": dt.date(2012, 2, 1)}, dt.date(2012, 2, 1), False),
        ({"onset_date": dt.date(2012, 1, 31)}, dt.date(2012, 2, 1), True),
        # Some day of February; a month that ended before.
        ({"onset_date": dt.date(2012, 2, 15), "onset_date_precision": "month"}, dt.date(2012, 2, 29), False),
        ({"onset_date": dt.date(2012, 1, 15), "onset_date_precision": "month"}, dt.date(2012, 2, 1), True),
        # A source that counts days.
        ({"onset_day": 31}, None, False),
        ({"onset_day": 30}, None, True),
        ({}, dt.date(2012, 2, 1), False),
    ],
)
def test_toxicity_on_the_first_day_of_its_therapy_is_not_before_it(onset, therapy, faulty):
    one = {
        "patient_id": "p", "tumour_id": "t", "record_ids": ["r1"], "statement": "present",
        "kind": "side effect", "therapy": "radiotherapy", "attribution": "record", "therapy_date": therapy,
        "therapy_day": 31, "onset_date_precision": "day",
    }  # fmt: skip
    made = Toxicity.conform(pl.DataFrame([one | onset], schema_overrides=Toxicity.polars_schema()))
    seen = toxicity_findings.observe(made, VitalStatus.empty())
    assert ("toxicity.before-therapy" in set(seen["rule_id"])) is faulty


@pytest.mark.parametrize(("day", "faulty"), [("02.06.2013", True), ("01.06.2013", False), ("", False)])
def test_toxicity_after_death_is_a_finding(patient, monkeypatch, day, faulty):
    radiotherapy(patient)
    patient.meldung(r.ObdsDeath, Sterbedatum="2013-06-01", Tod_tumorbedingt="N")
    ids, outcome = by_table(patient, monkeypatch, {"Art": "Fibrose", "Grad": "2", "Tag": day})
    assert told(outcome, "toxicity.after-death") == (ids if faulty else [])


# --- rules on one record -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "wrong", "right"),
    [
        ("toxicity.kind-missing", {"category": None}, {"category": None, "grade": 2}),
        ("toxicity.grade-missing", {"grade": None}, {"grade": None, "kind": "complication"}),
        ("toxicity.grade-implausible", {"grade": 6}, {"grade": 5}),
        ("toxicity.grade-implausible", {"grade": 2}, {"grade": 2, "source": "table"}),
        (
            "toxicity.none-with-grade",
            {"statement": "none"},
            {"statement": "none", "grade": 0, "category": None},
        ),
        ("toxicity.code-malformed", {"code": "1001707", "code_system": "MedDRA"}, {}),
        ("toxicity.code-malformed", {"code": "T814", "code_system": "ICD-10"}, {"code": "T81.4"}),
    ],
)
def test_rules_on_one_record(rule, wrong, right):
    for changes, faulty in ((wrong, True), (right, False), ({}, False)):
        frame = typed.Toxicity.conform(pl.DataFrame([row(typed.Toxicity, **changes)]))
        assert (rule in set(typed.Toxicity.failures(frame)["rule_id"])) is faulty, changes
