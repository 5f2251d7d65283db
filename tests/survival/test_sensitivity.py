"""Sensitivity variants: each is a complete analysis beside the main one."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from sarcoma_pipeline.survival.cox import hazard_ratios
from sarcoma_pipeline.survival.kaplan_meier import DAYS_PER_MONTH, curves, estimates
from sarcoma_pipeline.survival.sensitivity import COMPLETE, beyond_error, sensitivity
from schemas.configuration import CensoringVariant, Covariate, Model, Study
from schemas.configuration_meaning import of_study
from tests.survival.golden import data, split

AGE = Covariate(name="age", column="age", kind="continuous")
SEX = Covariate(name="sex", column="sex", kind="factor", reference="male", levels=("female", "male"))
BY_AGE = Model(name="age", endpoint="DFS", title="", covariates=("age",))
BY_BOTH = Model(name="both", endpoint="DFS", title="", covariates=("age", "sex"))
NO_DEATH = CensoringVariant(name="death censored", endpoint="DFS", censor=("death",))


@pytest.fixture(scope="module")
def cohort() -> tuple[pl.DataFrame, pl.DataFrame]:
    endpoints, patients = split("demo_dmfs")
    dated = endpoints.with_columns(
        time_days_earliest=pl.col("time_days") - 1, time_days_latest=pl.col("time_days") + 1
    )
    # Every fifth patient's sex is unknown.
    sex = pl.when(pl.int_range(pl.len()) % 5 > 0).then("sex")
    return dated, patients.with_columns(sex=sex)


@pytest.fixture(scope="module")
def runs(cohort: tuple[pl.DataFrame, pl.DataFrame]) -> pl.DataFrame:
    endpoints, patients = cohort
    return sensitivity(patients, endpoints, [24], [BY_AGE, BY_BOTH], [AGE, SEX], [NO_DEATH])


def _ratio(runs: pl.DataFrame, variant: str, model: str, term: str = "age") -> dict:
    chosen = runs.filter(quantity="hazard ratio", variant=variant, model=model, term=term)
    return chosen.row(0, named=True)


def test_the_main_run_is_the_main_analysis(
    runs: pl.DataFrame, cohort: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    endpoints, patients = cohort
    survival = estimates(endpoints, [24]).filter(quantity="survival").row(0, named=True)
    main = runs.filter(variant="main", quantity="survival").row(0, named=True)
    assert main["main"] == main["middle"] == survival["value"]
    assert (main["ci_low"], main["ci_high"]) == (survival["ci_low"], survival["ci_high"])
    fitted = hazard_ratios(patients, endpoints, [BY_BOTH], [AGE, SEX]).filter(term="age").row(0, named=True)
    ratio = _ratio(runs, "main", "both")
    assert (ratio["middle"], ratio["n"]) == (fitted["hazard_ratio"], fitted["n"])


def test_every_estimate_stands_beside_the_main_one(runs: pl.DataFrame) -> None:
    assert runs["variant"].unique(maintain_order=True).to_list() == ["main", "death censored", COMPLETE]
    keys = ["endpoint", "quantity", "horizon_months", "model", "term", "level"]
    main = runs.filter(variant="main").select(*keys, wanted="middle")
    beside = runs.join(main, on=keys, how="left", nulls_equal=True)
    assert beside.filter(pl.col("main").ne_missing(pl.col("wanted"))).is_empty()


def test_censored_deaths_end_the_follow_up(
    runs: pl.DataFrame, cohort: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    endpoints, _ = cohort
    deaths = endpoints.filter(event_kind="death").height
    assert deaths > 0
    run = runs.filter(variant="death censored", quantity="survival").row(0, named=True)
    main = runs.filter(variant="main", quantity="survival").row(0, named=True)
    assert run["events"] == main["events"] - deaths and run["n"] == main["n"]
    changed = endpoints.with_columns(event=pl.col("event_kind") == "distant relapse")
    by_hand = curves(changed).filter(pl.col("time_months") <= 24)["survival"][-1]
    assert run["middle"] == by_hand > run["main"]


def _survival(frame: pl.DataFrame) -> float:
    return curves(frame).filter(pl.col("time_months") <= 24)["survival"][-1]


def test_a_later_day_of_censoring_affects_only_patients_without_event(
    cohort: tuple[pl.DataFrame, pl.DataFrame],
) -> None:
    endpoints, patients = cohort
    # All patients were seen alive 400 days after the last examination, also those with an event.
    alive = endpoints.select("pseudonym", follow_up_days=pl.col("time_days") + 400)
    variant = CensoringVariant(name="alive", endpoint="DFS", date="last known alive")
    known = patients.join(alive, on="pseudonym")
    found = sensitivity(known, endpoints, [24], [BY_AGE], [AGE], [variant]).filter(variant="alive")
    run = found.filter(quantity="survival").row(0, named=True)
    later = pl.when("event").then("time_days").otherwise(pl.col("time_days") + 400)
    by_hand = endpoints.with_columns(time_days=later)
    assert run["middle"] == _survival(by_hand) != run["main"]
    assert run["events"] == endpoints["event"].sum()
    fitted = hazard_ratios(patients, by_hand, [BY_AGE], [AGE])["hazard_ratio"][0]
    assert found.filter(quantity="hazard ratio")["middle"].to_list() == [fitted]
    # A day not later than the last examination changes nothing.
    earlier = patients.join(alive.with_columns(follow_up_days=pl.col("follow_up_days") - 500), on="pseudonym")
    same = sensitivity(earlier, endpoints, [24], [], [], [variant]).filter(variant="alive")
    assert same["middle"].to_list() == same["main"].to_list()


def test_a_shorter_follow_up_has_fewer_events(cohort: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    endpoints, patients = cohort
    variant = CensoringVariant(name="two years", endpoint="DFS", months=24)
    found = sensitivity(patients, endpoints, [12, 24], [BY_AGE], [AGE], [variant]).filter(variant="two years")
    rates = found.filter(quantity="survival")
    assert rates["middle"].to_list() == rates["main"].to_list()
    last, inside = 731, pl.col("time_days") <= 730
    assert set(found["events"]) == {endpoints.filter("event", inside).height}
    cut = endpoints.with_columns(
        time_days=pl.min_horizontal("time_days", pl.lit(last)), event=pl.col("event") & inside
    )
    fitted = hazard_ratios(patients, cut, [BY_AGE], [AGE])["hazard_ratio"][0]
    ratio = found.filter(quantity="hazard ratio").row(0, named=True)
    assert ratio["middle"] == fitted != ratio["main"]


def test_both_ends_of_the_dates_are_analyses_of_their_own(runs: pl.DataFrame) -> None:
    median = runs.filter(variant="main", quantity="median").row(0, named=True)
    # All times, and therefore the median, are one day earlier or later.
    assert median["middle"] - median["earliest"] == pytest.approx(1 / DAYS_PER_MONTH)
    assert median["latest"] - median["middle"] == pytest.approx(1 / DAYS_PER_MONTH)
    ratio = _ratio(runs, "main", "age")
    assert ratio["earliest"] == pytest.approx(ratio["middle"], rel=1e-9)


def test_complete_cases_are_the_same_patients_in_every_model(
    runs: pl.DataFrame, cohort: tuple[pl.DataFrame, pl.DataFrame]
) -> None:
    _, patients = cohort
    known = patients["sex"].drop_nulls().len()
    assert known < patients.height
    assert _ratio(runs, "main", "age")["n"] == patients.height
    assert _ratio(runs, COMPLETE, "age")["n"] == _ratio(runs, COMPLETE, "both")["n"] == known
    assert _ratio(runs, COMPLETE, "both")["middle"] == _ratio(runs, "main", "both")["middle"]
    assert _ratio(runs, COMPLETE, "age")["middle"] != _ratio(runs, "main", "age")["middle"]


ESTIMATED = [
    "endpoint", "quantity", "horizon_months", "model", "term", "level", "middle", "ci_low", "ci_high",
    "earliest", "latest", "n", "events",
]  # fmt: skip
OTHER = Model(name="other", endpoint="OS", title="", covariates=("sex",))


def _older(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(age=pl.col("age") + (pl.int_range(pl.len()) == 3) * 10)


def _another_sex(frame: pl.DataFrame) -> pl.DataFrame:
    swapped = pl.col("sex").replace({"male": "female", "female": "male"})
    return frame.with_columns(sex=pl.when(pl.int_range(pl.len()) < 9).then(swapped).otherwise("sex"))


def _later(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("^time_days.*$") + 40 * (pl.int_range(pl.len()) == 7))


def _one_exact_end(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(time_days_latest="time_days")


def _exact(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(time_days_earliest="time_days", time_days_latest="time_days")


def _with_os(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.with_columns(endpoint=pl.lit("OS"))])


@pytest.mark.parametrize("of_patients", [pl.DataFrame.clone, _older, _another_sex, lambda f: f.head(60)])
@pytest.mark.parametrize(
    "of_times", [pl.DataFrame.clone, _later, _one_exact_end, _exact, _with_os, lambda f: f.reverse()]
)
def test_a_run_under_another_assumption_is_the_main_analysis_of_its_cohort(cohort, of_patients, of_times):
    endpoints, patients = cohort
    others, changed = of_patients(patients), of_times(endpoints)
    declared = ([12, 24], [BY_AGE, BY_BOTH, OTHER], [AGE, SEX], [])
    alternative = ("switch", "value", (others, changed))
    made = sensitivity(patients, endpoints, *declared, [alternative]).filter(switch="switch")
    alone = sensitivity(others, changed, *declared).filter(variant="main")
    order = ["endpoint", "quantity", "horizon_months", "model", "term"]
    assert made.height == alone.height > 0
    numbers = (f.select(ESTIMATED).sort(order) for f in (made, alone))
    one, other = numbers
    # Patients in another order are added up in another order.
    assert_frame_equal(one, other, check_exact=False, rel_tol=1e-9)


def test_without_patients_there_is_no_run() -> None:
    endpoints, patients = split("demo_dmfs")
    found = sensitivity(patients, endpoints.clear(), [24], [BY_AGE], [AGE], [NO_DEATH])
    assert found.is_empty() and "main" in found.columns


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        (
            "cumulative_incidence",
            [{"name": "x", "endpoint": "LRFS", "title": "x", "causes": {"death": ["death"]}}],
            "every event of LRFS once",
        ),
        (
            "censoring_variants",
            [{"name": "x", "endpoint": "OS", "censor": ["death"]}],
            "OS would have no event left",
        ),
        (
            "censoring_variants",
            [{"name": "x", "endpoint": "DMFS", "censor": ["local relapse"]}],
            '"local relapse" ',
        ),
        ("censoring_variants", [{"name": "x", "endpoint": "DMFS"}], "must say what it censors"),
        (
            "censoring_variants",
            [{"name": "x", "endpoint": "OS", "date": "last known alive"}],
            "is the main analysis",
        ),
        (
            "censoring_variants",
            [{"name": "x", "endpoint": "OS", "months": m} for m in (12, 24)],
            'are named "x"',
        ),
    ],
)
def test_a_study_that_contradicts_itself_is_refused(
    study: Study, key: str, value: list, message: str
) -> None:
    """Some are no study at all, others contradict what they name: loading refuses both."""
    assert not list(of_study(study, study.name))
    try:
        made = Study.model_validate({**study.model_dump(), key: value})
    except ValidationError as wrong:
        assert message in str(wrong)
    else:
        assert any(key in loc and message in words for loc, words in of_study(made, study.name))


def test_every_relapse_of_the_demo_has_its_cause() -> None:
    assert set(data("demo_lrfs").filter("event")["kind"]) == {"local relapse", "death"}
    assert set(data("demo_dmfs").filter("event")["kind"]) == {"distant relapse", "death"}


def test_a_rate_of_0_or_1_has_no_standard_error_to_stay_within() -> None:
    rows = [
        {"variant": "main", "switch": None, "horizon_months": h, "main": s, "middle": s}
        for h, s in ((12, 1.0), (24, 0.0), (36, 1.0))
    ] + [
        {"variant": "other", "switch": "late_deaths", "horizon_months": h, "main": s, "middle": other}
        for h, s, other in ((12, 1.0, 0.9), (24, 0.0, 0.2), (36, 1.0, 1.0))
    ]
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        quantity=pl.lit("survival"), ci_low=pl.lit(None, pl.Float64), ci_high=pl.lit(None, pl.Float64)
    )
    assert [horizon for _, _, horizon in beyond_error(frame)] == [12, 24]
