"""Frequencies of toxicity: who is in the denominator, exact intervals, Fisher's test."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sarcoma_pipeline.survival import proportions
from sarcoma_pipeline.survival.proportions import exact_interval, fisher
from sarcoma_pipeline.survival.toxicity_incidence import toxicity_incidence
from sarcoma_pipeline.survival.toxicity_rates import toxicity_rates
from schemas.analysis_toxicity import ToxicityRate
from schemas.cohort import CohortPatient
from schemas.cohort_toxicity_endpoints import CohortToxicityEndpoint
from schemas.configuration import Covariate
from schemas.toxicity_toml import ToxicityEndpoint

ACUTE = ToxicityEndpoint(name="acute", title="Acute", window="acute", least_grade=3, by="sequence")
SEQUENCE = Covariate(
    name="sequence", column="radiation_sequence", kind="factor", reference="postoperative adjuvant"
)
DOSE = Covariate(name="dose", column="dose_gy", kind="continuous")


def states(*rows: dict) -> pl.DataFrame:
    base = {
        "endpoint": "acute", "documented": True, "treated": True, "counted": True, "unclear": False,
        "died_in_window": False, "evidence": [],
    }  # fmt: skip
    return CohortToxicityEndpoint.conform(pl.DataFrame([base | r for r in rows], infer_schema_length=None))


PATIENTS = CohortPatient.conform(
    pl.DataFrame(
        {
            "pseudonym": [f"p{n}" for n in range(6)],
            "radiation_sequence": ["preoperative"] * 3 + ["postoperative adjuvant"] * 2 + [None],
            "dose_gy": [50.0, 50.0, None, 60.0, 66.0, 50.0],
        }
    )
)
FOUND = states(
    {"pseudonym": "p0", "event": True},
    {"pseudonym": "p1", "event": False, "died_in_window": True},
    {"pseudonym": "p2", "documented": False, "counted": False},
    {"pseudonym": "p3", "event": False, "unclear": True},
    {"pseudonym": "p4", "documented": False, "counted": False, "treated": False},
    {"pseudonym": "p5", "event": True},
)
COUNTS = ("level", "patients", "treated", "documented", "counted", "events", "unclear", "died")


def test_the_denominator_is_the_patients_of_each_group_who_count():
    made = toxicity_rates(PATIENTS, FOUND, [ACUTE], [SEQUENCE])
    assert made.select(COUNTS).rows() == [
        (None, 6, 5, 4, 4, 2, 1, 1), ("postoperative adjuvant", 2, 1, 1, 1, 0, 1, 0),
        ("preoperative", 3, 3, 2, 2, 1, 0, 1),
    ]  # fmt: skip
    # One of three documented patients with a group has it: every table is as likely as this or less.
    assert made["p_value"].to_list() == [1.0] * 3
    assert made["share"].to_list() == [0.5, 0.0, 0.5]
    # If nobody without documentation had it: 2 of 5 treated, 0 of 1, 1 of 3.
    assert made["least"].to_list() == pytest.approx([0.4, 0.0, 1 / 3])


@pytest.mark.parametrize(
    ("cut", "levels"),
    [
        # The median of 50, 50, 50, 60, 66 is 50.
        (None, [(None, 6), ("≥ 50", 5)]),
        (60.0, [(None, 6), ("< 60", 3), ("≥ 60", 2)]),
    ],
)
def test_a_number_is_divided_at_the_cut_or_at_the_median(cut, levels):
    by_dose = ACUTE.model_copy(update={"by": "dose", "cut": cut})
    made = toxicity_rates(PATIENTS, FOUND, [by_dose], [SEQUENCE, DOSE])
    assert made.select("level", "patients").rows() == levels


def test_a_study_without_endpoints_of_toxicity_has_an_empty_table():
    assert toxicity_rates(PATIENTS, FOUND, [], []).equals(ToxicityRate.empty())


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


# R 4: fisher.test, for three groups with a workspace of 2e8.
@pytest.mark.parametrize(
    ("groups", "p"),
    [([(1500, 5000), (1600, 5000)], 0.032299944276), ([(20, 300), (30, 300), (50, 400)], 0.0376469767211)],
)
def test_fishers_test_of_large_groups_equals_r(groups, p):
    assert fisher(groups) == pytest.approx(p, rel=1e-9)
    # Seven standard errors of a share of 100 000.
    events, sizes = zip(*groups, strict=True)
    assert proportions._simulated(events, sizes) == pytest.approx(p, abs=0.0045)


# R 4: fisher.test with simulate.p.value of 1 000 000 tables. Counting all of them took hours.
@pytest.mark.parametrize(
    ("groups", "p"),
    [
        ([(400, 3000), (500, 3500), (440, 3500)], 0.1081),
        ([(100, 2500), (90, 2500), (120, 2500), (80, 2500)], 0.0269),
    ],
)
def test_more_tables_than_can_be_counted_are_drawn(groups, p):
    assert fisher(groups) == pytest.approx(p, abs=0.004)
    assert fisher(groups) == fisher(groups)


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.data())
def test_tables_are_counted(sizes, data):
    total = data.draw(st.integers(0, sum(sizes)))
    every = product(*(range(of + 1) for of in sizes))
    assert proportions._number_of_tables(sizes, total) == sum(sum(table) == total for table in every)


# Of 20 distributions of 3 events over 3 groups of 2, the 12 with 0, 1, 2 weigh 2 each: (6 × 2) / 20.
def test_fishers_test_by_pencil():
    assert fisher([(0, 2), (1, 2), (2, 2)]) == pytest.approx(0.6, abs=1e-12)


@pytest.mark.parametrize("groups", [[(1, 3)], [(1, 3), (0, 0)], [(0, 3), (0, 4)], [(3, 3), (4, 4)], []])
def test_nothing_to_compare_has_no_p(groups):
    assert fisher(groups) is None


def test_exact_interval_equals_r():
    # R 4: binom.test(3, 20)$conf.int
    assert exact_interval(3, 20) == pytest.approx((0.03207094, 0.37892683), abs=1e-8)


@pytest.mark.parametrize("cut", [None, 55.0])
def test_a_number_that_nobody_has_divides_nobody(cut):
    """As doses in the night before the first are computed."""
    unknown = PATIENTS.with_columns(dose_gy=pl.lit(None, pl.Float64))
    endpoint = ACUTE.model_copy(update={"by": "dose", "cut": cut})
    made = toxicity_rates(unknown, FOUND, [endpoint], [DOSE])
    assert made.select(COUNTS).rows() == [(None, 6, 5, 4, 4, 2, 1, 1)]
    assert made["p_value"].to_list() == [None]
    incidence = toxicity_incidence(unknown, FOUND, [endpoint], [DOSE], [12])
    assert incidence.estimates.is_empty(), "acute toxicity has no dates"
    late = endpoint.model_copy(update={"window": "late"})
    dated = FOUND.with_columns(time_days=pl.lit(400, pl.Int32), status=pl.lit("censored"))
    incidence = toxicity_incidence(unknown, dated, [late], [DOSE], [12])
    assert incidence.estimates["level"].to_list() == [None]
