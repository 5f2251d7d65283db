"""What the release gate bounds is set aside before it, patient by patient: one never stops the others."""

from __future__ import annotations

import json
from collections.abc import Callable

import hypothesis.strategies as st
import polars as pl
import pytest
from hypothesis import given, settings

from sarcoma_pipeline.cohort import endpoints, released_events, toxicity, toxicity_endpoints, within_bounds
from sarcoma_pipeline.cohort.derivation import cohort
from sarcoma_pipeline.quality import expectations, release_gate
from sarcoma_pipeline.quality.rule_catalogue import rules
from schemas import received as r
from schemas.all_contracts import CONTRACTS
from schemas.cohort import CohortDerivability, CohortEndpoint, CohortPatient
from schemas.cohort_events import CohortEvent, CohortNotAtRisk
from schemas.cohort_toxicity import CohortToxicity
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.configuration import Study
from schemas.gate import Gate
from schemas.release import RELEASED, released_columns
from tests.conftest import Records
from tests.quality.test_gate_of_few_patients import empty

STUDY = Study.model_validate(
    {
        "name": "s", "title": "s", "description": "s", "drop": "d",
        "criteria": [{"name": "histology", "rule": "histology", "label": "Sarcoma"}],
        "assumptions": {"never_disease_free": "include"},
        "endpoints": [
            {"name": "OS", "title": "OS", "events": ["death"], "censor": "last known alive"},
            {"name": "AFTER", "title": "A", "events": ["death"], "censor": "last known alive",
             "origin": "diagnosis", "entry": "radiotherapy start"},
        ],
    }
)  # fmt: skip

# --- the table: every expectation on a value of a patient, and what speaks before it -----------------

VALUE, TIME = "patient.value-implausible", "patient.time-implausible"
COURSE = ("radiotherapy.dose-implausible", "course.dose-implausible", VALUE)

BOUNDS = {
    "cohort.patients": {
        "age_at_diagnosis_years": ("diagnosis.age-implausible", "person.birth-implausible", VALUE),
        "tumour_size_cm": ("diagnosis.size-implausible", VALUE),
        "dose_gy": COURSE,
        "prescribed_dose_gy": COURSE,
        "delivered_dose_gy": COURSE,
        "single_dose_gy": COURSE,
        "beam_energy_mv": ("plan.energy-implausible", VALUE),
        "ct_slice_thickness_mm": ("ct.slice-thickness-implausible", VALUE),
        "overall_days": ("radiotherapy.overlong", VALUE),
        "longest_gap_days": VALUE,
        "follow_up_days": ("date.in-future", "death.before-diagnosis", TIME),
        "follow_up_months": ("date.in-future", "death.before-diagnosis", TIME),
        "registry_answer_days": ("date.in-future", VALUE),
        "registry_answer_age_months": ("date.in-future", VALUE),
    },
    "cohort.endpoints": dict.fromkeys(
        (
            "time_days", "time_months", "time_days_earliest", "time_days_latest",
            "entry_days", "entry_months", "entry_days_earliest", "entry_days_latest",
        ),
        ("date.in-future", TIME),
    ),
    "cohort.dose_volume": dict.fromkeys(
        (
            "prescribed_dose_gy", "delivered_dose_gy", "mean_gy", "max_gy", "d98_gy", "d95_gy", "d50_gy",
            "d2_gy",
            "v95_percent", "alpha_beta_gy", "eqd2_mean_gy", "eqd2_d50_gy", "eqd2_d2_gy",
        ),
        VALUE,
    ),
}  # fmt: skip
"""Bounded column to the rules that set its value, its course or its patient aside."""

