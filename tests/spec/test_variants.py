# ruff: noqa: E501  one patient per line reads as a table
"""Every other value of every switch is a run of its own, derived anew from the curated events."""

from __future__ import annotations

import random

import polars as pl
import pytest

from sarcoma_pipeline.cohort import variants
from sarcoma_pipeline.cohort.derivation import cohort
from sarcoma_pipeline.cohort.endpoints import TIMES
from sarcoma_pipeline.survival.sensitivity import beyond_error, sensitivity
from schemas.assumptions import Value, alternatives, declared
from schemas.configuration import Covariate, Model
from tests.conftest import Records
from tests.spec.protocol import PROTOCOL
from tests.spec.told import FREE, Told, distant, local, on, study

pytestmark = pytest.mark.slow

SKIPPED = {"data_cutoff"}
"""A date of the study: no other value is as good."""

PATIENTS = {
    "1": Told(),
    "2": Told(died=on(731)),
    "3": Told(died=on(2300)),
    "4": Told(seen={}, died=on(1827)),
    "5": Told(seen={52: local("P"), 731: FREE}),
    "6": Told(seen={366: {**FREE, **local("R"), "Gesamtbeurteilung_Tumorstatus": "Y"}, 575: distant("R")}),
}  # fmt: skip
# DFS by hand, days: 1: 366 censored, 2: 731 death, 3: 2300 death, 4: 0 censored, 5: 731 censored, 6: 366 local relapse.
MOVED_DFS = {
    # Patient 3 died 1934 days after the last examination, patient 2 365 days after it.
    "late_deaths = within window": (1, 2),
    "late_death_days = 180": (2, 1),
    "late_death_days = 730": (1, 2),
    "never_examined = counted": (1, 4),
    "never_examined = definitive resection": (1, 3),
    "progression_before_resection = event": (1, 4),
    # 1, 4 and 5 are followed to their last days alive; 4 is dead and was alive until the end.
    "relapse_free_until = last known alive": (3, 4),
    "skin_cancer = counted": (0, 3),
    # Nobody died of the tumour for certain: 2 and 3 died without a relapse before.
    "cause_of_death = tumour": (2, 1),
    # The relapse is the first event and stays it.
    "other_relapse = censors": (0, 3),
    # Patient 4 ends on day 0 and is not at risk on day 31; the others enter.
    "entry = radiotherapy start": (6, 3),
    "landmark_days = 182": (6, 3),
}
"""Run to the patients that it moves in DFS, and the events that it then has; main: 3 events."""


@pytest.fixture(scope="module")
def page() -> dict[str, pl.DataFrame]:
    """The patients of the protocol."""
    records = Records()
    for number, (told, _, _) in enumerate(PROTOCOL.values(), start=1):
        told.put(records, str(number))
    return records.run().frames


def derived(curated, chosen, assumptions) -> tuple[pl.DataFrame, pl.DataFrame]:
    whole = cohort(curated, chosen, assumptions)
    # Here the verdicts say who is eligible; the runs find that out without them.
    assert whole.judged.eligibility.height
    return whole.patients, whole.derived.endpoints


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    records = Records()
    for number, told in PATIENTS.items():
        told.put(records, number)
    curated, chosen = records.run().frames, study()
    main = derived(curated, chosen, chosen.assumptions)
    age = Covariate(name="age", column="age_at_diagnosis_years", kind="continuous")
    model = Model(name="DFS", endpoint="DFS", title="", covariates=("age",))
    return sensitivity(*main, [24], [model], [age], [], variants.runs(curated, chosen, main))


def drawn(seed: int) -> dict[str, Value | None]:
    """Draw a value for every switch; seed 0 gives the defaults."""
    draw = random.Random(seed)
    if seed == 0:
        return {}
    return {
        s.name: draw.choice([s.default, *s.others(s.default)]) for s in declared() if s.name not in SKIPPED
    }


