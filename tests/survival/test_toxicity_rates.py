"""Frequencies of toxicity: who is in the denominator, exact intervals, Fisher's test."""

import polars as pl
import pytest

from sarcoma_pipeline.survival.proportions import exact_interval, fisher
from sarcoma_pipeline.survival.toxicity_rates import states, toxicity_rates
from schemas.analysis_toxicity import ToxicityRate
from schemas.cohort import CohortPatient
from schemas.cohort_toxicity import CohortToxicity
from schemas.configuration import Covariate
from schemas.toxicity_toml import ToxicityEndpoint

ACUTE = ToxicityEndpoint(name="acute", title="Acute", window="acute", least_grade=3, by="sequence")
SKIN = ACUTE.model_copy(update={"categories": ("skin",)})
LATE = ACUTE.model_copy(update={"window": "late"})
WOUND = ToxicityEndpoint(name="wound", title="W", measure="major wound complication", by="sequence")
SEQUENCE = Covariate(
    name="sequence", column="radiation_sequence", kind="factor", reference="postoperative adjuvant"
)


def told(**row) -> dict:
    return {
        "pseudonym": "p", "therapy": "radiotherapy", "of_primary_treatment": True, "statement": "present",
        "kind": "side effect", "window": "acute", "evidence": ["r"],
    } | row  # fmt: skip


def frame(*rows: dict) -> pl.DataFrame:
    return CohortToxicity.conform(pl.DataFrame(list(rows), infer_schema_length=None))


# Each with its state: event, unclear; None for not documented.
@pytest.mark.parametrize(
    ("endpoint", "rows", "state"),
    [
        (ACUTE, [told(grade=3)], (True, False)),
        (ACUTE, [told(grade=2)], (False, False)),
        (ACUTE, [told(grade=2), told(grade=4)], (True, False)),
        (ACUTE, [told(statement="none", grade=0)], (False, False)),
        (ACUTE, [told(statement="unknown", window=None)], None),
        (ACUTE, [told(grade=3, window="late")], None),
        (ACUTE, [told(grade=3, window=None)], None),
        (ACUTE, [told(grade=2), told(grade=3, window=None)], (False, True)),
        (ACUTE, [told(grade=None)], (False, True)),
        (ACUTE, [told(grade=3, of_primary_treatment=False)], None),
        (ACUTE, [told(grade=3, therapy="systemic therapy")], None),
        (SKIN, [told(grade=3, category="skin")], (True, False)),
        (SKIN, [told(grade=3, category="bone")], (False, False)),
        (SKIN, [told(grade=3, category=None)], (False, True)),
        (SKIN, [told(grade=2, category=None)], (False, False)),
        (LATE, [told(statement="none", grade=0)], None),
        (LATE, [told(grade=3)], None),
        (LATE, [told(grade=3, window="late")], (True, False)),
        (WOUND, [told(therapy="surgery", major_wound_complication=True)], (True, False)),
        (WOUND, [told(therapy="surgery", statement="none", major_wound_complication=False)], (False, False)),
        (WOUND, [told(therapy="surgery", major_wound_complication=None)], (False, True)),
        (WOUND, [told(therapy="surgery", statement="unknown", major_wound_complication=None)], None),
        (WOUND, [told(grade=4)], None),
    ],
)
def test_not_documented_is_not_none(endpoint, rows, state):
    found = states(frame(*rows), endpoint).select("event", "unclear").rows()
    assert found == ([] if state is None else [state])


def test_the_denominator_is_the_documented_patients_of_each_group():
    patients = CohortPatient.conform(
        pl.DataFrame(
            {
                "pseudonym": [f"p{n}" for n in range(6)],
                "radiation_sequence": ["preoperative"] * 3 + ["postoperative adjuvant"] * 2 + [None],
            }
        )
    )
    rows = [told(pseudonym="p0", grade=3), told(pseudonym="p1", grade=1), told(pseudonym="p3", grade=None)]
    rows.append(told(pseudonym="p5", grade=5))
    made = toxicity_rates(patients, frame(*rows), [ACUTE], [SEQUENCE])
    counts = made.select("level", "patients", "documented", "events", "unclear").rows()
    assert counts == [
        (None, 6, 4, 2, 1), ("postoperative adjuvant", 2, 1, 0, 1), ("preoperative", 3, 2, 1, 0)
    ]  # fmt: skip
    # Of three documented patients with a group one has it: every table is as likely as this or less.
    assert made["p_value"].to_list() == [1.0] * 3
    assert made["share"].to_list() == [0.5, 0.0, 0.5]


def test_a_study_without_endpoints_of_toxicity_has_an_empty_table():
    assert toxicity_rates(CohortPatient.empty(), frame(told(grade=3)), [], []).equals(ToxicityRate.empty())


# R 4: fisher.test of the events and non-events of each group.
@pytest.mark.parametrize(
    ("groups", "p"),
    [
        ([(7, 30), (2, 30)], 0.145499224994),
        ([(12, 30), (5, 56)], 0.00119749663285),
        ([(3, 10), (5, 20), (9, 13)], 0.0356505301301),
        ([(1, 10), (0, 11), (6, 11), (2, 22)], 0.00362251615253),
    ],
)
def test_fishers_test_equals_r(groups, p):
    assert fisher(groups) == pytest.approx(p, rel=1e-9)


# Of 20 distributions of 3 events over 3 groups of 2, the 12 with 0, 1, 2 weigh 2 each: (6 × 2) / 20.
def test_fishers_test_by_pencil():
    assert fisher([(0, 2), (1, 2), (2, 2)]) == pytest.approx(0.6, abs=1e-12)


@pytest.mark.parametrize("groups", [[(1, 3)], [(1, 3), (0, 0)], [(0, 3), (0, 4)], [(3, 3), (4, 4)], []])
def test_nothing_to_compare_has_no_p(groups):
    assert fisher(groups) is None


def test_exact_interval_equals_r():
    # R 4: binom.test(3, 20)$conf.int
    assert exact_interval(3, 20) == pytest.approx((0.03207094, 0.37892683), abs=1e-8)