CODE = "value.code-unknown"
PROGRAM = "written by the program"
CODES = {
    # Typed columns take only codes of their vocabulary; the rest is chosen among the program's own words.
    "cohort.patients": {
        "sex": CODE, "histology_group": PROGRAM, "region": PROGRAM, "t_stage": CODE, "n_stage": CODE,
        "fnclcc_grade": CODE, "residual_status": CODE, "radiation_sequence": CODE, "chemotherapy": CODE,
        "tumour_depth": CODE, "boost": PROGRAM, "technique": PROGRAM, "dose_origin": PROGRAM,
        "diagnosis_date_precision": PROGRAM,
    },
    "cohort.events": {"kind": PROGRAM, "precision": PROGRAM},
    "cohort.endpoints": {"endpoint": PROGRAM, "event_kind": PROGRAM, "date_precision": PROGRAM},
    "cohort.not_at_risk": {"event_kind": PROGRAM},
    "cohort.toxicity": {
        "therapy": CODE, "attribution": PROGRAM, "kind": CODE, "statement": CODE, "category": CODE,
        "code_system": CODE, "ctcae_version": CODE, "onset_precision": PROGRAM, "window": CODE,
        "window_basis": PROGRAM,
    },
    "cohort.toxicity_endpoints": {"outcome": PROGRAM, "time_basis": PROGRAM},
    "cohort.dose_volume": {"role": "study.toml"},
    "meta.lineage": {"role": PROGRAM},
}  # fmt: skip
"""Coded column to what keeps other codes out."""

HASH = "a hash"
GATED = "the identity gate hides dates"
TEXTS = {
    "cohort.patients": {
        "pseudonym": HASH, "centre": "study.toml",
        "icdo3_morphology": "diagnosis.morphology-malformed", "icd10_site": "diagnosis.icd10-malformed",
        "relapse_pattern": PROGRAM,
    },
    "cohort.events": {"pseudonym": HASH, "detail": PROGRAM},
    "cohort.dose_volume": {"pseudonym": HASH, "structure": "study.toml"},
    "cohort.endpoints": {"pseudonym": HASH, "endpoint": "study.toml"},
    "cohort.toxicity": {"pseudonym": HASH, "code": "toxicity.code-malformed"},
    "cohort.toxicity_endpoints": {"pseudonym": HASH, "endpoint": "study.toml"},
    "cohort.not_at_risk": {"pseudonym": HASH, "endpoint": "study.toml", "reason": PROGRAM},
    "meta.lineage": {
        "pseudonym": HASH, "subject": "study.toml", "record_id": HASH, "table_name": PROGRAM,
        "file_id": HASH, "position": GATED,
    },
}  # fmt: skip
"""Text that must hold no calendar date to what keeps a date out."""


def expected(tables: dict[str, pl.DataFrame], gate: Gate = STUDY.gate) -> list[tuple[str, dict]]:
    """Every critical expectation of the gate, with its table, as the gate itself makes them."""
    pages = expectations.expected(tables, {}, gate)
    return [(p.name, e) for p in pages for e in p.expectations if e["severity"] == "critical"]


def _walk(kind: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table, one in expected(empty()):
        if one["type"] == kind and "pseudonym" in released_columns(table) if table in RELEASED else False:
            found.setdefault(table, set()).add(one["kwargs"]["column"])
    return found


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("expect_column_values_to_be_between", BOUNDS),
        ("expect_column_values_to_be_in_set", CODES),
        ("expect_column_values_to_not_match_regex", TEXTS),
    ],
)
def test_every_expectation_on_a_value_of_a_patient_has_something_that_speaks_before_it(kind, known):
    assert _walk(kind) == {table: set(columns) for table, columns in known.items()}
    catalogue = rules()
    for columns in known.values():
        for speaks in columns.values():
            for name in [speaks] if isinstance(speaks, str) else speaks:
                assert name in catalogue or name in (PROGRAM, HASH, GATED, "study.toml"), name


def test_what_must_not_be_missing_is_enforced_when_it_is_written():
    for table, one in expected(empty()):
        if one["type"] == "expect_column_values_to_not_be_null" and table in RELEASED:
            column = one["kwargs"]["column"]
            if column in CONTRACTS[table].polars_schema():
                assert not CONTRACTS[table].to_schema().columns[column].nullable, (table, column)