@pytest.mark.parametrize("seed", range(4))
def test_a_shortened_run_equals_the_whole_derivation(page, seed):
    """What a switch acts on is declared; a declaration that says too late a step would show here.

    So would a part that is taken from another run although it depends on the switch.
    """
    chosen = study(**drawn(seed))
    main = derived(page, chosen, chosen.assumptions)
    shortened = list(variants.runs(page, chosen, main))
    wanted = list(alternatives(chosen.assumptions))
    assert [(n, v) for n, v, _ in shortened] == [(s.name, v) for s, v, _ in wanted]
    for (name, value, made), (_, _, assumptions) in zip(shortened, wanted, strict=True):
        whole = derived(page, chosen, assumptions)
        for short, full in zip(made, whole, strict=True):
            # A run is derived without evidence.
            read = TIMES if "endpoint" in full.columns else [c for c in full.columns if c != "record_ids"]
            order = [c for c in ("pseudonym", "endpoint") if c in read]
            assert short.select(read).sort(order).equals(full.select(read).sort(order)), (name, value)


def test_every_value_of_every_switch_is_a_run(table):
    made = set(table.filter(pl.col("switch").is_not_null()).select("switch", "value").rows())
    wanted = {(s.name, v) for s in declared() if s.name not in SKIPPED for v in map(str, s.others(s.default))}
    assert made == wanted
    assert {s.name for s in declared()} - {name for name, _ in made} == SKIPPED
    # Side by side: every run has every estimate of the main analysis, or others in its place.
    keys = ["endpoint", "quantity", "horizon_months", "model", "term"]
    main = set(table.filter(variant="main").select(keys).rows())
    for (_, _), run in table.filter(pl.col("switch").is_not_null()).group_by("switch", "value"):
        assert set(run.select(keys).rows()) == main


@pytest.mark.parametrize("variant", MOVED_DFS)
def test_a_run_moves_whom_it_must(table, variant):
    run = table.filter(variant=variant, endpoint="DFS", quantity="median").row(0, named=True)
    assert (run["moved"], run["events"]) == MOVED_DFS[variant]


def test_a_run_has_its_own_survival(table):
    rate = {
        r["variant"]: (r["n"], r["middle"])
        for r in table.filter(endpoint="DFS", quantity="survival").to_dicts()
    }
    # 24 months are 730.5 days: one event (day 366, of the 5 at risk from day 1 on) lies before them.
    assert rate["main"] == (6, pytest.approx(4 / 5))
    # The progression on day 52 is an event of 5 at risk, the relapse on day 366 one of 4.
    assert rate["progression_before_resection = event"] == (6, pytest.approx(4 / 5 * 3 / 4))
    # Patient 4 is no longer in it.
    assert rate["landmark_days = 182"] == (5, pytest.approx(4 / 5))


def test_what_a_switch_leaves_alone_is_the_main_analysis(table):
    shown = ["endpoint", "quantity", "horizon_months", "term", "middle", "earliest", "latest", "n", "events"]
    main = table.filter(variant="main").select(shown).sort(shown)
    for name in ("skin_cancer = counted", "chemotherapy = ever"):
        run = table.filter(variant=name)
        assert run.select(shown).sort(shown).equals(main) and set(run["moved"]) == {0}


def test_an_assumption_that_moves_a_rate_beyond_its_error_is_named():
    # By hand: log(-log 0.5) = -0.3665; limits 0.4 and 0.6 are -0.0874 and -0.6717, the error 0.5843 / 3.92 = 0.1491.
    # log(-log 0.55) = -0.5144 is 0.1479 away, log(-log 0.56) = -0.5450 is 0.1785 away.
    rows = [
        {"variant": v, "switch": s, "endpoint": "DFS", "quantity": "survival", "horizon_months": 24.0,
         "middle": m, "main": 0.5, "ci_low": 0.4, "ci_high": 0.6}
        for v, s, m in (("main", None, 0.5), ("a = 1", "a", 0.55), ("b = 1", "b", 0.56), ("c = 1", "c", 1.0))
    ]  # fmt: skip
    far = beyond_error(pl.DataFrame(rows))
    assert far == [("b = 1", "survival", 24.0), ("c = 1", "survival", 24.0)]
