"""The verdict of each criterion on facts of a patient: its value, its reason, and what is not known."""

import datetime as dt

import polars as pl
import pytest

from sarcoma_pipeline.cohort import eligibility
from schemas.assumptions import Assumptions
from schemas.contract import Contract
from schemas.curated import Diagnosis, Patient, Surgery, VitalStatus
from schemas.curated_radiotherapy import RadiotherapyCourse
from tests.cohort.test_eligibility import CRITERIA, study

OBSERVED = {"name": "observed", "rule": "observed", "label": "Observed"}
SIZE = {"name": "size", "rule": "known", "label": "Size known", "column": "tumour_size_cm"}
FACTS = {
    "icdo3_morphology": pl.String, "histologically_confirmed": pl.String, "histology_group": pl.String,
    "icd10_site": pl.String, "region": pl.String, "m_stage": pl.String, "distant_metastasis": pl.Boolean,
    "found_at_diagnosis": pl.Boolean, "course_intent": pl.String, "surgery_intent": pl.String,
    "radiation_sequence": pl.String, "technique": pl.String, "irradiated": pl.Boolean,
    "start_date": pl.Date, "end_date": pl.Date, "diagnosis_date": pl.Date, "observed_day": pl.Int32,
    "tumour_size_cm": pl.Float64,
}  # fmt: skip
"""The facts that criteria need."""