# --- a cohort of which one patient's raw value is wrong ----------------------------------------------


def person(records: Records, number: str, **wrong: str) -> None:
    """One patient; ``wrong`` replaces raw values."""
    given = {
        "born": f"195{number}-03-04", "diagnosed": "2015-01-10", "dose": "50", "single": "2",
        "size": "8,0", "seen": "03.02.2019", "answered": "01.06.2020", "icd10": "C49.2",
    } | wrong  # fmt: skip
    family = "Name" + "abcdefg"[int(number)] * 3
    records.patient(number, family, born=given["born"])
    records.diagnosis(
        given["diagnosed"], number=number, Primaertumor_ICD=given["icd10"],
        Primaertumor_Topographie_ICD_O=given["icd10"],
    )  # fmt: skip
    records.meldung(
        r.ObdsSurgery, number, Module_ID="O1", Datum="2015-05-20", Intention="K",
        Lokale_Beurteilung_Residualstatus="R0", Menge_OPS='["5-782.b"]',
    )  # fmt: skip
    records.meldung(
        r.ObdsRadiotherapy, number, Module_ID="ST1", Intention="K", Stellung_OP="N", Ende_Grund="E",
        Applikationsart="Perkutan", Strahlenart="UH", Zielgebiet="7.3", Seite_Zielgebiet="L",
        Beginn="2015-03-02", Ende="2015-04-03", Gesamtdosis=given["dose"], Einzeldosis=given["single"],
    )  # fmt: skip
    cells = json.dumps({"Nr": number, "cm": given["size"], "seen": given["seen"]})
    records.add(r.TableRow, table_name="sheet", values=cells)
    records.reply(
        family_name=family, birth_date=".".join(reversed(given["born"].split("-"))), sex="w",
        answer="lebt", answered_on=given["answered"],
    )  # fmt: skip


Night = tuple[dict[str, pl.DataFrame], pl.DataFrame]


def released(curated: dict[str, pl.DataFrame], observed: pl.DataFrame, study: Study = STUDY) -> Night:
    """The tables of patients as they would be released, and everything that was found."""
    whole = cohort(curated, study)
    toxic = toxicity.toxicity(curated, whole.happened, whole.members)
    made = {
        CohortPatient: whole.patients,
        CohortEvent: released_events.events(whole.happened, whole.members),
        CohortEndpoint: whole.derived.endpoints,
        CohortNotAtRisk: whole.derived.not_at_risk,
        CohortDerivability: whole.derived.derivability,
        CohortToxicity: toxic,
        CohortToxicityEndpoint: toxicity_endpoints.derive(
            curated, whole.happened, whole.members, toxic, study.toxicity, study.gate
        ),
    }
    seen = within_bounds.observe(whole.delivered, whole.happened, study.gate)
    # One finding a patient; on which of their records it stands is not judged here.
    seen = seen.unique(["patient", "rule_id", "column_name"], keep="first", maintain_order=True)
    tables = {c.table(): c.enforce(c.conform(frame)) for c, frame in made.items()}
    return tables, pl.concat([observed, seen.select(observed.columns)])


def unmet(tables: dict[str, pl.DataFrame], gate: Gate = STUDY.gate) -> list[tuple[str, str]]:
    """Table and column of every expectation of the gate on single values that is not met."""
    found = []
    for page in expectations.expected(tables, {}, gate):
        if page.name not in tables:
            continue
        for verdict in release_gate.judge(page):
            column = verdict.expectation["kwargs"].get("column")
            if verdict.unexpected and column in tables[page.name].columns:
                found.append((page.name, column))
    return found


def run(records: Records) -> Night:
    outcome = records.run()
    return released(outcome.frames, outcome.observed)


def of(tables: dict[str, pl.DataFrame], number: str, table: str = "cohort.patients") -> pl.DataFrame:
    return tables[table].filter(pl.col("pseudonym") == f"number:{number}")


RAW = {
    "age": ({"born": "1850-03-04"}, ("age_at_diagnosis_years",), VALUE),
    "size": ({"size": "9999"}, ("tumour_size_cm",), "diagnosis.size-implausible"),
    "dose": ({"dose": "5000"}, ("dose_gy", "prescribed_dose_gy"), "radiotherapy.dose-implausible"),
    "dose 0": ({"dose": "0"}, ("dose_gy", "prescribed_dose_gy"), "radiotherapy.dose-implausible"),
    "single dose": ({"single": "50000", "dose": "50"}, ("single_dose_gy",), "course.dose-implausible"),
    "single dose 0": ({"single": "0"}, ("single_dose_gy",), "course.dose-implausible"),
    "century": ({"diagnosed": "1915-01-10", "born": "1901-03-04"}, ("follow_up_days",), TIME),
    "a text as a code": ({"icd10": "C49.2 am 03.04.1950"}, ("icd10_site",), "diagnosis.icd10-malformed"),
    "future": ({"seen": "01.01.2091"}, (), "date.in-future"),
}  # fmt: skip


@pytest.fixture(scope="module")
def clean() -> Night:
    """Two patients without a wrong value."""
    records = Records()
    for number in ("2", "3"):
        person(records, number)
    return run(records)


@pytest.mark.parametrize(("wrong", "columns", "rule"), RAW.values(), ids=RAW)
def test_one_wrong_raw_value_is_set_aside_with_a_finding_and_the_others_are_released(
    records, clean, wrong, columns, rule
):
    person(records, "1", **wrong)
    for number in ("2", "3"):
        person(records, number)
    tables, observed = run(records)
    assert unmet(tables) == []
    assert rule in set(observed["rule_id"])
    mine = of(tables, "1")
    assert mine.height == 1, "the patient is still in the cohort"
    assert all(mine[c].null_count() == 1 for c in columns), mine.select(columns)
    others, _ = clean
    for number in ("2", "3"):
        was = of(others, number).drop("record_ids", "registry_answer_age_months")
        assert of(tables, number).drop("record_ids", "registry_answer_age_months").equals(was)
        assert (
            of(tables, number, "cohort.endpoints")
            .drop("evidence")
            .equals(of(others, number, "cohort.endpoints").drop("evidence"))
        )


def test_a_patient_with_an_impossible_time_is_at_risk_of_nothing_and_says_why(records):
    person(records, "1", diagnosed="1915-01-10", born="1901-03-04")
    person(records, "2")
    tables, observed = run(records)
    assert of(tables, "1", "cohort.endpoints").is_empty()
    out = of(tables, "1", "cohort.not_at_risk")
    assert out["reason"].to_list() == [endpoints.OUTSIDE_BOUNDS] * 2
    assert of(tables, "2", "cohort.endpoints").height == 2
    (found,) = observed.filter(rule_id=TIME).rows(named=True)
    assert found["value"] is not None and found["record_id"] is not None
    assert found["note"] == "the bounds are 0 and 18262 d"


_TURNED: dict[str, Callable[[dict[str, pl.DataFrame], float], dict[str, pl.DataFrame]]] = {}


def _in(table: str, column: str) -> Callable[[dict[str, pl.DataFrame], float], dict[str, pl.DataFrame]]:
    def turn(curated: dict[str, pl.DataFrame], value: float) -> dict[str, pl.DataFrame]:
        frame = curated[table]
        ids = curated["curated.patient"].filter(pl.col("pseudonym") == "number:1")["patient_id"]
        dtype = frame.schema[column]
        new = pl.lit(value).cast(dtype) if dtype.is_float() else pl.lit(int(value)).cast(dtype, strict=False)
        changed = pl.when(pl.col("patient_id").is_in(ids.implode())).then(new).otherwise(pl.col(column))
        return {**curated, table: frame.with_columns(changed.alias(column))}

    return turn