VMAT = {**CRITERIA[4], "techniques": ["VMAT"]}
PRE = {"irradiated": True, "radiation_sequence": "preoperative"}
POST = {"irradiated": True, "radiation_sequence": "postoperative adjuvant"}
PROVEN = {"icdo3_morphology": "8802/3", "histology_group": "UPS", "histologically_confirmed": "yes"}
M, MORPHOLOGY, CERTAINTY = (eligibility.METASTASIS, eligibility.MORPHOLOGY, eligibility.CERTAINTY)
NO_MORPHOLOGY, NOT_PROVEN = "no morphology documented", "not histologically proven"
AT_DIAGNOSIS = "distant metastasis at diagnosis"
SYNCHRONOUS = "distant metastasis within the synchronous window"
RELATION = "radiotherapy without its relation to surgery"
D12, D13 = dt.date(2012, 2, 1), dt.date(2021, 2, 1)
STARTED = "date of radiotherapy start"
LIMB = {"icd10_site": "C49.2", "region": "extremities"}
VERDICTS = {
    # what: criterion, facts; met, value, reason if it is not, whether it is known, the missing fact
    "proven": (CRITERIA[0], PROVEN, True, "8802/3", None, True, None),
    "not proven": (
        CRITERIA[0], PROVEN | {"histologically_confirmed": "no"}, False, "8802/3", NOT_PROVEN, False, None,
    ),
    "certainty missing": (
        CRITERIA[0], PROVEN | {"histologically_confirmed": None}, False, "8802/3", NOT_PROVEN, False,
        CERTAINTY,
    ),
    "morphology missing": (
        CRITERIA[0], {"histologically_confirmed": "yes"}, False, None, NO_MORPHOLOGY, False, MORPHOLOGY,
    ),
    "both missing": (CRITERIA[0], {}, False, None, NO_MORPHOLOGY, False, MORPHOLOGY),
    "no sarcoma": (
        CRITERIA[0], {"icdo3_morphology": "8140/3", "histologically_confirmed": "yes"}, False, "8140/3",
        "morphology is no soft tissue sarcoma", True, None,
    ),
    "no sarcoma, certainty missing": (
        CRITERIA[0], {"icdo3_morphology": "8140/3"}, False, "8140/3",
        "morphology is no soft tissue sarcoma", True, None,
    ),
    "limb": (CRITERIA[1], LIMB, True, "C49.2, extremities", None, True, None),
    "elsewhere": (
        CRITERIA[1], {"icd10_site": "C48.0", "region": "retroperitoneum"}, False,
        "C48.0, retroperitoneum", "primary tumour elsewhere", True, None,
    ),
    "unspecified": (
        CRITERIA[1], {"icd10_site": "C49.9", "region": "unspecified"}, False, "C49.9, unspecified",
        "site not specified", False, eligibility.SITE,
    ),
    "no site": (CRITERIA[1], {}, False, None, "no site documented", False, eligibility.SITE),
    "M0": (CRITERIA[2], {"m_stage": "M0"}, True, "M0", None, True, None),
    "M missing": (CRITERIA[2], {}, True, None, None, False, M),
    "MX": (CRITERIA[2], {"m_stage": "MX"}, True, "MX", None, False, M),
    "M1": (CRITERIA[2], {"m_stage": "M1"}, False, "M1", AT_DIAGNOSIS, True, None),
    "M0 and a metastasis": (
        CRITERIA[2], {"m_stage": "M0", "distant_metastasis": True}, False, "M0", AT_DIAGNOSIS, True, None,
    ),
    "M0 and one found soon": (
        CRITERIA[2], {"m_stage": "M0", "found_at_diagnosis": True}, False, "M0, metastasis", SYNCHRONOUS,
        True, None,
    ),
    "M missing and one found soon": (
        CRITERIA[2], {"found_at_diagnosis": True}, False, "metastasis", SYNCHRONOUS, True, None,
    ),
    "no metastasis, M missing": (CRITERIA[2], {"distant_metastasis": False}, True, None, None, False, M),
    "curative course": (CRITERIA[3], {"course_intent": "curative"}, True, "curative", None, True, None),
    "curative operation": (CRITERIA[3], {"surgery_intent": "curative"}, True, "curative", None, True, None),
    "palliative": (
        CRITERIA[3], {"course_intent": "palliative"}, False, "palliative", "palliative intent", True, None,
    ),
    "both intents": (
        CRITERIA[3], {"course_intent": "palliative", "surgery_intent": "curative"}, False,
        "palliative, curative", "palliative intent", False, None,
    ),
    "neither": (CRITERIA[3], {"surgery_intent": "other"}, False, "other", "not documented", True, None),
    "no intent": (CRITERIA[3], {}, False, "", "not documented", False, eligibility.INTENT),
    "preoperative": (CRITERIA[4], PRE, True, "preoperative, no plan", None, True, None),
    "postoperative": (
        CRITERIA[4], POST, False, "postoperative adjuvant, no plan", "neither pre- nor postoperative", True,
        None,
    ),
    "no radiotherapy": (CRITERIA[4], {}, False, None, "no radiotherapy documented", True, None),
    "relation missing": (
        CRITERIA[4], {"irradiated": True}, False, None, RELATION, False, eligibility.SEQUENCE,
    ),
    "technique": (VMAT, PRE | {"technique": "VMAT"}, True, "preoperative, VMAT", None, True, None),
    "another technique": (
        VMAT, PRE | {"technique": "3D conformal"}, False, "preoperative, 3D conformal", "another technique",
        True, None,
    ),
    "technique missing": (
        VMAT, PRE, False, "preoperative, no plan", "no plan shows the technique", False,
        eligibility.TECHNIQUE,
    ),
    "technique unknown": (
        VMAT, PRE | {"technique": "unknown"}, False, "preoperative, unknown", "another technique", False,
        eligibility.TECHNIQUE,
    ),
    "postoperative, technique missing": (
        VMAT, POST, False, "postoperative adjuvant, no plan", "neither pre- nor postoperative", True, None,
    ),
    "within the window": (
        CRITERIA[5], {"start_date": D12, "diagnosis_date": D13}, True, "2012", None, True, None,
    ),
    "after it": (
        CRITERIA[5], {"start_date": D13, "diagnosis_date": D12}, False, "2021", "outside the window", True,
        None,
    ),
    "by the diagnosis": (CRITERIA[5], {"diagnosis_date": D12}, True, "2012", None, True, None),
    "no day": (CRITERIA[5], {"end_date": D12}, False, None, "not documented", False, STARTED),
    "observed": (OBSERVED, {"observed_day": 5}, True, "5", None, True, None),
    "never observed": (
        OBSERVED, {}, False, None, "neither a day of death nor one known alive", False,
        eligibility.LAST_DAY,
    ),
    "known": (SIZE, {"tumour_size_cm": 5.5}, True, "5.5", None, True, None),
    "missing": (SIZE, {}, False, None, "missing", False, "tumour_size_cm"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("criterion", "facts", "met", "value", "reason", "known", "lacking"), VERDICTS.values(), ids=VERDICTS
)
def test_a_verdict_its_reason_and_whether_it_rests_on_known_facts(
    criterion, facts, met, value, reason, known, lacking
):
    made = verdict(criterion, facts)
    assert (made["met"], made["value"], made["known"], made["lacking"]) == (met, value, known, lacking)
    assert met or (made["reason"] or "not documented") == reason


def verdict(rule: dict, facts: dict, **assumed) -> dict:
    criterion = study(rule).criteria[0]
    of = eligibility.RULES[criterion.rule](criterion, Assumptions.model_validate(assumed))
    lacks = [pl.when(one.lacking.fill_null(False)).then(pl.lit(one.name)) for one in of.facts]
    frame = pl.DataFrame({name: [facts.get(name)] for name in FACTS}, FACTS)
    had = {one.name: frame.select(one.had).item() for one in of.facts}
    (made,) = frame.select(
        met=of.met.fill_null(False),
        value=of.value.cast(pl.String),
        reason=of.reason,
        known=of.known.fill_null(False),
        lacking=pl.coalesce(lacks),
    ).rows(named=True)
    assert made["lacking"] is None or not had[made["lacking"]], "what the patient has is not missing"
    return made


@pytest.mark.parametrize(
    ("site", "switch", "why"),
    [
        ("C44.7", "skin_sites", "a site of the skin"),
        ("C47.1", "nerve_sites", "a peripheral nerve"),
        ("C49.4", "visceral_sites", "a site that may be visceral"),
    ],
)
def test_a_switch_excludes_its_sites_only(site, switch, why):
    switches = ("skin_sites", "nerve_sites", "visceral_sites")
    of = {"icd10_site": site, "region": "extremities"}
    assert verdict(CRITERIA[1], of, **dict.fromkeys(switches, "include"))["met"]
    excluded = verdict(CRITERIA[1], of, **(dict.fromkeys(switches, "include") | {switch: "exclude"}))
    assert (excluded["met"], excluded["reason"]) == (False, why)
    others = dict.fromkeys(switches, "exclude") | {switch: "include"}
    assert verdict(CRITERIA[1], of, **others)["met"]
    assert verdict(CRITERIA[1], LIMB, **dict.fromkeys(switches, "exclude"))["met"]


@pytest.mark.parametrize(
    ("window", "facts", "met", "lacking"),
    [
        ("radiotherapy end", {"end_date": D12, "start_date": D13, "diagnosis_date": D13}, True, None),
        ("radiotherapy end", {"start_date": D12, "diagnosis_date": D13}, True, None),
        ("radiotherapy end", {"diagnosis_date": D12}, True, None),
        ("radiotherapy start", {"end_date": D13, "start_date": D12, "diagnosis_date": D13}, True, None),
        ("diagnosis", {"end_date": D12, "start_date": D12, "diagnosis_date": D13}, False, None),
        ("diagnosis", {"end_date": D12, "start_date": D12}, False, "date of diagnosis"),
    ],
)
def test_the_day_that_must_lie_in_the_window(window, facts, met, lacking):
    found = verdict(CRITERIA[5], facts, study_window=window)
    assert (found["met"], found["lacking"]) == (met, lacking)


def table(contract: type[Contract], *rows: dict) -> pl.DataFrame:
    schema = contract.polars_schema()
    usual = {"patient_id": "i", "pseudonym": "p", "tumour_id": "t"}
    return pl.DataFrame({name: [(usual | one).get(name) for one in rows] for name in schema}, schema=schema)


def facts(tumours: list[dict], surgeries=(), courses=(), vital=()) -> dict:
    (found,) = eligibility.facts_of_records(
        {
            "curated.patient": table(Patient, {}),
            "curated.diagnosis": table(Diagnosis, *tumours),
            "curated.surgery": table(Surgery, *surgeries),
            "curated.radiotherapy_course": table(RadiotherapyCourse, *courses),
            "curated.vital_status": table(VitalStatus, *vital),
        }
    ).rows(named=True)
    return found


INDEX = {"index_tumour": True, "m_stage": "M0"}


@pytest.mark.parametrize(
    ("surgeries", "intent"),
    [
        ([(5, "palliative"), (9, "curative")], "palliative"),
        # An operation without an intent says nothing, one without a day comes last.
        ([(5, None), (9, "curative")], "curative"),
        ([(None, "palliative"), (9, "curative")], "curative"),
        ([(None, "palliative")], "palliative"),
        # Of one day the first by name; a biopsy is no treatment.
        ([(5, "palliative"), (5, "curative")], "curative"),
        ([(1, "diagnostic"), (5, "curative")], "curative"),
        ([(5, None)], None),
        ([], None),
    ],
)
def test_the_intent_of_the_surgery_is_that_of_the_first_operation_with_one(surgeries, intent):
    rows = [{"surgery_day": day, "intent": of} for day, of in surgeries]
    for given in (rows, rows[::-1]):
        assert facts([INDEX], given)["surgery_intent"] == intent


@pytest.mark.parametrize(
    ("vital", "day"),
    [
        ([{"death_day": 100, "last_alive_day": 90}], 100),
        ([{"death_day": None, "last_alive_day": 90}], 90),
        ([{}], None),
        ([], None),
    ],
)
def test_a_patient_is_observed_until_the_death_or_the_last_day_known_alive(vital, day):
    assert facts([INDEX], vital=vital)["observed_day"] == day


def test_facts_are_those_of_the_index_tumour():
    another = {"index_tumour": False, "tumour_id": "u", "m_stage": "M1"}
    course = {"course_id": "a", "kind": "external beam", "intent": "curative", "start_date": D12}
    of_other = course | {"course_id": "b", "tumour_id": "u", "intent": "palliative"}
    found = facts([another, INDEX], courses=[of_other, course])
    assert (found["has_tumour"], found["m_stage"], found["course_intent"]) == (True, "M0", "curative")
    assert (found["irradiated"], found["start_date"]) == (True, D12)
    nothing = facts([another], courses=[of_other])
    assert (nothing["has_tumour"], nothing["irradiated"], nothing["m_stage"]) == (False, None, None)