COURSE_TABLE = "curated.radiotherapy_course"
DERIVED = {
    "tumour_size_cm": _in("curated.diagnosis", "tumour_size_cm"),
    "prescribed_dose_gy": _in(COURSE_TABLE, "prescribed_dose_gy"),
    "delivered_dose_gy": _in(COURSE_TABLE, "delivered_dose_gy"),
    "dose_gy": _in(COURSE_TABLE, "prescribed_dose_gy"),
    "single_dose_gy": _in(COURSE_TABLE, "single_dose_gy"),
    "beam_energy_mv": _in(COURSE_TABLE, "beam_energy_mv"),
    "ct_slice_thickness_mm": _in(COURSE_TABLE, "ct_slice_thickness_mm"),
    "registry_answer_days": _in("curated.vital_statement", "told_day"),
    "follow_up_days": _in("curated.vital_statement", "status_day"),
}  # fmt: skip
"""Bounded column of a patient to where curation would have let a wrong value through."""


@pytest.fixture(scope="module")
def curated() -> tuple[dict[str, pl.DataFrame], pl.DataFrame, Night]:
    records = Records()
    for number in ("1", "2", "3"):
        person(records, number)
    outcome = records.run()
    return outcome.frames, outcome.observed, released(outcome.frames, outcome.observed)


OUT = st.one_of(
    st.floats(min_value=20_000, max_value=1e6), st.floats(min_value=-1e6, max_value=-1.0),
    st.just(float("inf")), st.just(float("nan")),
)  # fmt: skip


def let_through(curated, column: str, value: float) -> None:
    """What curation lets through is unknown, and the other patients stay as they were."""
    frames, observed, before = curated
    whole = CohortPatient.polars_schema()[column].is_integer()
    if whole and (value != value or abs(value) == float("inf")):
        value = 20_000.0
    if column == "follow_up_days" and value < 0:
        # A statement of life before the diagnosis is no follow-up at all.
        value = 30_000.0
    if column == "registry_answer_days" and value > 0:
        # An answer after the data cut-off is no answer.
        value = -value
    tables, found = released(DERIVED[column](frames, value), observed)
    assert unmet(tables) == []
    assert of(tables, "1")[column].null_count() == 1
    mine = found.filter(pl.col("rule_id").is_in([VALUE, TIME]))
    assert mine.height >= 1 and mine["record_id"].null_count() == 0
    age = "registry_answer_age_months"
    for number in ("2", "3"):
        assert of(tables, number).drop(age).equals(of(before[0], number).drop(age))
        assert of(tables, number, "cohort.endpoints").equals(of(before[0], number, "cohort.endpoints"))


BOUNDED = st.sampled_from(sorted(DERIVED))


@settings(max_examples=12, deadline=None)
@given(column=BOUNDED, value=OUT)
def test_some_of_what_curation_lets_through_is_unknown_and_the_others_stay(curated, column, value):
    let_through(curated, column, value)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(column=BOUNDED, value=OUT)
def test_whatever_curation_lets_through_is_unknown_and_the_others_stay(curated, column, value):
    let_through(curated, column, value)


def test_the_bounds_of_a_study_are_those_of_its_patients(curated):
    frames, observed, _ = curated
    gate = Gate(bounds={"cm": (0.0, 5.0), "Gy": (45.0, 49.0), "d": (0.0, 500.0), "months": (0.0, 16.0)})
    study = STUDY.model_copy(update={"gate": gate})
    tables, found = released(frames, observed, study)
    assert unmet(tables, gate) == []
    assert tables["cohort.patients"].height == 3
    assert tables["cohort.patients"]["tumour_size_cm"].null_count() == 3
    assert tables["cohort.endpoints"].is_empty() and tables["cohort.not_at_risk"].height == 6
    assert found.filter(rule_id=VALUE, column_name="tumour_size_cm").height == 3
    # The very same patients without the bounds are released: the test can fail.
    assert unmet(released(frames, observed)[0], gate) != []


# --- one patient is no drift ------------------------------------------------------------------------


# --- what the gate still stops has a name ------------------------------------------------------------
